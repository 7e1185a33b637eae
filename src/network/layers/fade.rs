//! progress · new + (1 − progress) · old: how a network that grows takes a new branch in (Karras et al. 2018, section 2).
//!
//! The progress is a number from 0 to 1 that is kept with the network's running statistics under the name [`PROGRESS`]. It is
//! 1 unless something sets it, and then the new branch alone counts. Nothing is learned: who trains a growing network moves
//! it from step to step.

use super::super::graph::NodeId;
use super::super::lowering::{Initial, Lowering};
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, input};

/// The running statistic that says how much of the new branch counts; its name ends with `/progress`.
pub const PROGRESS: &str = "progress";

pub struct Fade;

impl Layer for Fade {
    fn name(&self) -> &'static str {
        "fade"
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        match inputs {
            [old, new] if old == new => Ok((*new).clone()),
            [old, new] => Err(ShapeError {
                message: format!("the old branch makes {old:?} and the new one {new:?}"),
                help: Some("`upsample` or `downsample` brings the old branch to the size of the new one".into()),
            }),
            _ => Err(ShapeError::new("an old and a new branch are needed")),
        }
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], _: &LayerArguments) -> Result<NodeId, ShapeError> {
        let (old, new) = (input(inputs, 0)?, input(inputs, 1)?);
        let progress = lowering.state(PROGRESS, &[1], Initial::Constant(1.0));
        let ones = vec![1; lowering.shape(new).len()];
        let graph = &mut *lowering.graph;
        let progress = graph.reshape(progress, &ones);
        let negative = graph.neg(progress);
        let rest = graph.shift(negative, 1.0);
        let new = graph.mul(new, progress);
        let old = graph.mul(old, rest);
        Ok(graph.add(new, old))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn the_new_branch_counts_as_far_as_progress_says() {
        let trial = Trial::new("fade", &[&[2], &[2]]);
        let (old, new) = ([1.0, 2.0, 3.0, 4.0], [0.1, 0.3, 0.7, 1e9]);
        assert_eq!(trial.run(&[&old, &new], &[("progress", &[1.0])]), new);
        assert_eq!(trial.run(&[&old, &new], &[("progress", &[0.0])]), old);
        assert_close(&trial.run(&[&old, &[5.0; 4]], &[("progress", &[0.25])]), &[2.0, 2.75, 3.5, 4.25]);
        assert_eq!(trial.weights(), [("layer/progress".to_owned(), vec![1])]);
        trial.check_gradient();
        let refused = Trial::new("fade", &[&[1, 4, 4], &[1, 8, 8]]);
        assert_eq!(refused.refusal(), "the old branch makes [1, 4, 4] and the new one [1, 8, 8]");
    }
}
