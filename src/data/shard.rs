//! One part of a data set on disk: a safetensors file with the tensors `images` u8 `[n, c, h, w]`, `labels` u8 `[n, l]`
//! (0 absent, 1 present, 2 unknown) and `patients` u32 `[n]` (positions in the list of names), and one metadata entry `synth` with names as JSON.
//! There is only one entry because safetensors keeps metadata in a hash map: with one, equal content gives equal bytes.

use crate::diagnostic::Diagnostic;
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// Images of one part with their labels and patients.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Shard {
    /// `[n, channels, height, width]`, 0 is black.
    pub images: Vec<u8>,
    /// `[n, l]`: 1 where the finding is present, 0 where it is absent, [`UNKNOWN`] where nobody knows. Losses mask unknown labels,
    /// metrics leave them out, and as a condition of a generator they are 0.
    pub labels: Vec<u8>,
    /// `[n]`: the position of each image's patient in `patient_names`.
    pub patients: Vec<u32>,
    pub patient_names: Vec<String>,
    /// `[l]`, in the order of the label columns.
    pub label_names: Vec<String>,
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// Where the images come from, for people: `phantom.chest`, `chexpert`.
    pub source: String,
}

/// The metadata entry.
#[derive(Serialize, Deserialize)]
struct Description {
    format: u32,
    label_names: Vec<String>,
    patients: Vec<String>,
    channels: usize,
    height: usize,
    width: usize,
    source: String,
}

const ENTRY: &str = "synth";
/// 2: a label may be unknown.
const FORMAT: u32 = 2;

/// The label of a finding of which nobody knows whether it is present.
pub const UNKNOWN: u8 = 2;

impl Shard {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.patients.len()
    }

    pub fn is_empty(&self) -> bool {
        self.patients.is_empty()
    }

    /// Numbers in one image: `channels · height · width`.
    pub fn image_size(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The pixels of one image `[c, h, w]`; empty where there is no such image.
    pub fn image(&self, index: usize) -> &[u8] {
        let size = self.image_size();
        self.images.get(index * size..(index + 1) * size).unwrap_or(&[])
    }

    /// The label row of one image `[l]`; empty where there is no such image.
    pub fn label_row(&self, index: usize) -> &[u8] {
        let findings = self.label_names.len();
        self.labels.get(index * findings..(index + 1) * findings).unwrap_or(&[])
    }

    /// An error where the part holds no image; `name` is the field that reads it, such as `valid`.
    pub fn require_images(&self, name: &str) -> Result<(), Diagnostic> {
        if !self.is_empty() {
            return Ok(());
        }
        Err(Diagnostic::error("E0509", format!("the part of the data set in `{name}` holds no images, and this step needs some"))
            .help("give this part a share above 0% in `split = by(…)`"))
    }

    /// Images as a tensor of u8, `[n, c, h, w]`.
    pub fn images_tensor(&self, device: &Device) -> candle_core::Result<Tensor> {
        Tensor::from_slice(&self.images, (self.len(), self.channels, self.height, self.width), device)
    }

    /// Labels as a tensor of u8, `[n, l]`.
    pub fn labels_tensor(&self, device: &Device) -> candle_core::Result<Tensor> {
        Tensor::from_slice(&self.labels, (self.len(), self.label_names.len()), device)
    }

    /// Writes the file. Equal shards give equal bytes.
    pub fn write(&self, path: &Path) -> Result<(), Diagnostic> {
        self.check().map_err(|fault| broken(path, &fault))?;
        let description = Description {
            format: FORMAT,
            label_names: self.label_names.clone(),
            patients: self.patient_names.clone(),
            channels: self.channels,
            height: self.height,
            width: self.width,
            source: self.source.clone(),
        };
        let description = serde_json::to_string(&description).map_err(|error| broken(path, &error.to_string()))?;
        let patients: Vec<u8> = self.patients.iter().flat_map(|patient| patient.to_le_bytes()).collect();
        let n = self.len();
        let view = |dtype, shape, bytes| TensorView::new(dtype, shape, bytes).map_err(|error| broken(path, &error.to_string()));
        let tensors = [
            ("images", view(Dtype::U8, vec![n, self.channels, self.height, self.width], self.images.as_slice())?),
            ("labels", view(Dtype::U8, vec![n, self.label_names.len()], self.labels.as_slice())?),
            ("patients", view(Dtype::U32, vec![n], patients.as_slice())?),
        ];
        let metadata = HashMap::from([(ENTRY.to_owned(), description)]);
        safetensors::serialize_to_file(tensors, Some(metadata), path).map_err(|error| {
            Diagnostic::error("E0511", format!("cannot write `{}`", path.display()))
                .note(error.to_string())
                .help("look whether the disk is full and the folder may be written")
        })
    }

    /// Reads a file and checks everything that the rest of the program relies on.
    pub fn read(path: &Path) -> Result<Self, Diagnostic> {
        let bytes = std::fs::read(path)
            .map_err(|error| Diagnostic::error("E0511", format!("cannot read `{}`", path.display())).note(error.to_string()))?;
        Self::from_bytes(&bytes).map_err(|fault| broken(path, &fault))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
        let description = metadata
            .metadata()
            .as_ref()
            .and_then(|entries| entries.get(ENTRY))
            .ok_or_else(|| format!("the metadata entry `{ENTRY}` is missing"))?;
        let description: Description =
            serde_json::from_str(description).map_err(|error| format!("the metadata entry `{ENTRY}`: {error}"))?;
        if description.format != FORMAT {
            return Err(format!("it has format {}, and this program reads format {FORMAT}", description.format));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
        let tensor = |name: &str, dtype: Dtype, shape: &[usize]| {
            let view = tensors.tensor(name).map_err(|_| format!("the tensor `{name}` is missing"))?;
            if view.dtype() != dtype || view.shape() != shape {
                return Err(format!("`{name}` is {:?} {:?}, expected {dtype:?} {shape:?}", view.dtype(), view.shape()));
            }
            Ok(view.data().to_vec())
        };
        let count = tensors.tensor("patients").map_err(|_| "the tensor `patients` is missing".to_owned())?;
        let [n] = *count.shape() else { return Err("`patients` must have one dimension".to_owned()) };
        let Description { label_names, patients: patient_names, channels, height, width, source, .. } = description;
        let shard = Self {
            images: tensor("images", Dtype::U8, &[n, channels, height, width])?,
            labels: tensor("labels", Dtype::U8, &[n, label_names.len()])?,
            patients: tensor("patients", Dtype::U32, &[n])?
                .chunks_exact(4)
                .map(|word| word.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)))
                .collect(),
            patient_names,
            label_names,
            channels,
            height,
            width,
            source,
        };
        shard.check()?;
        Ok(shard)
    }

    /// What every shard holds to.
    fn check(&self) -> Result<(), String> {
        let n = self.len();
        let pixels = [self.channels, self.height, self.width].iter().try_fold(n, |product, size| product.checked_mul(*size));
        if pixels != Some(self.images.len()) || self.channels == 0 || self.height == 0 || self.width == 0 {
            return Err(format!(
                "{} bytes of pixels are not {n} images of {}×{}×{}",
                self.images.len(),
                self.channels,
                self.height,
                self.width
            ));
        }
        if self.label_names.is_empty() || self.labels.len() != n * self.label_names.len() {
            return Err(format!("{} labels are not {n} rows of {} findings", self.labels.len(), self.label_names.len()));
        }
        if let Some(at) = self.labels.iter().position(|label| *label > UNKNOWN) {
            return Err(format!("a label of image {} is neither 0, 1 nor {UNKNOWN}", at / self.label_names.len()));
        }
        if let Some(at) = self.patients.iter().position(|patient| *patient as usize >= self.patient_names.len()) {
            return Err(format!("image {at} names a patient beyond the list of {}", self.patient_names.len()));
        }
        Ok(())
    }
}

