//! One part of a data set on disk: a safetensors file with the tensors `images` u8 `[n, c, h, w]`, `labels` u8 `[n, l]`
//! (0 absent, 1 present, 2 unknown) and `patients` u32 `[n]` (positions in the list of names), and one metadata entry `synth` with names as JSON.
//! Equal content gives equal bytes. Images are written one after the other ([`ShardWriter`]) and read where they lie.

use super::pixels::Pixels;
use crate::diagnostic::Diagnostic;
use crate::kernels::Mapped;
use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Images of one part with their labels and patients.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Shard {
    /// `[n, channels, height, width]`, 0 is black.
    pub images: Pixels,
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
        let mut writer = ShardWriter::create(path, self)?;
        writer.images(&self.images)?;
        writer.finish()
    }

    /// Reads a file and checks everything that the rest of the program relies on. The images stay in the file, which is mapped into
    /// memory and must not be changed.
    pub fn read(path: &Path) -> Result<Self, Diagnostic> {
        let file = Mapped::open(path)
            .map_err(|error| Diagnostic::error("E0511", format!("cannot read `{}`", path.display())).note(error.to_string()))?;
        Self::from_file(&Arc::new(file)).map_err(|fault| broken(path, &fault))
    }

    fn from_file(file: &Arc<Mapped>) -> Result<Self, String> {
        let (_, metadata) = SafeTensors::read_metadata(file).map_err(|error| error.to_string())?;
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
        let tensors = SafeTensors::deserialize(file).map_err(|error| error.to_string())?;
        let tensor = |name: &str, dtype: Dtype, shape: &[usize]| {
            let view = tensors.tensor(name).map_err(|_| format!("the tensor `{name}` is missing"))?;
            if view.dtype() != dtype || view.shape() != shape {
                return Err(format!("`{name}` is {:?} {:?}, expected {dtype:?} {shape:?}", view.dtype(), view.shape()));
            }
            Ok(view.data())
        };
        let count = tensors.tensor("patients").map_err(|_| "the tensor `patients` is missing".to_owned())?;
        let [n] = *count.shape() else { return Err("`patients` must have one dimension".to_owned()) };
        let Description { label_names, patients: patient_names, channels, height, width, source, .. } = description;
        let images = tensor("images", Dtype::U8, &[n, channels, height, width])?;
        let shard = Self {
            images: Pixels::within(file, images).ok_or("the tensor `images` lies beyond the file")?,
            labels: tensor("labels", Dtype::U8, &[n, label_names.len()])?.to_vec(),
            patients: tensor("patients", Dtype::U32, &[n])?
                .as_chunks::<4>()
                .0
                .iter()
                .map(|word| u32::from_le_bytes(*word))
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
        if self.check_rows()? == self.images.len() {
            return Ok(());
        }
        Err(format!(
            "{} bytes of pixels are not {} images of {}×{}×{}",
            self.images.len(),
            self.len(),
            self.channels,
            self.height,
            self.width
        ))
    }

    /// What every shard holds to but for its images, and how many bytes these are.
    fn check_rows(&self) -> Result<usize, String> {
        let (n, sizes) = (self.len(), [self.channels, self.height, self.width]);
        let pixels = sizes.iter().try_fold(n, |product, size| product.checked_mul(*size));
        let pixels = pixels.filter(|_| !sizes.contains(&0));
        let [channels, height, width] = sizes;
        let pixels = pixels.ok_or_else(|| format!("{n} images cannot be {channels}×{height}×{width}"))?;
        if self.label_names.is_empty() || self.labels.len() != n * self.label_names.len() {
            return Err(format!("{} labels are not {n} rows of {} findings", self.labels.len(), self.label_names.len()));
        }
        if let Some(at) = self.labels.iter().position(|label| *label > UNKNOWN) {
            return Err(format!("a label of image {} is neither 0, 1 nor {UNKNOWN}", at / self.label_names.len()));
        }
        if let Some(at) = self.patients.iter().position(|patient| *patient as usize >= self.patient_names.len()) {
            return Err(format!("image {at} names a patient beyond the list of {}", self.patient_names.len()));
        }
        Ok(pixels)
    }
}

/// Writes the file of a part image by image, so that they need not be in memory together. It gets its name when it is whole; before
/// that it lies beside it, and goes away where writing ends early.
#[derive(Debug)]
pub struct ShardWriter {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
    /// Bytes of pixels that are still to come.
    left: usize,
    /// What stands behind the images.
    labels: Vec<u8>,
}

/// What stands first in the file, as safetensors writes it: tensors lie by the size of their elements, then by name.
#[derive(Serialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<&'static str, String>,
    patients: Entry,
    images: Entry,
    labels: Entry,
}

#[derive(Serialize)]
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// Readers of safetensors refuse a longer header.
const LONGEST_HEADER: usize = 100_000_000;

