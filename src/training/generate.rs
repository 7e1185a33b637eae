//! Images of a trained generator for rows of labels, in bytes.

use super::bound::defect;
use super::latent::Latent;
use super::model::Model;
use super::predict::Predictor;
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::random::Key;

/// Images that are generated at a time.
const BATCH: usize = 64;

/// A generator that is ready to run.
pub struct Generator {
    predictor: Predictor,
    label_names: Vec<String>,
    latent: Latent,
    latent_length: usize,
    image: [usize; 3],
}

impl Generator {
    pub fn new(model: &Model, latent: Latent) -> Result<Self, Diagnostic> {
        let Some(&[channels, height, width]) = model.network.output_shape().map(Vec::as_slice) else {
            return Err(defect("a generator makes images".into()));
        };
        Ok(Self {
            predictor: Predictor::new(model, BATCH)?,
            label_names: model.label_names.clone(),
            latent,
            latent_length: model.network.inputs.first().map_or(0, |(_, shape)| shape.iter().product()),
            image: [channels, height, width],
        })
    }

    /// Uses other weights from now on, in the order of the model's.
    pub fn replace_weights(&mut self, values: &[Vec<f32>]) {
        self.predictor.replace_weights(values);
    }

    /// One image for each row of labels, each a patient of its own; a label that is unknown is not asked for. Latent numbers and noise
    /// of a row depend on the key and its place only. `progress` is told how many images are new, and says whether to go on;
    /// `None` where it did not.
    pub fn images(
        &mut self,
        labels: Vec<u8>,
        key: &Key,
        progress: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Option<Shard>, Diagnostic> {
        let [channels, height, width] = self.image;
        let (findings, size) = (self.label_names.len().max(1), (channels * height * width).max(1));
        let count = labels.len() / findings;
        let mut images = Vec::with_capacity(count * size);
        let mut fill = |samples: std::ops::Range<usize>, input: usize, buffer: &mut [f32]| match input {
            0 => {
                for (row, numbers) in samples.zip(buffer.chunks_mut(self.latent_length.max(1))) {
                    self.latent.fill(&key.with_index(row as u64), numbers);
                }
            }
            _ => {
                let rows = labels.get(samples.start * findings..samples.end * findings).unwrap_or_default();
                buffer.iter_mut().zip(rows).for_each(|(number, label)| *number = f32::from(u8::from(*label == 1)));
            }
        };
        let mut goes_on = true;
        let run = self.predictor.run(count, &key.with("noise"), &mut fill, &mut |_, output| {
            images.extend(output.iter().map(|value| pixel(*value)));
            goes_on = progress((output.len() / size) as u64);
            if goes_on { Ok(()) } else { Err(defect("the images were not wanted any more".into())) }
        });
        if !goes_on {
            return Ok(None);
        }
        run?;
        Ok(Some(Shard {
            source: "sample".into(),
            images,
            labels,
            patients: (0..count as u32).collect(),
            patient_names: (1..=count).map(|index| format!("synthetic{index:06}")).collect(),
            label_names: self.label_names.clone(),
            channels,
            height,
            width,
        }))
    }
}

/// −1 … 1 to 0 … 255, rounded to the nearest and held within the range. Schütte et al. 2021, code of `test.py`.
fn pixel(value: f32) -> u8 {
    ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8
}
