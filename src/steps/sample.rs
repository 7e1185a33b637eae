//! `sample`: one generated image for every label row of a data set, part by part. Outputs: `train`, `valid`, `test`.
//!
//! The latent numbers and the noise of a row depend on the seed, the part and the row only, so that batches and threads change nothing.
//! Every generated image is a patient of its own: nothing of the real patients but their label rows is carried over.

use super::fields::count;
use super::{StepContext, StepError, StepKind};
use crate::data::shard::Shard;
use crate::data::split::PARTS;
use crate::random::Key;
use crate::training::{Model, Predictor, defect, fill_labels};
use std::path::Path;
use std::sync::atomic::Ordering;

/// Images that are generated at a time.
const BATCH: usize = 64;

pub struct Sample;

impl StepKind for Sample {
    fn name(&self) -> &'static str {
        "sample"
    }

    fn sources(&self) -> &'static [&'static str] {
        &["steps/sample.rs", "training", "network", "kernels", "data/batch.rs", "data/shard.rs", "random.rs"]
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let model = Model::read(context.input_file("from")?)?;
        let key = Key::new(count(context.step, "seed")?).with("sample");
        let parts = context.input_files("labels")?;
        let shards = parts
            .iter()
            .filter(|(part, _)| PARTS.contains(&part.as_str()))
            .map(|(part, path)| Ok((part.clone(), Shard::read(path)?)))
            .collect::<Result<Vec<_>, StepError>>()?;
        let total: u64 = shards.iter().map(|(_, shard)| shard.len() as u64).sum();
        let mut predictor = Predictor::new(&model, BATCH)?;
        let mut done = 0;
        for (part, labels) in &shards {
            let made = generate(context, &model, &mut predictor, &key.with(part), labels, &mut done, total)?;
            made.write(&context.outputs.join(Path::new(part)))?;
        }
        Ok(())
    }
}

fn generate(
    context: &StepContext<'_>,
    model: &Model,
    predictor: &mut Predictor,
    key: &Key,
    labels: &Shard,
    done: &mut u64,
    total: u64,
) -> Result<Shard, StepError> {
    let Some(&[channels, height, width]) = model.network.output_shape().map(Vec::as_slice) else {
        return Err(defect("a generator makes images".into()).into());
    };
    let latent: usize = model.network.inputs.first().map_or(0, |(_, shape)| shape.iter().product());
    let mut images = Vec::with_capacity(labels.len() * channels * height * width);
    let mut fill = |samples: std::ops::Range<usize>, input: usize, buffer: &mut [f32]| match input {
        0 => {
            for (row, numbers) in samples.zip(buffer.chunks_mut(latent.max(1))) {
                key.with_index(row as u64).fill_normal(numbers);
            }
        }
        _ => fill_labels(labels, &samples.collect::<Vec<_>>(), buffer),
    };
    let mut stopped = false;
    predictor.run(labels.len(), &key.with("noise"), &mut fill, &mut |_, output| {
        images.extend(output.iter().map(|value| pixel(*value)));
        *done += (output.len() / (channels * height * width).max(1)) as u64;
        context.progress.update(*done, total, "images", &[]);
        stopped |= context.interrupted.load(Ordering::Relaxed);
        Ok(())
    })?;
    if stopped {
        return Err(StepError::Interrupted);
    }
    Ok(Shard {
        source: "sample".into(),
        images,
        labels: labels.labels.clone(),
        patients: (0..labels.len() as u32).collect(),
        patient_names: (1..=labels.len()).map(|index| format!("synthetic{index:06}")).collect(),
        label_names: labels.label_names.clone(),
        channels,
        height,
        width,
    })
}

/// −1 … 1 to 0 … 255, rounded to the nearest and held within the range. Schütte et al. 2021, code of `test.py`.
fn pixel(value: f32) -> u8 {
    ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8
}
