//! `table(path, …)`: any table of which a row names an image, with the columns named by the user. `dicom_folder(root, table, …)`: a
//! folder of DICOM files, patients from their headers, labels from a table whose rows name the files.

use super::files::{Files, below, folder, patients_from_headers, walk};
use super::rows::{NAMED, Row, Table, and_more, distinct};
use super::{Place, Record, SourceFile};
use crate::data::arguments::Arguments;
use crate::data::dicom;
use crate::data::image::Fault;
use crate::data::labels::{LabelPolicy, LabelReader, LeftOut, Stated};
use crate::data::split::count;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `table(path, image, patient, findings, root, …)`.
pub fn open(construction: &Construction) -> Result<Files, Diagnostic> {
    let arguments = Arguments(construction);
    let table = table_file(arguments.text("path")?)?;
    let root = match arguments.text("root")? {
        "" => table.path.parent().map(Path::to_path_buf).unwrap_or_default(),
        root => folder(root, "the images")?,
    };
    let patient = arguments.text("patient")?;
    let read = read(arguments, &table, arguments.text("image")?, (!patient.is_empty()).then_some(patient), &|cell, column| {
        let name = below(cell, column)?;
        Ok((root.join(&name), name))
    })?;
    let mut files = read.files(arguments, vec![table])?;
    if patient.is_empty() {
        patients_from_headers(&mut files.records)?;
    }
    Ok(files)
}

/// `dicom_folder(root, table, image, findings, …)`.
pub fn open_dicom_folder(construction: &Construction) -> Result<Files, Diagnostic> {
    let arguments = Arguments(construction);
    let root = folder(arguments.text("root")?, "the DICOM files")?;
    let table = table_file(arguments.text("table")?)?;
    let images = Images::find(&root)?;
    let mut read = read(arguments, &table, arguments.text("image")?, None, &|cell, column| images.image(cell, column))?;
    let unlisted: Vec<&String> = images.names.iter().filter(|name| !read.seen.contains_key(*name)).collect();
    if !unlisted.is_empty() {
        if arguments.choice("unlisted")? != "drop" {
            let message = format!(
                "{} of {} in `{}` stand in no row",
                unlisted.len(),
                count(images.names.len(), "DICOM file"),
                root.display()
            );
            let mut error = Diagnostic::error("E0523", message);
            error.notes = unlisted.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
            return Err(and_more(error, unlisted.len()).help("add rows for them, or leave them out by `unlisted = drop`"));
        }
        read.left_out.push(LeftOut { why: "`unlisted = drop`".to_owned(), images: unlisted.len() });
    }
    let mut files = read.files(arguments, vec![table])?;
    patients_from_headers(&mut files.records)?;
    Ok(files)
}

/// The table as a file that is read. Its name in a message is that of the file.
fn table_file(path: &str) -> Result<SourceFile, Diagnostic> {
    let path = PathBuf::from(path);
    if !path.is_file() {
        let what = if path.exists() { "is not a file" } else { "does not exist" };
        return Err(Diagnostic::error("E0501", format!("the table `{}` {what}", path.display()))
            .help("paths count from the folder in which synth runs"));
    }
    Ok(SourceFile { name: "table".to_owned(), path })
}

/// The rows of a table.
struct Read {
    findings: Vec<String>,
    records: Vec<Record>,
    left_out: Vec<LeftOut>,
    /// Images that any row names.
    seen: HashMap<String, u64>,
    rows: usize,
}

impl Read {
    fn files(self, arguments: Arguments<'_>, tables: Vec<SourceFile>) -> Result<Files, Diagnostic> {
        Files::new(self.findings, tables, self.records, self.left_out, self.rows)?
            .without(&arguments.texts("leave_out")?, "leave_out")
    }
}

/// Finds the path and the name of the image that a cell of a column names.
type FindImage<'a> = &'a dyn Fn(&str, &str) -> Result<(PathBuf, String), String>;

