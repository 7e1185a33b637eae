//! Means of windows of size × size pixels that move by `stride`. Zeros of the padding count, as in the other libraries.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::window::Window;
use super::{Layer, first, input, maps};
use crate::kernels::cpu::ConvolutionSettings;

pub struct AvgPool;

impl Layer for AvgPool {
    fn name(&self) -> &'static str {
        "avg_pool"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [channels, height, width] = maps(first(inputs)?)?;
        let (size, stride, padding) = (arguments.size("size")?, arguments.size("stride")?.max(1), arguments.size("padding")?);
        if padding * 2 > size {
            return Err(ShapeError::new(format!("a padding of {padding} is more than half of the window of {size}")));
        }
        let [height, width] = Window { extent: [size; 2], stride: [stride; 2], padding: [padding; 2] }.places([height, width])?;
        Ok(vec![channels, height, width])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let (size, stride, padding) = (arguments.size("size")?, arguments.size("stride")?.max(1), arguments.size("padding")?);
        let shape = lowering.shape(x);
        let &[batch, channels, height, width] = shape.as_slice() else {
            return Err(ShapeError::new(format!("needs [batch, channels, height, width], but gets {shape:?}")));
        };
        let share = 1.0 / (size * size) as f64;
        let graph = &mut *lowering.graph;
        if size == stride && padding == 0 && height % size == 0 && width % size == 0 {
            let sums = graph.sum_pool(x, size);
            return Ok(graph.scale(sums, share));
        }
        // A convolution of each channel alone with a kernel of equal numbers.
        let [rows, columns] = Window { extent: [size; 2], stride: [stride; 2], padding: [padding; 2] }.places([height, width])?;
        let single = graph.reshape(x, &[batch * channels, 1, height, width]);
        let kernel = graph.constant(share, &[1, 1, size, size]);
        let means = graph.conv2d(single, kernel, ConvolutionSettings::square(stride, padding));
        Ok(graph.reshape(means, &[batch, channels, rows, columns]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close, counting};

    fn pool(size: i64, stride: i64, padding: i64) -> Trial {
        let mut trial = Trial::new("avg_pool", &[&[1, 4, 4]]).size("size", size).size("stride", stride).size("padding", padding);
        trial.batch = 1;
        trial
    }

    #[test]
    fn windows_are_averaged_with_their_padding() {
        assert_close(&pool(2, 2, 0).run(&[&counting(16)], &[]), &[3.5, 5.5, 11.5, 13.5]);
        assert_close(&pool(3, 1, 0).run(&[&counting(16)], &[]), &[6.0, 7.0, 10.0, 11.0]);
        // The corner window holds 1, 2, 5, 6 and five zeros.
        let padded = pool(3, 2, 1).run(&[&counting(16)], &[]);
        assert_close(&padded, &[14.0, 30.0, 57.0, 99.0].map(|sum| sum / 9.0));
        pool(3, 2, 1).check_gradient();
        pool(2, 2, 0).check_gradient();
    }

    #[test]
    fn windows_that_do_not_fit_are_refused() {
        assert_eq!(pool(5, 1, 0).refusal(), "a 5×5 window does not fit into 4×4 pixels");
        assert_eq!(pool(2, 1, 2).refusal(), "a padding of 2 is more than half of the window of 2");
    }
}
