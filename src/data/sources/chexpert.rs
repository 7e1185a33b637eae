//! `chexpert(root, uncertain, views, findings)`: the layout of CheXpert-v1.0-small (Irvin et al. 2019). `root/train.csv` and
//! `root/valid.csv` are pooled, since the official validation part is tiny; parts come from `split`. The column `Path`
//! starts with the folder's own name, which is left off, so that the folder may be called anything.

use super::{Place, Record, Source, SourceFile};
use crate::data::arguments::Arguments;
use crate::data::image::{Fault, ImageFormat};
use crate::data::labels::{LabelPolicy, LabelReader, LeftOut, Stated};
use crate::data::split::count;
use crate::diagnostic::Diagnostic;
use crate::language::Construction;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The tables that are read where they exist.
const TABLES: [&str; 2] = ["train.csv", "valid.csv"];
const PATH: &str = "Path";
const VIEW: &str = "Frontal/Lateral";
/// How many faults of one kind a message names.
const NAMED: usize = 5;

#[derive(Debug)]
pub struct Chexpert {
    findings: Vec<String>,
    tables: Vec<SourceFile>,
    records: Vec<Record>,
    left_out: Vec<LeftOut>,
}

/// The choices of the user, and how many rows each has removed.
struct Rules<'a> {
    root: &'a Path,
    labels: LabelReader,
    /// `Frontal`, `Lateral`, or `None` for all.
    view: Option<&'static str>,
    findings: &'a [String],
    rows: usize,
    other_views: usize,
}

impl Chexpert {
    /// Reads and checks the tables. The images are looked for in [`Source::files`].
    pub fn new(construction: &Construction) -> Result<Self, Diagnostic> {
        let arguments = Arguments(construction);
        let root = PathBuf::from(arguments.text("root")?);
        let findings = arguments.texts("findings")?;
        if let Some(twice) = findings.iter().enumerate().find(|(at, name)| findings.iter().take(*at).any(|other| other == *name))
        {
            return Err(Diagnostic::error("E0507", format!("the finding \"{}\" is listed twice", twice.1))
                .help("every finding is one column of the labels: list it once"));
        }
        let mut rules = Rules {
            root: &root,
            labels: LabelReader::new(LabelPolicy::new(arguments, "uncertain")?, LabelPolicy::new(arguments, "missing")?),
            view: match arguments.choice("views")? {
                "lateral" => Some("Lateral"),
                "all" => None,
                _ => Some("Frontal"),
            },
            findings: &findings,
            rows: 0,
            other_views: 0,
        };
        let tables = find_tables(&root)?;
        let mut records = Vec::new();
        for (name, path) in &tables {
            rules.read(name, path, &mut records)?;
        }
        find_duplicates(&records)?;
        if records.is_empty() {
            return Err(rules.nothing_left());
        }
        let tables = tables.into_iter().map(|(name, path)| SourceFile { name: name.to_owned(), path }).collect();
        let left_out = rules.left_out();
        Ok(Self { findings, tables, records, left_out })
    }
}

