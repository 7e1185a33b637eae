//! exp(x) over the sum of all exp(x): of a vector's elements, or of the channels of each pixel.

use super::super::graph::{Graph, NodeId};
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input};

pub struct Softmax;

impl Layer for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        first(inputs).cloned()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        Ok(softmax(lowering.graph, input(inputs, 0)?, 1))
    }
}

/// Along an axis. The greatest is subtracted before, so that nothing overflows; the result is the same whatever is
/// subtracted, so that no gradient need go through it.
pub fn softmax(graph: &mut Graph, x: NodeId, axis: usize) -> NodeId {
    let greatest = graph.greatest(x, axis);
    let greatest = graph.detach(greatest);
    let below = graph.sub(x, greatest);
    let powers = graph.exp(below);
    let sum = graph.sum(powers, &[axis], true);
    graph.div(powers, sum)
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn shares_add_to_one_and_large_numbers_do_not_overflow() {
        let vector = Trial::new("softmax", &[&[3]]);
        let sum = 1.0 + 2.0 + 4.0;
        let logarithms = [1f64, 2.0, 4.0].map(|x| x.ln() + 5000.0);
        let found = vector.run(&[&[logarithms, [0.0; 3]].concat()], &[]);
        for (found, expected) in found.iter().zip([1.0 / sum, 2.0 / sum, 4.0 / sum, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]) {
            assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
        }
        vector.check_gradient();
        let mut maps = Trial::new("softmax", &[&[2, 1, 2]]);
        maps.batch = 1;
        assert_close(&maps.run(&[&[0.0, 3f64.ln(), 0.0, 0.0]], &[]), &[0.5, 0.75, 0.5, 0.25]);
        maps.check_gradient();
    }
}
