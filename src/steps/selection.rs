//! What a stop rule looks at: the Fréchet distance between real images and as many generated for their label rows, in the features of
//! a network. Latent numbers are the same at every look, so that distances differ by the generator and not by chance.

use super::fields::feature_network;
use super::{StepContext, StepError};
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::features::FeatureNetwork;
use crate::metrics::frechet::{Moments, Reference};
use crate::random::Key;
use crate::training::{Generator, Latent, Model, defect};
use std::sync::atomic::Ordering;

/// Images that are generated and looked at before the next ones.
const CHUNK: usize = 1024;

/// Real images and the network that compares others with them.
pub struct Selection {
    network: FeatureNetwork,
    reference: Reference,
    /// The BLAKE3 of the real images, in hexadecimal digits.
    real: String,
    /// The label rows of the real images.
    labels: Vec<u8>,
    findings: usize,
    key: Key,
    generator: Option<Generator>,
}

impl Selection {
    /// Looks at up to `images` images of a part, drawn by the key where it has more. `field` is the one that names the part.
    pub fn new(context: &StepContext<'_>, field: &str, real: &Shard, images: usize, key: &Key) -> Result<Self, StepError> {
        let mut network = feature_network(context, "features", [real.channels, real.height, real.width])?;
        let mut rows = key.with("real").permutation(real.len());
        rows.truncate(images);
        rows.sort_unstable();
        let mut moments = Moments::new(network.dimensions());
        network.batches(real, &rows, &mut |_, features| {
            moments.add(features);
            Ok(())
        })?;
        let place = context.step.field(field).map_or(context.step.span, |field| field.span);
        let reference = Reference::new(&moments).ok_or_else(|| {
            Diagnostic::error("E0684", format!("a stop rule compares at least 2 images, and `{field}` has {}", real.len()))
                .label(place, "too few images")
                .help("give this part a larger share in `split = by(…)`")
        })?;
        let mut digest = blake3::Hasher::new();
        rows.iter().for_each(|row| {
            digest.update(real.image(*row));
        });
        let labels = rows.iter().flat_map(|row| real.label_row(*row)).copied().collect();
        let findings = real.label_names.len().max(1);
        Ok(Self {
            network,
            reference,
            real: digest.finalize().to_hex().to_string(),
            labels,
            findings,
            key: key.with("generated"),
            generator: None,
        })
    }

    /// The distance of a generator; `None` where the user asked to stop meanwhile.
    pub fn distance(&mut self, context: &StepContext<'_>, model: &Model) -> Result<Option<f64>, StepError> {
        let mut generator = match self.generator.take() {
            Some(generator) => generator,
            None => Generator::new(model, Latent::Gaussian)?,
        };
        generator.replace_weights(&model.weights.values);
        let mut moments = Moments::new(self.network.dimensions());
        for (chunk, labels) in self.labels.chunks(CHUNK * self.findings).enumerate() {
            let key = self.key.with_index(chunk as u64);
            let mut pixels = Vec::new();
            let goes_on = generator.images(labels, &key, &mut |new| {
                pixels.extend_from_slice(new);
                Ok(!context.interrupted.load(Ordering::Relaxed))
            })?;
            if !goes_on {
                self.generator = Some(generator);
                return Ok(None);
            }
            let made = Shard { images: pixels.into(), ..generator.rows(labels.to_vec()) };
            self.network.batches(&made, &(0..made.len()).collect::<Vec<_>>(), &mut |_, features| {
                moments.add(features);
                Ok(())
            })?;
        }
        self.generator = Some(generator);
        let distance = self.reference.distance(&moments);
        distance.map(Some).ok_or_else(|| defect("sets of features cannot be compared".into()).into())
    }

    /// What the distance is called, and what it was measured with; `part` is the one that is looked at.
    pub fn described(&self, part: Option<&str>) -> serde_json::Value {
        serde_json::json!({
            "name": self.network.distance_name(),
            "real": part,
            "n": self.labels.len() / self.findings,
            "digest": self.network.digest(),
            "dimensions": self.network.dimensions(),
        })
    }

    /// What must agree between two distances before they can be compared.
    pub fn conditions(&self) -> serde_json::Value {
        let n = self.labels.len() / self.findings;
        serde_json::json!({
            "features": format!("{}, {}", self.network.name(), self.network.digest()),
            "resize": self.network.resize(),
            "real images": self.real,
            "images": format!("{n} real, {n} synthetic"),
        })
    }
}
