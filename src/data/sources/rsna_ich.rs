//! `rsna_ich(root, …)`: intracranial haemorrhage of RSNA 2019 as Kaggle ships it (Flanders et al. 2020). `stage_2_train.csv` has six
//! rows for each slice, `ID_…_epidural` to `ID_…_any`; slices are `stage_2_train/ID_….dcm`, and their headers name the patients.

use super::files::{Files, folder, patients_from_headers, table_below};
use super::rows::{NAMED, Table, broken_rows, known};
use super::{Place, Record};
use crate::data::arguments::Arguments;
use crate::data::labels::LeftOut;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use std::collections::HashMap;
use std::sync::Arc;

const TABLE: &str = "stage_2_train.csv";
const FOLDER: &str = "stage_2_train";
const ID: &str = "ID";
const LABEL: &str = "Label";
/// The rows of a slice. The last one is true where any other is.
const ROWS: [&str; 6] = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"];
/// Present where no haemorrhage is.
const NONE: &str = "No Finding";

/// What the rows of one slice say, in the order of [`ROWS`].
struct Slice {
    id: String,
    line: u64,
    labels: [Option<bool>; 6],
    repeats: bool,
}

/// Reads and checks the table, and the patients from the headers.
pub fn open(construction: &Construction) -> Result<Files, Diagnostic> {
    let arguments = Arguments(construction);
    let root = folder(arguments.text("root")?, "`stage_2_train.csv`")?;
    let all: Vec<&str> = ROWS.into_iter().chain([NONE]).collect();
    let findings = known(arguments.texts("findings")?, &all)?;
    let drops_repeats = arguments.choice("duplicates")? == "drop";
    let left_out_names = arguments.texts("leave_out")?;
    let table = table_below(&root, &[TABLE])?;
    let (mut slices, rows) = slices(&table.path)?;
    check(&slices, &table.path)?;
    let before = slices.len();
    if drops_repeats {
        slices.retain(|slice| !slice.repeats);
    }
    let repeated = before - slices.len();
    let name: Arc<str> = TABLE.into();
    let records: Vec<Record> = slices
        .into_iter()
        .map(|slice| {
            let is_present = |finding: &String| {
                let place = ROWS.iter().position(|row| row == finding);
                let said = |place: usize| slice.labels.get(place).copied().flatten() == Some(true);
                place.map_or_else(|| !(0..5).any(said), said)
            };
            Record {
                patient: String::new(),
                labels: findings.iter().map(|finding| u8::from(is_present(finding))).collect(),
                place: Place::File {
                    path: root.join(FOLDER).join(format!("{}.dcm", slice.id)),
                    table: Some(name.clone()),
                    row: slice.line,
                },
                name: slice.id,
            }
        })
        .collect();
    let why = "`duplicates = drop`".to_owned();
    let left_out = if repeated > 0 { vec![LeftOut { why, images: repeated }] } else { Vec::new() };
    // What is left out need not be readable.
    let mut files = Files::new(findings, vec![table], records, left_out, rows)?.without(&left_out_names, "leave_out")?;
    patients_from_headers(&mut files.records)?;
    Ok(files)
}

/// The slices in the order of their first rows, and the number of rows.
fn slices(path: &std::path::Path) -> Result<(Vec<Slice>, usize), Diagnostic> {
    let table = Table::open(path)?;
    let (id, label) = (table.column(ID, "E0502", "")?, table.column(LABEL, "E0502", "")?);
    let mut places: HashMap<String, usize> = HashMap::new();
    let (mut slices, mut rows) = (Vec::<Slice>::new(), 0usize);
    table.rows(|row| {
        rows += 1;
        let cell = row.cell(id);
        let (slice, kind) = cell
            .rsplit_once('_')
            .and_then(|(slice, kind)| Some((slice, ROWS.iter().position(|known| *known == kind)?)))
            .filter(|(slice, _)| slice.starts_with("ID_") && !slice.contains(['/', '\\', '.']))
            .ok_or_else(|| format!("\"{cell}\" in column \"{ID}\": ID_…_subtype is expected, with one of {}", ROWS.join(", ")))?;
        let said = match row.cell(label) {
            "0" => false,
            "1" => true,
            other => return Err(format!("\"{other}\" in column \"{LABEL}\": 0 or 1 is expected")),
        };
        let place = *places.entry(slice.to_owned()).or_insert(slices.len());
        if place == slices.len() {
            slices.push(Slice { id: slice.to_owned(), line: row.line, labels: [None; 6], repeats: false });
        }
        let Some(slice) = slices.get_mut(place) else { return Ok(()) };
        let Some(known) = slice.labels.get_mut(kind) else { return Ok(()) };
        match known {
            Some(earlier) if *earlier != said => return Err(format!("it contradicts an earlier row of \"{cell}\"")),
            Some(_) => slice.repeats = true,
            None => *known = Some(said),
        }
        Ok(())
    })?;
    Ok((slices, rows))
}

/// That every slice has its six rows, and that "any" is what the others say.
fn check(slices: &[Slice], path: &std::path::Path) -> Result<(), Diagnostic> {
    let fault = |slice: &Slice| {
        let missing: Vec<&str> =
            ROWS.iter().zip(&slice.labels).filter(|(_, label)| label.is_none()).map(|(row, _)| *row).collect();
        if !missing.is_empty() {
            return Some(format!("row {}: {} has no row for {}", slice.line, slice.id, missing.join(", ")));
        }
        let [subtypes @ .., any] = &slice.labels;
        let of_subtypes = subtypes.contains(&Some(true));
        (*any != Some(of_subtypes)).then(|| format!("row {}: the row \"any\" of {} contradicts the others", slice.line, slice.id))
    };
    let mut faults: Vec<String> = slices.iter().filter_map(fault).collect();
    let broken = faults.len();
    faults.truncate(NAMED);
    if broken == 0 { Ok(()) } else { Err(broken_rows(path, faults, broken)) }
}
