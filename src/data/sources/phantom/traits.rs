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

/// What a patient brings to a finding: the hidden number but for the part that differs from image to image.
#[derive(Clone, Copy, Debug)]
pub struct Tendency {
    shared: f64,
    own: f64,
    own_weight: f64,
}

/// How strong each cause is in a patient.
pub fn causes<const CAUSES: usize>(patient: &Key) -> [f64; CAUSES] {
    let key = patient.with("cause");
    std::array::from_fn(|cause| key.normal(cause as u64))
}

/// The key of what is a finding's own, in a patient or an image.
pub fn own(key: &Key) -> Key {
    key.with("own")
}

impl<const CAUSES: usize> Trait<CAUSES> {
    /// For a patient with these causes; `own` is the [`own`] key of the patient.
    pub fn tendency(&self, causes: &[f64; CAUSES], own: &Key) -> Tendency {
        let squares = self.causes.iter().map(|weight| weight * weight).sum::<f64>();
        Tendency {
            shared: self.causes.iter().zip(causes).map(|(weight, cause)| weight * cause).sum(),
            own: own.with(self.name).normal(0),
            own_weight: (1.0 - squares).max(0.0).sqrt(),
        }
    }

    /// Whether an image has it; `own` is the [`own`] key of the image, `change` the share of the finding's own part that differs from
    /// image to image.
    pub fn is_present(&self, tendency: &Tendency, own: &Key, change: f64) -> bool {
        let noise = (1.0 - change).sqrt() * tendency.own + change.sqrt() * own.with(self.name).normal(0);
        tendency.shared + tendency.own_weight * noise > self.threshold
    }

    /// The label of a reader who errs: in a share of `noise` it has nothing to do with the truth, but is as frequent.
    pub fn label(&self, truth: bool, image: &Key, noise: f64) -> bool {
        if noise <= 0.0 {
            return truth;
        }
        let key = image.with("label noise").with(self.name);
        if key.uniform(0) < noise { key.uniform(1) < self.frequency } else { truth }
    }
}

/// How plainly findings show at a difficulty from 0 (easy) to 1 (hard): 1 in the middle.
pub fn plainness(difficulty: f64) -> f64 {
    1.6 - 1.2 * difficulty
}
