//! Convolution with weights that each sample's style multiplies, channel by channel, and that are then normalised to unit
//! length for each filter (Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", equations 1 and 3).
//!
//! Instead of a weight for each sample, the input is multiplied before and the output divided after, which is the same:
//! Σ (s_c w) x = Σ w (s_c x).

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::window;
use super::{Layer, initial_weights::weight, input, maps, vector};
use crate::kernels::cpu::ConvolutionSettings;

pub struct ModulatedConv;

impl Layer for ModulatedConv {
    fn name(&self) -> &'static str {
        "modulated_conv"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [x, style] = inputs else { return Err(ShapeError::new("feature maps and a style are needed")) };
        let [channels, height, width] = maps(x)?;
        if vector(style)? != channels {
            return Err(ShapeError {
                message: format!("{channels} channels need as many numbers of style, not {style:?}"),
                help: Some(format!("make the style with `dense(code, {channels}) |> bias`")),
            });
        }
        let kernel = arguments.size("kernel")?.max(1);
        let window = window::of_kernel([kernel; 2], &ConvolutionSettings::square(1, (kernel - 1) / 2));
        let [height, width] = window::places(&window, [height, width])?;
        Ok(vec![arguments.size("filters")?, height, width])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let (x, style) = (input(inputs, 0)?, input(inputs, 1)?);
        let channels = lowering.shape(style).get(1).copied().unwrap_or(0);
        let (filters, kernel) = (arguments.size("filters")?, arguments.size("kernel")?.max(1));
        let weight = weight(lowering, &[filters, channels, kernel, kernel], channels * kernel * kernel, arguments)?;
        let batch = lowering.batch;
        let graph = &mut *lowering.graph;
        let spread = graph.reshape(style, &[batch, channels, 1, 1]);
        let modulated = graph.mul(x, spread);
        let y = graph.conv2d(modulated, weight, ConvolutionSettings::square(1, (kernel - 1) / 2));
        if !arguments.flag("demodulate")? {
            return Ok(y);
        }
        let squares = graph.square(weight);
        let by_channel = graph.sum(squares, &[2, 3], false);
        let style = graph.square(style);
        let lengths = graph.matmul(style, by_channel, false, true);
        let lengths = graph.shift(lengths, 1e-8);
        let lengths = graph.sqrt(lengths);
        let lengths = graph.reshape(lengths, &[batch, filters, 1, 1]);
        Ok(graph.div(y, lengths))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close, normal};

    fn modulated(demodulate: bool) -> Trial {
        let trial = Trial::new("modulated_conv", &[&[2, 3, 3], &[2]]).size("filters", 3).size("kernel", 3);
        trial.flag("demodulate", demodulate).with("weights", normal(1.0))
    }

    #[test]
    fn each_sample_has_its_own_weights_of_unit_length() {
        let trial = Trial::new("modulated_conv", &[&[2, 1, 1], &[2]]).size("filters", 1).size("kernel", 1);
        let trial = trial.flag("demodulate", true).with("weights", normal(1.0));
        // Weights 3 and 4: with styles (1, 1) they are 3/5 and 4/5, with (2, 0) they are 1 and 0.
        let found = trial.run(&[&[1.0, 10.0, 1.0, 10.0], &[1.0, 1.0, 2.0, 0.0]], &[("weight", &[3.0, 4.0])]);
        for (found, expected) in found.iter().zip([43.0 / 5.0, 1.0]) {
            assert!((found - expected).abs() < 1e-7, "{found}, not {expected}");
        }
        let plain = Trial::new("modulated_conv", &[&[2, 1, 1], &[2]]).size("filters", 1).size("kernel", 1);
        let plain = plain.flag("demodulate", false).with("weights", normal(1.0));
        let found = plain.run(&[&[1.0, 10.0, 1.0, 10.0], &[1.0, 1.0, 2.0, 0.0]], &[("weight", &[3.0, 4.0])]);
        assert_close(&found, &[43.0, 6.0]);
        modulated(true).check_gradient();
        modulated(false).check_gradient();
        let refused = Trial::new("modulated_conv", &[&[2, 3, 3], &[3]]).size("filters", 3).size("kernel", 3);
        assert_eq!(refused.refusal(), "2 channels need as many numbers of style, not [3]");
    }
}
