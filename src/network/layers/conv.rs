//! Convolution (as in the field, a cross-correlation) with zero padding; in groups of channels, and with a kernel whose
//! places stand `dilation` pixels apart (Yu and Koltun 2016).

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::window;
use super::{Layer, first, initial_weights::weight, input, maps};
use crate::kernels::cpu::ConvolutionSettings;

pub struct Conv;

fn settings(arguments: &LayerArguments) -> Result<ConvolutionSettings, ShapeError> {
    Ok(ConvolutionSettings {
        stride: arguments.pair("stride")?.map(|stride| stride.max(1)),
        padding: arguments.pair("padding")?,
        dilation: arguments.pair("dilation")?.map(|dilation| dilation.max(1)),
        groups: arguments.size("groups")?.max(1),
    })
}

impl Layer for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [channels, height, width] = maps(first(inputs)?)?;
        let (filters, settings) = (arguments.size("filters")?, settings(arguments)?);
        let groups = settings.groups;
        for (number, what) in [(channels, "channels"), (filters, "filters")] {
            if number % groups != 0 {
                return Err(ShapeError {
                    message: format!("{number} {what} cannot be divided into {groups} groups"),
                    help: Some(format!("choose `groups` among the divisors of {channels} channels and {filters} filters")),
                });
            }
        }
        let window = window::of_kernel(arguments.pair("kernel")?, &settings);
        for (padding, extent) in settings.padding.into_iter().zip(window.size) {
            if padding >= extent {
                return Err(ShapeError {
                    message: format!("a padding of {padding} leaves a window of {extent} pixels nothing to read"),
                    help: Some(format!("at most {} pixels of padding", extent - 1)),
                });
            }
        }
        let [height, width] = window::places(&window, [height, width])?;
        Ok(vec![filters, height, width])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let (settings, [rows, columns]) = (settings(arguments)?, arguments.pair("kernel")?.map(|places| places.max(1)));
        let channels = lowering.shape(x).get(1).copied().unwrap_or(0) / settings.groups;
        let shape = [arguments.size("filters")?, channels, rows, columns];
        let weight = weight(lowering, &shape, channels * rows * columns, arguments)?;
        Ok(lowering.graph.conv2d(x, weight, settings))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close, counting, normal};

    fn conv(channels: usize, filters: i64, kernel: i64, padding: i64) -> Trial {
        let trial = Trial::new("conv", &[&[channels, 4, 5]]).size("filters", filters).size("kernel", kernel);
        trial.size("padding", padding).with("weights", normal(1.0))
    }

    #[test]
    fn groups_and_dilation_are_those_of_their_definition() {
        // Depthwise 1×1: each channel times its own number.
        let depthwise = conv(2, 2, 1, 0).size("stride", 1).size("groups", 2).size("dilation", 1);
        let x = counting(2 * 2 * 20);
        let expected: Vec<f64> =
            x.iter().enumerate().map(|(index, x)| x * if index / 20 % 2 == 0 { 3.0 } else { -2.0 }).collect();
        assert_close(&depthwise.run(&[&x], &[("weight", &[3.0, -2.0])]), &expected);
        // Places two apart: x[0, 0] + 10 · x[0, 2] + 100 · x[2, 0] + 1000 · x[2, 2] of each window.
        let dilated = conv(1, 1, 2, 0).size("stride", 1).size("groups", 1).size("dilation", 2);
        assert_eq!(dilated.shape(), [1, 2, 3]);
        let mut dilated = dilated;
        dilated.batch = 1;
        let at = |row: usize, column: usize| (row * 5 + column + 1) as f64;
        let window = |row, column| {
            at(row, column) + 10.0 * at(row, column + 2) + 100.0 * at(row + 2, column) + 1000.0 * at(row + 2, column + 2)
        };
        let expected: Vec<f64> = (0..2).flat_map(|row| (0..3).map(move |column| window(row, column))).collect();
        assert_close(&dilated.run(&[&counting(20)], &[("weight", &[1.0, 10.0, 100.0, 1000.0])]), &expected);
    }

    #[test]
    fn its_derivatives_are_those_of_finite_differences() {
        conv(4, 6, 3, 2).size("stride", 2).size("groups", 2).size("dilation", 2).check_gradient();
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refusal = |groups, dilation, padding| {
            conv(4, 6, 3, padding).size("stride", 1).size("groups", groups).size("dilation", dilation).refusal()
        };
        assert_eq!(refusal(4, 1, 1), "6 filters cannot be divided into 4 groups");
        assert_eq!(refusal(3, 1, 1), "4 channels cannot be divided into 3 groups");
        assert_eq!(refusal(1, 3, 1), "a 7×7 window does not fit into 4×5 pixels");
        assert_eq!(refusal(1, 1, 3), "a padding of 3 leaves a window of 3 pixels nothing to read");
    }
}
