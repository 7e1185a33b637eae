//! Losses of a generator and its discriminator, as nodes of a graph. Scores have shape `[batch, 1]`; a loss is a scalar,
//! the mean over the batch.

use super::bound::defect;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::network::LayerArguments;
use crate::network::graph::{Graph, NodeId};

/// The constructors of type `gan_loss` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["hinge", "non_saturating", "saturating", "wasserstein"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GanLoss {
    /// Goodfellow et al. 2014, section 3, with logits.
    NonSaturating,
    /// The same of the discriminator; the generator makes −softplus(D(G)) smaller, as in the game of equation 1.
    Saturating,
    /// Arjovsky et al. 2017, with the drift term of Karras et al. 2018, appendix A.1.
    Wasserstein { drift: f64 },
    /// Lim and Ye 2017.
    Hinge,
}

impl GanLoss {
    pub fn from_value(value: &Value) -> Result<Self, Diagnostic> {
        let Value::Construction(construction) = value else {
            return Err(defect(format!("{value:?} is no loss; there are {}", CONSTRUCTORS.join(", "))));
        };
        match construction.function.as_str() {
            "non_saturating" => Ok(Self::NonSaturating),
            "saturating" => Ok(Self::Saturating),
            "hinge" => Ok(Self::Hinge),
            "wasserstein" => {
                let drift = LayerArguments(construction.arguments.clone()).number("drift");
                Ok(Self::Wasserstein { drift: drift.map_err(|error| defect(error.message))? })
            }
            other => Err(defect(format!("`{other}` is no loss; there are {}", CONSTRUCTORS.join(", ")))),
        }
    }

    /// What the discriminator makes smaller.
    pub fn discriminator(self, graph: &mut Graph, real: NodeId, fake: NodeId) -> NodeId {
        match self {
            Self::NonSaturating | Self::Saturating => {
                let negated = graph.neg(real);
                let on_real = mean_softplus(graph, negated);
                let on_fake = mean_softplus(graph, fake);
                graph.add(on_real, on_fake)
            }
            Self::Wasserstein { drift } => {
                let on_real = mean(graph, real);
                let on_fake = mean(graph, fake);
                let difference = graph.sub(on_fake, on_real);
                let squares = graph.square(real);
                let size = mean(graph, squares);
                let size = graph.scale(size, drift);
                graph.add(difference, size)
            }
            Self::Hinge => {
                let below = graph.neg(real);
                let below = graph.shift(below, 1.0);
                let below = graph.relu(below);
                let above = graph.shift(fake, 1.0);
                let above = graph.relu(above);
                let on_real = mean(graph, below);
                let on_fake = mean(graph, above);
                graph.add(on_real, on_fake)
            }
        }
    }

    /// What the generator makes smaller.
    pub fn generator(self, graph: &mut Graph, fake: NodeId) -> NodeId {
        let negated = graph.neg(fake);
        match self {
            Self::NonSaturating => mean_softplus(graph, negated),
            Self::Saturating => {
                let softplus = mean_softplus(graph, fake);
                graph.neg(softplus)
            }
            Self::Wasserstein { .. } | Self::Hinge => mean(graph, negated),
        }
    }
}

/// The mean over every number, as a scalar.
pub(super) fn mean(graph: &mut Graph, x: NodeId) -> NodeId {
    let count = graph.shape(x).iter().product::<usize>().max(1);
    let total = graph.sum_all(x);
    graph.scale(total, 1.0 / count as f64)
}

fn mean_softplus(graph: &mut Graph, x: NodeId) -> NodeId {
    let softplus = graph.softplus(x);
    mean(graph, softplus)
}

/// Binary cross-entropy of logits against labels, each times its weight, and summed; all three have one shape.
pub fn weighted_cross_entropy(graph: &mut Graph, logits: NodeId, labels: NodeId, weights: NodeId) -> NodeId {
    let each = cross_entropy(graph, logits, labels);
    let weighted = graph.mul(each, weights);
    graph.sum_all(weighted)
}

/// Binary cross-entropy of logits against labels of the same shape, mean over everything.
pub fn binary_cross_entropy(graph: &mut Graph, logits: NodeId, labels: NodeId) -> NodeId {
    let each = cross_entropy(graph, logits, labels);
    mean(graph, each)
}

/// softplus(x) − x · y.
fn cross_entropy(graph: &mut Graph, logits: NodeId, labels: NodeId) -> NodeId {
    let softplus = graph.softplus(logits);
    let product = graph.mul(logits, labels);
    graph.sub(softplus, product)
}
