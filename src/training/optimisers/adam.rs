//! Adam: D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1.
//!
//! ```text
//! g ← g + weight_decay · w
//! m ← β₁ · m + (1 − β₁) · g          v ← β₂ · v + (1 − β₂) · g²
//! w ← w − rate · m̂ / (√v̂ + ε)        m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
//! ```
//!
//! As PyTorch's `torch.optim.Adam` writes it: ε is added to the corrected root, and weight decay is that of an L2 penalty.
//! (TensorFlow 1 adds ε to the uncorrected root; the two agree but for the effective size of ε in the first steps.)

use super::{Optimiser, Pass};
use crate::kernels::cpu::update::Rule;
use crate::network::{LayerArguments, ShapeError};
use std::sync::Arc;

/// The fields of `adam` and of `adamw`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    pub rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
}

impl Adam {
    pub fn new(arguments: &LayerArguments) -> Result<Self, ShapeError> {
        let number = |name| arguments.number(name);
        Ok(Self {
            rate: number("rate")?,
            beta1: number("beta1")?,
            beta2: number("beta2")?,
            epsilon: number("epsilon")?,
            weight_decay: number("weight_decay")?,
        })
    }

    /// What is kept for each weight: the first and the second moment of its gradient.
    pub(super) const MOMENTS: &'static [&'static str] = &["first", "second"];

    /// The formula at step `number`, from 1; factors are worked out in double precision.
    pub(super) fn rule(&self, number: u64) -> AdamRule {
        let correction = |beta: f64| 1.0 - beta.powf(number.max(1) as f64);
        AdamRule {
            weight_decay: self.weight_decay as f32,
            beta1: self.beta1 as f32,
            one_minus_beta1: (1.0 - self.beta1) as f32,
            beta2: self.beta2 as f32,
            one_minus_beta2: (1.0 - self.beta2) as f32,
            step_size: (self.rate / correction(self.beta1)) as f32,
            root_scale: (1.0 / correction(self.beta2).sqrt()) as f32,
            epsilon: self.epsilon as f32,
        }
    }
}

impl Optimiser for Adam {
    fn rate(&self) -> f64 {
        self.rate
    }

    fn at_rate(&self, rate: f64) -> Arc<dyn Optimiser> {
        Arc::new(Self { rate, ..*self })
    }

    fn moments(&self) -> &'static [&'static str] {
        Self::MOMENTS
    }

    fn step(&self, number: u64, pass: Pass<'_, '_>) -> Option<usize> {
        pass.run(&self.rule(number))
    }
}

/// Adam's factors for one step.
#[derive(Clone, Copy)]
pub(super) struct AdamRule {
    pub weight_decay: f32,
    beta1: f32,
    one_minus_beta1: f32,
    beta2: f32,
    one_minus_beta2: f32,
    step_size: f32,
    root_scale: f32,
    epsilon: f32,
}

impl Rule<2> for AdamRule {
    #[inline(always)]
    fn moved(&self, weight: f32, gradient: f32, [first, second]: [f32; 2]) -> (f32, [f32; 2]) {
        let gradient = gradient + self.weight_decay * weight;
        let first = self.beta1 * first + self.one_minus_beta1 * gradient;
        let second = self.beta2 * second + self.one_minus_beta2 * gradient * gradient;
        (weight - self.step_size * first / (second.sqrt() * self.root_scale + self.epsilon), [first, second])
    }
}