fn read(
    arguments: Arguments<'_>,
    table: &SourceFile,
    image: &str,
    patient: Option<&str>,
    find: FindImage<'_>,
) -> Result<Read, Diagnostic> {
    let findings = distinct(arguments.texts("findings")?)?;
    let mut labels = LabelReader::new(LabelPolicy::new(arguments, "uncertain")?, LabelPolicy::new(arguments, "missing")?);
    let reader = Table::open(&table.path)?;
    let image_column = reader.column(image, "E0502", ", which `image` names")?;
    let patient_column = patient.map(|name| reader.column(name, "E0502", ", which `patient` names")).transpose()?;
    let columns = reader.findings(&findings)?;
    let shown: Arc<str> = table.path.file_name().map_or_else(|| "table".into(), |name| name.to_string_lossy().into());
    let (mut records, mut seen, mut rows) = (Vec::new(), HashMap::new(), 0usize);
    reader.rows(|row| {
        rows += 1;
        let (path, name) = find(row.cell(image_column), image)?;
        if let Some(line) = seen.insert(name.clone(), row.line) {
            return Err(format!("it names the image \"{name}\" again, which row {line} has named"));
        }
        let owner = patient_column.map_or("", |column| row.cell(column)).to_owned();
        if let (Some(column), true) = (patient, owner.is_empty()) {
            return Err(format!("column \"{column}\" names no patient"));
        }
        let stated = stated(row, &columns, &findings)?;
        if let Some(labels) = labels.row(&stated) {
            let place = Place::File { path, table: Some(shown.clone()), row: row.line };
            records.push(Record { patient: owner, name, labels, place });
        }
        Ok(())
    })?;
    Ok(Read { findings, records, left_out: labels.left_out(), seen, rows })
}

/// What the cells of the findings say.
pub fn stated(row: &Row<'_>, columns: &[usize], findings: &[String]) -> Result<Vec<Stated>, String> {
    let cells = columns.iter().zip(findings).map(|(column, finding)| match row.cell(*column) {
        "1.0" | "1" => Ok(Stated::Present),
        "0.0" | "0" => Ok(Stated::Absent),
        "-1.0" | "-1" => Ok(Stated::Uncertain),
        "" => Ok(Stated::Missing),
        other => Err(format!("\"{other}\" in column \"{finding}\": 1.0, 0.0, -1.0 or nothing is expected")),
    });
    cells.collect()
}

/// The DICOM files below a folder, by each of the names that a table may give them.
struct Images {
    root: PathBuf,
    /// Paths below the root.
    names: Vec<String>,
    /// By path, by the file's name with and without its ending, and by SOP Instance UID; two files of one name are `None`.
    known: HashMap<String, Option<usize>>,
}

impl Images {
    fn find(root: &Path) -> Result<Self, Diagnostic> {
        let all = walk(root)?;
        let looked: Vec<Option<Result<dicom::Identity, Fault>>> = all
            .par_iter()
            .map(|name| dicom::looks_like_one(&root.join(name)).then(|| dicom::identity(&root.join(name))))
            .collect();
        let mut images = Self { root: root.to_path_buf(), names: Vec::new(), known: HashMap::new() };
        for (name, identity) in all.into_iter().zip(looked) {
            let Some(identity) = identity else { continue };
            let place = images.names.len();
            let file = name.rsplit('/').next().unwrap_or(&name).to_owned();
            let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem).to_owned();
            let instance = identity.ok().and_then(|identity| identity.instance);
            let mut called = vec![name.clone(), file, stem];
            called.extend(instance);
            called.sort();
            called.dedup();
            for name in called {
                images.known.entry(name).and_modify(|known| *known = None).or_insert(Some(place));
            }
            images.names.push(name);
        }
        if images.names.is_empty() {
            return Err(Diagnostic::error("E0501", format!("the data folder `{}` holds no DICOM files", root.display()))
                .help("give the folder in which, or in whose folders, the DICOM files lie"));
        }
        Ok(images)
    }

    fn image(&self, cell: &str, column: &str) -> Result<(PathBuf, String), String> {
        let called = cell.strip_prefix("./").unwrap_or(cell);
        match self.known.get(called) {
            Some(Some(place)) => {
                let name = self.names.get(*place).cloned().unwrap_or_default();
                Ok((self.root.join(&name), name))
            }
            Some(None) => {
                Err(format!("\"{cell}\" in column \"{column}\" names several files: give the path from the data folder"))
            }
            None => Err(format!(
                "\"{cell}\" in column \"{column}\" names no DICOM file of `{}`: a path, a file's name or a SOP Instance UID is expected",
                self.root.display()
            )),
        }
    }
}
