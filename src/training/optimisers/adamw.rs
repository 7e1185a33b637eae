//! AdamW: I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.
//!
//! w ← w − rate · weight_decay · w, then a step of Adam without weight decay: as PyTorch's `torch.optim.AdamW`, the decay is
//! multiplied by the rate.

use super::adam::{Adam, AdamRule};
use super::{Optimiser, Pass};
use crate::kernels::cpu::update::Rule;
use crate::network::{LayerArguments, ShapeError};
use std::sync::Arc;

/// The same fields as Adam's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW(Adam);

impl AdamW {
    pub fn new(arguments: &LayerArguments) -> Result<Self, ShapeError> {
        Adam::new(arguments).map(Self)
    }
}

impl Optimiser for AdamW {
    fn rate(&self) -> f64 {
        self.0.rate
    }

    fn at_rate(&self, rate: f64) -> Arc<dyn Optimiser> {
        Arc::new(Self(Adam { rate, ..self.0 }))
    }

    fn moments(&self) -> &'static [&'static str] {
        Adam::MOMENTS
    }

    fn step(&self, number: u64, pass: Pass<'_, '_>) -> Option<usize> {
        let adam = Adam { weight_decay: 0.0, ..self.0 }.rule(number);
        pass.run(&AdamWRule { kept: (1.0 - self.0.rate * self.0.weight_decay) as f32, adam })
    }
}

struct AdamWRule {
    /// The share of a weight that decay leaves.
    kept: f32,
    adam: AdamRule,
}

impl Rule<2> for AdamWRule {
    #[inline(always)]
    fn moved(&self, weight: f32, gradient: f32, moments: [f32; 2]) -> (f32, [f32; 2]) {
        self.adam.moved(self.kept * weight, gradient, moments)
    }
}
