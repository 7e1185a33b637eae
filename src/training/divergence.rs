//! Numerical failure: a loss, a gradient or a running statistic became infinite or no number. The step that meets one ends
//! before it writes anything of the kind, and says which it was and when.

use crate::diagnostic::Diagnostic;

/// A step of a training that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Whose step it was: `generator`, `discriminator`, `classifier`.
    pub network: &'static str,
    /// What was found: `the discriminator's loss is no number`.
    pub what: String,
    /// From 1.
    pub step: u64,
    /// Real images shown before it.
    pub images: u64,
}

/// Why a step of a training failed.
#[derive(Debug)]
pub enum Failure {
    Diverged(Divergence),
    Other(Box<Diagnostic>),
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Other(Box::new(diagnostic))
    }
}

impl From<Divergence> for Diagnostic {
    fn from(Divergence { what, step, images, .. }: Divergence) -> Self {
        Self::error("E0651", format!("training diverged in step {step}, after {images} images: {what}"))
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Diverged(divergence) => divergence.into(),
            Failure::Other(diagnostic) => *diagnostic,
        }
    }
}

/// Says which is the first loss that is not finite.
pub fn check_losses<'l>(losses: impl IntoIterator<Item = (&'l str, f64)>) -> Result<(), String> {
    match losses.into_iter().find(|(_, value)| !value.is_finite()) {
        Some((name, value)) => Err(format!("the {name} is {}", word(value))),
        None => Ok(()),
    }
}

/// Says which is the first running statistic that is not finite.
pub fn check_statistics<'s>(statistics: impl IntoIterator<Item = (&'s str, &'s [f32])>) -> Result<(), String> {
    for (name, values) in statistics {
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(format!("the running statistic `{name}` holds {}", article(f64::from(*value))));
        }
    }
    Ok(())
}

/// What is said of a gradient that an optimiser could not step along.
pub fn of_gradient(name: &str, gradient: &[f32]) -> String {
    match gradient.iter().find(|value| !value.is_finite()) {
        Some(value) => format!("the gradient of `{name}` holds {}", article(f64::from(*value))),
        None => {
            let largest = gradient.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            format!("a step along the gradient of `{name}`, of up to {largest:.1e}, leaves the range of numbers")
        }
    }
}

fn word(value: f64) -> &'static str {
    if value.is_nan() { "no number (NaN)" } else { "infinite" }
}

fn article(value: f64) -> &'static str {
    if value.is_nan() { "what is no number (NaN)" } else { "an infinite number" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_not_finite_is_named() {
        assert_eq!(check_losses([("loss", 1.0), ("penalty", f64::NAN)]), Err("the penalty is no number (NaN)".to_owned()));
        assert_eq!(check_losses([("loss", 1.0)]), Ok(()));
        let statistics: [(&str, &[f32]); 2] = [("mean", &[0.0, 1.0]), ("variance", &[0.0, f32::INFINITY])];
        assert_eq!(check_statistics(statistics), Err("the running statistic `variance` holds an infinite number".to_owned()));
        assert_eq!(of_gradient("weight", &[0.0, f32::NAN]), "the gradient of `weight` holds what is no number (NaN)");
        let large = "a step along the gradient of `weight`, of up to 1.0e30, leaves the range of numbers";
        assert_eq!(of_gradient("weight", &[0.0, -1e30]), large);
    }
}
