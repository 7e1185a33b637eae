//! When a training of a generator stops: after some evaluations in which its distance from real images was not better than before.
//! The best generator is the result, not the last. Schütte et al. 2021, code of `train.py`.

use super::bound::defect;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::network::LayerArguments;
use serde::{Deserialize, Serialize};

/// The constructors of type `stop_rule` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["at_budget", "plateau"];

/// Evaluations after `from` images and every `every` images from there on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    pub from: f64,
    pub every: f64,
    /// Evaluations without a smaller distance after which training stops.
    pub patience: u64,
    /// Images of each sort that are compared.
    pub images: usize,
}

impl Plateau {
    /// `None` where training stops at its budget only.
    pub fn from_value(value: &Value) -> Result<Option<Self>, Diagnostic> {
        let unknown = || defect(format!("{value:?} is no stop rule; there are {}", CONSTRUCTORS.join(", ")));
        let Value::Construction(construction) = value else { return Err(unknown()) };
        let arguments = LayerArguments(construction.arguments.clone());
        let size = |name| arguments.size(name).map_err(|error| defect(error.message));
        let images = |name| arguments.number(name).map_err(|error| defect(error.message));
        match construction.function.as_str() {
            "at_budget" => Ok(None),
            "plateau" => Ok(Some(Self {
                from: images("from")?,
                every: images("every")?.max(1.0),
                patience: size("patience")?.max(1) as u64,
                images: size("images")?,
            })),
            _ => Err(unknown()),
        }
    }

    /// Whether an evaluation belongs between two numbers of images shown.
    pub fn is_due(&self, before: u64, after: u64) -> bool {
        let passed = |images: u64| {
            let beyond = images as f64 - self.from;
            if beyond < 0.0 { 0 } else { (beyond / self.every) as u64 + 1 }
        };
        passed(after) > passed(before)
    }
}

/// One evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Thousands of real images shown before it.
    pub kimg: f64,
    pub distance: f64,
    /// Whether it was the smallest until then, so that the generator was kept.
    pub kept: bool,
}

/// All evaluations of a training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Evaluations(pub Vec<Evaluation>);

impl Evaluations {
    /// Takes a distance in; `true` where it is smaller than all before it.
    pub fn add(&mut self, images: u64, distance: f64) -> bool {
        let kept = self.best().is_none_or(|best| distance < best.distance);
        self.0.push(Evaluation { kimg: images as f64 / 1000.0, distance, kept });
        kept
    }

    /// The one whose generator is kept.
    pub fn best(&self) -> Option<&Evaluation> {
        self.0.iter().rev().find(|evaluation| evaluation.kept)
    }

    /// Whether so many in a row were not better.
    pub fn have_stopped(&self, patience: u64) -> bool {
        !self.0.is_empty() && self.0.iter().rev().take_while(|evaluation| !evaluation.kept).count() as u64 >= patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Schütte et al. 2021, code of `train.py`: distances 30, 25, 26, 27 with a patience of 2.
    #[test]
    fn the_published_trace_stops_at_the_fourth_evaluation_and_keeps_the_second() {
        let mut evaluations = Evaluations::default();
        let stopped: Vec<bool> = [30.0, 25.0, 26.0, 27.0]
            .into_iter()
            .enumerate()
            .map(|(index, distance)| {
                evaluations.add(7_000_000 + 400_000 * index as u64, distance);
                evaluations.have_stopped(2)
            })
            .collect();
        assert_eq!(stopped, [false, false, false, true]);
        assert_eq!(evaluations.best(), Some(&Evaluation { kimg: 7400.0, distance: 25.0, kept: true }));
        assert!(!Evaluations::default().have_stopped(2));
    }

    #[test]
    fn evaluations_come_at_their_images_whatever_the_size_of_steps() {
        let plateau = Plateau { from: 1000.0, every: 300.0, patience: 2, images: 10 };
        let due = |step: u64| -> Vec<u64> {
            (1..=100).map(|index| index * step).filter(|after| plateau.is_due(after - step, *after)).collect()
        };
        assert_eq!(due(20)[..3], [1000, 1300, 1600]);
        assert_eq!(due(64)[..3], [1024, 1344, 1600]);
        assert_eq!(due(1000)[..2], [1000, 2000]);
    }

    #[test]
    fn what_is_no_number_is_never_better() {
        let mut evaluations = Evaluations::default();
        assert!(evaluations.add(1, 2.0));
        assert!(!evaluations.add(2, f64::NAN) && !evaluations.add(3, 2.0) && evaluations.add(4, 1.0));
    }
}
