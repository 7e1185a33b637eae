//! Where images come from: one file and one line in [`open`] for each constructor of type `source`. A source lists its
//! records first (patient, labels, where the image is), which is cheap, and makes one image at a time, from any thread.

mod chexpert;
mod files;
mod image_folder;
mod nih_chest14;
pub mod phantom;
mod rows;
mod rsna_ich;
mod table;

use super::image::ImageFormat;
use super::labels::LeftOut;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use std::path::PathBuf;
use std::sync::Arc;

/// One image before it is decoded or drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Images of one patient have the same name here.
    pub patient: String,
    /// The image's own name, wherever its source lies: `train/patient00001/study1/view1_frontal.jpg`.
    pub name: String,
    /// As in a [shard](crate::data::shard::Shard::labels): present, absent or unknown, in the order of [`Source::label_names`].
    pub labels: Vec<u8>,
    pub place: Place,
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a file. Where a table names it, `table` and `row` (its line, from 1) are for messages.
    File { path: PathBuf, table: Option<Arc<str>>, row: u64 },
    /// Drawn by a phantom.
    Drawn { patient: u64, image: u64 },
}

/// A file outside the store: its name below the root of its source, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub name: String,
    pub path: PathBuf,
}

/// A source that has been opened: its tables are read and checked.
pub trait Source: Send + Sync + std::fmt::Debug {
    fn label_names(&self) -> &[String];

    /// In an order that does not depend on where the source lies.
    fn records(&self) -> &[Record];

    /// Rows that the source's own rules (views, policies for labels) have removed, with their reasons.
    fn left_out(&self) -> Vec<LeftOut> {
        Vec::new()
    }

    /// The files that are read where these of the records are chosen, tables first; an error names those that are missing.
    /// What is drawn reads none.
    fn files(&self, _chosen: &[usize]) -> Result<Vec<SourceFile>, Diagnostic> {
        Ok(Vec::new())
    }

    /// A digest of all that is known of the records and of those left out, without their files: what a choice among them depends on.
    /// `None` where the constructor's arguments decide it.
    fn listing(&self) -> Option<String> {
        None
    }

    /// The pixels of one record, `[c, size, size]`.
    fn image(&self, record: &Record, format: &ImageFormat) -> Result<Vec<u8>, Diagnostic>;
}

/// Arguments of sources that only say where files lie, as `(constructor, argument)`. What lies there counts, not where.
pub const LOCATIONS: &[(&str, &str)] = &[
    ("chexpert", "root"),
    ("dicom_folder", "root"),
    ("dicom_folder", "table"),
    ("image_folder", "root"),
    ("nih_chest14", "root"),
    ("rsna_ich", "root"),
    ("table", "path"),
    ("table", "root"),
];

/// What makes an opened source of a constructor's arguments.
type Open = fn(&Construction) -> Result<Box<dyn Source>, Diagnostic>;

/// Every constructor of type `source`.
const SOURCES: &[(&str, Open)] = &[
    ("chexpert", |construction| Ok(Box::new(chexpert::open(construction)?))),
    ("dicom_folder", |construction| Ok(Box::new(table::open_dicom_folder(construction)?))),
    ("image_folder", |construction| Ok(Box::new(image_folder::open(construction)?))),
    ("nih_chest14", |construction| Ok(Box::new(nih_chest14::open(construction)?))),
    ("phantom.chest", |construction| Ok(Box::new(phantom::Phantom::new(construction)?))),
    ("phantom.head_ct", |construction| Ok(Box::new(phantom::HeadCt::new(construction)?))),
    ("phantom.radiographs", |construction| Ok(Box::new(phantom::Radiographs::new(construction)?))),
    ("rsna_ich", |construction| Ok(Box::new(rsna_ich::open(construction)?))),
    ("table", |construction| Ok(Box::new(table::open(construction)?))),
];

/// The names of the constructors of type `source`.
pub fn constructors() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|(name, _)| *name)
}

/// Opens the source that a constructor describes.
pub fn open(construction: &Construction) -> Result<Box<dyn Source>, Diagnostic> {
    match SOURCES.iter().find(|(name, _)| *name == construction.function) {
        Some((_, open)) => open(construction),
        None => Err(Diagnostic::error("E0513", format!("`{}` is not a source of images", construction.function))
            .help(format!("sources are {}", constructors().collect::<Vec<_>>().join(", ")))),
    }
}
