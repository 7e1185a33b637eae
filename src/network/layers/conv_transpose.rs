//! Transposed convolution: the adjoint of a convolution, so that stride s enlarges s times (Dumoulin and Visin 2016,
//! section 4). The weight is `[channels, filters, kernel, kernel]`.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, initial_weights, input, maps};
use crate::kernels::cpu::ConvolutionSettings;

pub struct ConvTranspose;

impl Layer for ConvTranspose {
    fn name(&self) -> &'static str {
        "conv_transpose"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [_, height, width] = maps(first(inputs)?)?;
        let (kernel, stride) = (arguments.size("kernel")?.max(1), arguments.size("stride")?.max(1));
        let (padding, extra) = (arguments.size("padding")?, arguments.size("output_padding")?);
        if padding >= kernel || extra >= stride {
            return Err(ShapeError::new(format!(
                "a padding of {padding} must be less than the kernel of {kernel}, and an output padding of {extra} less than \
                 the stride of {stride}"
            )));
        }
        // What the output would be cut off by is more than there is where small maps meet a large padding.
        let along = |size: usize| {
            ((size.max(1) - 1) * stride + kernel + extra).checked_sub(2 * padding).filter(|size| *size > 0).ok_or_else(|| {
                ShapeError {
                    message: format!("a padding of {padding} leaves nothing of {height}×{width} pixels"),
                    help: Some("choose a smaller padding".into()),
                }
            })
        };
        Ok(vec![arguments.size("filters")?, along(height)?, along(width)?])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let shape: Shape = lowering.shape(x).into_iter().skip(1).collect();
        let (channels, output) = (maps(&shape)?[0], maps(&self.shape(&[&shape], arguments)?)?);
        let [filters, height, width] = output;
        let (kernel, stride) = (arguments.size("kernel")?.max(1), arguments.size("stride")?.max(1));
        // A pixel of the output is a sum over the channels and over every stride-th place of the kernel, along both sides.
        let fan_in = (channels * kernel * kernel / (stride * stride)).max(channels);
        let weight = initial_weights::weight_by_outputs(lowering, &[channels, filters, kernel, kernel], 1, fan_in, arguments)?;
        let settings = ConvolutionSettings::square(stride, arguments.size("padding")?);
        Ok(lowering.graph.conv2d_input_gradient(x, weight, settings, [height, width]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close, normal};

    fn transposed(kernel: i64, stride: i64, padding: i64, extra: i64) -> Trial {
        let trial = Trial::new("conv_transpose", &[&[2, 3, 2]]).size("filters", 3).size("kernel", kernel);
        trial.size("stride", stride).size("padding", padding).size("output_padding", extra).with("weights", normal(1.0))
    }

    #[test]
    fn it_spreads_each_pixel_over_the_kernel() {
        let mut trial = Trial::new("conv_transpose", &[&[1, 1, 2]]).size("filters", 1).size("kernel", 3).size("stride", 2);
        trial = trial.size("padding", 0).size("output_padding", 0).with("weights", normal(1.0));
        trial.batch = 1;
        assert_eq!(trial.shape(), [1, 3, 5]);
        let weight: Vec<f64> = (1..=9).map(f64::from).collect();
        // 10 · kernel at column 0 and 100 · kernel at column 2.
        let row = |a: f64, b: f64, c: f64| [10.0 * a, 10.0 * b, 10.0 * c + 100.0 * a, 100.0 * b, 100.0 * c];
        let expected = [row(1.0, 2.0, 3.0), row(4.0, 5.0, 6.0), row(7.0, 8.0, 9.0)].concat();
        assert_close(&trial.run(&[&[10.0, 100.0]], &[("weight", &weight)]), &expected);
    }

    #[test]
    fn sizes_are_those_of_the_other_libraries() {
        assert_eq!(transposed(4, 2, 1, 0).shape(), [3, 6, 4]);
        assert_eq!(transposed(3, 2, 1, 1).shape(), [3, 6, 4]);
        assert_eq!(transposed(2, 2, 0, 0).shape(), [3, 6, 4]);
        assert_eq!(transposed(4, 1, 0, 0).shape(), [3, 6, 5]);
        assert!(transposed(3, 2, 3, 0).refusal().contains("less than the kernel of 3"));
        assert!(transposed(3, 2, 1, 2).refusal().contains("less than the stride of 2"));
    }

    #[test]
    fn its_derivatives_are_those_of_finite_differences() {
        transposed(4, 2, 1, 0).check_gradient();
        transposed(3, 2, 1, 1).check_gradient();
    }
}
