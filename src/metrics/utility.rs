//! How well a classifier trained on synthetic images reads real ones, beside the one trained on real images: AUROC and average
//! precision per finding, their means (macro), and the gaps real − synthetic, each with a 95 % interval by bootstrap over patients.
//! The two classifiers and all findings are judged on the same draws, so that a gap's interval is that of a paired comparison.
//!
//! Tests: for each finding DeLong's of the two AUROCs, with patients as clusters, adjusted by Holm over the findings; for the mean
//! gap those that the draws give: that it is 0, that it is `margin` or more (not non-inferior), and that it is beyond ±`margin` (not
//! equivalent: two one-sided tests, Schuirmann 1987).

use super::auroc::{Cases, Ranking, mean};
use super::bootstrap::{Clusters, Interval, corrected_interval, p_at_least, p_at_most, p_equal, percentile_interval};
use super::{delong, holm};
use crate::diagnostic::Diagnostic;
use crate::random::Key;
use serde::{Deserialize, Serialize};

/// With fewer positive or negative images, a finding's measures get no interval and no test: too few patients carry them.
pub const FEWEST_CASES: usize = 10;

/// What two classifiers say of the same test images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairedScores {
    /// `[n, findings]`, of the classifier trained on real images.
    pub real: Vec<f32>,
    /// `[n, findings]`, of the classifier trained on synthetic images.
    pub synthetic: Vec<f32>,
    /// `[n, findings]`: 0, 1, or 2 where it is not known.
    pub labels: Vec<u8>,
    /// `[n]`: any number for each patient.
    pub patients: Vec<u32>,
    pub label_names: Vec<String>,
    /// Whether an AUROC below ½ counts as its distance from 1, as in the code of Schütte et al. 2021.
    pub as_published: bool,
}

/// How intervals and tests are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    pub resamples: usize,
    /// Intervals corrected for bias and acceleration instead of percentiles.
    pub corrected: bool,
    /// The greatest mean gap of AUROC that still counts as none.
    pub margin: f64,
}

/// A number with its 95 % interval, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub value: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Estimate {
    pub fn new(value: f64, interval: Option<Interval>) -> Self {
        Self { value, low: interval.map(|interval| interval.low), high: interval.map(|interval| interval.high) }
    }
}

/// The test that both AUROCs of a finding are equal: DeLong et al. 1988, with patients as clusters (Obuchowski 1997).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GapTest {
    pub z: f64,
    /// Two-sided.
    pub p: f64,
    /// Adjusted for all findings that are tested: Holm 1979.
    pub p_holm: f64,
    /// Two-sided, by the bootstrap of the gap.
    pub p_bootstrap: f64,
}

/// Every number that is reported, of one finding or of the mean over findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimates {
    pub auroc_real: Option<Estimate>,
    pub auroc_synthetic: Option<Estimate>,
    pub auroc_gap: Option<Estimate>,
    #[serde(default)]
    pub precision_real: Option<Estimate>,
    #[serde(default)]
    pub precision_synthetic: Option<Estimate>,
    #[serde(default)]
    pub precision_gap: Option<Estimate>,
}

impl Estimates {
    /// Each by its reading.
    pub fn of(estimate: impl FnMut(Reading) -> Option<Estimate>) -> Self {
        let [auroc_real, auroc_synthetic, auroc_gap, precision_real, precision_synthetic, precision_gap] = READINGS.map(estimate);
        Self { auroc_real, auroc_synthetic, auroc_gap, precision_real, precision_synthetic, precision_gap }
    }

    /// All with their names as results, in the order of [`READINGS`].
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Option<Estimate>)> {
        let Self { auroc_real, auroc_synthetic, auroc_gap, precision_real, precision_synthetic, precision_gap } = *self;
        let all = [auroc_real, auroc_synthetic, auroc_gap, precision_real, precision_synthetic, precision_gap];
        READINGS.into_iter().map(|reading| reading.name).zip(all)
    }
}

