//! safetensors (huggingface/safetensors): the length of a header in eight bytes, the header in JSON, the numbers.

use super::{Content, Element, LONGEST_HEAD, Refusal, StoredTensor, row_major};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Bytes of the header's length.
const LENGTH: u64 = 8;
/// The entry of the header that is no tensor.
const METADATA: &str = "__metadata__";
/// The metadata that synth writes into files of its own.
const OWN: &str = "synth";

#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<usize>,
    /// From the end of the header.
    data_offsets: (u64, u64),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Tensor(Info),
    Metadata(BTreeMap<String, String>),
}

pub fn read(file: &mut File, length: u64, key: &str) -> Result<Content, Refusal> {
    if !key.is_empty() {
        let refusal = Refusal::new(format!("a safetensors file holds one table, so that there is no `{key}` in it"));
        return Err(Refusal { is_about_key: true, ..refusal }.help("leave `key` out"));
    }
    let unreadable = |error: std::io::Error| Refusal::new(format!("the system says: {error}"));
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let mut size = [0; LENGTH as usize];
    file.read_exact(&mut size).map_err(unreadable)?;
    let size = u64::from_le_bytes(size);
    if size > LONGEST_HEAD || size > length - LENGTH {
        return Err(Refusal::new(format!("its header should have {size} bytes, which it has not")));
    }
    let mut header = Vec::new();
    file.take(size).read_to_end(&mut header).map_err(unreadable)?;
    let entries: BTreeMap<String, Entry> = serde_json::from_slice(&header)
        .map_err(|error| Refusal::new(format!("its header is no header of safetensors: {error}")))?;
    let (mut tensors, mut is_own) = (BTreeMap::new(), false);
    for (name, entry) in entries {
        match entry {
            Entry::Metadata(metadata) if name == METADATA => is_own = metadata.contains_key(OWN),
            Entry::Metadata(_) => return Err(Refusal::new(format!("its header says nothing of `{name}`"))),
            Entry::Tensor(Info { dtype, shape, data_offsets: (start, end) }) => {
                let element = Element::of_safetensors(&dtype);
                let count = shape.iter().try_fold(1_u64, |count, size| count.checked_mul(*size as u64));
                let due = element.size().and_then(|size| count?.checked_mul(size));
                if due.is_some_and(|due| end.checked_sub(start) != Some(due)) || count.is_none() {
                    return Err(Refusal::new(format!("`{name}` is said to have the shape {shape:?} and other bytes than that")));
                }
                let (start, strides) = (start.saturating_add(LENGTH + size), row_major(&shape));
                let tensor = StoredTensor { shape, element, start, offset: 0, strides, big_endian: false };
                tensor.check(&name, length)?;
                tensors.insert(name, tensor);
            }
        }
    }
    Ok(Content { format: "safetensors", tensors, others: Vec::new(), is_own })
}
