//! A source of which every image is a file: what CheXpert, ChestX-ray14, folders and tables of images have in common once their rows
//! are read.

use super::rows::{NAMED, and_more, nearest};
use super::{Place, Record, Source, SourceFile};
use crate::data::dicom;
use crate::data::image::{Fault, ImageFormat};
use crate::data::labels::LeftOut;
use crate::data::split::count;
use crate::diagnostic::Diagnostic;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Images in files, with what was left out of them.
#[derive(Debug)]
pub struct Files {
    pub findings: Vec<String>,
    pub tables: Vec<SourceFile>,
    pub records: Vec<Record>,
    pub left_out: Vec<LeftOut>,
}

impl Files {
    /// Checks what holds for all: images stand in one row each, and some are left. `rows` is how many there were.
    pub fn new(
        findings: Vec<String>,
        tables: Vec<SourceFile>,
        records: Vec<Record>,
        left_out: Vec<LeftOut>,
        rows: usize,
    ) -> Result<Self, Diagnostic> {
        find_duplicates(&records)?;
        if records.is_empty() {
            let error = Diagnostic::error("E0506", format!("no images are left of {}", count(rows, "row")));
            let error = left_out.iter().fold(error, |error, left_out| error.note(left_out.to_string()));
            return Err(error.help(if rows == 0 {
                "look whether the download is complete"
            } else {
                "loosen the rule that removes most"
            }));
        }
        Ok(Self { findings, tables, records, left_out })
    }

    /// Leaves out the images of these names, all of which must be there. `argument` is where the user names them.
    pub fn without(mut self, names: &[String], argument: &str) -> Result<Self, Diagnostic> {
        let known: BTreeSet<&str> = self.records.iter().map(|record| record.name.as_str()).collect();
        if let Some(unknown) = names.iter().find(|name| !known.contains(name.as_str())) {
            let error =
                Diagnostic::error("E0522", format!("`{argument}` names \"{unknown}\", and the data set has no such image"));
            let known: Vec<&str> = known.into_iter().take(10_000).collect();
            return Err(match nearest(unknown, &known) {
                Some(name) => error.help(format!("did you mean \"{name}\"?")),
                None => error.help(format!("images are named as in their table, such as \"{}\"", known.first().unwrap_or(&""))),
            });
        }
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        if !names.is_empty() {
            self.records.retain(|record| !names.contains(record.name.as_str()));
            self.left_out.push(LeftOut { why: format!("`{argument}`"), images: names.len() });
        }
        Ok(self)
    }
}

impl Source for Files {
    fn label_names(&self) -> &[String] {
        &self.findings
    }

    fn records(&self) -> &[Record] {
        &self.records
    }

    fn left_out(&self) -> Vec<LeftOut> {
        self.left_out.clone()
    }

    fn files(&self, chosen: &[usize]) -> Result<Vec<SourceFile>, Diagnostic> {
        let records: Vec<&Record> = chosen.iter().filter_map(|index| self.records.get(*index)).collect();
        all_there(&records)?;
        let images = records.into_iter().filter_map(|record| match &record.place {
            Place::File { path, .. } => Some(SourceFile { name: record.name.clone(), path: path.clone() }),
            Place::Drawn { .. } => None,
        });
        Ok(self.tables.iter().cloned().chain(images).collect())
    }

    fn listing(&self) -> Option<String> {
        let mut hasher = blake3::Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        };
        for record in &self.records {
            [record.patient.as_bytes(), record.name.as_bytes(), &record.labels].into_iter().for_each(&mut add);
        }
        self.left_out.iter().for_each(|left_out| add(left_out.to_string().as_bytes()));
        Some(hasher.finalize().to_hex().to_string())
    }

    fn image(&self, record: &Record, format: &ImageFormat) -> Result<Vec<u8>, Diagnostic> {
        let Place::File { path, .. } = &record.place else {
            return Err(Diagnostic::error("E0513", format!("`{}` is not a file", record.name)));
        };
        let told = |fault: Fault| fault.told(&told(path, record));
        let bytes = std::fs::read(path).map_err(|error| told(Fault::from(error.to_string())))?;
        format.decode(&bytes).map_err(told)
    }
}

/// The file, and the row that names it where one does.
fn told(path: &Path, record: &Record) -> String {
    match place(record) {
        Some(place) => format!("`{}` ({place})", path.display()),
        None => format!("`{}`", path.display()),
    }
}

/// `train.csv, row 17`.
fn place(record: &Record) -> Option<String> {
    match &record.place {
        Place::File { table, row, .. } => table.as_ref().map(|table| format!("{table}, row {row}")),
        Place::Drawn { .. } => None,
    }
}

