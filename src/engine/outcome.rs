//! How a run ended, step by step.

use crate::diagnostic::Diagnostic;
use crate::store::{Digest, Record};
use std::collections::BTreeMap;

/// How one step ended.
#[derive(Clone, Debug)]
pub enum Ended {
    Cached(Record),
    Ran(Record),
    Failed(Box<Diagnostic>),
    /// A step that it needs did not succeed.
    NotRun {
        needs: String,
    },
    Interrupted,
}

/// How all of them ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// By index in the program. Steps that an interrupted run did not reach are not in it.
    pub ended: BTreeMap<usize, Ended>,
    pub interrupted: bool,
}

impl Ended {
    pub fn is_done(&self) -> bool {
        self.record().is_some()
    }

    pub fn record(&self) -> Option<&Record> {
        match self {
            Ended::Cached(record) | Ended::Ran(record) => Some(record),
            _ => None,
        }
    }
}

impl Outcome {
    pub fn failures(&self) -> impl Iterator<Item = &Diagnostic> {
        self.ended.values().filter_map(|ended| match ended {
            Ended::Failed(diagnostic) => Some(diagnostic.as_ref()),
            _ => None,
        })
    }
}

/// One short digest for all that a step made.
pub fn short_digest(record: &Record) -> String {
    match record.outputs.values().collect::<Vec<_>>().as_slice() {
        [blob] => blob.digest.short(),
        _ => {
            let text: String = record.outputs.iter().map(|(name, blob)| format!("{name} {}\n", blob.digest)).collect();
            Digest::of(text.as_bytes()).short()
        }
    }
}
