//! How alike two sets of images are: every measure of [`super`] that compares sets, each with its interval, beside what it says of two
//! halves of the real images. Images come in groups of whole patients, which the intervals leave out in turn.
//!
//! A distance between finite sets is not zero where their distributions are equal, and shrinks as the sets grow. So the two
//! halves (`floor`) are compared with `matched`: as many generated images as the second half holds, against the first.

use super::bootstrap::mean_interval;
use super::frechet::{Moments, Reference, frechet_infinite, jackknife_interval, stretches};
use super::inception_score::{self, mean_and_deviation};
use super::kernel_distance::{self, kernel_distance};
use super::neighbourhoods::Neighbourhoods;
use super::statistic::student_t;
use super::utility::Estimate;
use crate::kernels::cpu::pairs::Rows;
use crate::random::Key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// Groups of patients that a jackknife leaves out in turn.
pub const GROUPS: usize = 10;
/// Draws of patients of a bootstrap.
pub const RESAMPLES: usize = 1_000;

/// Features of a set of images.
#[derive(Clone, Debug)]
pub struct FeatureSet {
    /// `[n, d]`, group after group.
    pub features: Vec<f32>,
    pub d: usize,
    /// The patient of each row.
    pub patients: Vec<u32>,
    /// The rows of each group, none of them empty.
    pub groups: Vec<Range<usize>>,
}

impl FeatureSet {
    pub fn len(&self) -> usize {
        self.patients.len()
    }

    pub fn is_empty(&self) -> bool {
        self.patients.is_empty()
    }

    fn rows(&self, rows: Range<usize>) -> &[f32] {
        self.features.get(rows.start * self.d..rows.end * self.d).unwrap_or_default()
    }

    /// Some of the rows, with the groups that lie in them.
    fn part(&self, rows: Range<usize>) -> Self {
        let inside = |group: &Range<usize>| {
            let (start, end) = (group.start.max(rows.start), group.end.min(rows.end));
            (start < end).then(|| start - rows.start..end - rows.start)
        };
        Self {
            features: self.rows(rows.clone()).to_vec(),
            d: self.d,
            patients: self.patients.get(rows.clone()).unwrap_or_default().to_vec(),
            groups: self.groups.iter().filter_map(inside).collect(),
        }
    }

    /// Two halves without a common patient; `None` of fewer than two groups.
    pub fn halves(&self) -> Option<[Self; 2]> {
        let middle = self.groups.get(self.groups.len() / 2).map(|group| group.start).filter(|start| *start > 0)?;
        Some([self.part(0..middle), self.part(middle..self.len())])
    }

    /// The first rows.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        self.part(0..n.min(self.len()))
    }

    fn group_rows(&self) -> Vec<Rows<'_>> {
        self.groups.iter().map(|group| Rows::new(self.rows(group.clone()), self.d)).collect()
    }
}

/// Rows in random groups of whole patients, about equally many patients in each: the order of the rows, and the groups in it.
pub fn grouped(patients: &[u32], key: &Key) -> (Vec<usize>, Vec<Range<usize>>) {
    let mut known: Vec<u32> = patients.to_vec();
    known.sort_unstable();
    known.dedup();
    let groups = GROUPS.min(known.len());
    let order = key.with("groups").permutation(known.len());
    let group: BTreeMap<u32, usize> = order
        .iter()
        .enumerate()
        .filter_map(|(place, patient)| Some((*known.get(*patient)?, place * groups / known.len())))
        .collect();
    let of = |row: &usize| patients.get(*row).and_then(|patient| group.get(patient)).copied().unwrap_or(0);
    let mut rows = key.with("rows").permutation(patients.len());
    rows.sort_by_key(of);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut last = None;
    for (place, row) in rows.iter().enumerate() {
        match ranges.last_mut().filter(|_| last == Some(of(row))) {
            Some(range) => range.end = place + 1,
            None => ranges.push(place..place + 1),
        }
        last = Some(of(row));
    }
    (rows, ranges)
}

