//! Penalties on the gradient of the discriminator's score with respect to images. The gradient is itself part of the graph,
//! so that the penalty can be differentiated: a second application of `autodiff`.

use super::bound::defect;
use super::losses::mean;
use crate::autodiff;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::network::LayerArguments;
use crate::network::graph::{Graph, NodeId};

/// The constructors of type `penalty` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["gradient_penalty", "no_penalty", "r1"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Penalty {
    None,
    /// weight/2 · ‖∇D(x)‖² at real images. Mescheder et al. 2018, equation 9.
    R1 {
        weight: f64,
        every: u64,
    },
    /// weight · (‖∇D(x̂)‖ − 1)² between real and generated images. Gulrajani et al. 2017, equation 3.
    Gradient {
        weight: f64,
        every: u64,
    },
}

/// The images that a penalty may look at, each `[batch, c, h, w]`, and the uniform numbers that mix them, `[batch, 1, 1, 1]`.
pub struct PenaltyImages {
    pub real: NodeId,
    pub fake: NodeId,
    pub mixture: NodeId,
}

impl Penalty {
    pub fn from_value(value: &Value) -> Result<Self, Diagnostic> {
        let Value::Construction(construction) = value else {
            return Err(defect(format!("{value:?} is no penalty; there are {}", CONSTRUCTORS.join(", "))));
        };
        let arguments = LayerArguments(construction.arguments.clone());
        let weight = || arguments.number("weight").map_err(|error| defect(error.message));
        let every = || arguments.size("every").map(|every| every.max(1) as u64).map_err(|error| defect(error.message));
        match construction.function.as_str() {
            "no_penalty" => Ok(Self::None),
            "r1" => Ok(Self::R1 { weight: weight()?, every: every()? }),
            "gradient_penalty" => Ok(Self::Gradient { weight: weight()?, every: every()? }),
            other => Err(defect(format!("`{other}` is no penalty; there are {}", CONSTRUCTORS.join(", ")))),
        }
    }

    /// Whether the penalty belongs to this step of the discriminator.
    pub fn is_due(self, step: u64) -> bool {
        match self {
            Self::None => false,
            Self::R1 { every, .. } | Self::Gradient { every, .. } => step.is_multiple_of(every),
        }
    }

    /// The penalty as a scalar, made up for the steps that go without it; `score` applies the discriminator to images.
    pub fn node(
        self,
        graph: &mut Graph,
        images: &PenaltyImages,
        score: &mut dyn FnMut(&mut Graph, NodeId) -> Result<NodeId, Diagnostic>,
    ) -> Result<Option<NodeId>, Diagnostic> {
        match self {
            Self::None => Ok(None),
            Self::R1 { weight, every } => {
                let squares = squared_gradient(graph, images.real, score)?;
                let average = mean(graph, squares);
                Ok(Some(graph.scale(average, weight / 2.0 * every as f64)))
            }
            Self::Gradient { weight, every } => {
                let step = graph.sub(images.fake, images.real);
                let step = graph.mul(step, images.mixture);
                let between = graph.add(images.real, step);
                let squares = squared_gradient(graph, between, score)?;
                // The root's derivative is infinite at 0.
                let squares = graph.shift(squares, 1e-12);
                let norm = graph.sqrt(squares);
                let distance = graph.shift(norm, -1.0);
                let distance = graph.square(distance);
                let average = mean(graph, distance);
                Ok(Some(graph.scale(average, weight * every as f64)))
            }
        }
    }
}

/// ‖∇D(x)‖² of each image, `[batch]`.
fn squared_gradient(
    graph: &mut Graph,
    images: NodeId,
    score: &mut dyn FnMut(&mut Graph, NodeId) -> Result<NodeId, Diagnostic>,
) -> Result<NodeId, Diagnostic> {
    let scores = score(graph, images)?;
    let total = graph.sum_all(scores);
    let gradients = autodiff::gradient(graph, total, &[images]);
    let gradient = gradients.first().copied().ok_or_else(|| defect("a gradient was asked for and none came".into()))?;
    let squares = graph.square(gradient);
    Ok(graph.sum(squares, &[1, 2, 3], false))
}
