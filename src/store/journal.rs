//! What a run did, as it did it: one JSON object a line, written before acting.

use super::{Store, failed};
use crate::diagnostic::Diagnostic;
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::time::SystemTime;

#[derive(Debug)]
pub struct Journal {
    file: File,
}

#[derive(Serialize)]
struct Line<'a, Event: Serialize> {
    /// Milliseconds since 1970.
    at: u128,
    #[serde(flatten)]
    event: &'a Event,
}

impl Store {
    /// A new journal of this process.
    pub fn journal(&self) -> Result<Journal, Diagnostic> {
        let path = self.folder("journal").join(format!("{}-{}.jsonl", milliseconds(), std::process::id()));
        let file = File::options().create(true).append(true).open(&path).map_err(|error| failed("write", &path, &error))?;
        Ok(Journal { file })
    }
}

impl Journal {
    /// Appends one event. A journal that cannot be written stops nothing: it is for people, and no later run reads it.
    pub fn write(&mut self, event: &impl Serialize) {
        if let Ok(mut line) = serde_json::to_vec(&Line { at: milliseconds(), event }) {
            line.push(b'\n');
            let _ = self.file.write_all(&line);
        }
    }
}

fn milliseconds() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis()
}
