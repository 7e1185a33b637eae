//! Diagnostics for code scanning: one log in SARIF 2.1.0 (OASIS, 2020), the format that forges and editors read.
//! A code is a rule, whose help is its page; the primary label is the location of a result, and all labels are its related
//! locations. What to do stands in the message, since a fix is told in words. Columns count code points, as the log says.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

use super::{Diagnostic, Severity, codes};
use crate::source::{FileId, SourceFile, Sources, Span};

pub(super) fn log(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let rules: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<BTreeSet<_>>().into_iter().collect();
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(diagnostic, &rules, sources)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "synth",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|code| rule(code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "artifacts": embedded(diagnostics, sources),
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

/// A code with the parts of its page.
fn rule(code: &str) -> Value {
    let page = codes::explain(code).unwrap_or_default();
    let title = page.lines().next().and_then(|line| line.split_once(": ")).map_or(code, |(_, title)| title);
    let paragraph = page.split("\n\n").nth(1).unwrap_or(title);
    json!({
        "id": code,
        "shortDescription": { "text": title },
        "fullDescription": { "text": paragraph },
        "help": { "text": page, "markdown": page },
    })
}

fn result(diagnostic: &Diagnostic, rules: &[&str], sources: &Sources) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut lines = vec![diagnostic.message.clone()];
    lines.extend(diagnostic.notes.iter().cloned());
    lines.extend(diagnostic.help.iter().map(|help| format!("help: {help}")));
    let mut object = Map::new();
    object.insert("ruleId".to_owned(), json!(diagnostic.code));
    object.insert("ruleIndex".to_owned(), json!(rules.iter().position(|code| *code == diagnostic.code)));
    object.insert("level".to_owned(), json!(level));
    object.insert("message".to_owned(), json!({ "text": lines.join("\n") }));
    if let Some(place) = diagnostic.labels.first().and_then(|label| place(label.span, sources)) {
        object.insert("locations".to_owned(), json!([{ "physicalLocation": place }]));
    }
    let related = diagnostic.labels.iter().enumerate().filter_map(|(id, label)| {
        let place = place(label.span, sources)?;
        Some(json!({ "id": id, "physicalLocation": place, "message": { "text": label.text } }))
    });
    object.insert("relatedLocations".to_owned(), related.collect());
    Value::Object(object)
}

/// `None` for a place in no file.
fn place(span: Span, sources: &Sources) -> Option<Value> {
    let file = sources.get(span.file)?;
    let (line, column) = sources.line_column(span);
    let (end_line, end_column) = sources.line_column(Span { start: span.end.max(span.start), ..span });
    Some(json!({
        "artifactLocation": { "uri": uri(file) },
        "region": { "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column },
    }))
}

/// The text of files of the standard library, which are nowhere on disk.
fn embedded(diagnostics: &[Diagnostic], sources: &Sources) -> Vec<Value> {
    let files: BTreeSet<FileId> =
        diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels).map(|label| label.span.file).collect();
    let files = files.into_iter().filter_map(|file| sources.get(file)).filter(|file| file.path.is_none());
    files.map(|file| json!({ "location": { "uri": uri(file) }, "contents": { "text": &*file.text } })).collect()
}

/// A relative path stays relative to where the program was started; files inside the program have a scheme of their own.
fn uri(file: &SourceFile) -> String {
    let name = file.name.replace('\\', "/");
    let start = match &file.path {
        None => "synth:",
        Some(path) if path.is_absolute() && name.starts_with('/') => "file://",
        Some(path) if path.is_absolute() => "file:///",
        Some(_) => "",
    };
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    name.bytes().fold(start.to_owned(), |mut uri, byte| {
        if unreserved(byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
        uri
    })
}
