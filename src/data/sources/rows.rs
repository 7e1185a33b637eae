//! Tables of comma-separated text: columns are found by their names in the first line, rows are read one by one, and all that is
//! wrong with the rows of a table is told together.

use crate::data::split::count;
use crate::diagnostic::Diagnostic;
use std::path::Path;

/// How many faults of one kind a message names.
pub const NAMED: usize = 5;

/// A table that has been opened: its first line is read.
pub struct Table<'a> {
    path: &'a Path,
    reader: csv::Reader<std::fs::File>,
    header: csv::StringRecord,
}

/// One row below the first line.
pub struct Row<'a> {
    /// Its line in the file, from 1.
    pub line: u64,
    cells: &'a csv::StringRecord,
}

impl Row<'_> {
    /// A cell without the space around it.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).unwrap_or("").trim()
    }
}

impl<'a> Table<'a> {
    /// Opens a table. Rows may be longer or shorter than the first line; [`Table::rows`] tells of it.
    pub fn open(path: &'a Path) -> Result<Self, Diagnostic> {
        let unreadable = |error| unreadable(path, &error);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(unreadable)?;
        let header = reader.headers().map_err(unreadable)?.clone();
        Ok(Self { path, reader, header })
    }

    /// Where a column stands. Without it the code is given, and `why` tells who asks for it: `, which `views` needs`.
    pub fn column(&self, name: &str, code: &'static str, why: &str) -> Result<usize, Diagnostic> {
        let mut places = self.header.iter().enumerate().filter(|(_, title)| title.trim() == name).map(|(at, _)| at);
        let Some(place) = places.next() else {
            let titles: Vec<&str> = self.header.iter().map(str::trim).collect();
            let error = Diagnostic::error(code, format!("`{}` has no column \"{name}\"{why}", self.path.display()))
                .note(format!("its columns are: {}", titles.join(", ")));
            return Err(match nearest(name, &titles) {
                Some(title) => error.help(format!("did you mean \"{title}\"?")),
                None => error.help("names of columns are matched exactly, with their capitals and spaces"),
            });
        };
        if places.next().is_some() {
            return Err(Diagnostic::error("E0502", format!("`{}` has two columns \"{name}\"", self.path.display()))
                .help("take one of them out, so that it is clear which one counts"));
        }
        Ok(place)
    }

    /// Where the columns of findings stand, in the order of `findings`.
    pub fn findings(&self, findings: &[String]) -> Result<Vec<usize>, Diagnostic> {
        findings.iter().map(|name| self.column(name, "E0507", ", which `findings` asks for")).collect()
    }

    /// Gives every row to `read`. All rows that it cannot read are reported together.
    pub fn rows(mut self, mut read: impl FnMut(&Row<'_>) -> Result<(), String>) -> Result<(), Diagnostic> {
        let columns = filled(&self.header);
        let (mut faults, mut broken) = (Vec::new(), 0usize);
        for row in self.reader.records() {
            let read = match row {
                Ok(cells) => {
                    let line = cells.position().map_or(0, csv::Position::line);
                    let fields = cells.len();
                    let is_whole = fields == self.header.len() || filled(&cells) == columns || fields == columns;
                    if is_whole {
                        read(&Row { line, cells: &cells }).map_err(|fault| format!("row {line}: {fault}"))
                    } else {
                        let (fields, columns) = (count(fields, "field"), count(self.header.len(), "column"));
                        Err(format!("row {line}: it has {fields}, and the first line names {columns}"))
                    }
                }
                Err(error) => match error.kind() {
                    csv::ErrorKind::Utf8 { pos, .. } => {
                        Err(format!("row {}: the text is not UTF-8", pos.as_ref().map_or(0, csv::Position::line)))
                    }
                    _ => return Err(unreadable(self.path, &error)),
                },
            };
            if let Err(fault) = read {
                broken += 1;
                if faults.len() < NAMED {
                    faults.push(fault);
                }
            }
        }
        if broken == 0 {
            return Ok(());
        }
        Err(broken_rows(self.path, faults, broken))
    }
}

/// Fields but for an empty one behind the last comma, which the first generation of NIH's table has.
fn filled(cells: &csv::StringRecord) -> usize {
    cells.len() - usize::from(cells.iter().next_back().is_some_and(|last| last.trim().is_empty()))
}

/// One message for all rows of a table that cannot be read.
pub fn broken_rows(path: &Path, faults: Vec<String>, broken: usize) -> Diagnostic {
    let message = format!("`{}` has {} that cannot be read", path.display(), count(broken, "row"));
    let mut error = Diagnostic::error("E0503", message);
    error.notes = faults;
    and_more(error, broken).help("rows count from 1 with the line of column names; correct them, or take them out")
}

fn unreadable(path: &Path, error: &csv::Error) -> Diagnostic {
    Diagnostic::error("E0502", format!("`{}` cannot be read as a table", path.display()))
        .note(error.to_string())
        .help("the table must be comma-separated text in UTF-8 with the names of the columns in its first line")
}

/// The name that looks most like a wrong one, if any does.
pub fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::jaro_winkler(&name.to_lowercase(), &candidate.to_lowercase());
    let best = candidates.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.8).then_some(best)
}

/// Says how many faults are not named.
pub fn and_more(error: Diagnostic, total: usize) -> Diagnostic {
    let rest = total.saturating_sub(error.notes.len());
    if rest == 0 { error } else { error.note(format!("… and {rest} more")) }
}

/// The findings of a source, each of which is one column of the labels.
pub fn distinct(findings: Vec<String>) -> Result<Vec<String>, Diagnostic> {
    match findings.iter().enumerate().find(|(at, name)| findings.iter().take(*at).any(|other| other == *name)) {
        Some((_, twice)) => Err(Diagnostic::error("E0507", format!("the finding \"{twice}\" is listed twice"))
            .help("every finding is one column of the labels: list it once")),
        None => Ok(findings),
    }
}

/// That all findings are among those that a source knows.
pub fn known(findings: Vec<String>, known: &[&str]) -> Result<Vec<String>, Diagnostic> {
    let findings = distinct(findings)?;
    if let Some(unknown) = findings.iter().find(|name| !known.contains(&name.as_str())) {
        let error = Diagnostic::error("E0507", format!("the data set has no finding \"{unknown}\", which `findings` asks for"))
            .note(format!("its findings are: {}", known.join(", ")));
        return Err(match nearest(unknown, known) {
            Some(name) => error.help(format!("did you mean \"{name}\"?")),
            None => error.help("names of findings are matched exactly, with their capitals and spaces"),
        });
    }
    Ok(findings)
}
