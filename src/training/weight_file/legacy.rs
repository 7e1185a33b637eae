//! PyTorch's files before version 1.6 (`_use_new_zipfile_serialization = False` since): a magic number, a version, facts on the
//! machine, the object, and the names of the storages, each a pickle; then each storage, behind its length in eight bytes.
//! Source: `_legacy_load` in PyTorch's `torch/serialization.py`.

use super::pickle::{Object, Pickle};
use super::{Content, LONGEST_HEAD, Refusal, StoredTensor, table};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
const VERSION: i128 = 1001;

pub fn read(file: &mut File, length: u64, key: &str) -> Result<Content, Refusal> {
    let unreadable = |error: std::io::Error| Refusal::new(format!("the system says: {error}"));
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    file.take(LONGEST_HEAD).read_to_end(&mut head).map_err(unreadable)?;
    let mut at = 0;
    let mut next = || -> Result<Pickle, Refusal> {
        let pickle = Pickle::read(head.get(at..).unwrap_or_default());
        let pickle = pickle.map_err(|fault| Refusal::new(format!("from byte {at} on, {fault}")))?;
        at += pickle.length;
        Ok(pickle)
    };
    if *next()?.root() != Object::Integer(MAGIC) || *next()?.root() != Object::Integer(VERSION) {
        return Err(Refusal::new("it is a pickle, but not one that `torch.save` writes")
            .help("write it with `torch.save(model.state_dict(), …)`"));
    }
    let (facts, object, keys) = (next()?, next()?, next()?);
    let big_endian = is_big_endian(&facts);
    let table = table::find(&object, key)?;
    // The names of storages come in the order of the storages. How many bytes a number has is known by what refers to it.
    let sizes: BTreeMap<&str, u64> = object
        .objects
        .iter()
        .filter_map(|object| match object {
            Object::Storage(storage) => Some((storage.key.as_str(), storage.element.size()?)),
            _ => None,
        })
        .collect();
    let mut storages: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut place = at as u64;
    let Object::Sequence(keys_in_order) = keys.root() else { return Err(Refusal::new("it does not name its storages")) };
    for storage in keys_in_order {
        let name = match keys.object(*storage) {
            Object::Text(name) => name.clone(),
            Object::Integer(name) => name.to_string(),
            _ => return Err(Refusal::new("it does not name its storages")),
        };
        let size = *sizes
            .get(name.as_str())
            .ok_or_else(|| Refusal::new(format!("nothing says how long the numbers of its storage `{name}` are")))?;
        let mut count = [0; 8];
        file.seek(SeekFrom::Start(place)).map_err(unreadable)?;
        file.read_exact(&mut count).map_err(|_| Refusal::new(format!("it ends before its storage `{name}`")))?;
        let count = if big_endian { u64::from_be_bytes(count) } else { u64::from_le_bytes(count) };
        let end = count.checked_mul(size).and_then(|bytes| bytes.checked_add(place + 8)).filter(|end| *end <= length);
        let end = end.ok_or_else(|| Refusal::new(format!("it ends within its storage `{name}`")))?;
        storages.insert(name, (place + 8, end));
        place = end;
    }
    let mut tensors = BTreeMap::new();
    for (name, tensor) in table.tensors {
        let storage = storages.get(&tensor.storage.key);
        let storage = storage.ok_or_else(|| Refusal::new(format!("the storage of `{name}` is not in it")))?;
        tensors.insert(name.clone(), StoredTensor::of_torch(&name, &tensor, *storage, big_endian)?);
    }
    Ok(Content { format: "PyTorch before 1.6", tensors, others: table.others, is_own: false })
}

/// `little_endian` among the facts on the machine that wrote the file.
fn is_big_endian(facts: &Pickle) -> bool {
    let Object::Dictionary(entries) = facts.root() else { return false };
    entries.iter().any(|(name, value)| {
        matches!(facts.object(*name), Object::Text(name) if name == "little_endian")
            && *facts.object(*value) == Object::Boolean(false)
    })
}
