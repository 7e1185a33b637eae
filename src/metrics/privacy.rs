//! How many synthetic images are copies of training images, after Dar et al. 2025: an image is a copy where its correlation with some
//! training image is beyond what held-out people reach. What of their detector was taken on trust is measured here: how many images of
//! other people it takes for copies, on people who did not set its border, and how many planted copies it finds.

use super::comparison::{Comparison, Gallery, Number, Sample, Sets};
use super::utility::Estimate;
use crate::random::Key;
use serde::{Deserialize, Serialize};

/// Shares of planted copies among synthetic images that are tried.
pub const RATES: [f64; 3] = [0.01, 0.05, 0.1];
/// Below this share of planted copies found, the number of copies says little.
const BLIND: f64 = 0.5;
/// Held-out images that should lie beyond the border, for it to be worth something.
const BEYOND: f64 = 5.0;

/// Copies of one sort that were planted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Planted {
    /// `noise of 5 %`.
    pub title: String,
    pub images: usize,
    pub found: Option<Estimate>,
}

/// Synthetic images with planted copies among them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mixture {
    /// Images in all, and those that were planted.
    pub images: usize,
    pub planted: usize,
    /// The share that counts as copies.
    pub found: Option<Estimate>,
    /// The share if every planted copy were found, and of the synthetic images as many as are found among all.
    pub due: Option<f64>,
}

/// Everything that a `privacy` block found, and what it depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrivacyResults {
    pub sets: Sets,
    /// Which percentile of the first half of the held-out images is the border.
    pub percentile: f64,
    /// The correlation beyond which an image is a copy.
    pub border: Option<f64>,
    /// Held-out images that set the border, and those that were judged by it.
    pub halves: [usize; 2],
    pub comparisons: Vec<Comparison>,
    pub planted: Vec<Planted>,
    pub mixtures: Vec<Mixture>,
    /// What makes these numbers worth little.
    pub warnings: Vec<String>,
    pub gallery: Gallery,
}

/// 1 − the best correlation of images with those that they may be copies of.
pub struct Distances {
    /// Synthetic images to training images.
    pub synthetic: Sample,
    /// Two halves of the held-out images, without a common patient, to training images.
    pub holdout: [Sample; 2],
    /// Training images to synthetic images.
    pub training: Sample,
    /// Planted copies to training images, with the title of each sort. Patients are those of the originals.
    pub planted: Vec<(String, Sample)>,
}

const PATIENTS: &str =
    "by bootstrap over patients, of those who set the border too; Wilson's over patients where all or nothing is found";

/// All numbers. `percentile` is a share.
pub fn evaluate(distances: &Distances, percentile: f64, sets: Sets, gallery: Gallery, key: &Key) -> PrivacyResults {
    let Distances { synthetic, holdout: [border, judged], training, planted } = distances;
    let share = |sample: &Sample, name: &str| sample.share_below(border, 1.0 - percentile, &key.with(name));
    let all_planted = Sample {
        values: planted.iter().flat_map(|(_, sample)| sample.values.iter().copied()).collect(),
        patients: planted.iter().flat_map(|(_, sample)| sample.patients.iter().copied()).collect(),
    };
    let number = |sample: &Sample, name: &str| sample.number(name, share(sample, name));
    let row = |title: &str, synthetic: Number, real: Option<Number>, due: Option<&str>| {
        let empty = synthetic.found.is_none() || real.as_ref().is_some_and(|real| real.found.is_none());
        Comparison {
            title: title.to_owned(),
            share: true,
            missing: empty.then(|| "the held-out images are of one patient and cannot be divided".to_owned()),
            synthetic,
            real,
            due: due.map(str::to_owned),
            interval: PATIENTS.to_owned(),
        }
    };
    let (copies, detection) = (number(synthetic, "copies"), number(&all_planted, "detection"));
    let (copied, detected) = (copies.found, detection.found);
    let comparisons = vec![
        row("Images that count as copies", copies, Some(number(judged, "copies_expected")), None),
        row("Training images of which there is a copy", number(training, "memorised"), None, None),
        row("Planted copies that are found", detection, None, Some("100 % if none were missed")),
    ];
    let border_distance = border.quantile(1.0 - percentile);
    PrivacyResults {
        sets,
        percentile,
        border: border_distance.map(|distance| 1.0 - distance),
        halves: [border.len(), judged.len()],
        comparisons,
        planted: planted
            .iter()
            .map(|(title, sample)| Planted { title: title.clone(), images: sample.len(), found: share(sample, title) })
            .collect(),
        mixtures: mixtures(synthetic, &all_planted, copied, |sample, name| share(sample, name), key),
        warnings: warnings(border, border_distance, percentile, detected),
        gallery,
    }
}

