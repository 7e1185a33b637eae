//! The table of tensors in what a pickle holds: all of it, or the part that a key names.

use super::Refusal;
use super::pickle::{Object, ObjectId, Pickle, Tensor};
use std::collections::BTreeMap;

/// How deep tensors are counted for a message.
const DEEPEST: usize = 6;
/// Entries of a table, and letters of their names.
const MOST_ENTRIES: usize = 1 << 17;
const LONGEST_KEY: usize = 256;
/// Objects that are looked at for a message.
const MOST_STEPS: usize = 100_000;
/// Keys that a message lists.
const LISTED: usize = 20;

/// The named entries of a table: tensors, and the names of all else.
#[derive(Debug, Default)]
pub struct Table {
    pub tensors: BTreeMap<String, Tensor>,
    pub others: Vec<String>,
}

/// Finds the table: `key` leads to it, `state_dict` or `models/generator`; empty, it is the whole.
pub fn find(pickle: &Pickle, key: &str) -> Result<Table, Refusal> {
    let (mut place, mut walked) = (pickle.root, Vec::new());
    for part in key.split('/').filter(|part| !part.is_empty()) {
        let Some(entries) = entries(pickle, place)? else { break };
        // Of two entries of one name the later counts, as in Python.
        let found = entries.iter().rev().find(|(name, _)| text(pickle, *name).as_deref() == Some(part));
        place = match found {
            Some((_, value)) => *value,
            None => return Err(choose(pickle, entries, &walked, Some(part))),
        };
        walked.push(part);
    }
    let Some(entries) = entries(pickle, place)? else { return Err(no_table(pickle.object(place), &walked)) };
    let mut table = Table::default();
    for (name, value) in entries {
        let Some(name) = text(pickle, *name) else { continue };
        match pickle.object(*value) {
            Object::Tensor(tensor) => {
                table.tensors.insert(name, tensor.clone());
            }
            _ => table.others.push(name),
        }
    }
    if table.tensors.is_empty() { Err(choose(pickle, entries, &walked, None)) } else { Ok(table) }
}

/// The key of an entry. No weight has a name of more than [`LONGEST_KEY`] letters, so that what stands behind them is left out.
fn text(pickle: &Pickle, id: ObjectId) -> Option<String> {
    match pickle.object(id) {
        Object::Text(text) => Some(text.chars().take(LONGEST_KEY).collect()),
        Object::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The entries of a dictionary, which are not more than a table of tensors has; none for anything else.
fn entries(pickle: &Pickle, place: ObjectId) -> Result<Option<&[(ObjectId, ObjectId)]>, Refusal> {
    match pickle.object(place) {
        Object::Dictionary(entries) if entries.len() > MOST_ENTRIES => {
            Err(Refusal::new(format!("a table in it has {} entries", entries.len())))
        }
        Object::Dictionary(entries) => Ok(Some(entries)),
        _ => Ok(None),
    }
}

/// The message where one of several tables has to be named.
fn choose(pickle: &Pickle, entries: &[(ObjectId, ObjectId)], walked: &[&str], missing: Option<&str>) -> Refusal {
    // The weights stand directly in their table, those of an optimiser deeper.
    let mut steps = MOST_STEPS;
    let counted: Vec<(String, usize, usize)> = entries
        .iter()
        .filter_map(|(name, value)| {
            let mut count = |depth| tensors_in(pickle, *value, depth, &mut steps);
            Some((text(pickle, *name)?, count(2), count(DEEPEST)))
        })
        .collect();
    let mut listed: Vec<String> = counted
        .iter()
        .take(LISTED)
        .map(|(name, _, count)| match count {
            0 => format!("`{name}`"),
            1 => format!("`{name}` (1 tensor)"),
            count => format!("`{name}` ({count} tensors)"),
        })
        .collect();
    if counted.len() > LISTED {
        listed.push(format!("{} more", counted.len() - LISTED));
    }
    let holds = if listed.is_empty() { "nothing".to_owned() } else { listed.join(", ") };
    let within = if walked.is_empty() { "it".to_owned() } else { format!("`{}` in it", walked.join("/")) };
    let reason = match missing {
        Some(part) => format!("{within} has no `{part}`; it holds {holds}"),
        None => format!("{within} holds no tensors directly, but {holds}"),
    };
    let best = counted.iter().filter(|(.., count)| *count > 0).max_by_key(|(_, direct, count)| (*direct, *count));
    let refusal = Refusal { is_about_key: true, ..Refusal::new(reason) };
    match best {
        Some((name, ..)) => {
            let key: Vec<&str> = walked.iter().copied().chain([name.as_str()]).collect();
            refusal.help(format!("say which is meant, such as `pretrained(\"…\", key = \"{}\")`", key.join("/")))
        }
        None => refusal.help("save a table of tensors: `torch.save(model.state_dict(), …)`"),
    }
}

/// Tensors at any depth below an object; `steps` bounds the work on what is nested in itself.
fn tensors_in(pickle: &Pickle, place: ObjectId, depth: usize, steps: &mut usize) -> usize {
    let inner: Vec<ObjectId> = match pickle.object(place) {
        _ if depth == 0 => return 0,
        Object::Tensor(_) => return 1,
        Object::Dictionary(entries) => entries.iter().take(*steps).map(|(_, value)| *value).collect(),
        Object::Sequence(elements) => elements.iter().take(*steps).copied().collect(),
        _ => return 0,
    };
    *steps -= inner.len();
    inner.into_iter().map(|value| tensors_in(pickle, value, depth - 1, steps)).sum()
}

/// The message where something stands in the place of the table.
fn no_table(found: &Object, walked: &[&str]) -> Refusal {
    let within = if walked.is_empty() { "it".to_owned() } else { format!("`{}` in it", walked.join("/")) };
    match found {
        Object::Other(class) => Refusal::new(format!(
            "{within} is a whole object of the Python class `{class}`, which only its own code could read; no code of a file is run here"
        ))
        .help("load it with the Python code that it is from and write `torch.save(model.state_dict(), …)`"),
        Object::Tensor(_) => Refusal::new(format!("{within} is a single tensor without a name"))
            .help("save a table of tensors: `torch.save(model.state_dict(), …)`"),
        _ => Refusal::new(format!("{within} is no table of tensors"))
            .help("save a table of tensors: `torch.save(model.state_dict(), …)`"),
    }
}