/// One finding. Measures are `None` where all test images whose label is known are positive, or all are negative.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FindingUtility {
    pub name: String,
    pub positives: usize,
    pub negatives: usize,
    /// Images whose label is not known; they count in nothing.
    #[serde(default)]
    pub unknown: usize,
    #[serde(flatten)]
    pub estimates: Estimates,
    #[serde(default)]
    pub test: Option<GapTest>,
    /// Draws in which no patient, or every patient, had the finding; they do not count for its intervals.
    pub skipped: usize,
    /// Why there is no AUROC or no interval.
    pub note: Option<String>,
}

/// p values of the mean gap, by its bootstrap.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MacroTest {
    /// That it is 0; two-sided.
    pub p_zero: f64,
    pub margin: f64,
    /// That it is `margin` or more.
    pub p_noninferior: f64,
    /// That it is `margin` or more, or −`margin` or less: the greater of two one-sided p values.
    pub p_equivalent: f64,
}

/// The mean over findings, in every draw over those that have both classes in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MacroUtility {
    /// How many findings are averaged.
    pub findings: usize,
    /// The others, which have no AUROC.
    #[serde(default)]
    pub left_out: Vec<String>,
    #[serde(flatten)]
    pub estimates: Estimates,
    #[serde(default)]
    pub test: Option<MacroTest>,
}

/// Everything that `utility` reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UtilityResults {
    pub images: usize,
    pub patients: usize,
    pub resamples: usize,
    /// Whether intervals are corrected for bias and acceleration.
    #[serde(default)]
    pub corrected: bool,
    pub findings: Vec<FindingUtility>,
    pub macro_average: MacroUtility,
}

/// AUROC, then average precision, each of the classifier trained on real and on synthetic images.
pub type Measured = [f64; 4];

/// One number of [`Measured`].
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// As a result of `utility`: `auroc_gap`.
    pub name: &'static str,
    of: fn(Measured) -> f64,
    /// Whether it depends on the classifier trained on real images, and on the one trained on synthetic images.
    depends: [bool; 2],
}

/// Every number that is reported, in the order in which estimates are made.
pub const READINGS: [Reading; 6] = [
    Reading { name: "auroc_real", of: |[real, ..]| real, depends: [true, false] },
    Reading { name: "auroc_synthetic", of: |[_, synthetic, ..]| synthetic, depends: [false, true] },
    Reading { name: "auroc_gap", of: |[real, synthetic, ..]| real - synthetic, depends: [true, true] },
    Reading { name: "precision_real", of: |[.., real, _]| real, depends: [true, false] },
    Reading { name: "precision_synthetic", of: |[.., synthetic]| synthetic, depends: [false, true] },
    Reading { name: "precision_gap", of: |[.., real, synthetic]| real - synthetic, depends: [true, true] },
];

impl Reading {
    pub fn named(name: &str) -> Option<Self> {
        READINGS.into_iter().find(|reading| reading.name == name)
    }

    pub fn of(self, measured: Measured) -> f64 {
        (self.of)(measured)
    }

    /// Whether it is of the same classifiers in both, which were tested on the same images.
    pub fn is_shared(self, one: &PairedScores, other: &PairedScores) -> bool {
        let [real, synthetic] = self.depends;
        (!real || one.real == other.real) && (!synthetic || one.synthetic == other.synthetic)
    }
}

/// The rankings of all findings by both classifiers, from which the measures of any weighting of the images are read.
pub struct Rankings {
    of: Vec<[Ranking; 2]>,
    as_published: bool,
}

impl Rankings {
    pub fn new(scores: &PairedScores) -> Self {
        let findings = scores.label_names.len();
        let ranking = |scores_of: &[f32], finding| Ranking::new(&Cases::of(scores_of, &scores.labels, findings, finding));
        let of = (0..findings).map(|finding| [ranking(&scores.real, finding), ranking(&scores.synthetic, finding)]).collect();
        Self { of, as_published: scores.as_published }
    }

