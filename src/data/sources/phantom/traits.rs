//! Who has what: findings that go together because they share causes. Each finding is a hidden number, a weighted sum of the
//! patient's causes and of what is its own, and is present where that number passes a threshold. All hidden numbers are standard
//! normal, so that a threshold alone decides how frequent a finding is.

use crate::random::Key;

/// A finding of a phantom.
#[derive(Clone, Copy, Debug)]
pub struct Trait<const CAUSES: usize> {
    pub name: &'static str,
    /// The share of patients (or images) that have it.
    pub frequency: f64,
    /// The standard normal number that is passed with that probability.
    pub threshold: f64,
    /// How much each cause counts; the sum of their squares is below 1.
    pub causes: [f64; CAUSES],
}

impl<const CAUSES: usize> Trait<CAUSES> {
    /// Whether a patient's image shows it. `change` is the share of its own part that differs from image to image.
    pub fn is_present(&self, patient: &Key, image: &Key, change: f64) -> bool {
        let normal = |key: &Key, purpose: &str| key.with(purpose).with(self.name).normal(0);
        let shared: f64 =
            self.causes.iter().enumerate().map(|(cause, weight)| weight * patient.with("cause").normal(cause as u64)).sum();
        let own = (1.0 - self.causes.iter().map(|weight| weight * weight).sum::<f64>()).max(0.0).sqrt();
        let noise = (1.0 - change).sqrt() * normal(patient, "own") + change.sqrt() * normal(image, "own");
        shared + own * noise > self.threshold
    }

    /// The label of a reader who errs: in a share of `noise` it has nothing to do with the truth, but is as frequent.
    pub fn label(&self, truth: bool, image: &Key, noise: f64) -> bool {
        let key = image.with("label noise").with(self.name);
        if key.uniform(0) < noise { key.uniform(1) < self.frequency } else { truth }
    }
}

/// How plainly findings show at a difficulty from 0 (easy) to 1 (hard): 1 in the middle.
pub fn plainness(difficulty: f64) -> f64 {
    1.6 - 1.2 * difficulty
}
