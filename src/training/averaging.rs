//! The running average of a generator's weights, which is what images are drawn from: average ← decay · average + (1 − decay) ·
//! weight at each step (Karras et al. 2018, section 4).

use super::bound::defect;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::network::LayerArguments;

/// The constructors of type `averaging` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["each_step", "half_life"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Averaging {
    /// The same decay at each step, however many images it has.
    EachStep { decay: f64 },
    /// After so many images an old weight counts half; 0 keeps the newest alone.
    HalfLife { images: f64 },
}

impl Averaging {
    pub fn from_value(value: &Value) -> Result<Self, Diagnostic> {
        let unknown = || defect(format!("{value:?} is no average; there are {}", CONSTRUCTORS.join(", ")));
        let Value::Construction(construction) = value else { return Err(unknown()) };
        let arguments = LayerArguments(construction.arguments.clone());
        let number = |name| arguments.number(name).map_err(|error| defect(error.message));
        match construction.function.as_str() {
            "each_step" => Ok(Self::EachStep { decay: number("decay")? }),
            "half_life" => Ok(Self::HalfLife { images: number("images")? }),
            _ => Err(unknown()),
        }
    }

    /// The decay of a step with so many images.
    pub fn decay(self, batch: usize) -> f32 {
        match self {
            Self::EachStep { decay } => decay as f32,
            Self::HalfLife { images } if images > 0.0 => 0.5f64.powf(batch as f64 / images) as f32,
            Self::HalfLife { .. } => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_life_is_one_of_images_and_a_decay_one_of_steps() {
        let half_life = Averaging::HalfLife { images: 1000.0 };
        assert!((half_life.decay(100).powi(10) - 0.5).abs() < 1e-6);
        assert_eq!(Averaging::HalfLife { images: 0.0 }.decay(8), 0.0);
        assert_eq!([8, 256].map(|batch| Averaging::EachStep { decay: 0.999 }.decay(batch)), [0.999; 2]);
    }
}
