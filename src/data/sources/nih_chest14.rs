//! `nih_chest14(root, …)`: the layout of ChestX-ray14 (Wang et al. 2017), with the table of 2017 or that of 2020. Images lie in
//! `images/` or, as they are downloaded, in `images_001/images/` and so on.

use super::files::{Files, folder, table_below};
use super::rows::{Table, known};
use super::{Place, Record, SourceFile};
use crate::data::arguments::Arguments;
use crate::data::labels::LeftOut;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The second generation corrects patients' ages and takes precedence.
const TABLES: [&str; 2] = ["Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv"];
const IMAGE: &str = "Image Index";
const FINDINGS: &str = "Finding Labels";
const PATIENT: &str = "Patient ID";
const VIEW: &str = "View Position";

/// What "Finding Labels" may name.
const KNOWN: [&str; 15] = [
    "No Finding",
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
];

/// Reads and checks the table.
pub fn open(construction: &Construction) -> Result<Files, Diagnostic> {
    let arguments = Arguments(construction);
    let root = folder(arguments.text("root")?, "`Data_Entry_2017_v2020.csv`")?;
    let findings = known(arguments.texts("findings")?, &KNOWN)?;
    let (view, part) = (arguments.choice("views")?, arguments.choice("part")?);
    let table = table_below(&root, &TABLES)?;
    let list = match part {
        "train_val" => Some(table_below(&root, &["train_val_list.txt"])?),
        "test" => Some(table_below(&root, &["test_list.txt"])?),
        _ => None,
    };
    let listed = list.as_ref().map(|list| names(&list.path)).transpose()?;
    let places = places(&root)?;
    let reader = Table::open(&table.path)?;
    let column = |name: &str| reader.column(name, "E0502", "");
    let (image, labels, patient, position) = (column(IMAGE)?, column(FINDINGS)?, column(PATIENT)?, column(VIEW)?);
    let name: Arc<str> = table.name.as_str().into();
    let (mut records, mut rows, mut other_views, mut other_part) = (Vec::new(), 0usize, 0usize, 0usize);
    reader.rows(|row| {
        rows += 1;
        let file = row.cell(image);
        if file.is_empty() || file.contains(['/', '\\']) {
            return Err(format!("\"{file}\" in column \"{IMAGE}\" is no name of an image"));
        }
        let present: Vec<&str> = row.cell(labels).split('|').map(str::trim).collect();
        if let Some(unknown) = present.iter().find(|name| !KNOWN.contains(*name)) {
            return Err(format!("\"{unknown}\" in column \"{FINDINGS}\" is no finding of ChestX-ray14"));
        }
        if present.len() > 1 && present.contains(&"No Finding") {
            return Err(format!("\"{}\" in column \"{FINDINGS}\" contradicts itself", row.cell(labels)));
        }
        let id: u32 = row
            .cell(patient)
            .parse()
            .map_err(|_| format!("\"{}\" in column \"{PATIENT}\" is no number of a patient", row.cell(patient)))?;
        match row.cell(position) {
            "PA" if view == "ap" => other_views += 1,
            "AP" if view == "pa" => other_views += 1,
            "PA" | "AP" if listed.as_ref().is_some_and(|listed| !listed.contains(file)) => other_part += 1,
            "PA" | "AP" => {
                let path = places.get(file).cloned().unwrap_or_else(|| root.join("images").join(file));
                records.push(Record {
                    patient: format!("{id:05}"),
                    name: file.to_owned(),
                    labels: findings.iter().map(|finding| u8::from(present.contains(&finding.as_str()))).collect(),
                    place: Place::File { path, table: Some(name.clone()), row: row.line },
                });
            }
            other => return Err(format!("\"{other}\" in column \"{VIEW}\": PA or AP is expected")),
        }
        Ok(())
    })?;
    let left_out = [(format!("`views = {view}`"), other_views), (format!("`part = {part}`"), other_part)];
    let left_out = left_out.into_iter().filter(|(_, images)| *images > 0).map(|(why, images)| LeftOut { why, images });
    let tables: Vec<SourceFile> = std::iter::once(table).chain(list).collect();
    Files::new(findings, tables, records, left_out.collect(), rows)?.without(&arguments.texts("leave_out")?, "leave_out")
}

/// The lines of an official list.
fn names(path: &Path) -> Result<BTreeSet<String>, Diagnostic> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Diagnostic::error("E0502", format!("`{}` cannot be read as a list of images", path.display())).note(error.to_string())
    })?;
    Ok(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
}

/// Where each image is: `images/` and `images_NNN/images/` below the root.
fn places(root: &Path) -> Result<BTreeMap<String, PathBuf>, Diagnostic> {
    let unreadable = |path: &Path, error: std::io::Error| {
        Diagnostic::error("E0501", format!("the folder `{}` cannot be read", path.display())).note(error.to_string())
    };
    let entries = |folder: &Path| -> Result<Vec<PathBuf>, Diagnostic> {
        let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(|error| unreadable(folder, error)));
        let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
        paths.sort();
        Ok(paths)
    };
    let mut places = BTreeMap::new();
    for path in entries(root)? {
        let is_images = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("images"));
        if !is_images || !path.is_dir() {
            continue;
        }
        let inner = path.join("images");
        for image in entries(if inner.is_dir() { &inner } else { &path })? {
            if let Some(name) = image.file_name().map(|name| name.to_string_lossy().into_owned()) {
                places.entry(name).or_insert(image);
            }
        }
    }
    Ok(places)
}
