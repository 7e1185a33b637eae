//! Largest value in windows of size × size pixels that move by `stride`; padding never wins.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::window::Window;
use super::{Layer, first, input, maps};

pub struct MaxPool;

impl Layer for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool"
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
        let (size, stride, padding) = (arguments.size("size")?, arguments.size("stride")?.max(1), arguments.size("padding")?);
        Ok(lowering.graph.max_pool(input(inputs, 0)?, size, stride, padding))
    }
}
