//! How a training goes on from epoch to epoch: which epoch's weights are kept, how the learning rate falls, and when it ends.
//!
//! An epoch is judged by one number on held-out images; a greater one is better, an equal one is not. Counted are the epochs
//! since the best one, for the end, and those since the best one or the last fall of the rate, for the next fall.

use super::bound::defect;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::network::LayerArguments;
use serde::{Deserialize, Serialize};

/// The constructors of type `rate_schedule` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["constant_rate", "reduce_on_plateau"];

/// What becomes of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RateSchedule {
    Constant,
    /// After `patience` epochs without a better one the rate is multiplied by `factor`, but is never below `floor`; the count
    /// begins anew. As `ReduceLROnPlateau` of Keras and PyTorch do it with a threshold of 0.
    Plateau {
        factor: f64,
        patience: u64,
        floor: f64,
    },
}

impl RateSchedule {
    pub fn from_value(value: &Value) -> Result<Self, Diagnostic> {
        let unknown = || defect(format!("{value:?} is no schedule of the learning rate; there are {}", CONSTRUCTORS.join(", ")));
        let Value::Construction(construction) = value else { return Err(unknown()) };
        let arguments = LayerArguments(construction.arguments.clone());
        let number = |name| arguments.number(name).map_err(|error| defect(error.message));
        match construction.function.as_str() {
            "constant_rate" => Ok(Self::Constant),
            "reduce_on_plateau" => {
                Ok(Self::Plateau { factor: number("factor")?, patience: number("patience")? as u64, floor: number("floor")? })
            }
            _ => Err(unknown()),
        }
    }
}

/// Where a training stands between two epochs. A checkpoint holds it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Course {
    /// The greatest number so far.
    best: Option<f64>,
    /// Epochs since the best one.
    since_best: u64,
    /// Epochs since the best one or the last fall of the rate.
    since_change: u64,
    /// The learning rate of the next epoch.
    pub rate: f64,
}

impl Course {
    pub fn new(rate: f64) -> Self {
        Self { best: None, since_best: 0, since_change: 0, rate }
    }

    /// Takes the number of an epoch that has just ended, and says whether its weights are the best so far.
    pub fn judge(&mut self, number: f64, schedule: RateSchedule) -> bool {
        if self.best.is_none_or(|best| number > best) {
            (self.best, self.since_best, self.since_change) = (Some(number), 0, 0);
            return true;
        }
        self.since_best += 1;
        self.since_change += 1;
        if let RateSchedule::Plateau { factor, patience, floor } = schedule
            && self.since_change >= patience
        {
            // A rate that is below the floor from the start is left alone.
            self.rate = (self.rate * factor).max(floor.min(self.rate));
            self.since_change = 0;
        }
        false
    }

    /// Whether there were so many epochs without a better one.
    pub fn is_finished(&self, patience: u64) -> bool {
        self.since_best >= patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATEAU: RateSchedule = RateSchedule::Plateau { factor: 0.1, patience: 2, floor: 1e-8 };

    /// The trace that a re-implementation of Schütte et al. 2021 must show.
    #[test]
    fn the_rate_falls_after_the_fourth_epoch_and_training_ends_after_the_fifth() {
        let mut course = Course::new(1e-4);
        let mut rates = Vec::new();
        let mut kept = Vec::new();
        let mut epochs = 0;
        for auroc in [0.70, 0.72, 0.71, 0.71, 0.71, 0.99] {
            if course.is_finished(3) {
                break;
            }
            epochs += 1;
            if course.judge(auroc, PLATEAU) {
                kept.push(epochs);
            }
            rates.push(course.rate);
        }
        assert_eq!((epochs, kept), (5, vec![1, 2]));
        assert_eq!(rates[..3], [1e-4; 3]);
        assert!(rates[3..].iter().all(|rate| (rate / 1e-5 - 1.0).abs() < 1e-12), "{rates:?}");
    }

    #[test]
    fn the_count_begins_anew_and_the_rate_has_a_floor() {
        let mut course = Course::new(1e-7);
        let rates: Vec<f64> = (0..8)
            .map(|_| {
                course.judge(0.5, PLATEAU);
                (course.rate * 1e9).round()
            })
            .collect();
        assert_eq!(rates, [100.0, 100.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0]);
        assert!(!course.judge(0.5, RateSchedule::Constant) && course.is_finished(8));
        assert!(course.judge(0.6, PLATEAU) && !course.is_finished(1));
        let mut low = Course::new(1e-9);
        (0..6).for_each(|_| _ = low.judge(0.0, PLATEAU));
        assert_eq!(low.rate, 1e-9);
    }

    #[test]
    fn it_is_the_same_after_a_checkpoint() {
        let mut course = Course::new(0.1 + 0.2);
        course.judge(0.1 + 0.7, PLATEAU);
        let read: Course = serde_json::from_str(&serde_json::to_string(&course).unwrap()).unwrap();
        assert_eq!(read, course);
    }
}
