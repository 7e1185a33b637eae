//! How the resolution of a GAN training grows. Schütte et al. 2021, code of `train.py` (after Karras et al. 2018, appendix A):
//!
//! The level of detail counts the halvings of the resolution at which both networks work. Between two whole numbers a stage
//! fades in. It stays at each resolution for `stable` images and fades for `fade` images, and is looked at again every so many
//! steps:
//!
//! ```text
//! lod = max(0, log2(final / start) − phase − max(0, t − stable) / fade)
//! phase = ⌊images / (stable + fade)⌋,  t = images mod (stable + fade)
//! ```

use super::bound::defect;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::network::LayerArguments;

/// The constructors of type `growth` that this file implements.
pub const CONSTRUCTORS: &[&str] = &["no_growth", "progressive"];

/// Growth as a `gan` block says it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// Pixels on each side at first.
    pub start: usize,
    /// Images at each resolution before the next one begins to fade in.
    pub stable: f64,
    /// Images during which a resolution fades in.
    pub fade: f64,
    /// How many times as many images a step has at half the resolution.
    pub batch_factor: usize,
    /// Steps after which the schedule is looked at again.
    pub repeat: u64,
}

impl Growth {
    /// `None` where nothing grows.
    pub fn from_value(value: &Value) -> Result<Option<Self>, Diagnostic> {
        let unknown = || defect(format!("{value:?} is no growth; there are {}", CONSTRUCTORS.join(", ")));
        let Value::Construction(construction) = value else { return Err(unknown()) };
        let arguments = LayerArguments(construction.arguments.clone());
        let size = |name| arguments.size(name).map_err(|error| defect(error.message));
        let images = |name| arguments.number(name).map_err(|error| defect(error.message));
        match construction.function.as_str() {
            "no_growth" => Ok(None),
            "progressive" => Ok(Some(Self {
                start: size("start")?,
                stable: images("stable")?,
                fade: images("fade")?,
                batch_factor: size("batch_factor")?,
                repeat: size("repeat")?.max(1) as u64,
            })),
            _ => Err(unknown()),
        }
    }

    /// How often `resolution` is halved at first; `None` where it does not come from the start by doubling.
    pub fn halvings(&self, resolution: usize) -> Option<usize> {
        let factor = resolution.checked_div(self.start).filter(|factor| factor * self.start == resolution)?;
        factor.is_power_of_two().then(|| factor.trailing_zeros() as usize)
    }

    /// The level of detail after so many images.
    pub fn level_of_detail(&self, halvings: usize, images: u64) -> f64 {
        let images = images as f64;
        let period = self.stable + self.fade;
        if period <= 0.0 {
            return 0.0;
        }
        let phase = (images / period).floor();
        let beyond = (images - phase * period - self.stable).max(0.0);
        let faded = if beyond > 0.0 { beyond / self.fade } else { 0.0 };
        (halvings as f64 - phase - faded).max(0.0)
    }

    /// Images in a step at so many halvings, where a step at full size has `batch`.
    pub fn batch(&self, batch: usize, halvings: usize) -> usize {
        let factor = u32::try_from(halvings).ok().and_then(|halvings| self.batch_factor.checked_pow(halvings));
        batch.saturating_mul(factor.unwrap_or(usize::MAX))
    }

    /// The images after which the last stage is all there.
    pub fn ends(&self, halvings: usize) -> f64 {
        halvings as f64 * (self.stable + self.fade)
    }
}

/// The resolutions of a training at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detail {
    /// Halvings of the resolution at which the networks work.
    pub halvings: usize,
    /// How much of the newest stage counts, from 0 (excluded) to 1.
    pub progress: f64,
}

impl Detail {
    /// At full size.
    pub const FULL: Self = Self { halvings: 0, progress: 1.0 };

    pub fn of(level_of_detail: f64) -> Self {
        let halvings = level_of_detail.floor();
        Self { halvings: halvings as usize, progress: 1.0 - (level_of_detail - halvings) }
    }

    /// Phases are parted where a fade begins or ends; optimisers forget at each boundary.
    pub fn is_of_phase(self, other: Self) -> bool {
        self.halvings == other.halvings && (self.progress < 1.0) == (other.progress < 1.0)
    }

    /// How much of the stage counts that `halvings` below full size is the newest.
    pub fn progress_of(self, halvings: usize) -> f32 {
        match halvings.cmp(&self.halvings) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => self.progress as f32,
            std::cmp::Ordering::Greater => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(resolution: usize) -> (Growth, usize) {
        let phase = if resolution == 32 { 1_400_000.0 } else { 1_000_000.0 };
        let growth = Growth { start: 8, stable: phase, fade: phase, batch_factor: 2, repeat: 4 };
        (growth, growth.halvings(resolution).unwrap())
    }

    /// Schütte et al. 2021, code of `train.py`.
    #[test]
    fn levels_of_detail_are_as_published() {
        let (growth, halvings) = published(32);
        let cases = [(0, 2.0), (1_400_000, 2.0), (2_100_000, 1.5), (2_800_000, 1.0), (4_900_000, 0.5), (5_600_000, 0.0)];
        for (images, level) in cases {
            assert!((growth.level_of_detail(halvings, images) - level).abs() < 1e-12, "{images}");
        }
        let (growth, halvings) = published(128);
        assert_eq!(growth.level_of_detail(halvings, 8_000_000), 0.0);
        assert!(growth.level_of_detail(halvings, 7_990_000) > 0.0);
        assert_eq!(
            [32, 64, 128].map(|size| {
                let (growth, halvings) = published(size);
                growth.ends(halvings)
            }),
            [5.6e6, 6e6, 8e6]
        );
    }

    /// The published table: 256 images at 8 pixels, 128 at 16, 64 at 32, 32 at 64, 16 at 128.
    #[test]
    fn batches_halve_where_the_resolution_doubles() {
        for (resolution, batch) in [(32, 64), (64, 32), (128, 16)] {
            let (growth, halvings) = published(resolution);
            assert_eq!(growth.batch(batch, halvings), 256);
            assert_eq!(growth.batch(batch, 0), batch);
        }
    }

    #[test]
    fn resolutions_that_do_not_double_from_the_start_are_refused() {
        let (growth, _) = published(32);
        assert_eq!([8, 16, 24, 4, 36].map(|size| growth.halvings(size)), [Some(0), Some(1), None, None, None]);
    }

    #[test]
    fn optimisers_forget_where_a_fade_begins_and_ends() {
        let details = [2.0, 1.99, 1.5, 1.0, 0.7, 0.0].map(Detail::of);
        let kept: Vec<bool> = details.windows(2).map(|pair| pair[0].is_of_phase(pair[1])).collect();
        assert_eq!(kept, [false, true, false, false, false]);
        assert_eq!(Detail::of(1.5), Detail { halvings: 1, progress: 0.5 });
        assert_eq!([0, 1, 2].map(|halvings| Detail::of(1.25).progress_of(halvings)), [0.0, 0.75, 1.0]);
    }
}
