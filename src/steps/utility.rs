//! `utility`: how well a classifier trained on synthetic images reads real ones, beside the one trained on real images.
//! Outputs: `results`, and `scores` with what both say of every image.

use super::fields::{as_published, count, number, value};
use super::predictor::predictor;
use super::results::shortened;
use super::scores::Scores;
use super::{StepContext, StepError, StepKind, write_output};
use crate::data::shard::Shard;
use crate::language::Value;
use crate::metrics::utility::{self, MacroUtility, PairedScores, Settings};
use crate::random::Key;
use crate::training::defect;
use serde_json::json;
use std::collections::BTreeMap;

pub struct Utility;

/// Images in a batch of the authors' test, who left those behind the last whole one out.
const PUBLISHED_BATCH: usize = 50;

impl StepKind for Utility {
    fn name(&self) -> &'static str {
        "utility"
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/utility.rs",
            "steps/predictor.rs",
            "steps/results.rs",
            "steps/scores.rs",
            "metrics",
            "training",
            "network",
            "kernels",
            "data/batch.rs",
            "data/pixels.rs",
            "data/shard.rs",
            "random.rs",
        ]
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let step = context.step;
        let test = Shard::read(context.input_file("test")?)?;
        let mut scores = Vec::new();
        for (index, field) in ["real", "synthetic"].into_iter().enumerate() {
            scores.push(predictor(context, field, &test)?.scores(&test)?);
            context.progress.update(index as u64 + 1, 3, "parts", &[]);
        }
        let [real, synthetic] = <[Vec<f32>; 2]>::try_from(scores).map_err(|_| defect("two classifiers are compared".into()))?;
        let as_published = as_published(step)?;
        let mut paired = PairedScores {
            real,
            synthetic,
            labels: test.labels.clone(),
            patients: test.patients.clone(),
            label_names: test.label_names.clone(),
            as_published,
        };
        if as_published {
            let (images, findings) = (test.len() / PUBLISHED_BATCH * PUBLISHED_BATCH, test.label_names.len());
            paired.real.truncate(images * findings);
            paired.synthetic.truncate(images * findings);
            paired.labels.truncate(images * findings);
            paired.patients.truncate(images);
        }
        let settings = Settings {
            resamples: count(step, "resamples")? as usize,
            corrected: matches!(value(step, "interval")?, Value::Choice(word) if word == "corrected"),
            margin: number(step, "margin")?,
        };
        let key = Key::new(count(step, "seed")?).with("utility");
        let results = utility::evaluate(&paired, settings, &key)?;
        let digest = digest(&test, &paired);
        let text = serde_json::to_vec_pretty(&file(&results, &digest, as_published))
            .map_err(|error| defect(format!("results cannot be written: {error}")))?;
        Scores { paired, test: digest }.write(&context.outputs.join("scores"))?;
        write_output(context, "results", &text)
    }
}

/// The file of results: values by name, why some are missing, what each depends on, and the whole.
fn file(results: &utility::UtilityResults, test: &str, as_published: bool) -> serde_json::Value {
    let MacroUtility { test: tests, estimates, .. } = &results.macro_average;
    let p_values = [
        ("gap_p", tests.map(|test| test.p_zero)),
        ("noninferior_p", tests.map(|test| test.p_noninferior)),
        ("equivalent_p", tests.map(|test| test.p_equivalent)),
    ];
    let values = estimates.named().map(|(name, value)| (name, json!(value)));
    let values: BTreeMap<&str, serde_json::Value> =
        values.chain(p_values.iter().map(|(name, value)| (*name, json!(value)))).collect();
    let why = |name: &str| match name.ends_with("_p") {
        true => "no finding has enough cases of enough patients for a test",
        false => "no finding of the test part has images both with and without it",
    };
    let missing: BTreeMap<&str, &str> =
        values.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| (*name, why(name))).collect();
    let findings: Vec<&str> = results.findings.iter().map(|finding| finding.name.as_str()).collect();
    let mut depends = BTreeMap::from([("test images", test.to_owned()), ("findings", findings.join(", "))]);
    if as_published {
        depends.insert("compat", "paper".to_owned());
    }
    let conditions: BTreeMap<&str, _> = values.keys().map(|name| (*name, &depends)).collect();
    json!({ "values": values, "missing": missing, "conditions": conditions, "table": results })
}

/// Equal for the same images with the same labels and patients.
fn digest(test: &Shard, judged: &PairedScores) -> String {
    let mut hasher = blake3::Hasher::new();
    for image in 0..judged.patients.len() {
        hasher.update(test.image(image));
    }
    hasher.update(&judged.labels);
    judged.patients.iter().for_each(|patient| _ = hasher.update(&patient.to_le_bytes()));
    shortened(&hasher.finalize().to_hex())
}