/// That the files of these records exist.
fn all_there(records: &[&Record]) -> Result<(), Diagnostic> {
    let is_missing = |record: &Record| matches!(&record.place, Place::File { path, .. } if !path.is_file());
    let missing: Vec<&Record> = records.par_iter().copied().filter(|record| is_missing(record)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut error = Diagnostic::error("E0504", format!("{} of {} cannot be found", missing.len(), count(records.len(), "image")));
    error.notes = missing
        .iter()
        .take(NAMED)
        .filter_map(|record| match &record.place {
            Place::File { path, .. } => {
                Some(place(record).map_or(String::new(), |place| format!("{place}: ")) + &format!("`{}`", path.display()))
            }
            Place::Drawn { .. } => None,
        })
        .collect();
    Err(and_more(error, missing.len())
        .help("look whether the download is complete, and whether the data folder is the one that the names count from"))
}

/// An image that stands in two rows would be in two parts, or count twice.
fn find_duplicates(records: &[Record]) -> Result<(), Diagnostic> {
    let mut rows: BTreeMap<&str, &Record> = BTreeMap::new();
    let (mut twice, mut found) = (Vec::new(), 0usize);
    for record in records {
        if let Some(first) = rows.insert(&record.name, record) {
            found += 1;
            if twice.len() < NAMED {
                let at = |record| place(record).unwrap_or_default();
                twice.push(format!("{}: {} and {}", record.name, at(first), at(record)));
            }
        }
    }
    if found == 0 {
        return Ok(());
    }
    let stand = if found == 1 { "stands" } else { "stand" };
    let mut error = Diagnostic::error("E0503", format!("{} {stand} in the tables more than once", count(found, "image")));
    error.notes = twice;
    Err(and_more(error, found).help("an image counts once: take out all rows of an image but one"))
}

/// The patients that DICOM files name, in the order of the records, which have none yet. Headers are read on all threads.
pub fn patients_from_headers(records: &mut [Record]) -> Result<(), Diagnostic> {
    all_there(&records.iter().collect::<Vec<_>>())?;
    let faults: Vec<(String, String)> = records
        .par_iter_mut()
        .filter_map(|record| {
            let Place::File { path, .. } = &record.place else { return None };
            let fault = match dicom::identity(path) {
                Ok(dicom::Identity { patient: Some(patient), .. }) => {
                    record.patient = patient;
                    return None;
                }
                Ok(_) => "its header names no patient (0010,0020)".to_owned(),
                Err(fault) => fault.text,
            };
            Some((told(path, record), fault))
        })
        .collect();
    if faults.is_empty() {
        return Ok(());
    }
    let mut error = Diagnostic::error(
        "E0505",
        format!("{} of {} cannot be told whose they are", faults.len(), count(records.len(), "image")),
    );
    error.notes = faults.iter().take(NAMED).map(|(file, fault)| format!("{file}: {fault}")).collect();
    Err(and_more(error, faults.len()).help("get these files again, or take them out of the table"))
}

/// A data folder that exists.
pub fn folder(root: &str, holds: &str) -> Result<PathBuf, Diagnostic> {
    let path = PathBuf::from(root);
    if path.is_dir() {
        return Ok(path);
    }
    let what = if path.exists() { "is not a folder" } else { "does not exist" };
    Err(Diagnostic::error("E0501", format!("the data folder `{}` {what}", path.display()))
        .help(format!("give the folder that holds {holds}, for example `synth run FILE -p root=/data/images`")))
}

/// A table that exists: the first of these names below the root.
pub fn table_below(root: &Path, names: &[&str]) -> Result<SourceFile, Diagnostic> {
    names
        .iter()
        .map(|name| SourceFile { name: (*name).to_owned(), path: root.join(name) })
        .find(|table| table.path.is_file())
        .ok_or_else(|| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            Diagnostic::error("E0501", format!("the data folder `{}` does not hold {}", root.display(), names.join(" or ")))
                .help("give the folder in which the table lies, and look whether the download is complete")
        })
}

/// A path that a table names, below a folder: its parts joined by `/`.
pub fn below(cell: &str, column: &str) -> Result<String, String> {
    let mut parts = Vec::new();
    for component in Path::new(cell).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir => {}
            _ => return Err(format!("\"{cell}\" in column \"{column}\" must be a path below the data folder")),
        }
    }
    if parts.is_empty() { Err(format!("column \"{column}\" is empty")) } else { Ok(parts.join("/")) }
}

/// All files below a folder, as paths from it joined by `/`, sorted. Names that begin with a dot are passed over.
pub fn walk(root: &Path) -> Result<Vec<String>, Diagnostic> {
    let unreadable = |path: &Path, error: std::io::Error| {
        Diagnostic::error("E0501", format!("the folder `{}` cannot be read", path.display())).note(error.to_string())
    };
    let (mut files, mut open) = (Vec::new(), vec![(root.to_path_buf(), String::new())]);
    while let Some((folder, before)) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| unreadable(&folder, error))? {
            let entry = entry.map_err(|error| unreadable(&folder, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            let from_root = format!("{before}{name}");
            // A link to a folder could lead round in a circle.
            let kind = entry.file_type().map_err(|error| unreadable(&folder, error))?;
            if kind.is_dir() {
                open.push((entry.path(), format!("{from_root}/")));
            } else {
                files.push(from_root);
            }
        }
    }
    files.sort();
    Ok(files)
}
