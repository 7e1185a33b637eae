//! The history of a GAN training: a line for every 512 images or so, with means since the line before.

use serde::{Deserialize, Serialize};

/// Images between two lines of the history. Not a setting: a history must not depend on how training was cut into runs.
const INTERVAL: u64 = 512;

/// One line of the history: means since the line before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GanRecord {
    /// Thousands of real images shown so far.
    pub kimg: f64,
    pub discriminator_loss: f64,
    pub generator_loss: f64,
    /// Mean over the steps that had one; absent without a penalty.
    pub penalty: Option<f64>,
    /// Cross-entropy of labels, of the discriminator and of the generator; absent without a classifier beside the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<[f64; 2]>,
    /// Pixels on each side at which the networks work; absent where nothing grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<usize>,
}

/// Sums since the last line of the history.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sums {
    steps: u64,
    discriminator_loss: f64,
    generator_loss: f64,
    penalties: u64,
    penalty: f64,
    #[serde(default)]
    labels: Option<[f64; 2]>,
}

impl Sums {
    /// Takes a step of the discriminator in.
    pub fn discriminator(&mut self, loss: Option<f64>, penalty: Option<f64>, labels: Option<f64>) {
        self.discriminator_loss += loss.unwrap_or_default();
        if let Some(penalty) = penalty {
            self.penalty += penalty;
            self.penalties += 1;
        }
        self.add_labels([labels, None]);
    }

    /// Takes a step of the generator in, which ends a step of both.
    pub fn generator(&mut self, loss: Option<f64>, labels: Option<f64>) {
        self.generator_loss += loss.unwrap_or_default();
        self.add_labels([None, labels]);
        self.steps += 1;
    }

    fn add_labels(&mut self, found: [Option<f64>; 2]) {
        if found != [None, None] {
            let mut sums = self.labels.unwrap_or_default();
            sums.iter_mut().zip(found).for_each(|(sum, found)| *sum += found.unwrap_or_default());
            self.labels = Some(sums);
        }
    }

    /// The mean losses of the discriminator and the generator.
    pub fn means(&self) -> (f64, f64) {
        let steps = self.steps.max(1) as f64;
        (self.discriminator_loss / steps, self.generator_loss / steps)
    }

    /// A line of the history where the images shown passed its place; the sums then begin anew.
    pub fn record(&mut self, before: u64, after: u64, resolution: Option<usize>) -> Option<GanRecord> {
        if after / INTERVAL == before / INTERVAL {
            return None;
        }
        let sums = std::mem::take(self);
        let (discriminator_loss, generator_loss) = sums.means();
        Some(GanRecord {
            kimg: after as f64 / 1000.0,
            discriminator_loss,
            generator_loss,
            penalty: (sums.penalties > 0).then(|| sums.penalty / sums.penalties as f64),
            labels: sums.labels.map(|labels| labels.map(|sum| sum / sums.steps.max(1) as f64)),
            resolution,
        })
    }
}
