//! `utility`: how well a classifier trained on synthetic images reads real ones, beside the one trained on real images.
//! Output: `results`.

use super::fields::count;
use super::{StepContext, StepError, StepKind, write_output};
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::metrics::utility;
use crate::random::Key;
use crate::training::{Model, Predictor, defect};
use serde_json::json;
use std::collections::BTreeMap;

pub struct Utility;

impl StepKind for Utility {
    fn name(&self) -> &'static str {
        "utility"
    }

    fn sources(&self) -> &'static [&'static str] {
        &["steps/utility.rs", "metrics", "training", "network", "kernels", "data/batch.rs", "data/shard.rs", "random.rs"]
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let test = Shard::read(context.input_file("test")?)?;
        let mut scores = Vec::new();
        for (index, field) in ["real", "synthetic"].into_iter().enumerate() {
            let model = Model::read(context.input_file(field)?)?;
            if model.label_names != test.label_names {
                return Err(other_findings(field, &model.label_names, &test.label_names).into());
            }
            scores.push(Predictor::new(&model, 64)?.scores(&test)?);
            context.progress.update(index as u64 + 1, 3, "parts", &[]);
        }
        let [real, synthetic] = scores.as_slice() else { return Err(defect("two classifiers are compared".into()).into()) };
        let resamples = count(context.step, "resamples")? as usize;
        let key = Key::new(count(context.step, "seed")?).with("utility");
        let results = utility::evaluate(real, synthetic, &test.labels, &test.patients, &test.label_names, resamples, &key)?;
        let average = results.macro_average.clone();
        let values =
            [("auroc_real", average.auroc_real), ("auroc_synthetic", average.auroc_synthetic), ("auroc_gap", average.auroc_gap)];
        let why = "no finding of the test part has images both with and without it";
        let missing = values.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| (*name, why));
        let results = json!({
            "values": values.into_iter().collect::<BTreeMap<_, _>>(),
            "missing": missing.collect::<BTreeMap<_, _>>(),
            "table": results,
        });
        let text = serde_json::to_vec_pretty(&results).map_err(|error| defect(format!("results cannot be written: {error}")))?;
        write_output(context, "results", &text)
    }
}

fn other_findings(field: &str, classifier: &[String], test: &[String]) -> Diagnostic {
    Diagnostic::error(
        "E0657",
        format!(
            "the classifier in `{field}` tells {}, but the test images are labelled with {}",
            classifier.join(", "),
            test.join(", ")
        ),
    )
    .help("test a classifier on images with the findings that it was trained on, in the same order")
}
