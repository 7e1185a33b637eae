//! The lines of a run's journal.

use super::Ended;
use crate::store::{Blob, Digest};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    Begins { file: &'a str, process: u32 },
    Runs { step: &'a str, key: &'a Digest, why: &'a str },
    Cached { step: &'a str, key: &'a Digest },
    Ran { step: &'a str, key: &'a Digest, seconds: f64, outputs: &'a BTreeMap<String, Blob> },
    Failed { step: &'a str, code: &'a str, message: &'a str },
    NotRun { step: &'a str, needs: &'a str },
    Interrupted { step: &'a str },
    Ends { interrupted: bool, failed: usize },
}

impl<'a> Event<'a> {
    pub fn of(step: &'a str, ended: &'a Ended) -> Self {
        match ended {
            Ended::Cached(record) => Event::Cached { step, key: &record.key },
            Ended::Ran(record) => Event::Ran { step, key: &record.key, seconds: record.seconds, outputs: &record.outputs },
            Ended::Failed(diagnostic) => Event::Failed { step, code: diagnostic.code, message: &diagnostic.message },
            Ended::NotRun { needs } => Event::NotRun { step, needs },
            Ended::Interrupted => Event::Interrupted { step },
        }
    }
}
