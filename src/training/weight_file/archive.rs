//! PyTorch's files since version 1.6: a zip archive with `NAME/data.pkl`, the pickle, `NAME/data/KEY`, the storages, and
//! `NAME/byteorder`. Nothing in it is compressed, so that numbers are read from where they lie.

use super::pickle::Pickle;
use super::{Content, LONGEST_HEAD, Refusal, StoredTensor, table};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use zip::{CompressionMethod, ZipArchive};

pub fn read(file: &File, length: u64, key: &str) -> Result<Content, Refusal> {
    let broken = |error: &dyn std::fmt::Display| Refusal::new(format!("its zip archive cannot be read: {error}"));
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| broken(&error))?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let folder = folder(&names)?;
    let pickle = bytes(&mut archive, &format!("{folder}data.pkl"))?;
    let pickle = Pickle::read(&pickle).map_err(|fault| Refusal::new(fault.to_string()))?;
    let order = format!("{folder}byteorder");
    let big_endian = names.contains(&order) && bytes(&mut archive, &order)?.starts_with(b"big");
    let table = table::find(&pickle, key)?;
    let mut storages: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut tensors = BTreeMap::new();
    for (name, tensor) in table.tensors {
        let entry = format!("{folder}data/{}", tensor.storage.key);
        let storage = match storages.get(&entry) {
            Some(storage) => *storage,
            None => stored(&mut archive, &entry, length)?,
        };
        storages.insert(entry, storage);
        tensors.insert(name.clone(), StoredTensor::of_torch(&name, &tensor, storage, big_endian)?);
    }
    Ok(Content { format: "PyTorch", tensors, others: table.others, is_own: false })
}

/// What stands before `data.pkl`, or why there is no such file.
fn folder(names: &[String]) -> Result<String, Refusal> {
    let pickles: Vec<&str> = names
        .iter()
        .filter_map(|name| name.strip_suffix("data.pkl"))
        .filter(|folder| folder.is_empty() || folder.ends_with('/'))
        .collect();
    let folder = match pickles.as_slice() {
        [folder] => *folder,
        [] if names.iter().any(|name| name.ends_with(".npy")) => {
            return Err(Refusal::new("it is an archive of NumPy arrays").help("write it as safetensors"));
        }
        [] => {
            return Err(Refusal::new("it is a zip archive without `data.pkl`, which every file of `torch.save` has")
                .help("unpack it where the weights lie in it, or write them with `torch.save(model.state_dict(), …)`"));
        }
        several => return Err(Refusal::new(format!("it is a zip archive with {} files `data.pkl`", several.len()))),
    };
    if names.iter().any(|name| *name == format!("{folder}constants.pkl")) {
        return Err(Refusal::new("it is a TorchScript program (`torch.jit.save`), not a table of tensors")
            .help("load it in Python and write `torch.save(model.state_dict(), …)`"));
    }
    Ok(folder.to_owned())
}

/// The content of a small file.
fn bytes(archive: &mut ZipArchive<BufReader<&File>>, name: &str) -> Result<Vec<u8>, Refusal> {
    let broken = |error: &dyn std::fmt::Display| Refusal::new(format!("`{name}` in it cannot be read: {error}"));
    let mut entry = archive.by_name(name).map_err(|error| broken(&error))?;
    if entry.compression() != CompressionMethod::Stored || entry.size() > LONGEST_HEAD {
        return Err(Refusal::new(format!("`{name}` in it is compressed or very long, which `torch.save` does not make")));
    }
    let mut bytes = Vec::new();
    entry.by_ref().take(LONGEST_HEAD).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    Ok(bytes)
}

/// Where the content of a file begins and ends that lies in the archive as it is.
fn stored(archive: &mut ZipArchive<BufReader<&File>>, name: &str, length: u64) -> Result<(u64, u64), Refusal> {
    let entry =
        archive.by_name(name).map_err(|error| Refusal::new(format!("the storage `{name}` in it cannot be read: {error}")))?;
    let stretch = entry.data_start().and_then(|start| Some((start, start.checked_add(entry.size())?)));
    let is_plain = entry.compression() == CompressionMethod::Stored && entry.size() == entry.compressed_size();
    match stretch {
        Some((start, end)) if is_plain && end <= length => Ok((start, end)),
        _ => Err(Refusal::new(format!("the storage `{name}` in it is compressed or not whole"))),
    }
}