/// One measure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// As results are called: `frechet_distance`.
    pub name: String,
    /// In words, with the network that it was measured with: `Fréchet distance (random network, seed 1)`.
    pub title: String,
    pub found: Option<Estimate>,
    /// Real and generated images.
    pub images: [usize; 2],
    /// What the interval is: `leaving out each of 10 groups of patients`.
    pub interval: String,
    /// The same of the second half of the real images against the first.
    pub floor: Option<f64>,
    /// The same of as many generated images against the first half.
    pub matched: Option<f64>,
    /// Why there is no number, or what else is to be known.
    pub note: Option<String>,
}

/// Everything that a `fidelity` block found, and what it depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FidelityResults {
    pub network: String,
    pub digest: String,
    pub dimensions: usize,
    pub resize: String,
    pub seed: u64,
    /// Real and generated.
    pub images: [usize; 2],
    /// Real and generated.
    pub patients: [usize; 2],
    /// The images of the halves of which the floor is.
    pub halves: [usize; 2],
    pub measures: Vec<Measure>,
}

const LEAVING_OUT: &str = "by leaving out each of 10 groups of patients, the jackknife";
const DRAWING: &str = "by bootstrap over patients, with the neighbourhoods as they are";

/// The Fréchet distance and what it tends to with ever more generated images.
pub fn frechet(real: &FeatureSet, generated: &FeatureSet, title: &str) -> [Measure; 2] {
    let of = |set: &FeatureSet, rows: Range<usize>| Moments::of(set.rows(rows), set.d);
    let parts = |set: &FeatureSet| -> Vec<Moments> { set.groups.iter().map(|group| of(set, group.clone())).collect() };
    let sum = |parts: &[Moments], d: usize| parts.iter().fold(Moments::new(d), |sum, part| sum.with(part));
    let (real_parts, generated_parts) = (parts(real), parts(generated));
    let (all_real, all_generated) = (sum(&real_parts, real.d), sum(&generated_parts, generated.d));
    let reference = Reference::new(&all_real);
    let value = reference.as_ref().and_then(|reference| reference.distance(&all_generated));
    let without = real_parts.iter().zip(&generated_parts).filter_map(|(real, generated)| {
        super::frechet::frechet_distance(&all_real.without(real), &all_generated.without(generated))
    });
    let without: Vec<f64> = if real_parts.len() > 2 { without.collect() } else { Vec::new() };
    let interval = value.and_then(|value| jackknife_interval(value, &without));
    let limit = reference.as_ref().and_then(|reference| {
        let parts: Vec<Moments> = stretches(generated.len()).into_iter().map(|stretch| of(generated, stretch)).collect();
        frechet_infinite(reference, &parts)
    });
    let (floor, matched) =
        beside(real, generated, |a, b| super::frechet::frechet_distance(&of(a, 0..a.len()), &of(b, 0..b.len())));
    let images = [real.len(), generated.len()];
    let too_few = || Some("a set has fewer than two images".to_owned());
    [
        Measure {
            name: "frechet_distance".into(),
            title: title.to_owned(),
            note: if value.is_none() { too_few() } else { fewer_than(images, real.d) },
            found: value.map(|value| Estimate::new(value, interval)),
            images,
            interval: LEAVING_OUT.into(),
            floor,
            matched,
        },
        Measure {
            name: "frechet_distance_infinite".into(),
            title: format!("{title}, extrapolated to any number of generated images"),
            note: limit.is_none().then(|| "there are too few generated images to extrapolate".to_owned()),
            found: limit.map(|value| Estimate::new(value, None)),
            images,
            interval: "no interval: the value is that of a line through 15 distances that depend on each other".into(),
            floor: None,
            matched: None,
        },
    ]
}

fn fewer_than(images: [usize; 2], d: usize) -> Option<String> {
    let fewest = images.into_iter().min()?;
    (fewest <= d).then(|| {
        format!("{fewest} images are no more than the {d} features: the distance says more of their number than of the images")
    })
}

