//! How well a classifier trained on synthetic images reads real ones, beside the one trained on real images: AUROC per
//! finding, their mean (macro), and the gap real − synthetic, each with a 95 % interval by bootstrap over patients. The
//! two classifiers and all findings are judged on the same draws, so that the gap's interval is that of a paired comparison.

use super::auroc::{Cases, Ranking, mean};
use super::bootstrap::{Clusters, percentile_interval};
use crate::diagnostic::Diagnostic;
use crate::random::Key;
use serde::{Deserialize, Serialize};

/// With fewer positive or negative images, a finding's AUROC gets no interval: too few patients carry it.
pub const FEWEST_CASES: usize = 10;

/// A number with its 95 % interval, where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    pub value: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// One finding. AUROCs are `None` where all test images are positive or all are negative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FindingUtility {
    pub name: String,
    pub positives: usize,
    pub negatives: usize,
    pub auroc_real: Option<Estimate>,
    pub auroc_synthetic: Option<Estimate>,
    pub auroc_gap: Option<Estimate>,
    /// Draws in which no patient, or every patient, had the finding; they do not count for its intervals.
    pub skipped: usize,
    /// Why there is no AUROC or no interval.
    pub note: Option<String>,
}

/// The mean over findings, in every draw over those that have both classes in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MacroUtility {
    /// How many findings are averaged.
    pub findings: usize,
    pub auroc_real: Option<Estimate>,
    pub auroc_synthetic: Option<Estimate>,
    pub auroc_gap: Option<Estimate>,
}

/// Everything that `utility` reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UtilityResults {
    pub images: usize,
    pub patients: usize,
    pub resamples: usize,
    pub findings: Vec<FindingUtility>,
    pub macro_average: MacroUtility,
}

/// AUROC of both classifiers in one draw.
type Pair = Option<[f64; 2]>;

/// Judges two classifiers on the same real test images. Scores and labels are `[n, findings]`, patients `[n]`. Lists that
/// do not fit each other, scores that are not numbers, and a test part without images are errors.
pub fn evaluate(
    real_scores: &[f32],
    synthetic_scores: &[f32],
    labels: &[u8],
    patients: &[u32],
    label_names: &[String],
    resamples: usize,
    key: &Key,
) -> Result<UtilityResults, Diagnostic> {
    let (images, findings) = (patients.len(), label_names.len());
    check(&[("real", real_scores), ("synthetic", synthetic_scores)], labels.len(), images, findings)?;
    let rankings: Vec<[Ranking; 2]> = (0..findings)
        .map(|finding| {
            [real_scores, synthetic_scores].map(|scores| Ranking::new(&Cases::of(scores, labels, findings, finding)))
        })
        .collect();
    let statistic = |weights: &[u32]| -> Vec<Pair> {
        rankings.iter().map(|[real, synthetic]| Some([real.auroc(weights)?, synthetic.auroc(weights)?])).collect()
    };
    let clusters = Clusters::new(patients);
    let found = statistic(&vec![1; images]);
    let draws = clusters.resample(key, resamples, statistic);
    let rows = label_names.iter().zip(&found).enumerate().map(|(finding, (name, pair))| {
        let drawn: Vec<Pair> = draws.iter().map(|draw| draw.get(finding).copied().flatten()).collect();
        let cases = Cases::of(real_scores, labels, findings, finding);
        row(name, *pair, &drawn, cases.positives(), cases.negatives())
    });
    let rows: Vec<FindingUtility> = rows.collect();
    // A mean over findings that are all too rare for an interval has none either.
    let measured = rows.iter().any(|row| row.auroc_real.is_some_and(|estimate| estimate.low.is_some()));
    let macro_draws: &[Vec<Pair>] = if measured { &draws } else { &[] };
    Ok(UtilityResults {
        images,
        patients: clusters.patients(),
        resamples,
        findings: rows,
        macro_average: macro_average(&found, macro_draws, clusters.patients()),
    })
}

fn row(name: &str, pair: Pair, drawn: &[Pair], positives: usize, negatives: usize) -> FindingUtility {
    let few = positives.min(negatives) < FEWEST_CASES;
    let note = match pair {
        None if positives == 0 => Some("no test image has this finding".to_owned()),
        None => Some("every test image has this finding".to_owned()),
        Some(_) if few => Some(format!("no interval: fewer than {FEWEST_CASES} positive or negative images")),
        Some(_) => None,
    };
    let [auroc_real, auroc_synthetic, auroc_gap] = estimates(pair, if few { &[] } else { drawn });
    let skipped = drawn.iter().filter(|draw| draw.is_none()).count();
    FindingUtility { name: name.to_owned(), positives, negatives, auroc_real, auroc_synthetic, auroc_gap, skipped, note }
}