/// Synthetic images in which planted copies of all sorts take the place of some, drawn by the key.
fn mixtures(
    synthetic: &Sample,
    planted: &Sample,
    copies: Option<Estimate>,
    share: impl Fn(&Sample, &str) -> Option<Estimate>,
    key: &Key,
) -> Vec<Mixture> {
    let mixture = |rate: f64| {
        let key = key.with(&format!("planted among synthetic {rate}"));
        let images = synthetic.len().min((planted.len() as f64 / rate) as usize);
        let count = (rate * images as f64).round() as usize;
        let drawn = |of: &Sample, n: usize, name: &str| {
            let mut rows = key.with(name).permutation(of.len());
            rows.truncate(n);
            of.gathered(&rows)
        };
        let mixed = drawn(synthetic, images - count, "synthetic").followed_by(&drawn(planted, count, "planted"));
        let part = count as f64 / images as f64;
        (count > 0).then(|| Mixture {
            images,
            planted: count,
            found: share(&mixed, &format!("mixture {rate}")),
            due: copies.map(|copies| part + (1.0 - part) * copies.value),
        })
    };
    RATES.into_iter().filter_map(mixture).collect()
}

fn warnings(border: &Sample, distance: Option<f64>, percentile: f64, detected: Option<Estimate>) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(found) = detected.filter(|found| found.value < BLIND) {
        warnings.push(format!(
            "only {:.0} % of planted copies are found: by these features, that few copies are found says little about how many there are",
            100.0 * found.value
        ));
    }
    if distance == Some(0.0) {
        warnings.push(
            "held-out images have the same features as training images, or are the same: no image can be nearer, and no copy is found"
                .to_owned(),
        );
    }
    if (border.len() as f64) * (1.0 - percentile) < BEYOND {
        warnings.push(format!("the border is set by {} held-out images only, few of which lie near it", border.len()));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform(n: usize, seed: u64, low: f64) -> Sample {
        let key = Key::new(seed);
        Sample::new((0..n as u64).map(|at| low + key.uniform(at)), &(0..n as u32).collect::<Vec<_>>())
    }

    fn sets() -> Sets {
        let (network, digest, resize) = ("random network, seed 1".into(), "0f".into(), "none".into());
        Sets { network, digest, dimensions: 4, resize, seed: 1, training: [9, 9], holdout: [9, 9], synthetic: [9, 9] }
    }

    fn evaluated(synthetic: Sample, planted: Vec<(String, Sample)>) -> PrivacyResults {
        let holdout = [uniform(1_000, 1, 0.1), uniform(1_000, 2, 0.1)];
        let distances = Distances { synthetic, holdout, training: uniform(500, 3, 0.1), planted };
        evaluate(&distances, 0.95, sets(), Gallery::default(), &Key::new(4))
    }

    fn value(results: &PrivacyResults, name: &str) -> f64 {
        let numbers = results.comparisons.iter().flat_map(|row| [Some(&row.synthetic), row.real.as_ref()].into_iter().flatten());
        numbers.filter(|number| number.name == name).map(|number| number.found.unwrap().value).next().unwrap()
    }

    #[test]
    fn other_people_are_copies_as_often_as_expected_and_planted_ones_are_found_at_their_rate() {
        let copies = |n: usize, distance: f64| Sample::new(vec![distance; n], &(0..n as u32).collect::<Vec<_>>());
        let planted = vec![("exact copies".to_owned(), copies(200, 0.0)), ("mirrored".to_owned(), copies(200, 0.9))];
        let results = evaluated(uniform(2_000, 5, 0.1), planted);
        assert!((value(&results, "copies") - value(&results, "copies_expected")).abs() < 0.02, "{results:#?}");
        assert!((value(&results, "copies_expected") - 0.05).abs() < 0.02);
        assert_eq!(value(&results, "detection"), 0.5);
        let found: Vec<f64> = results.planted.iter().map(|planted| planted.found.unwrap().value).collect();
        assert_eq!(found, [1.0, 0.0]);
        // Every second planted copy is found.
        for (mixture, rate) in results.mixtures.iter().zip(RATES) {
            assert_eq!((mixture.images, mixture.planted), (2_000, (2_000.0 * rate) as usize));
            let (found, due) = (mixture.found.unwrap(), mixture.due.unwrap());
            assert!((due - found.value - rate / 2.0).abs() < 0.02, "{mixture:?}");
        }
        assert!(results.warnings.is_empty() && (0.8..0.9).contains(&results.border.unwrap()), "{results:?}");
    }

    #[test]
    fn copies_are_all_found_and_a_blind_detector_says_so() {
        assert_eq!(value(&evaluated(uniform(50, 1, -1.0), vec![]), "copies"), 1.0);
        let blind = evaluated(uniform(50, 1, 2.0), vec![("exact copies".to_owned(), uniform(50, 1, 2.0))]);
        assert!(
            value(&blind, "copies") == 0.0 && blind.warnings[0].starts_with("only 0 % of planted copies"),
            "{:?}",
            blind.warnings
        );
        // One patient sets no border.
        let one = Distances {
            synthetic: uniform(9, 1, 0.0),
            holdout: [uniform(9, 1, 0.0), Sample::default()],
            training: uniform(9, 1, 0.0),
            planted: vec![],
        };
        let results = evaluate(&one, 0.95, sets(), Gallery::default(), &Key::new(1));
        assert!(results.comparisons[0].real.as_ref().unwrap().found.is_none() && results.comparisons[0].missing.is_some());
        assert!(results.warnings[0].contains("by 9 held-out images"), "{:?}", results.warnings);
    }
}
