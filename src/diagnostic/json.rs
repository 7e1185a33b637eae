//! Diagnostics for programs: one JSON array. Lines and columns count from 1, columns in characters; ends are exclusive.

use serde_json::{Map, Value, json};

use super::{Diagnostic, Severity};
use crate::source::{Sources, Span};

pub(super) fn array(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let all: Vec<Value> = diagnostics.iter().map(|diagnostic| object(diagnostic, sources)).collect();
    format!("{:#}\n", Value::Array(all))
}

/// The place of the first label stands at the top, so that a simple reader needs no more.
fn object(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let mut object = Map::new();
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    object.insert("code".to_owned(), json!(diagnostic.code));
    object.insert("severity".to_owned(), json!(severity));
    object.insert("message".to_owned(), json!(diagnostic.message));
    if let Some(primary) = diagnostic.labels.first() {
        object.extend(place(primary.span, sources));
    }
    let labels = diagnostic.labels.iter().map(|label| {
        let mut object = place(label.span, sources);
        object.insert("text".to_owned(), json!(label.text));
        Value::Object(object)
    });
    object.insert("labels".to_owned(), labels.collect());
    object.insert("notes".to_owned(), json!(diagnostic.notes));
    object.insert("help".to_owned(), json!(diagnostic.help));
    Value::Object(object)
}

fn place(span: Span, sources: &Sources) -> Map<String, Value> {
    let (line, column) = sources.line_column(span);
    let (end_line, end_column) = sources.line_column(Span { start: span.end, ..span });
    let name = sources.get(span.file).map(|file| file.name.as_str());
    let mut place = Map::new();
    place.insert("file".to_owned(), json!(name));
    for (key, number) in [("line", line), ("column", column), ("end_line", end_line), ("end_column", end_column)] {
        place.insert(key.to_owned(), json!(number));
    }
    place
}