fn macro_average(found: &[Pair], draws: &[Vec<Pair>], patients: usize) -> MacroUtility {
    let average = |pairs: &[Pair]| -> Pair {
        let of = |arm: fn(&[f64; 2]) -> f64| mean(pairs.iter().flatten().map(arm));
        Some([of(|[real, _]| *real)?, of(|[_, synthetic]| *synthetic)?])
    };
    let drawn: Vec<Pair> = if patients < 2 { Vec::new() } else { draws.iter().map(|draw| average(draw)).collect() };
    let [auroc_real, auroc_synthetic, auroc_gap] = estimates(average(found), &drawn);
    MacroUtility { findings: found.iter().flatten().count(), auroc_real, auroc_synthetic, auroc_gap }
}

/// Real, synthetic and gap with intervals over the draws that have a value.
fn estimates(pair: Pair, drawn: &[Pair]) -> [Option<Estimate>; 3] {
    let readings: [fn([f64; 2]) -> f64; 3] = [|[real, _]| real, |[_, synthetic]| synthetic, |[real, synthetic]| real - synthetic];
    readings.map(|reading| {
        let interval = percentile_interval(drawn.iter().flatten().map(|draw| reading(*draw)));
        Some(Estimate {
            value: reading(pair?),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
        })
    })
}

fn check(arms: &[(&str, &[f32])], labels: usize, images: usize, findings: usize) -> Result<(), Diagnostic> {
    if images == 0 || findings == 0 {
        return Err(Diagnostic::error("E0509", "the test part holds no images, so nothing can be judged")
            .help("give `test` a share above 0% in `split = by(…)`"));
    }
    for (arm, scores) in arms {
        if scores.len() != images * findings || labels != images * findings {
            return Err(Diagnostic::error(
                "E0512",
                format!("the `{arm}` classifier gives {} scores for {images} images with {findings} findings", scores.len()),
            )
            .help("train both classifiers on the findings of the data set that they are tested on"));
        }
        if let Some((at, score)) = scores.iter().enumerate().find(|(_, score)| !score.is_finite()) {
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

    #[test]
    fn values_are_aurocs_and_intervals_agree_with_delong_for_single_images() {
        let (positive, first, second) = example();
        let labels: Vec<u8> = positive.iter().map(|positive| u8::from(*positive)).collect();
        let patients: Vec<u32> = (0..300).collect();
        let results = evaluate(&first, &second, &labels, &patients, &names(1), 2000, &Key::new(1)).unwrap();
        let row = &results.findings[0];
        let (real, gap) = (row.auroc_real.unwrap(), row.auroc_gap.unwrap());
        assert!((real.value - 0.847_067_730_475_802_3).abs() < 1e-12);
        assert!((gap.value - 0.002_737_173_140_760_7).abs() < 1e-12);
        // DeLong's Wald interval is [0.8008, 0.8933]; the percentile interval differs a little by its nature.
        assert!((real.low.unwrap() - 0.8008).abs() < 0.01 && (real.high.unwrap() - 0.8933).abs() < 0.01, "{real:?}");
        // DeLong's standard error of the difference is 0.01969.
        let width = gap.high.unwrap() - gap.low.unwrap();
        assert!((width / (2.0 * 1.96 * 0.01969) - 1.0).abs() < 0.1, "{gap:?}");
        assert_eq!(results.macro_average.auroc_gap, row.auroc_gap);
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
        assert!(common.auroc_real.unwrap().low.is_some() && common.note.is_none());
        assert!(rare.auroc_real.unwrap().low.is_none() && rare.note.as_ref().unwrap().contains("fewer than 10"));
        // The only patient with it is left out of a draw with probability (1 − 1/60)^60 = 0.365.
        assert!((130..235).contains(&rare.skipped), "{}", rare.skipped);
        assert_eq!((absent.auroc_real, absent.skipped), (None, 500));
        assert!(absent.note.as_ref().unwrap().contains("no test image"));
        let average = &results.macro_average;
        assert_eq!(average.findings, 2);
        let expected = (common.auroc_real.unwrap().value + rare.auroc_real.unwrap().value) / 2.0;
        assert!((average.auroc_real.unwrap().value - expected).abs() < 1e-12 && average.auroc_real.unwrap().low.is_some());
        assert_eq!(average.auroc_gap, Some(Estimate { value: 0.0, low: Some(0.0), high: Some(0.0) }));
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
        let gap = results.macro_average.auroc_gap.unwrap();
        assert!(gap.low.unwrap() > 0.05 && gap.high.unwrap() < 0.4, "{gap:?}");
        let other = run(2, 2).macro_average.auroc_gap.unwrap();
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