/// The kernel distance, over all pairs and over torch-fidelity's subsets.
pub fn kernel(real: &FeatureSet, generated: &FeatureSet, network: &str) -> [Measure; 2] {
    let of = |a: &FeatureSet, b: &FeatureSet| kernel_distance(&a.group_rows(), &b.group_rows());
    let found = of(real, generated);
    let (floor, matched) = beside(real, generated, |a, b| of(a, b).map(|found| found.value));
    let images = [real.len(), generated.len()];
    let size = kernel_distance::SUBSET_SIZE.min(real.len()).min(generated.len());
    let subsets = (size > 1).then(|| {
        let (one, other) = (Rows::new(&generated.features, generated.d), Rows::new(&real.features, real.d));
        kernel_distance::over_subsets(one, other, kernel_distance::SUBSETS, size, kernel_distance::SEED)
    });
    let subsets = subsets.flatten();
    let too_few = || Some("a set has fewer than two images".to_owned());
    [
        Measure {
            name: "kernel_distance".into(),
            title: format!("Kernel distance ({network})"),
            note: if found.is_none() { too_few() } else { None },
            found: found.map(|found| Estimate::new(found.value, found.interval)),
            images,
            interval: LEAVING_OUT.into(),
            floor,
            matched,
        },
        Measure {
            name: "kernel_distance_subsets".into(),
            title: format!("Kernel distance over {} subsets of {size}", kernel_distance::SUBSETS),
            note: match subsets {
                None => too_few(),
                Some((_, deviation)) => Some(format!("deviation over the subsets {deviation:.4}")),
            },
            found: subsets.map(|(mean, _)| Estimate::new(mean, None)),
            images,
            interval: "no interval: the deviation over subsets that share images is none".into(),
            floor: None,
            matched: None,
        },
    ]
}

/// Precision, recall, density and coverage.
pub fn neighbourhoods(real: &FeatureSet, generated: &FeatureSet, neighbours: [usize; 2], key: &Key) -> Vec<Measure> {
    let of = |a: &FeatureSet, b: &FeatureSet| {
        Neighbourhoods::new(Rows::new(&a.features, a.d), Rows::new(&b.features, b.d), neighbours)
    };
    let found = of(real, generated);
    let halves = real.halves();
    let floor = halves.as_ref().and_then(|[a, b]| of(a, b)).map(|found| found.shares());
    let matched = halves.as_ref().and_then(|[a, b]| of(a, &generated.first(b.len()))).map(|found| found.shares());
    let [k, density_k] = neighbours;
    let flags = |flags: &[bool]| flags.iter().map(|flag| f64::from(u8::from(*flag))).collect::<Vec<_>>();
    let columns: [(&str, String, ColumnOf); 4] = [
        ("precision", format!("Precision, {k} neighbours"), |found| Column::Flags(&found.precision)),
        ("recall", format!("Recall, {k} neighbours"), |found| Column::Flags(&found.recall)),
        ("density", format!("Density, {density_k} neighbours"), |found| Column::Counts(&found.density)),
        ("coverage", format!("Coverage, {density_k} neighbours"), |found| Column::Flags(&found.coverage)),
    ];
    let measure = |(index, (name, title, column)): (usize, (&str, String, ColumnOf))| {
        let value = found.as_ref().and_then(|found| found.shares().get(index).copied());
        let values = found.as_ref().map(|found| match column(found) {
            Column::Flags(found) => flags(found),
            Column::Counts(counts) => counts.iter().map(|count| f64::from(*count) / density_k as f64).collect(),
        });
        // Precision and density are of generated images, recall and coverage of real ones.
        let patients = if index % 2 == 0 { &generated.patients } else { &real.patients };
        let interval = values.and_then(|values| mean_interval(&values, patients, RESAMPLES, &key.with(name)));
        let at = |shares: Option<[f64; 4]>| shares.and_then(|shares| shares.get(index).copied());
        Measure {
            name: name.into(),
            title,
            note: value.is_none().then(|| "a set has no more images than neighbours".to_owned()),
            found: value.map(|value| Estimate::new(value, interval)),
            images: [real.len(), generated.len()],
            interval: DRAWING.into(),
            floor: at(floor),
            matched: at(matched),
        }
    };
    columns.into_iter().enumerate().map(measure).collect()
}

