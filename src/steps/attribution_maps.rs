//! The `maps` of an attribution: the images that were looked at, what both classifiers hold them for, and where they look.

use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::metrics::occlusion::{Blocks, PairedMaps};
use crate::training::{Checkpoint, defect};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The file's facts.
#[derive(Serialize, Deserialize)]
struct Facts {
    format: u32,
    label_names: Vec<String>,
    blocks: Blocks,
}

const FORMAT: u32 = 1;

/// Images with the maps of both classifiers.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributionMaps {
    /// The images with their labels and patients, in the order in which they were drawn.
    pub images: Shard,
    /// `[n, findings]`, of the classifier trained on real images, and of the one trained on synthetic images.
    pub logits: [Vec<f32>; 2],
    pub maps: PairedMaps,
}

impl AttributionMaps {
    pub fn write(&self, path: &Path) -> Result<(), Diagnostic> {
        let (images, blocks) = (&self.images, self.maps.blocks);
        let (n, findings) = (images.len(), images.label_names.len());
        let made = |tensor: candle_core::Result<Tensor>| tensor.map_err(|error| defect(format!("maps are no tensor: {error}")));
        let map = |of: &[f32]| made(Tensor::from_slice(of, (n, blocks.rows, blocks.columns), &Device::Cpu));
        let logits = |of: &[f32]| made(Tensor::from_slice(of, (n, findings), &Device::Cpu));
        let [real, synthetic] = &self.logits;
        let tensors = BTreeMap::from([
            ("images".to_owned(), made(images.images_tensor(&Device::Cpu))?),
            ("labels".to_owned(), made(images.labels_tensor(&Device::Cpu))?),
            ("patients".to_owned(), made(Tensor::from_slice(&images.patients, n, &Device::Cpu))?),
            ("logits_real".to_owned(), logits(real)?),
            ("logits_synthetic".to_owned(), logits(synthetic)?),
            ("real".to_owned(), map(&self.maps.real)?),
            ("synthetic".to_owned(), map(&self.maps.synthetic)?),
        ]);
        let facts = Facts { format: FORMAT, label_names: images.label_names.clone(), blocks };
        Checkpoint { tensors, facts }.write(path).map_err(|error| {
            Diagnostic::error("E0654", format!("{} cannot be written: {error}", path.display()))
                .help("look at the room and the rights on that disk, then run again")
        })
    }

    pub fn read(path: &Path) -> Result<Self, Diagnostic> {
        let Checkpoint { tensors, facts } = Checkpoint::<Facts>::read(path)?;
        let broken = |what: &str| {
            Diagnostic::error("E0653", format!("the maps in {} cannot be read: {what}", path.display()))
                .help("remove the file and run again; synth makes it anew")
        };
        if facts.format != FORMAT {
            return Err(broken(&format!("they have format {}, and this program reads format {FORMAT}", facts.format)));
        }
        whole(&tensors, facts).ok_or_else(|| broken("a tensor is missing, or does not fit the others"))
    }
}

fn whole(tensors: &BTreeMap<String, Tensor>, facts: Facts) -> Option<AttributionMaps> {
    let (n, channels, height, width) = tensors.get("images")?.dims4().ok()?;
    let (findings, blocks) = (facts.label_names.len(), facts.blocks);
    if Blocks::new(height, width, blocks.side)? != blocks {
        return None;
    }
    fn values<T: candle_core::WithDType>(tensors: &BTreeMap<String, Tensor>, name: &str, length: usize) -> Option<Vec<T>> {
        tensors.get(name)?.flatten_all().ok()?.to_vec1().ok().filter(|values| values.len() == length)
    }
    let numbers = |name: &str, length: usize| values::<f32>(tensors, name, length);
    let patients: Vec<u32> = values(tensors, "patients", n)?;
    Some(AttributionMaps {
        images: Shard {
            images: values::<u8>(tensors, "images", n * channels * height * width)?.into(),
            labels: values(tensors, "labels", n * findings)?,
            patients: patients.clone(),
            label_names: facts.label_names,
            channels,
            height,
            width,
            ..Shard::default()
        },
        logits: [numbers("logits_real", n * findings)?, numbers("logits_synthetic", n * findings)?],
        maps: PairedMaps {
            blocks,
            real: numbers("real", n * blocks.count())?,
            synthetic: numbers("synthetic", n * blocks.count())?,
            patients,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maps");
        let images = Shard {
            images: (0..16).collect(),
            labels: vec![0, 1, 2, 0],
            patients: vec![4, 9],
            label_names: vec!["Edema".into(), "Mass".into()],
            channels: 1,
            height: 2,
            width: 4,
            ..Shard::default()
        };
        let maps = PairedMaps {
            blocks: Blocks::new(2, 4, 2).unwrap(),
            real: vec![0.5, 0.25, 3.0, 0.1],
            synthetic: vec![0.0; 4],
            patients: vec![4, 9],
        };
        let written = AttributionMaps { images, logits: [vec![0.5, -1.25, 3.0, 0.1], vec![1.0; 4]], maps };
        written.write(&path).unwrap();
        assert_eq!(AttributionMaps::read(&path).unwrap(), written);
        let wrong = PairedMaps { blocks: Blocks { rows: 2, columns: 1, side: 2 }, ..written.maps.clone() };
        AttributionMaps { maps: wrong, ..written }.write(&path).unwrap();
        assert_eq!(AttributionMaps::read(&path).unwrap_err().code, "E0653");
    }
}
