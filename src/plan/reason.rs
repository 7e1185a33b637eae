//! Why a step runs: how its key differs from the nearest earlier record.

use super::key::Key;
use crate::language::{Program, Step};
use crate::store::{Component, Record};

/// `nothing recorded`, or `image.size changed 32 → 64`, or that a result is recorded and its file is missing.
/// `records` are those of the step's kind, newest first.
pub fn reason(records: &[Record], program: &Program, step: &Step, key: &Key) -> String {
    if records.iter().any(|record| record.key == key.key) {
        return "its recorded files are missing or were damaged".into();
    }
    let Some(record) = nearest(records, program, step, &key.components) else { return "nothing recorded".into() };
    let changes: Vec<String> = changes(&key.components, &record.components).iter().map(Change::sentence).collect();
    let (first, rest) = changes.split_at(changes.len().min(3));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("{}{more}", first.join(", "))
}

/// The record that a step is compared with: its own newest of those with the fewest differences. One of another name counts
/// only where no block has that name any more: then this may be the renamed one.
pub fn nearest<'r>(records: &'r [Record], program: &Program, step: &Step, components: &[Component]) -> Option<&'r Record> {
    let comparable = |record: &&Record| record.step == step.name || program.step(&record.step).is_none();
    // Of equals the first is taken, and the newest stand first.
    let distance = |record: &&Record| (record.step != step.name, changes(components, &record.components).len());
    records.iter().filter(comparable).min_by_key(distance)
}

/// One component that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `image.size`, `data`, `implementation`.
    pub name: String,
    /// `None` where there was no such component.
    pub before: Option<String>,
    /// `None` where there is none any more.
    pub now: Option<String>,
}

/// How components differ from those of a record, in the order of the key.
pub fn changes(now: &[Component], before: &[Component]) -> Vec<Change> {
    let find = |components: &[Component], name: &str| components.iter().find(|component| component.name == name).cloned();
    let mut found: Vec<Change> = now
        .iter()
        .filter_map(|now| match find(before, &now.name) {
            Some(before) if before.digest == now.digest => None,
            before => Some(Change { name: now.name.clone(), before: before.map(|it| it.shown), now: Some(now.shown.clone()) }),
        })
        .collect();
    let gone = before.iter().filter(|before| find(now, &before.name).is_none());
    found.extend(gone.map(|before| Change { name: before.name.clone(), before: Some(before.shown.clone()), now: None }));
    found
}

impl Change {
    /// `budget changed 30kimg → 40kimg`.
    pub fn sentence(&self) -> String {
        let name = &self.name;
        match (&self.before, &self.now) {
            (Some(_), Some(_)) if name == "implementation" => "this version of synth makes it differently".into(),
            (Some(before), Some(now)) if name == "files" && before == now => format!("the contents of its {now} changed"),
            (Some(before), Some(now)) if before == now => {
                format!("{name} changed: what `{}` holds is different", clipped(now))
            }
            (Some(before), Some(now)) => format!("{name} changed {} → {}", clipped(before), clipped(now)),
            (None, Some(now)) => format!("{name} is new: {}", clipped(now)),
            _ => format!("{name} is gone"),
        }
    }
}

fn clipped(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(39).collect::<String>())
}