/// What is averaged.
enum Column<'c> {
    Flags(&'c [bool]),
    Counts(&'c [u32]),
}

/// Where the column of a measure is found.
type ColumnOf = fn(&Neighbourhoods) -> Column<'_>;

/// The inception score of generated images, by the logits of their classes.
pub fn inception(real: &[f32], generated: &[f32], classes: usize, network: &str) -> Measure {
    let score = |logits: &[f32]| inception_score::scores(logits, classes, inception_score::PARTS, Some(inception_score::SEED));
    let scores = score(generated);
    let found = mean_and_deviation(&scores);
    let n = scores.len() as f64;
    let reach = |deviation: f64| student_t(0.975, n - 1.0) * deviation / (n - 1.0).sqrt();
    Measure {
        name: "inception_score".into(),
        title: format!("Inception score ({network})"),
        note: found.is_none().then(|| "there are fewer images than parts".to_owned()),
        found: found.map(|(mean, deviation)| Estimate {
            value: mean,
            low: Some(mean - reach(deviation)),
            high: Some(mean + reach(deviation)),
        }),
        images: [real.len(), generated.len()].map(|length| length.checked_div(classes).unwrap_or(0)),
        interval: "by Student's t over 10 parts".into(),
        floor: mean_and_deviation(&score(real)).map(|(mean, _)| mean),
        matched: None,
    }
}

/// The mean similarity of pairs of images, `[pairs]`: `name` and `title` say of which.
pub fn similarity(name: &str, title: &str, similarities: &[f64], images: [usize; 2], key: &Key) -> Measure {
    let pairs: Vec<u32> = (0..similarities.len() as u32).collect();
    let mean = similarities.iter().sum::<f64>() / similarities.len() as f64;
    let found = !similarities.is_empty();
    Measure {
        name: name.into(),
        title: format!("{title}, {} pairs with the same labels", similarities.len()),
        note: (!found).then(|| "no two images of different patients have the same labels".to_owned()),
        found: found.then(|| Estimate::new(mean, mean_interval(similarities, &pairs, RESAMPLES, &key.with(name)))),
        images,
        interval: "by bootstrap over pairs, none of which share an image".into(),
        floor: None,
        matched: None,
    }
}

/// The sliced Wasserstein distance, whose values are computed elsewhere: of all, of each level, and with each group left out.
pub fn sliced(
    found: Option<(Vec<f64>, f64)>,
    without: &[f64],
    [floor, matched]: [Option<f64>; 2],
    images: [usize; 2],
) -> Measure {
    let note = match &found {
        None => Some("images have fewer rows or columns than a patch".to_owned()),
        Some((levels, _)) => {
            let levels: Vec<String> = levels.iter().map(|level| format!("{level:.2}")).collect();
            Some(format!("by level, the whole image first: {}", levels.join(", ")))
        }
    };
    Measure {
        name: "sliced_wasserstein".into(),
        title: "Sliced Wasserstein distance × 1000".into(),
        found: found.map(|(_, value)| Estimate::new(value, jackknife_interval(value, without))),
        images,
        interval: LEAVING_OUT.into(),
        floor,
        matched,
        note,
    }
}

/// A distance between the halves of the real images, and between the first half and as many generated ones as are in the second.
fn beside(
    real: &FeatureSet,
    generated: &FeatureSet,
    distance: impl Fn(&FeatureSet, &FeatureSet) -> Option<f64>,
) -> (Option<f64>, Option<f64>) {
    match real.halves() {
        None => (None, None),
        Some([a, b]) => (distance(&a, &b), distance(&a, &generated.first(b.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::golden::{D, N, fake, near, real};

    fn set(rows: &[f32], images: u32, key: u64) -> FeatureSet {
        let patients: Vec<u32> = (0..(rows.len() / D) as u32).map(|row| row / images).collect();
        let (order, groups) = grouped(&patients, &Key::new(key));
        let features = Rows::new(rows, D).gathered(&order);
        FeatureSet { features, d: D, patients: order.iter().map(|row| patients[*row]).collect(), groups }
    }

    #[test]
    fn groups_hold_whole_patients_and_every_row() {
        let patients: Vec<u32> = (0..100).map(|row| row % 23).collect();
        let (order, groups) = grouped(&patients, &Key::new(1));
        assert_eq!((groups.len(), groups[0].start, groups[9].end), (10, 0, 100));
        let mut seen: Vec<u32> = Vec::new();
        for group in &groups {
            let mut own: Vec<u32> = order[group.clone()].iter().map(|row| patients[*row]).collect();
            own.sort_unstable();
            own.dedup();
            assert!((2..=3).contains(&own.len()));
            seen.extend(own);
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..23).collect::<Vec<_>>());
        assert_eq!(grouped(&[4, 4, 4], &Key::new(1)).1, vec![0..3]);
        let halves = set(&real(), 2, 1).halves().unwrap();
        assert!(halves[0].patients.iter().all(|patient| !halves[1].patients.contains(patient)));
        assert_eq!(halves[0].len() + halves[1].len(), N);
    }

    #[test]
    fn measures_are_those_of_the_sets_with_floor_and_interval() {
        let (real, fake) = (set(&real(), 2, 1), set(&fake(), 1, 2));
        let [distance, limit] = frechet(&real, &fake, "FID");
        let found = distance.found.unwrap();
        near(found.value, 3.440_405_831_069_455, 1e-7);
        assert!(found.low.unwrap() < found.value && found.high.unwrap() - found.low.unwrap() < 2.0, "{found:?}");
        // Two halves of 200 with 64 features are far apart for their number alone; generated images are further.
        let (floor, matched) = (distance.floor.unwrap(), distance.matched.unwrap());
        assert!(floor > 2.0 && matched > floor + 0.5, "{floor} {matched}");
        assert!(limit.found.unwrap().value < found.value);
        let [all, subsets] = kernel(&real, &fake, "test");
        near(all.found.unwrap().value, 0.053_015_9, 1e-5);
        assert!(all.floor.unwrap().abs() < 0.02 && subsets.note.unwrap().starts_with("deviation"));
        let measures = neighbourhoods(&real, &fake, [3, 5], &Key::new(1));
        let values: Vec<f64> = measures.iter().map(|measure| measure.found.unwrap().value).collect();
        assert_eq!(values, [0.9775, 0.27, 2.5145, 0.9]);
        let recall = measures[1].found.unwrap();
        // √(0.27 · 0.73 / 400) is 0.022; patients have two images.
        let width = recall.high.unwrap() - recall.low.unwrap();
        assert!((0.07..0.16).contains(&width), "{width}");
        assert!(measures.iter().all(|measure| measure.floor.is_some() && measure.matched.is_some()));
    }

    #[test]
    fn sets_that_are_too_small_say_so() {
        let (one, fake) = (set(&real()[..D], 1, 1), set(&fake(), 1, 2));
        let [distance, _] = frechet(&one, &fake, "FID");
        assert!(distance.found.is_none() && distance.note.is_some() && distance.floor.is_none());
        assert!(kernel(&one, &fake, "test")[0].found.is_none());
        assert!(neighbourhoods(&one, &fake, [3, 5], &Key::new(1)).iter().all(|measure| measure.found.is_none()));
        assert!(similarity("ms_ssim_real", "x", &[], [1, 1], &Key::new(1)).found.is_none());
    }
}