/// The tables that exist below the root.
fn find_tables(root: &Path) -> Result<Vec<(&'static str, PathBuf)>, Diagnostic> {
    let missing = |what: String| Diagnostic::error("E0501", what);
    if !root.is_dir() {
        let what = if root.exists() { "is not a folder" } else { "does not exist" };
        return Err(missing(format!("the data folder `{}` {what}", root.display()))
            .help("give the folder that holds `train.csv`, for example `synth run FILE -p root=/data/CheXpert-v1.0-small`"));
    }
    let tables: Vec<(&'static str, PathBuf)> =
        TABLES.into_iter().map(|name| (name, root.join(name))).filter(|(_, path)| path.exists()).collect();
    if !tables.is_empty() {
        return Ok(tables);
    }
    let error = missing(format!("the data folder `{}` holds neither `train.csv` nor `valid.csv`", root.display()));
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

/// Where the wanted columns stand in a table.
struct Columns {
    fields: usize,
    path: usize,
    view: Option<usize>,
    findings: Vec<usize>,
}

impl Rules<'_> {
    /// Adds the rows of one table that pass the filters. All broken rows of the table are reported together.
    fn read(&mut self, table: &'static str, path: &Path, records: &mut Vec<Record>) -> Result<(), Diagnostic> {
        let unreadable = |error: csv::Error| {
            Diagnostic::error("E0502", format!("`{}` cannot be read as a table", path.display()))
                .note(error.to_string())
                .help("the table must be comma-separated text in UTF-8 with the names of the columns in its first line")
        };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(unreadable)?;
        let columns = self.columns(path, reader.headers().map_err(unreadable)?)?;
        let (mut faults, mut broken) = (Vec::new(), 0usize);
        for row in reader.records() {
            let read = match row {
                Ok(row) => {
                    let line = row.position().map_or(0, csv::Position::line);
                    self.record(table, line, &columns, &row).map_err(|fault| format!("row {line}: {fault}"))
                }
                Err(error) => match error.kind() {
                    csv::ErrorKind::Utf8 { pos, .. } => {
                        Err(format!("row {}: the text is not UTF-8", pos.as_ref().map_or(0, csv::Position::line)))
                    }
                    _ => return Err(unreadable(error)),
                },
            };
            match read {
                Ok(Some(record)) => records.push(record),
                Ok(None) => {}
                Err(fault) => {
                    broken += 1;
                    if faults.len() < NAMED {
                        faults.push(fault);
                    }
                }
            }
        }
        if broken == 0 {
            return Ok(());
        }
        let message = format!("`{}` has {} that cannot be read", path.display(), count(broken, "row"));
        let mut error = Diagnostic::error("E0503", message);
        error.notes = faults;
        Err(and_more(error, broken).help("rows count from 1 with the line of column names; correct them, or take them out"))
    }

    /// Finds the wanted columns by name.
    fn columns(&self, path: &Path, header: &csv::StringRecord) -> Result<Columns, Diagnostic> {
        let column = |name: &str, code: &'static str, what: &str| {
            let mut places = header.iter().enumerate().filter(|(_, title)| title.trim() == name).map(|(at, _)| at);
            let Some(place) = places.next() else {
                let titles: Vec<&str> = header.iter().map(str::trim).collect();
                let error = Diagnostic::error(code, format!("`{}` has no column \"{name}\"{what}", path.display()))
                    .note(format!("its columns are: {}", titles.join(", ")));
                return Err(match nearest(name, &titles) {
                    Some(title) => error.help(format!("did you mean \"{title}\"?")),
                    None => error.help("names of columns are matched exactly, with their capitals and spaces"),
                });
            };
            if places.next().is_some() {
                return Err(Diagnostic::error("E0502", format!("`{}` has two columns \"{name}\"", path.display()))
                    .help("take one of them out, so that it is clear which one counts"));
            }
            Ok(place)
        };
        Ok(Columns {
            fields: header.len(),
            path: column(PATH, "E0502", "")?,
            view: self.view.map(|_| column(VIEW, "E0502", ", which `views` needs")).transpose()?,
            findings: self
                .findings
                .iter()
                .map(|name| column(name, "E0507", ", which `findings` asks for"))
                .collect::<Result<_, _>>()?,
        })
    }

    /// One row; `None` where a filter removes it. The error says what is wrong with it.
    fn record(
        &mut self,
        table: &'static str,
        line: u64,
        columns: &Columns,
        row: &csv::StringRecord,
    ) -> Result<Option<Record>, String> {
        self.rows += 1;
        if row.len() != columns.fields {
            return Err(format!(
                "it has {}, and the first line names {}",
                count(row.len(), "field"),
                count(columns.fields, "column")
            ));
        }
        let cell = |at: usize| row.get(at).unwrap_or("").trim();
        let (name, path) = self.image_path(cell(columns.path))?;
        let patient = patient(&name).ok_or_else(|| {
            format!(
                "\"{}\" in column \"{PATH}\" names no patient: a folder such as `patient00042` is expected",
                cell(columns.path)
            )
        })?;
        let mut stated = Vec::with_capacity(columns.findings.len());
        for (at, finding) in columns.findings.iter().zip(self.findings) {
            stated.push(match cell(*at) {
                "1.0" | "1" => Stated::Present,
                "0.0" | "0" => Stated::Absent,
                "-1.0" | "-1" => Stated::Uncertain,
                "" => Stated::Missing,
                other => return Err(format!("\"{other}\" in column \"{finding}\": 1.0, 0.0, -1.0 or nothing is expected")),
            });
        }
        if let (Some(view), Some(at)) = (self.view, columns.view) {
            match cell(at) {
                found if found == view => {}
                "Frontal" | "Lateral" => {
                    self.other_views += 1;
                    return Ok(None);
                }
                other => return Err(format!("\"{other}\" in column \"{VIEW}\": Frontal or Lateral is expected")),
            }
        }
        let labels = self.labels.row(&stated);
        Ok(labels.map(|labels| Record { patient, name, labels, place: Place::File { path, table, row: line } }))
    }

    /// The image's name below the root, and its path. `CheXpert-v1.0-small/train/…` loses its first folder; a path that
    /// starts with `train` or `valid` is below the root as it stands.
    fn image_path(&self, cell: &str) -> Result<(String, PathBuf), String> {
        let mut parts = Vec::new();
        for component in Path::new(cell).components() {
            match component {
                Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
                Component::CurDir => {}
                _ => return Err(format!("\"{cell}\" in column \"{PATH}\" must be a path below the data folder")),
            }
        }
        let own_folder = parts.len() > 1
            && !parts.first().is_some_and(|first| TABLES.iter().any(|table| table.strip_suffix(".csv") == Some(first)));
        let below: Vec<String> = parts.into_iter().skip(usize::from(own_folder)).collect();
        if below.is_empty() {
            return Err(format!("column \"{PATH}\" is empty"));
        }
        let path = below.iter().fold(self.root.to_path_buf(), |path, part| path.join(part));
        Ok((below.join("/"), path))
    }

    fn nothing_left(&self) -> Diagnostic {
        let error = Diagnostic::error("E0506", format!("no images are left of {}", count(self.rows, "row")));
        if self.rows == 0 {
            return error
                .note(format!("the tables in `{}` hold no rows", self.root.display()))
                .help("look whether the download is complete");
        }
        let left_out = self.left_out();
        let error = left_out.iter().fold(error, |error, left_out| error.note(left_out.to_string()));
        if 2 * self.other_views >= self.rows {
            error.help("choose other views: `views = all`")
        } else {
            error.help("count labels that are left open as `positive`, `negative` or `unknown`, or choose fewer findings")
        }
    }

    /// Rows removed so far, with the reasons.
    fn left_out(&self) -> Vec<LeftOut> {
        let view = self.view.unwrap_or("all").to_lowercase();
        let by_view = LeftOut { why: format!("`views = {view}`"), images: self.other_views };
        std::iter::once(by_view).filter(|left_out| left_out.images > 0).chain(self.labels.left_out()).collect()
    }
}

