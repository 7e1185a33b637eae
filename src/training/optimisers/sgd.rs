//! Stochastic gradient descent with momentum (Polyak 1964), as PyTorch's `torch.optim.SGD` writes it, without dampening:
//!
//! ```text
//! g ← g + weight_decay · w
//! b ← momentum · b + g
//! w ← w − rate · b                    w ← w − rate · (g + momentum · b) with `nesterov`
//! ```
//!
//! The last is Nesterov's accelerated gradient in the form of Sutskever et al. 2013, section 2.

use super::{Optimiser, Pass};
use crate::kernels::cpu::update::Rule;
use crate::network::{LayerArguments, ShapeError};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    pub rate: f64,
    pub momentum: f64,
    pub nesterov: bool,
    pub weight_decay: f64,
}

impl Sgd {
    pub fn new(arguments: &LayerArguments) -> Result<Self, ShapeError> {
        Ok(Self {
            rate: arguments.number("rate")?,
            momentum: arguments.number("momentum")?,
            nesterov: arguments.flag("nesterov")?,
            weight_decay: arguments.number("weight_decay")?,
        })
    }
}

impl Optimiser for Sgd {
    fn rate(&self) -> f64 {
        self.rate
    }

    fn at_rate(&self, rate: f64) -> Arc<dyn Optimiser> {
        Arc::new(Self { rate, ..*self })
    }

    fn moments(&self) -> &'static [&'static str] {
        &["momentum"]
    }

    fn step(&self, _: u64, pass: Pass<'_, '_>) -> Option<usize> {
        let (momentum, rate) = (self.momentum as f32, self.rate as f32);
        // Along share · g + velocity · b: (0, 1), and (1, momentum) with Nesterov.
        let (share, velocity) = if self.nesterov { (1.0, momentum) } else { (0.0, 1.0) };
        pass.run(&SgdRule { rate, momentum, share, velocity, weight_decay: self.weight_decay as f32 })
    }
}

struct SgdRule {
    rate: f32,
    momentum: f32,
    share: f32,
    velocity: f32,
    weight_decay: f32,
}

impl Rule<1> for SgdRule {
    #[inline(always)]
    fn moved(&self, weight: f32, gradient: f32, [momentum]: [f32; 1]) -> (f32, [f32; 1]) {
        let gradient = gradient + self.weight_decay * weight;
        let momentum = self.momentum * momentum + gradient;
        (weight - self.rate * (self.share * gradient + self.velocity * momentum), [momentum])
    }
}