    /// The measures of every finding where image i counts `weights[i]` times.
    pub fn measured(&self, weights: &[u32]) -> Vec<Option<Measured>> {
        let turned = |auroc: f64| if self.as_published { auroc.max(1.0 - auroc) } else { auroc };
        self.of
            .iter()
            .map(|[real, synthetic]| {
                Some([
                    turned(real.auroc(weights)?),
                    turned(synthetic.auroc(weights)?),
                    real.average_precision(weights)?,
                    synthetic.average_precision(weights)?,
                ])
            })
            .collect()
    }

    /// Means over the findings that have measures; `None` where none has.
    pub fn averaged(&self, weights: &[u32]) -> Option<Measured> {
        average(&self.measured(weights))
    }
}

/// Means over the findings that have measures.
fn average(findings: &[Option<Measured>]) -> Option<Measured> {
    let of = |reading: fn(&Measured) -> f64| mean(findings.iter().flatten().map(reading));
    Some([of(|[a, ..]| *a)?, of(|[_, b, ..]| *b)?, of(|[.., c, _]| *c)?, of(|[.., d]| *d)?])
}

/// Judges two classifiers on the same real test images. Lists that do not fit each other, scores that are not numbers, and a test
/// part without images are errors.
pub fn evaluate(scores: &PairedScores, settings: Settings, key: &Key) -> Result<UtilityResults, Diagnostic> {
    let images = scores.patients.len();
    check(scores)?;
    let rankings = Rankings::new(scores);
    let clusters = Clusters::new(&scores.patients);
    let found = rankings.measured(&vec![1; images]);
    let draws = clusters.resample(key, settings.resamples, |weights| rankings.measured(weights));
    let left_out = if settings.corrected { clusters.leave_one_out(|weights| rankings.measured(weights)) } else { Vec::new() };
    let of_finding = |all: &[Vec<Option<Measured>>], finding: usize| -> Vec<Option<Measured>> {
        all.iter().map(|one| one.get(finding).copied().flatten()).collect()
    };
    let names = scores.label_names.iter().zip(&found).enumerate();
    let mut rows: Vec<FindingUtility> = names
        .map(|(finding, (name, measured))| {
            let cases = Cases::of(&scores.real, &scores.labels, scores.label_names.len(), finding);
            let drawn = Drawn { draws: of_finding(&draws, finding), left_out: of_finding(&left_out, finding), settings };
            row(name, *measured, &drawn, &cases, images)
        })
        .collect();
    test(&mut rows, scores, &draws);
    // A mean over findings that are all too rare for an interval has none either.
    let measured =
        clusters.patients() > 1 && rows.iter().any(|row| row.estimates.auroc_real.is_some_and(|estimate| estimate.low.is_some()));
    let averages = |all: &[Vec<Option<Measured>>]| all.iter().map(|one| average(one)).collect();
    let drawn = match measured {
        true => Drawn { draws: averages(&draws), left_out: averages(&left_out), settings },
        false => Drawn { draws: Vec::new(), left_out: Vec::new(), settings },
    };
    let macro_average = macro_average(&scores.label_names, &found, &drawn);
    let (resamples, corrected) = (settings.resamples, settings.corrected);
    Ok(UtilityResults { images, patients: clusters.patients(), resamples, corrected, findings: rows, macro_average })
}

/// The draws of one finding or of the mean.
struct Drawn {
    draws: Vec<Option<Measured>>,
    left_out: Vec<Option<Measured>>,
    settings: Settings,
}

impl Drawn {
    /// The draws of one number that have one.
    fn of(&self, reading: Reading) -> Vec<f64> {
        self.draws.iter().flatten().map(|draw| reading.of(*draw)).collect()
    }

    fn estimate(&self, measured: Option<Measured>, reading: Reading) -> Option<Estimate> {
        let (value, draws) = (reading.of(measured?), self.of(reading));
        let interval = match self.settings.corrected && draws.len() > 1 {
            true => {
                let left_out: Vec<f64> = self.left_out.iter().flatten().map(|one| reading.of(*one)).collect();
                corrected_interval(value, &draws, &left_out)
            }
            false => percentile_interval(draws),
        };
        Some(Estimate::new(value, interval))
    }
}

