//! Why a step runs: how its key differs from the nearest earlier record.

use super::key::Key;
use crate::language::{Program, Step};
use crate::store::{Component, Record, Store};

/// `nothing recorded`, or `image.size changed 32 → 64`, or that a result is recorded and its file is missing.
pub fn reason(store: &Store, program: &Program, step: &Step, key: &Key) -> String {
    let records = store.records_of(&step.kind);
    if records.iter().any(|record| record.key == key.key) {
        return "its recorded files are missing or were damaged".into();
    }
    // Newest first, and of equals the first is taken. A record of another name counts where no block has that name any more:
    // then this may be the renamed one.
    let comparable = |record: &&Record| record.step == step.name || program.step(&record.step).is_none();
    let distance = |record: &&Record| (record.step != step.name, differences(key, record).len());
    let nearest = records.iter().filter(comparable).min_by_key(distance);
    let Some(record) = nearest else { return "nothing recorded".into() };
    let differences = differences(key, record);
    let (first, rest) = differences.split_at(differences.len().min(3));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("{}{more}", first.join(", "))
}

fn differences(key: &Key, record: &Record) -> Vec<String> {
    let find = |components: &[Component], name: &str| components.iter().find(|component| component.name == name).cloned();
    let mut found: Vec<String> = key
        .components
        .iter()
        .filter_map(|now| match find(&record.components, &now.name) {
            Some(before) if before.digest == now.digest => None,
            Some(before) => Some(changed(&now.name, &before.shown, &now.shown)),
            None => Some(format!("{} is new: {}", now.name, clipped(&now.shown))),
        })
        .collect();
    let gone = record.components.iter().filter(|before| find(&key.components, &before.name).is_none());
    found.extend(gone.map(|before| format!("{} is gone", before.name)));
    found
}

fn changed(name: &str, before: &str, now: &str) -> String {
    match name {
        "implementation" => "this version of synth makes it differently".into(),
        "files" if before == now => format!("the contents of its {now} changed"),
        _ if before == now => format!("{name} changed: what `{}` holds is different", clipped(now)),
        _ => format!("{name} changed {} → {}", clipped(before), clipped(now)),
    }
}

fn clipped(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(39).collect::<String>())
}
