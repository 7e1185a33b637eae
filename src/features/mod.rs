//! What sets of images are compared by: a network that makes numbers ("features") of each image. In come what a field of type
//! `features` says and the size of the images, out go a name, a digest, and rows of features in batches.
//!
//! - [`named`]: the networks that constructors make, `random_features(seed)` and `inception("weights.pth")`.
//! - [`cut`]: the part of a classifier before its last layer.
//!
//! A distance between two sets means something only with the network that it was measured with: [`FeatureNetwork::distance_name`]
//! is what a Fréchet distance over it is called, and only the network of the original file gives one called FID.

mod cut;
mod named;
mod sha256;
#[cfg(test)]
mod tests;

pub use named::{CONSTRUCTORS, LOCATIONS, weight_file};

use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::language::Value;
use crate::network::Shape;
use crate::random::Key;
use crate::training::{Model, Predictor, defect, fill_images};
use std::path::Path;

/// Images that are looked at together.
const BATCH: usize = 32;

/// What is done with the features of a batch: the place of its first image among those asked for, and rows of features.
type EachBatch<'e> = dyn FnMut(usize, &[f32]) -> Result<(), Diagnostic> + 'e;

/// A network that makes features of images, ready to run.
pub struct FeatureNetwork {
    name: String,
    distance_name: String,
    digest: String,
    dimensions: usize,
    resize: &'static str,
    image: Shape,
    /// The weights of the layer behind the features, `[classes, dimensions]`, of a network that tells classes which exclude each
    /// other.
    head: Option<Vec<f32>>,
    predictor: Predictor,
}

impl FeatureNetwork {
    /// From the value of a field of type `features`. `folder` is that of the file that is run, from which paths count; `model` the file
    /// of the classifier where the value names one; `image` the channels, height and width of the images.
    ///
    /// # Errors
    /// E0660 where a classifier reads images of another size; those of [`crate::training::weight_file`] where weights do not fit.
    pub fn new(value: &Value, folder: &Path, model: Option<&Path>, image: [usize; 3]) -> Result<Self, Diagnostic> {
        match (value, model) {
            (Value::Construction(construction), _) => named::network(construction, folder, image)?.ready(image),
            (Value::Step(_), Some(file)) => classifier(&Model::read(file)?)?.ready(image),
            (other, _) => Err(defect(format!("features cannot be made by {other:?}"))),
        }
    }

    /// `random network, seed 1`, `Inception network of 2015-12-05`, `classifier 0f3c55a1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a Fréchet distance between features of this network is called: `FID`, `Fréchet distance (random network, seed 1)`.
    pub fn distance_name(&self) -> &str {
        &self.distance_name
    }

    /// The BLAKE3 of layers and weights, in hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How many features an image has.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// How images come to the size that the network reads: `tf1` (bilinear as TensorFlow 1 does it, nothing smoothed), `none`.
    pub fn resize(&self) -> &'static str {
        self.resize
    }

    /// The weights of the last layer, `[classes, dimensions]`, where its softmax is one of classes that exclude each other: for the
    /// inception score, which takes no bias.
    pub fn head(&self) -> Option<&[f32]> {
        self.head.as_deref()
    }

    /// The features of the images in these rows of a shard, in batches: `each` is given the place of the first row of a batch and
    /// `[rows, dimensions]`.
    ///
    /// # Errors
    /// Those of `each`; E0660 where the images have another size than the network was made for.
    pub fn batches(&mut self, shard: &Shard, rows: &[usize], each: &mut EachBatch<'_>) -> Result<(), Diagnostic> {
        let image = [shard.channels, shard.height, shard.width];
        if self.image != image {
            return Err(other_size(&self.name, &self.image, image));
        }
        let mut fill = |samples: std::ops::Range<usize>, _: usize, buffer: &mut [f32]| {
            fill_images(shard, rows.get(samples).unwrap_or_default(), buffer);
        };
        self.predictor.run(rows.len(), &Key::new(0).with("features"), &mut fill, each)
    }

    /// The features of the images in these rows of a shard, `[rows, dimensions]`.
    pub fn of_rows(&mut self, shard: &Shard, rows: &[usize]) -> Result<Vec<f32>, Diagnostic> {
        let mut features = Vec::with_capacity(rows.len() * self.dimensions);
        self.batches(shard, rows, &mut |_, batch| {
            features.extend_from_slice(batch);
            Ok(())
        })?;
        Ok(features)
    }

    /// The features of all images of a shard, `[n, dimensions]`.
    pub fn features(&mut self, shard: &Shard) -> Result<Vec<f32>, Diagnostic> {
        self.of_rows(shard, &(0..shard.len()).collect::<Vec<_>>())
    }
}

/// A network with its weights, and what is said of it.
struct Described {
    name: String,
    /// Where a distance over it has a name of its own.
    distance_name: Option<&'static str>,
    resize: &'static str,
    head: Option<Vec<f32>>,
    model: Model,
}

impl Described {
    fn ready(self, image: [usize; 3]) -> Result<FeatureNetwork, Diagnostic> {
        let Described { name, distance_name, resize, head, model } = self;
        let network = &model.network;
        let reads = network.inputs.first().map(|(_, shape)| shape.clone()).unwrap_or_default();
        if reads != image {
            return Err(other_size(&name, &reads, image));
        }
        let Some([dimensions]) = network.output_shape().map(Vec::as_slice) else {
            return Err(defect(format!("the features of the {name} are no row of numbers")));
        };
        Ok(FeatureNetwork {
            distance_name: distance_name.map_or_else(|| format!("Fréchet distance ({name})"), str::to_owned),
            digest: digest(&model)?,
            dimensions: *dimensions,
            predictor: Predictor::new(&model, BATCH)?,
            image: reads,
            name,
            resize,
            head,
        })
    }
}

/// What a classifier sees before its last layer.
fn classifier(model: &Model) -> Result<Described, Diagnostic> {
    let (model, _) = cut::before_last_layer(model)?;
    let digest = digest(&model)?;
    let name = format!("classifier {}", digest.get(..8).unwrap_or(&digest));
    Ok(Described { name, distance_name: None, resize: "none", head: None, model })
}

/// The digest of what the network computes: its layers with their arguments, and its weights. Names do not count.
fn digest(model: &Model) -> Result<String, Diagnostic> {
    let mut hasher = blake3::Hasher::new();
    for call in &model.network.calls {
        let call = serde_json::to_vec(&(&call.layer, &call.path, &call.inputs, &call.arguments));
        hasher.update(&call.map_err(|error| defect(format!("a network cannot be written: {error}")))?);
    }
    for (specification, values) in model.weights.specifications.iter().zip(&model.weights.values) {
        hasher.update(specification.name.as_bytes());
        values.iter().for_each(|value| {
            hasher.update(&value.to_le_bytes());
        });
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn other_size(name: &str, reads: &[usize], image: [usize; 3]) -> Diagnostic {
    let shown = |shape: &[usize]| shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
    let message = format!("the features are those of a {name} for images of {}, and these have {}", shown(reads), shown(&image));
    Diagnostic::error("E0660", message).help("train the classifier on images of this size, or take `random_features()`")
}