fn row(name: &str, measured: Option<Measured>, drawn: &Drawn, cases: &Cases, images: usize) -> FindingUtility {
    let (positives, negatives) = (cases.positives(), cases.negatives());
    let few = positives.min(negatives) < FEWEST_CASES;
    let note = match measured {
        None if positives + negatives == 0 => Some("of no test image is it known whether it has this finding".to_owned()),
        None if positives == 0 => Some("no test image has this finding".to_owned()),
        None => Some("every test image has this finding".to_owned()),
        Some(_) if few => Some(format!("no interval: fewer than {FEWEST_CASES} positive or negative images")),
        Some(_) => None,
    };
    let nothing = Drawn { draws: Vec::new(), left_out: Vec::new(), settings: drawn.settings };
    let known = if few { &nothing } else { drawn };
    FindingUtility {
        name: name.to_owned(),
        positives,
        negatives,
        unknown: images - positives - negatives,
        estimates: Estimates::of(|reading| known.estimate(measured, reading)),
        test: None,
        skipped: drawn.draws.iter().filter(|draw| draw.is_none()).count(),
        note,
    }
}

/// Tests the findings with enough cases.
fn test(rows: &mut [FindingUtility], scores: &PairedScores, draws: &[Vec<Option<Measured>>]) {
    let findings = scores.label_names.len();
    let compared: Vec<Option<(f64, f64)>> = rows
        .iter()
        .enumerate()
        .map(|(finding, row)| {
            (row.positives.min(row.negatives) >= FEWEST_CASES).then_some(())?;
            let [real, synthetic] = [&scores.real, &scores.synthetic].map(|of| Cases::of(of, &scores.labels, findings, finding));
            let patients: Vec<u32> =
                real.images.iter().filter_map(|image| scores.patients.get(*image as usize).copied()).collect();
            let found = delong::compare_clustered(&real.scores, &synthetic.scores, &real.positive, &patients)?;
            // Two classifiers that rank all images alike do not differ.
            found.difference().or_else(|| (found.auroc[0] == found.auroc[1]).then_some((0.0, 1.0)))
        })
        .collect();
    let adjusted = holm::adjusted(&compared.iter().map(|found| found.map(|(_, p)| p)).collect::<Vec<_>>());
    for (finding, ((row, compared), p_holm)) in rows.iter_mut().zip(compared).zip(adjusted).enumerate() {
        let gap =
            |draw: &Vec<Option<Measured>>| draw.get(finding).copied().flatten().map(|[real, synthetic, ..]| real - synthetic);
        let drawn: Vec<f64> = draws.iter().filter_map(gap).collect();
        row.test = compared.zip(p_holm).map(|((z, p), p_holm)| GapTest { z, p, p_holm, p_bootstrap: p_equal(&drawn, 0.0) });
    }
}

fn macro_average(names: &[String], found: &[Option<Measured>], drawn: &Drawn) -> MacroUtility {
    let measured = average(found);
    let gaps = READINGS.into_iter().find(|reading| reading.name == "auroc_gap").map(|gap| drawn.of(gap)).unwrap_or_default();
    let margin = drawn.settings.margin;
    let test = (gaps.len() > 1).then(|| {
        let p_noninferior = p_at_least(&gaps, margin);
        let p_equivalent = p_noninferior.max(p_at_most(&gaps, -margin));
        MacroTest { p_zero: p_equal(&gaps, 0.0), margin, p_noninferior, p_equivalent }
    });
    MacroUtility {
        findings: found.iter().flatten().count(),
        left_out: names.iter().zip(found).filter(|(_, found)| found.is_none()).map(|(name, _)| name.clone()).collect(),
        estimates: Estimates::of(|reading| drawn.estimate(measured, reading)),
        test,
    }
}