impl ShardWriter {
    /// Begins a file for all that is in `shard` but its images, which follow in the order of its patients.
    pub fn create(path: &Path, shard: &Shard) -> Result<Self, Diagnostic> {
        let left = shard.check_rows().map_err(|fault| broken(path, &fault))?;
        let n = shard.len();
        let description = Description {
            format: FORMAT,
            label_names: shard.label_names.clone(),
            patients: shard.patient_names.clone(),
            channels: shard.channels,
            height: shard.height,
            width: shard.width,
            source: shard.source.clone(),
        };
        let mut end = 0;
        let mut entry = |dtype, shape, bytes| {
            let start = end;
            end += bytes;
            Entry { dtype, shape, data_offsets: [start, end] }
        };
        let header = serde_json::to_string(&description).and_then(|description| {
            serde_json::to_vec(&Header {
                metadata: BTreeMap::from([(ENTRY, description)]),
                patients: entry(Dtype::U32, vec![n], 4 * n),
                images: entry(Dtype::U8, vec![n, shard.channels, shard.height, shard.width], left),
                labels: entry(Dtype::U8, vec![n, shard.label_names.len()], shard.labels.len()),
            })
        });
        let mut header = header.map_err(|error| broken(path, &error.to_string()))?;
        header.resize(header.len().next_multiple_of(8), b' ');
        if header.len() > LONGEST_HEADER {
            return Err(broken(
                path,
                &format!("the names of its patients fill {} bytes, more than a header holds", header.len()),
            ));
        }
        let begin = || -> io::Result<BufWriter<NamedTempFile>> {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut file = BufWriter::with_capacity(1 << 20, NamedTempFile::new_in(folder)?);
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.write_all(&header)?;
            for patient in &shard.patients {
                file.write_all(&patient.to_le_bytes())?;
            }
            Ok(file)
        };
        let file = begin().map_err(|error| unwritten(path, &error))?;
        Ok(Self { path: path.to_path_buf(), file, left, labels: shard.labels.clone() })
    }

    /// The pixels of the next image, or of several.
    pub fn images(&mut self, pixels: &[u8]) -> Result<(), Diagnostic> {
        let left = self.left.checked_sub(pixels.len());
        self.left = left.ok_or_else(|| broken(&self.path, "it was given more pixels than it has images"))?;
        self.file.write_all(pixels).map_err(|error| unwritten(&self.path, &error))
    }

    /// Ends the file and gives it its name.
    pub fn finish(self) -> Result<(), Diagnostic> {
        let Self { path, mut file, left, labels } = self;
        if left != 0 {
            return Err(broken(&path, "it was given fewer pixels than it has images"));
        }
        let end = || -> io::Result<()> {
            file.write_all(&labels)?;
            file.into_inner().map_err(io::IntoInnerError::into_error)?.persist(&path)?;
            Ok(())
        };
        end().map_err(|error| unwritten(&path, &error))
    }
}

fn unwritten(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error("E0511", format!("cannot write `{}`", path.display()))
        .note(error.to_string())
        .help("look whether the disk is full and the folder may be written")
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
        let empty = Shard { images: Pixels::default(), labels: vec![], patients: vec![], patient_names: vec![], ..small() };
        empty.write(&first).unwrap();
        assert_eq!(Shard::read(&first).unwrap().require_images("chest.valid").unwrap_err().code, "E0509");
        // What was read before it was written again stays as it was.
        assert_eq!(read, small());
    }

    /// Other programs read it, and files of earlier versions have the same bytes.
    #[test]
    fn the_file_is_as_safetensors_writes_it() {
        use safetensors::tensor::TensorView;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard");
        small().write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let view = |dtype, shape: &[usize], bytes| TensorView::new(dtype, shape.to_vec(), bytes).unwrap();
        let (patients, images): (Vec<u8>, Vec<u8>) =
            ([0u32, 1, 1].iter().flat_map(|it| it.to_le_bytes()).collect(), (0..12).collect());
        let tensors = [
            ("images", view(Dtype::U8, &[3, 1, 2, 2], images.as_slice())),
            ("labels", view(Dtype::U8, &[3, 2], &[0, 1, 1, UNKNOWN, 1, 1])),
            ("patients", view(Dtype::U32, &[3], patients.as_slice())),
        ];
        assert_eq!(safetensors::serialize(tensors, metadata.metadata().clone()).unwrap(), bytes);
    }

    #[test]
    fn images_are_written_one_by_one_and_a_part_that_is_not_whole_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (at_once, one_by_one) = (folder.path().join("a"), folder.path().join("b"));
        small().write(&at_once).unwrap();
        let rows = Shard { images: Pixels::default(), ..small() };
        let mut writer = ShardWriter::create(&one_by_one, &rows).unwrap();
        small().images.chunks(4).for_each(|image| writer.images(image).unwrap());
        assert_eq!(writer.images(&[0]).unwrap_err().code, "E0510");
        drop(writer);
        let mut writer = ShardWriter::create(&one_by_one, &rows).unwrap();
        small().images.chunks(4).for_each(|image| writer.images(image).unwrap());
        writer.finish().unwrap();
        assert_eq!(std::fs::read(&at_once).unwrap(), std::fs::read(&one_by_one).unwrap());
        std::fs::remove_file(&one_by_one).unwrap();
        let mut writer = ShardWriter::create(&one_by_one, &rows).unwrap();
        writer.images(&[0; 4]).unwrap();
        assert_eq!(writer.finish().unwrap_err().code, "E0510");
        drop(ShardWriter::create(&one_by_one, &rows).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(ShardWriter::create(&folder.path().join("none/a"), &rows).unwrap_err().code, "E0511");
    }

    #[test]
    fn faulty_shards_are_neither_written_nor_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard");
        for shard in [
            Shard { labels: vec![0, 1, 3, 0, 1, 1], ..small() },
            Shard { patients: vec![0, 1, 2], ..small() },
            Shard { images: vec![0; 11].into(), ..small() },
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
