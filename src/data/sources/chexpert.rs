//! `chexpert(root, uncertain, missing, views, findings)`: the layout of CheXpert-v1.0-small (Irvin et al. 2019). `root/train.csv` and
//! `root/valid.csv` are pooled, since the official validation part is tiny; parts come from `split`. The column `Path`
//! starts with the folder's own name, which is left off, so that the folder may be called anything.

use super::files::{Files, below, folder};
use super::rows::{Table, distinct};
use super::table::stated;
use super::{Place, Record, SourceFile};
use crate::data::arguments::Arguments;
use crate::data::labels::{LabelPolicy, LabelReader, LeftOut};
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The tables that are read where they exist.
const TABLES: [&str; 2] = ["train.csv", "valid.csv"];
const PATH: &str = "Path";
const VIEW: &str = "Frontal/Lateral";

/// Reads and checks the tables. The images are looked for in [`Source::files`](super::Source::files).
pub fn open(construction: &Construction) -> Result<Files, Diagnostic> {
    let arguments = Arguments(construction);
    let root = folder(arguments.text("root")?, "`train.csv`")?;
    let findings = distinct(arguments.texts("findings")?)?;
    let mut labels = LabelReader::new(LabelPolicy::new(arguments, "uncertain")?, LabelPolicy::new(arguments, "missing")?);
    let view = match arguments.choice("views")? {
        "lateral" => Some("Lateral"),
        "all" => None,
        _ => Some("Frontal"),
    };
    let (mut records, mut rows, mut other_views) = (Vec::new(), 0usize, 0usize);
    let tables = find_tables(&root)?;
    for table in &tables {
        let reader = Table::open(&table.path)?;
        let path_column = reader.column(PATH, "E0502", "")?;
        let view_column = view.map(|_| reader.column(VIEW, "E0502", ", which `views` needs")).transpose()?;
        let columns = reader.findings(&findings)?;
        let name: Arc<str> = table.name.as_str().into();
        reader.rows(|row| {
            rows += 1;
            let (image, path) = image(&root, row.cell(path_column))?;
            let patient = patient(&image).ok_or_else(|| {
                let cell = row.cell(path_column);
                format!("\"{cell}\" in column \"{PATH}\" names no patient: a folder such as `patient00042` is expected")
            })?;
            let stated = stated(row, &columns, &findings)?;
            if let (Some(view), Some(column)) = (view, view_column) {
                match row.cell(column) {
                    found if found == view => {}
                    "Frontal" | "Lateral" => {
                        other_views += 1;
                        return Ok(());
                    }
                    other => return Err(format!("\"{other}\" in column \"{VIEW}\": Frontal or Lateral is expected")),
                }
            }
            if let Some(labels) = labels.row(&stated) {
                let place = Place::File { path, table: Some(name.clone()), row: row.line };
                records.push(Record { patient, name: image, labels, place });
            }
            Ok(())
        })?;
    }
    let by_view = LeftOut { why: format!("`views = {}`", view.unwrap_or("all").to_lowercase()), images: other_views };
    let left_out = std::iter::once(by_view).filter(|left_out| left_out.images > 0).chain(labels.left_out()).collect();
    Files::new(findings, tables, records, left_out, rows)
}

/// The tables that exist below the root.
fn find_tables(root: &Path) -> Result<Vec<SourceFile>, Diagnostic> {
    let all = TABLES.into_iter().map(|name| SourceFile { name: name.to_owned(), path: root.join(name) });
    let tables: Vec<SourceFile> = all.filter(|table| table.path.exists()).collect();
    if !tables.is_empty() {
        return Ok(tables);
    }
    let message = format!("the data folder `{}` holds neither `train.csv` nor `valid.csv`", root.display());
    let error = Diagnostic::error("E0501", message);
    let mut below: Vec<PathBuf> = std::fs::read_dir(root)
        .map(|entries| {
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.join("train.csv").exists()).collect()
        })
        .unwrap_or_default();
    below.sort();
    Err(match below.first() {
        Some(path) => error.help(format!("did you mean `{}`? It holds a `train.csv`", path.display())),
        None => error.help("give the folder of CheXpert-v1.0-small itself: the tables lie directly in it"),
    })
}

/// The image's name below the root, and its path. `CheXpert-v1.0-small/train/…` loses its first folder; a path that
/// starts with `train` or `valid` is below the root as it stands.
fn image(root: &Path, cell: &str) -> Result<(String, PathBuf), String> {
    let name = below(cell, PATH)?;
    let of_table = |folder: &str| TABLES.iter().any(|table| table.strip_suffix(".csv") == Some(folder));
    let name = match name.split_once('/') {
        Some((first, rest)) if !of_table(first) => rest.to_owned(),
        _ => name,
    };
    Ok((name.clone(), root.join(name)))
}

/// `patient00042` from `train/patient00042/study1/view1_frontal.jpg`.
fn patient(name: &str) -> Option<String> {
    name.split('/')
        .find(|part| {
            part.strip_prefix("patient").is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        })
        .map(str::to_owned)
}

#[cfg(test)]
#[path = "chexpert_tests.rs"]
mod tests;