fn check(scores: &PairedScores) -> Result<(), Diagnostic> {
    let (images, findings) = (scores.patients.len(), scores.label_names.len());
    if images == 0 || findings == 0 {
        return Err(Diagnostic::error("E0509", "the test part holds no images, so nothing can be judged")
            .help("give `test` a share above 0% in `split = by(…)`"));
    }
    for (arm, of_arm) in [("real", &scores.real), ("synthetic", &scores.synthetic)] {
        if of_arm.len() != images * findings || scores.labels.len() != images * findings {
            return Err(Diagnostic::error(
                "E0512",
                format!("the `{arm}` classifier gives {} scores for {images} images with {findings} findings", of_arm.len()),
            )
            .help("train both classifiers on the findings of the data set that they are tested on"));
        }
        if let Some((at, score)) = of_arm.iter().enumerate().find(|(_, score)| !score.is_finite()) {
            let message = format!("the `{arm}` classifier gives image {} the score {score}", at / findings);
            return Err(Diagnostic::error("E0512", message).help("its training diverged: lower the rate of its optimiser"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::auroc::tests::example;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("Finding {i}")).collect()
    }

    /// Random scores that know a little of the labels.
    fn drawn(images: usize, findings: usize, strength: f32, seed: u64) -> (Vec<f32>, Vec<u8>) {
        let key = Key::new(9);
        let labels: Vec<u8> = (0..images * findings).map(|i| u8::from(key.with("label").uniform(i as u64) < 0.3)).collect();
        let mut scores = vec![0f32; images * findings];
        Key::new(seed).with("score").fill_normal(&mut scores);
        let scores = scores.iter().zip(&labels).map(|(score, label)| score + strength * f32::from(*label)).collect();
        (scores, labels)
    }

    const SETTINGS: Settings = Settings { resamples: 2000, corrected: false, margin: 0.05 };

    /// With arguments in the order of the lists.
    fn evaluate(
        real: &[f32],
        synthetic: &[f32],
        labels: &[u8],
        patients: &[u32],
        names: &[String],
        resamples: usize,
        key: &Key,
    ) -> Result<UtilityResults, Diagnostic> {
        super::evaluate(&paired(real, synthetic, labels, patients, names), Settings { resamples, ..SETTINGS }, key)
    }

    fn paired(real: &[f32], synthetic: &[f32], labels: &[u8], patients: &[u32], names: &[String]) -> PairedScores {
        PairedScores {
            real: real.to_vec(),
            synthetic: synthetic.to_vec(),
            labels: labels.to_vec(),
            patients: patients.to_vec(),
            label_names: names.to_vec(),
            as_published: false,
        }
    }

    /// The numbers of the tests in `delong` and `auroc`.
    #[test]
    fn a_finding_has_its_tests_and_precisions() {
        let (positive, first, second) = example();
        let labels: Vec<u8> = positive.iter().map(|positive| u8::from(*positive)).collect();
        let patients: Vec<u32> = (0..300).collect();
        let scores = paired(&first, &second, &labels, &patients, &names(1));
        let results = super::evaluate(&scores, SETTINGS, &Key::new(1)).unwrap();
        let row = &results.findings[0];
        let test = row.test.unwrap();
        assert!((test.z - 0.139_008_419_282_399_18).abs() < 1e-9 && (test.p - 0.889_443_496_019_506_5).abs() < 1e-9, "{test:?}");
        assert!(test.p_holm == test.p && (test.p_bootstrap - test.p).abs() < 0.05, "{test:?}");
        assert!((row.estimates.precision_real.unwrap().value - 0.722_822_604_772_794_5).abs() < 1e-12);
        assert!((row.estimates.precision_synthetic.unwrap().value - 0.670_608_024_196_468_1).abs() < 1e-12);
        // The gap is 0.0027 with a standard error of 0.0197: within 0.05 at z = 2.40 and z = 2.68.
        let test = results.macro_average.test.unwrap();
        assert!(
            (test.p_noninferior - 0.0082).abs() < 0.006 && (test.p_equivalent - test.p_noninferior).abs() < 0.006,
            "{test:?}"
        );
        let corrected = super::evaluate(&scores, Settings { corrected: true, ..SETTINGS }, &Key::new(1)).unwrap();
        let (plain, corrected) = (row.estimates.auroc_real.unwrap(), corrected.findings[0].estimates.auroc_real.unwrap());
        assert!(plain.value == corrected.value && plain.low != corrected.low, "{corrected:?}");
        // The logit interval of DeLong allows for the skew, too: [0.7949, 0.8878].
        assert!(
            (corrected.low.unwrap() - 0.7949).abs() < 0.01 && (corrected.high.unwrap() - 0.8878).abs() < 0.01,
            "{corrected:?}"
        );
    }

    #[test]
    fn unknown_labels_are_left_out_and_counted() {
        let (scores, mut labels) = drawn(200, 2, 1.0, 1);
        let patients: Vec<u32> = (0..200).map(|image| image / 2).collect();
        let of_known = evaluate(&scores[..300], &scores[..300], &labels[..300], &patients[..150], &names(2), 200, &Key::new(1));
        for label in labels.iter_mut().skip(300) {
            *label = 2;
        }
        let results = evaluate(&scores, &scores, &labels, &patients, &names(2), 200, &Key::new(1)).unwrap();
        let known = of_known.unwrap();
        for (row, due) in results.findings.iter().zip(&known.findings) {
            assert_eq!((row.unknown, row.positives, row.negatives), (50, due.positives, due.negatives));
            assert_eq!(
                row.estimates.auroc_real.map(|estimate| estimate.value),
                due.estimates.auroc_real.map(|estimate| estimate.value)
            );
        }
        labels.iter_mut().step_by(2).for_each(|label| *label = 2);
        let none = evaluate(&scores, &scores, &labels, &patients, &names(2), 200, &Key::new(1)).unwrap();
        assert!(none.findings[0].note.as_ref().unwrap().contains("known") && none.findings[0].test.is_none());
        assert_eq!(none.macro_average.left_out, ["Finding 0"]);
    }

    #[test]
    fn as_published_an_auroc_below_a_half_is_turned() {
        let (scores, labels) = drawn(200, 1, -1.0, 1);
        let patients: Vec<u32> = (0..200).collect();
        let scores = PairedScores { as_published: true, ..paired(&scores, &scores, &labels, &patients, &names(1)) };
        let turned = super::evaluate(&scores, SETTINGS, &Key::new(1)).unwrap().macro_average.estimates.auroc_real.unwrap().value;
        let right = PairedScores { as_published: false, ..scores };
        let found = super::evaluate(&right, SETTINGS, &Key::new(1)).unwrap().macro_average.estimates.auroc_real.unwrap().value;
        assert!(found < 0.4 && (turned + found - 1.0).abs() < 1e-12, "{found} {turned}");
    }

    #[test]
    fn values_are_aurocs_and_intervals_agree_with_delong_for_single_images() {
        let (positive, first, second) = example();
        let labels: Vec<u8> = positive.iter().map(|positive| u8::from(*positive)).collect();
        let patients: Vec<u32> = (0..300).collect();
        let results = evaluate(&first, &second, &labels, &patients, &names(1), 2000, &Key::new(1)).unwrap();
        let row = &results.findings[0];
        let (real, gap) = (row.estimates.auroc_real.unwrap(), row.estimates.auroc_gap.unwrap());
        assert!((real.value - 0.847_067_730_475_802_3).abs() < 1e-12);
        assert!((gap.value - 0.002_737_173_140_760_7).abs() < 1e-12);
        // DeLong's Wald interval is [0.8008, 0.8933]; the percentile interval differs a little by its nature.
        assert!((real.low.unwrap() - 0.8008).abs() < 0.01 && (real.high.unwrap() - 0.8933).abs() < 0.01, "{real:?}");
        // DeLong's standard error of the difference is 0.01969.
        let width = gap.high.unwrap() - gap.low.unwrap();
        assert!((width / (2.0 * 1.96 * 0.01969) - 1.0).abs() < 0.1, "{gap:?}");
        assert_eq!(results.macro_average.estimates.auroc_gap, row.estimates.auroc_gap);
        assert_eq!((row.positives, row.negatives, row.skipped, results.patients), (77, 223, 0, 300));
    }

    #[test]
    fn rare_and_absent_findings_have_no_interval_and_say_why() {
        let (scores, mut labels) = drawn(120, 3, 1.0, 1);
        for image in 0..120 {
            labels[image * 3 + 1] = u8::from(image < 2);
            labels[image * 3 + 2] = 0;
        }
        let patients: Vec<u32> = (0..120).map(|image| image / 2).collect();
        let results = evaluate(&scores, &scores, &labels, &patients, &names(3), 500, &Key::new(1)).unwrap();
        let [common, rare, absent] = &results.findings[..] else { panic!() };
        assert!(common.estimates.auroc_real.unwrap().low.is_some() && common.note.is_none());
        assert!(rare.estimates.auroc_real.unwrap().low.is_none() && rare.note.as_ref().unwrap().contains("fewer than 10"));
        // The only patient with it is left out of a draw with probability (1 − 1/60)^60 = 0.365.
        assert!((130..235).contains(&rare.skipped), "{}", rare.skipped);
        assert_eq!((absent.estimates.auroc_real, absent.skipped), (None, 500));
        assert!(common.test.is_some_and(|test| test.p == 1.0) && rare.test.is_none() && absent.test.is_none());
        assert!(absent.note.as_ref().unwrap().contains("no test image"));
        let average = &results.macro_average;
        assert_eq!(average.findings, 2);
        let expected = (common.estimates.auroc_real.unwrap().value + rare.estimates.auroc_real.unwrap().value) / 2.0;
        assert!(
            (average.estimates.auroc_real.unwrap().value - expected).abs() < 1e-12
                && average.estimates.auroc_real.unwrap().low.is_some()
        );
        assert_eq!(average.estimates.auroc_gap, Some(Estimate { value: 0.0, low: Some(0.0), high: Some(0.0) }));
        let back: UtilityResults = serde_json::from_str(&serde_json::to_string(&results).unwrap()).unwrap();
        assert_eq!(back, results);
    }

    #[test]
    fn threads_change_nothing_and_seeds_change_intervals_only() {
        let ((real, labels), (synthetic, _)) = (drawn(200, 4, 1.5, 1), drawn(200, 4, 0.5, 2));
        let patients: Vec<u32> = (0..200).map(|image| image / 3).collect();
        let run = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| evaluate(&real, &synthetic, &labels, &patients, &names(4), 300, &Key::new(seed)).unwrap())
        };
        let results = run(1, 1);
        assert_eq!(results, run(2, 1));
        let gap = results.macro_average.estimates.auroc_gap.unwrap();
        assert!(gap.low.unwrap() > 0.05 && gap.high.unwrap() < 0.4, "{gap:?}");
        let other = run(2, 2).macro_average.estimates.auroc_gap.unwrap();
        assert!(other.value == gap.value && other.low != gap.low);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let run = |scores: &[f32], labels: &[u8], patients: &[u32]| {
            evaluate(scores, scores, labels, patients, &names(1), 100, &Key::new(1)).map(|_| ()).map_err(|error| error.code)
        };
        assert_eq!(run(&[0.1, 0.2], &[0, 1], &[0, 1]), Ok(()));
        assert_eq!(run(&[], &[], &[]), Err("E0509"));
        assert_eq!(run(&[0.1], &[0, 1], &[0, 1]), Err("E0512"));
        assert_eq!(run(&[0.1, 0.2], &[0], &[0, 1]), Err("E0512"));
        assert_eq!(run(&[0.1, f32::NAN], &[0, 1], &[0, 1]), Err("E0512"));
    }

    /// Two thousand draws of 700 images with 4 findings take well under 2 s.
    #[test]
    fn the_bootstrap_is_fast() {
        let ((real, labels), (synthetic, _)) = (drawn(700, 4, 1.5, 1), drawn(700, 4, 0.5, 2));
        let patients: Vec<u32> = (0..700).map(|image| image / 2).collect();
        let start = std::time::Instant::now();
        evaluate(&real, &synthetic, &labels, &patients, &names(4), 2000, &Key::new(1)).unwrap();
        eprintln!("2000 draws in {:?}", start.elapsed());
        assert!(start.elapsed().as_secs() < 20);
    }
}
