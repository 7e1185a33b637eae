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

    /// All but the pixels of one image for each row of labels, each a patient of its own.
    pub fn rows(&self, labels: Vec<u8>) -> Shard {
        let [channels, height, width] = self.image;
        let count = labels.len() / self.label_names.len().max(1);
        Shard {
            source: "sample".into(),
            labels,
            patients: (0..count as u32).collect(),
            patient_names: (1..=count).map(|index| format!("synthetic{index:06}")).collect(),
            label_names: self.label_names.clone(),
            channels,
            height,
            width,
            ..Shard::default()
        }
    }

    /// One image for each row of labels; a label that is unknown is not asked for. Latent numbers and noise of a row depend on the
    /// key and its place only. `each` is given the pixels of the next images, and says whether to go on; `false` where it did not.
    pub fn images(
        &mut self,
        labels: &[u8],
        key: &Key,
        each: &mut dyn FnMut(&[u8]) -> Result<bool, Diagnostic>,
    ) -> Result<bool, Diagnostic> {
        let findings = self.label_names.len().max(1);
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
        let mut pixels = Vec::new();
        let run = self.predictor.run(labels.len() / findings, &key.with("noise"), &mut fill, &mut |_, output| {
            pixels.clear();
            pixels.extend(output.iter().map(|value| pixel(*value)));
            goes_on = each(&pixels)?;
            if goes_on { Ok(()) } else { Err(defect("the images were not wanted any more".into())) }
        });
        if goes_on { run.map(|()| true) } else { Ok(false) }
    }
}

/// −1 … 1 to 0 … 255, rounded to the nearest and held within the range. Schütte et al. 2021, code of `test.py`.
fn pixel(value: f32) -> u8 {
    ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8
}
