//! Group normalisation (Wu and He 2018): in every image, groups of neighbouring channels have mean 0 and variance 1 over
//! channels and space.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::normalisation::{scale_and_shift, standardise};
use super::{Layer, first, input};

pub struct GroupNorm;

impl Layer for GroupNorm {
    fn name(&self) -> &'static str {
        "group_norm"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let x = first(inputs)?;
        let groups = arguments.size("groups")?.max(1);
        let channels = *x.first().ok_or_else(|| ShapeError::new("there is no channel to normalise"))?;
        if channels % groups != 0 {
            return Err(ShapeError {
                message: format!("{channels} channels cannot be divided into {groups} groups"),
                help: Some(format!("choose `groups` among the divisors of {channels}")),
            });
        }
        Ok(x.clone())
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let x = input(inputs, 0)?;
        let shape = lowering.shape(x);
        let groups = arguments.size("groups")?.max(1);
        let numbers = shape.iter().skip(1).product::<usize>() / groups;
        let grouped = lowering.graph.reshape(x, &[lowering.batch, groups, numbers]);
        let normalised = standardise(lowering.graph, grouped, &[2], arguments.number("epsilon")?);
        let normalised = lowering.graph.reshape(normalised, &shape);
        scale_and_shift(lowering, normalised, arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn groups_of_channels_are_normalised_together() {
        let trial = Trial::new("group_norm", &[&[4, 1, 1]]).size("groups", 2).number("epsilon", 0.0).flag("affine", true);
        let weights: [(&str, &[f64]); 2] = [("scale", &[1.0, 2.0, 3.0, 4.0]), ("shift", &[0.0, 0.0, 0.0, 100.0])];
        let found = trial.run(&[&[1.0, 3.0, 7.0, 5.0, 0.0, 2.0, 10.0, 20.0]], &weights);
        assert_close(&found, &[-1.0, 2.0, 3.0, 96.0, -1.0, 2.0, -3.0, 104.0]);
        let trial = Trial::new("group_norm", &[&[4, 2, 2]]).size("groups", 2).number("epsilon", 1e-5).flag("affine", true);
        trial.check_gradient();
        let refused = Trial::new("group_norm", &[&[6, 2, 2]]).size("groups", 4);
        assert_eq!(refused.refusal(), "6 channels cannot be divided into 4 groups");
    }
}
