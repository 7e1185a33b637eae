//! Minibatch standard deviation (Karras et al. 2018, section 3): one more channel that holds, for each group of images, the
//! standard deviation over the group, averaged over channels and space. Members of a group stand batch/group apart.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input, maps};

pub struct MinibatchStddev;

impl Layer for MinibatchStddev {
    fn name(&self) -> &'static str {
        "minibatch_stddev"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        let [channels, height, width] = maps(first(inputs)?)?;
        Ok(vec![channels + 1, height, width])
    }

    fn admits_batch(&self, batch: usize, arguments: &LayerArguments) -> Result<(), ShapeError> {
        let group = arguments.size("group")?.clamp(1, batch.max(1));
        if batch.is_multiple_of(group) {
            return Ok(());
        }
        Err(ShapeError {
            message: format!("a batch of {batch} cannot be divided into groups of {group}"),
            help: Some(format!("choose a batch that is a multiple of {group}")),
        })
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let shape = lowering.shape(x);
        let &[batch, channels, height, width] = shape.as_slice() else {
            return Err(ShapeError::new(format!("needs [batch, channels, height, width], but gets {shape:?}")));
        };
        self.admits_batch(batch, arguments)?;
        let group = arguments.size("group")?.clamp(1, batch.max(1));
        let (groups, numbers) = (batch / group, channels * height * width);
        let graph = &mut *lowering.graph;
        let members = graph.reshape(x, &[group, groups * numbers]);
        let mean = graph.mean(members, &[0], true);
        let centred = graph.sub(members, mean);
        let squares = graph.square(centred);
        let variance = graph.mean(squares, &[0], true);
        let shifted = graph.shift(variance, 1e-8);
        let deviation = graph.sqrt(shifted);
        let by_group = graph.reshape(deviation, &[groups, numbers]);
        let average = graph.mean(by_group, &[1], true);
        let average = graph.reshape(average, &[1, groups, 1, 1]);
        let spread = graph.broadcast(average, &[group, groups, height, width]);
        let channel = graph.reshape(spread, &[batch, 1, height, width]);
        Ok(graph.concat(&[x, channel], 1))
    }
}