/// `patient00042` from `train/patient00042/study1/view1_frontal.jpg`.
fn patient(name: &str) -> Option<String> {
    name.split('/')
        .find(|part| {
            part.strip_prefix("patient").is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        })
        .map(str::to_owned)
}

/// The name that looks most like a wrong one, if any does.
fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase());
    let best = candidates.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.8).then_some(best)
}

/// An image that stands in two rows would be in two parts, or count twice.
fn find_duplicates(records: &[Record]) -> Result<(), Diagnostic> {
    let mut rows: BTreeMap<&str, &Record> = BTreeMap::new();
    let (mut twice, mut found) = (Vec::new(), 0usize);
    for record in records {
        if let Some(first) = rows.insert(&record.name, record) {
            found += 1;
            if twice.len() < NAMED {
                twice.push(format!("{}: {} and {}", record.name, place(first), place(record)));
            }
        }
    }
    if found == 0 {
        return Ok(());
    }
    let mut error = Diagnostic::error("E0503", format!("{} in the tables more than once", stand(found, "image")));
    error.notes = twice;
    Err(and_more(error, found).help("an image counts once: take out all rows of an image but one"))
}

/// `1 image stands`, `3 images stand`.
fn stand(n: usize, noun: &str) -> String {
    format!("{} {}", count(n, noun), if n == 1 { "stands" } else { "stand" })
}

/// `train.csv, row 17`.
fn place(record: &Record) -> String {
    match &record.place {
        Place::File { table, row, .. } => format!("{table}, row {row}"),
        Place::Drawn { .. } => record.name.clone(),
    }
}

/// Says how many faults are not named.
fn and_more(error: Diagnostic, total: usize) -> Diagnostic {
    let rest = total.saturating_sub(error.notes.len());
    if rest == 0 { error } else { error.note(format!("… and {rest} more")) }
}

impl Source for Chexpert {
    fn label_names(&self) -> &[String] {
        &self.findings
    }

    fn records(&self) -> &[Record] {
        &self.records
    }

    fn left_out(&self) -> Vec<LeftOut> {
        self.left_out.clone()
    }

    fn files(&self) -> Result<Vec<SourceFile>, Diagnostic> {
        let missing: Vec<&Record> = self
            .records
            .par_iter()
            .filter(|record| matches!(&record.place, Place::File { path, .. } if !path.is_file()))
            .collect();
        if !missing.is_empty() {
            let missing_of = format!("{} of {}", missing.len(), count(self.records.len(), "image"));
            let mut error = Diagnostic::error("E0504", format!("{missing_of} cannot be found"));
            error.notes = missing
                .iter()
                .take(NAMED)
                .filter_map(|record| match &record.place {
                    Place::File { path, .. } => Some(format!("{}: `{}`", place(record), path.display())),
                    Place::Drawn { .. } => None,
                })
                .collect();
            return Err(and_more(error, missing.len())
                .help("look whether the download is complete, and whether `root` is the folder that holds the tables"));
        }
        let images = self.records.iter().filter_map(|record| match &record.place {
            Place::File { path, .. } => Some(SourceFile { name: record.name.clone(), path: path.clone() }),
            Place::Drawn { .. } => None,
        });
        Ok(self.tables.iter().cloned().chain(images).collect())
    }

    fn image(&self, record: &Record, format: &ImageFormat) -> Result<Vec<u8>, Diagnostic> {
        let Place::File { path, .. } = &record.place else {
            return Err(Diagnostic::error("E0513", format!("`{}` is not a file", record.name)));
        };
        let told = |fault: Fault| fault.told(&format!("`{}` ({})", path.display(), place(record)));
        let bytes = std::fs::read(path).map_err(|error| told(Fault::from(error.to_string())))?;
        format.decode(&bytes).map_err(told)
    }
}

#[cfg(test)]
#[path = "chexpert_tests.rs"]
mod tests;
