//! What a discriminator with a classifier beside its score learns of labels, and teaches the generator (Odena et al. 2017).
//! Images may have several findings.
//!
//! - `sigmoid_labels`: each finding has its own sigmoid cross-entropy, and an image the mean over all findings.
//! - `softmax_labels`: one softmax over all findings, whose target is the row of labels divided by its sum. Schütte et al. 2021,
//!   code of `loss.py`. The findings of an image compete for one unit of probability, and absence teaches nothing; a row without
//!   a finding has no target, and counts for nothing (in the authors' code it is no number).
//!
//! Labels that nobody knows are masked.

use super::bound::defect;
use super::losses::mean;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::network::LayerArguments;
use crate::network::graph::{Graph, NodeId};

/// The constructors of type `auxiliary_loss` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["sigmoid_labels", "softmax_labels"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Auxiliary {
    Sigmoid { weight: f64 },
    Softmax { weight: f64 },
}

impl Auxiliary {
    /// `None` where nothing is said, for a discriminator that makes a score alone.
    pub fn from_value(value: &Value) -> Result<Option<Self>, Diagnostic> {
        if matches!(value, Value::Choice(_)) {
            return Ok(None);
        }
        let unknown = || defect(format!("{value:?} is no loss of labels; there are {}", CONSTRUCTORS.join(", ")));
        let Value::Construction(construction) = value else { return Err(unknown()) };
        let weight = LayerArguments(construction.arguments.clone()).number("weight").map_err(|error| defect(error.message))?;
        match construction.function.as_str() {
            "sigmoid_labels" => Ok(Some(Self::Sigmoid { weight })),
            "softmax_labels" => Ok(Some(Self::Softmax { weight })),
            _ => Err(unknown()),
        }
    }

    /// The loss of logits, the mean over images. All are `[batch, labels]`; `known` is 1 where a label is known and 0 elsewhere.
    pub fn node(self, graph: &mut Graph, logits: NodeId, labels: NodeId, known: NodeId) -> NodeId {
        match self {
            Self::Sigmoid { weight } => {
                // softplus(x) − x · y, which is −ln of the probability that the sigmoid gives to y.
                let softplus = graph.softplus(logits);
                let product = graph.mul(logits, labels);
                let each = graph.sub(softplus, product);
                let each = graph.mul(each, known);
                let mean = mean(graph, each);
                graph.scale(mean, weight)
            }
            Self::Softmax { weight } => {
                let greatest = graph.greatest(logits, 1);
                let greatest = graph.detach(greatest);
                let below = graph.sub(logits, greatest);
                let powers = graph.exp(below);
                let total = graph.sum(powers, &[1], true);
                let logarithm = graph.ln(total);
                let surprise = graph.sub(logarithm, below);
                // An unknown label is not among the labels that are set.
                let count = graph.sum(labels, &[1], true);
                let ones = graph.constant(1.0, &[1, 1]);
                let count = graph.maximum(count, ones);
                let targets = graph.div(labels, count);
                let each = graph.mul(surprise, targets);
                let images = graph.sum(each, &[1], false);
                let mean = mean(graph, images);
                graph.scale(mean, weight)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff;
    use crate::kernels::cpu::Executable;

    /// The loss of logits under labels, and its gradient.
    fn evaluated(auxiliary: Auxiliary, logits: &[f32], labels: &[f32], known: &[f32]) -> (f64, Vec<f32>) {
        let mut graph = Graph::default();
        let shape = [1, logits.len()];
        let [x, y, k] = ["logits", "labels", "known"].map(|name| graph.input(name, &shape));
        let loss = auxiliary.node(&mut graph, x, y, k);
        let gradient = autodiff::gradient(&mut graph, loss, &[x])[0];
        let mut executable = Executable::<f32>::compile(&graph, &[loss, gradient]);
        let inputs: Vec<&[f32]> = executable
            .bindings()
            .iter()
            .map(|name| match name.as_str() {
                "logits" => logits,
                "labels" => labels,
                _ => known,
            })
            .collect();
        executable.run(&inputs);
        (f64::from(executable.output(0)[0]), executable.output(1).to_vec())
    }

    fn assert_close(found: &[f32], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    /// The gradient of a softmax cross-entropy is the probabilities less the targets: (½, 0, ½) for labels (1, 0, 1).
    #[test]
    fn the_softmax_target_of_several_labels_is_shared_out() {
        let softmax = Auxiliary::Softmax { weight: 1.0 };
        let (loss, gradient) = evaluated(softmax, &[0.0; 3], &[1.0, 0.0, 1.0], &[1.0; 3]);
        assert!((loss - 3f64.ln()).abs() < 1e-6);
        assert_close(&gradient, &[1.0 / 3.0 - 0.5, 1.0 / 3.0, 1.0 / 3.0 - 0.5]);
        let (_, heavier) = evaluated(Auxiliary::Softmax { weight: 2.0 }, &[0.0; 3], &[1.0, 0.0, 1.0], &[1.0; 3]);
        assert_close(&heavier, &[2.0 / 3.0 - 1.0, 2.0 / 3.0, 2.0 / 3.0 - 1.0]);
        let (loss, gradient) = evaluated(softmax, &[3.0, -1.0, 2.0], &[0.0; 3], &[1.0; 3]);
        assert_eq!((loss, gradient), (0.0, vec![0.0; 3]), "a row without a finding counts for nothing");
        let (loss, _) = evaluated(softmax, &[1000.0, 0.0, 0.0], &[1.0, 0.0, 0.0], &[1.0; 3]);
        assert!(loss.abs() < 1e-6, "{loss}");
    }

    #[test]
    fn the_sigmoid_loss_is_that_of_each_finding_and_masks_what_is_unknown() {
        let sigmoid = Auxiliary::Sigmoid { weight: 1.0 };
        let (loss, gradient) = evaluated(sigmoid, &[0.0, 2.0, 5.0], &[1.0, 0.0, 0.0], &[1.0, 1.0, 0.0]);
        let probability = 1.0 / (1.0 + (-2f64).exp());
        assert!((3.0 * loss - (2f64.ln() - (1.0 - probability).ln())).abs() < 1e-5);
        assert_close(&gradient, &[-0.5 / 3.0, probability / 3.0, 0.0]);
    }
}
