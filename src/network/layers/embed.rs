//! A learned row for each label; the rows of all labels that are set are added. For labels `y` of 0 and 1 this is y · W with
//! W `[labels, outputs]`: what a projection discriminator multiplies its features with (Miyato and Koyama 2018).

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, initial_weights, input, vector};

pub struct Embed;

impl Layer for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        vector(first(inputs)?)?;
        Ok(vec![arguments.size("outputs")?])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let y = input(inputs, 0)?;
        let labels = lowering.shape(y).get(1).copied().unwrap_or(0);
        // A row is read as it is, so one number goes into each of its numbers.
        let weight = initial_weights::weight_by_outputs(lowering, &[labels, arguments.size("outputs")?], 1, 1, arguments)?;
        Ok(lowering.graph.matmul(y, weight, false, false))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close, normal};

    #[test]
    fn rows_of_the_labels_that_are_set_are_added() {
        let trial = Trial::new("embed", &[&[3]]).size("outputs", 2).with("weights", normal(1.0));
        assert_eq!(trial.weights(), [("layer/weight".to_owned(), vec![3, 2])]);
        let weight = [1.0, 2.0, 10.0, 20.0, 100.0, 200.0];
        assert_close(&trial.run(&[&[1.0, 0.0, 1.0, 0.0, 0.0, 0.0]], &[("weight", &weight)]), &[101.0, 202.0, 0.0, 0.0]);
        trial.check_gradient();
        assert!(Trial::new("embed", &[&[1, 2, 2]]).size("outputs", 2).refusal().contains("needs a vector"));
    }
}
