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
pub const CONSTRUCTORS: &[&str] = &["gradient_penalty", "no_penalty", "r1", "r2"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Penalty {
    None,
    /// weight/2 · ‖∇D(x)‖² at real images. Mescheder et al. 2018, equation 9.
    R1 {
        weight: f64,
        every: u64,
    },
    /// weight/2 · ‖∇D(G)‖² at generated images. Mescheder et al. 2018, equation 10.
    R2 {
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
    /// How many times larger, on each side, the images are whose gradient counts: those of a growing network are enlarged to their
    /// full size, where the gradient of each pixel is shared out among the pixels that stand for it.
    pub enlargement: usize,
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
            "r2" => Ok(Self::R2 { weight: weight()?, every: every()? }),
            "gradient_penalty" => Ok(Self::Gradient { weight: weight()?, every: every()? }),
            other => Err(defect(format!("`{other}` is no penalty; there are {}", CONSTRUCTORS.join(", ")))),
        }
    }

    /// Whether the penalty belongs to this step of the discriminator.
    pub fn is_due(self, step: u64) -> bool {
        match self {
            Self::None => false,
            Self::R1 { every, .. } | Self::R2 { every, .. } | Self::Gradient { every, .. } => step.is_multiple_of(every),
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
            Self::R1 { weight, every } | Self::R2 { weight, every } => {
                let at = if matches!(self, Self::R1 { .. }) { images.real } else { images.fake };
                let squares = squared_gradient(graph, at, images.enlargement, score)?;
                let average = mean(graph, squares);
                Ok(Some(graph.scale(average, weight / 2.0 * every as f64)))
            }
            Self::Gradient { weight, every } => {
                let step = graph.sub(images.fake, images.real);
                let step = graph.mul(step, images.mixture);
                let between = graph.add(images.real, step);
                let squares = squared_gradient(graph, between, images.enlargement, score)?;
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

/// ‖∇D(x)‖² of each image with respect to its enlargement, `[batch]`.
///
/// A pixel that is enlarged to e × e pixels, of which the discriminator sees the mean, has 1/e² of its gradient at each of them:
/// the sum of their squares is 1/e² of its square.
fn squared_gradient(
    graph: &mut Graph,
    images: NodeId,
    enlargement: usize,
    score: &mut dyn FnMut(&mut Graph, NodeId) -> Result<NodeId, Diagnostic>,
) -> Result<NodeId, Diagnostic> {
    let scores = score(graph, images)?;
    let total = graph.sum_all(scores);
    let gradients = autodiff::gradient(graph, total, &[images]);
    let gradient = gradients.first().copied().ok_or_else(|| defect("a gradient was asked for and none came".into()))?;
    let squares = graph.square(gradient);
    let squares = graph.sum(squares, &[1, 2, 3], false);
    Ok(match enlargement {
        1 => squares,
        enlargement => graph.scale(squares, 1.0 / (enlargement * enlargement) as f64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::cpu::Executable;

    /// The value of a penalty for the linear score w · x on images of two pixels.
    fn of_linear(penalty: Penalty, w: [f32; 2], enlargement: usize) -> f64 {
        let mut graph = Graph::default();
        let [real, fake] = ["real", "fake"].map(|name| graph.input(name, &[3, 1, 1, 2]));
        let mixture = graph.input("mixture", &[3, 1, 1, 1]);
        let weights = graph.input("w", &[1, 1, 1, 2]);
        let images = PenaltyImages { real, fake, mixture, enlargement };
        let mut score = |graph: &mut Graph, images: NodeId| {
            let products = graph.mul(images, weights);
            Ok(graph.sum(products, &[1, 2, 3], false))
        };
        let node = penalty.node(&mut graph, &images, &mut score).unwrap().unwrap();
        let mut executable = Executable::<f32>::compile(&graph, &[node]);
        let numbers = [0.5, -1.0, 2.0, 0.25, 1.0, 3.0];
        let inputs: Vec<&[f32]> = executable
            .bindings()
            .iter()
            .map(|name| match name.as_str() {
                "w" => w.as_slice(),
                "mixture" => &numbers[..3],
                _ => &numbers[..],
            })
            .collect();
        executable.run(&inputs);
        f64::from(executable.output(0)[0])
    }

    /// Schütte et al. 2021: 10 · (‖w‖ − 1)² for D(x) = w · x.
    #[test]
    fn penalties_of_a_linear_score_are_known() {
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-4, "{found} {expected}");
        close(of_linear(Penalty::Gradient { weight: 10.0, every: 1 }, [3.0, 4.0], 1), 160.0);
        close(of_linear(Penalty::Gradient { weight: 10.0, every: 1 }, [3.0, 4.0], 4), 10.0 * 0.25 * 0.25);
        close(of_linear(Penalty::R1 { weight: 2.0, every: 4 }, [3.0, 4.0], 1), 100.0);
        close(of_linear(Penalty::R2 { weight: 2.0, every: 1 }, [3.0, 4.0], 1), 25.0);
    }
}