fn broken(path: &Path, fault: &str) -> Diagnostic {
    Diagnostic::error("E0510", format!("`{}` is not a data file of synth", path.display()))
        .note(fault.to_owned())
        .help("remove the file and run again: it is made anew")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Shard {
        Shard {
            images: (0..12).collect(),
            labels: vec![0, 1, 1, UNKNOWN, 1, 1],
            patients: vec![0, 1, 1],
            patient_names: vec!["a".into(), "b".into()],
            label_names: vec!["Edema".into(), "Fracture".into()],
            channels: 1,
            height: 2,
            width: 2,
            source: "test".into(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_bytes_repeat() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        small().write(&first).unwrap();
        small().write(&second).unwrap();
        assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
        let read = Shard::read(&first).unwrap();
        assert_eq!(read, small());
        assert_eq!((read.image(1), read.label_row(2)), (&[4, 5, 6, 7][..], &[1, 1][..]));
        assert_eq!(read.images_tensor(&Device::Cpu).unwrap().dims(), &[3, 1, 2, 2]);
        assert_eq!(read.labels_tensor(&Device::Cpu).unwrap().to_vec2::<u8>().unwrap()[0], [0, 1]);
        let empty = Shard { images: vec![], labels: vec![], patients: vec![], patient_names: vec![], ..small() };
        empty.write(&first).unwrap();
        assert_eq!(Shard::read(&first).unwrap().require_images("chest.valid").unwrap_err().code, "E0509");
    }

    #[test]
    fn faulty_shards_are_neither_written_nor_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard");
        for shard in [
            Shard { labels: vec![0, 1, 3, 0, 1, 1], ..small() },
            Shard { patients: vec![0, 1, 2], ..small() },
            Shard { images: vec![0; 11], ..small() },
            Shard { labels: vec![0; 5], ..small() },
        ] {
            assert_eq!(shard.write(&path).unwrap_err().code, "E0510");
            assert!(!path.exists());
        }
        assert_eq!(Shard::read(&path).unwrap_err().code, "E0511");
        small().write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for length in 0..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert_eq!(Shard::read(&path).unwrap_err().code, "E0510", "cut at {length}");
        }
        // A label of 3 in the bytes themselves: tensors lie in the file in the order of their size of element, then name.
        let at = bytes.windows(6).rposition(|window| window == [0, 1, 1, UNKNOWN, 1, 1]).unwrap();
        let mut changed = bytes;
        changed[at] = 3;
        std::fs::write(&path, &changed).unwrap();
        let error = Shard::read(&path).unwrap_err();
        assert_eq!(error.notes, ["a label of image 0 is neither 0, 1 nor 2"]);
    }
}
