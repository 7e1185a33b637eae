//! `sample`: a generated image for every label row of a data set, or for rows that are chosen from it, part by part. Outputs: `train`,
//! `valid`, `test`.
//!
//! The latent numbers and the noise of a row depend on the seed, the part and the row only, so that batches and threads change nothing.
//! Every generated image is a patient of its own: nothing of the real patients but their label rows is carried over. One batch at a
//! time is in memory: images are written as they are made.

use super::fields::{count, value};
use super::{StepContext, StepError, StepKind};
use crate::data::label_rows::LabelRows;
use crate::data::shard::{Shard, ShardWriter};
use crate::data::split::PARTS;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::random::Key;
use crate::training::{Generator, Latent, Model, defect};
use std::path::Path;
use std::sync::atomic::Ordering;

pub struct Sample;

impl StepKind for Sample {
    fn name(&self) -> &'static str {
        "sample"
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/sample.rs",
            "training",
            "network",
            "kernels",
            "data/batch.rs",
            "data/combinations.rs",
            "data/label_rows.rs",
            "data/pixels.rs",
            "data/shard.rs",
            "random.rs",
        ]
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let model = Model::read(context.input_file("from")?)?;
        let key = Key::new(count(context.step, "seed")?).with("sample");
        let chosen = match value(context.step, "rows")? {
            Value::Construction(construction) => LabelRows::new(construction)?,
            other => return Err(defect(format!("{other:?} are no label rows")).into()),
        };
        let mut parts = Vec::new();
        for (part, path) in context.input_files("labels")?.iter().filter(|(part, _)| PARTS.contains(&part.as_str())) {
            let shard = Shard::read(path)?;
            if shard.label_names != model.label_names {
                return Err(other_findings(context, &model.label_names, &shard.label_names).into());
            }
            let place = context.step.field("rows").map_or(context.step.span, |field| field.span);
            let labels =
                chosen.of(&shard, &key.with(part).with("rows")).map_err(|problem| problem.label(place, "asked for here"))?;
            parts.push((part.clone(), labels));
        }
        let findings = model.label_names.len().max(1);
        let total = parts.iter().map(|(_, labels)| (labels.len() / findings) as u64).sum();
        let mut generator = Generator::new(&model, Latent::from_value(value(context.step, "latent")?)?)?;
        let mut done = 0;
        for (part, labels) in parts {
            let rows = generator.rows(labels);
            let mut writer = ShardWriter::create(&context.outputs.join(Path::new(&part)), &rows)?;
            let goes_on = generator.images(&rows.labels, &key.with(&part), &mut |pixels| {
                writer.images(pixels)?;
                done += (pixels.len() / rows.image_size().max(1)) as u64;
                context.progress.update(done, total, "images", &[]);
                Ok(!context.interrupted.load(Ordering::Relaxed))
            })?;
            if !goes_on {
                return Err(StepError::Interrupted);
            }
            writer.finish()?;
        }
        Ok(())
    }
}

fn other_findings(context: &StepContext<'_>, generator: &[String], labels: &[String]) -> Diagnostic {
    let place = context.step.field("labels").map_or(context.step.span, |field| field.span);
    let message = format!("the generator was trained with {}, and these rows have {}", generator.join(", "), labels.join(", "));
    Diagnostic::error("E0683", message)
        .label(place, "these labels")
        .help("take label rows of a data set with the findings that the generator was trained with, in the same order")
}
