//! The latent numbers that images are drawn from: N(0, 1), or the same without its tails ("truncation trick", Brock et al. 2019,
//! section 3.1): fewer kinds of images, nearer to the common ones.

use super::bound::defect;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::network::LayerArguments;
use crate::random::Key;

/// The constructors of type `latent_numbers` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["gaussian", "truncated_gaussian"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latent {
    Gaussian,
    /// What is larger than the limit or below its negative is drawn again.
    Truncated {
        limit: f64,
    },
}

impl Latent {
    pub fn from_value(value: &Value) -> Result<Self, Diagnostic> {
        let unknown = || defect(format!("{value:?} are no latent numbers; there are {}", CONSTRUCTORS.join(", ")));
        let Value::Construction(construction) = value else { return Err(unknown()) };
        match construction.function.as_str() {
            "gaussian" => Ok(Self::Gaussian),
            "truncated_gaussian" => {
                let limit = LayerArguments(construction.arguments.clone()).number("limit");
                Ok(Self::Truncated { limit: limit.map_err(|error| defect(error.message))? })
            }
            _ => Err(unknown()),
        }
    }

    /// The latent numbers of one image.
    pub fn fill(self, key: &Key, numbers: &mut [f32]) {
        key.fill_normal(numbers);
        let Self::Truncated { limit } = self else { return };
        let limit = limit as f32;
        let mut again = vec![0.0; numbers.len()];
        // Each round leaves at most the same share outside; the cut after the last one is a matter of form.
        for round in 0..MOST_ROUNDS {
            if numbers.iter().all(|number| number.abs() <= limit) {
                return;
            }
            key.with("again").with_index(round).fill_normal(&mut again);
            for (number, again) in numbers.iter_mut().zip(&again) {
                if number.abs() > limit {
                    *number = *again;
                }
            }
        }
        numbers.iter_mut().for_each(|number| *number = number.clamp(-limit, limit));
    }
}

/// At the smallest limit allowed, 0.1, fewer than one number in a hundred thousand is still outside.
const MOST_ROUNDS: u64 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncation_draws_again_what_is_outside_and_leaves_the_rest() {
        let key = Key::new(1);
        let numbers = |latent: Latent| {
            let mut numbers = vec![0.0f32; 4000];
            latent.fill(&key, &mut numbers);
            numbers
        };
        let (whole, cut) = (numbers(Latent::Gaussian), numbers(Latent::Truncated { limit: 1.0 }));
        assert!(whole.iter().zip(&cut).all(|(whole, cut)| whole.abs() > 1.0 || whole == cut));
        assert!(cut.iter().all(|number| number.abs() <= 1.0));
        // The variance of a normal distribution cut at ±1 is 1 − 2 φ(1) / (Φ(1) − Φ(−1)) = 0.291.
        let variance = cut.iter().map(|number| f64::from(number * number)).sum::<f64>() / 4000.0;
        assert!((variance - 0.291).abs() < 0.02, "{variance}");
        let tight = numbers(Latent::Truncated { limit: 0.1 });
        assert!(tight.iter().filter(|number| number.abs() == 0.1).count() == 0);
    }
}
