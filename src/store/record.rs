//! What a step made: `actions/<key>.json`, written last, in one step.

use super::{Blob, Digest, Store, Work, failed, sync_folder};
use crate::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// One of the facts that a key is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// `image.size`, `data`, `implementation`.
    pub name: String,
    /// Of its canonical bytes: what the key is made of.
    pub digest: Digest,
    /// For people: `32`, `chest.train`.
    pub shown: String,
    /// It says how long to train, so that the key of the trajectory leaves it out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub horizon: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub key: Digest,
    pub kind: String,
    /// What the step was called when it ran. For messages; it is not part of the key.
    pub step: String,
    pub components: Vec<Component>,
    pub outputs: BTreeMap<String, Blob>,
    /// When it was made, in milliseconds since 1970.
    pub created: u64,
    /// How long it took, this time.
    pub seconds: f64,
    /// The position of the checkpoint that it went on from, where it did: `seconds` are those of the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<u64>,
}

impl Store {
    fn record_path(&self, key: &Digest) -> PathBuf {
        self.folder("actions").join(format!("{key}.json"))
    }

    /// The record of a key whose outputs are all there. A record that cannot be read counts as missing.
    pub fn lookup(&self, key: &Digest) -> Option<Record> {
        let record: Record = serde_json::from_slice(&fs::read(self.record_path(key)).ok()?).ok()?;
        (record.key == *key && record.outputs.values().all(|blob| self.has(blob))).then_some(record)
    }

    /// Makes a result visible. Its blobs must have been published before.
    pub fn record(&self, work: &Work, record: &Record) -> Result<(), Diagnostic> {
        let path = self.record_path(&record.key);
        let temporary = work.temporary();
        let write = || -> std::io::Result<()> {
            let mut file = fs::File::create(&temporary)?;
            serde_json::to_writer_pretty(&mut file, record)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|error| failed("write", &path, &error))?;
        sync_folder(&self.folder("actions"));
        Ok(())
    }

    /// Every record of a kind that can be read, with or without its outputs, newest first. For saying why a step runs.
    pub fn records_of(&self, kind: &str) -> Vec<Record> {
        self.records().remove(kind).unwrap_or_default()
    }

    /// Every record that can be read, by kind, newest first.
    pub fn records(&self) -> BTreeMap<String, Vec<Record>> {
        let Ok(entries) = fs::read_dir(self.folder("actions")) else { return BTreeMap::new() };
        let mut records: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for entry in entries.flatten() {
            let Some(bytes) = fs::read(entry.path()).ok() else { continue };
            if let Ok(record) = serde_json::from_slice::<Record>(&bytes) {
                records.entry(record.kind.clone()).or_default().push(record);
            }
        }
        for records in records.values_mut() {
            records.sort_by(|a, b| b.created.cmp(&a.created).then(a.key.cmp(&b.key)));
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_only_while_its_outputs_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let work = store.work().unwrap();
        let file = work.outputs().join("train");
        fs::write(&file, "images").unwrap();
        let blob = store.publish(&work, &file).unwrap();
        let key = Digest::of(b"key");
        let record = Record {
            key,
            kind: "dataset".into(),
            step: "chest".into(),
            components: Vec::new(),
            outputs: BTreeMap::from([("train".into(), blob)]),
            created: 1,
            seconds: 0.5,
            resumed: None,
        };
        assert_eq!(store.lookup(&key), None);
        store.record(&work, &record).unwrap();
        assert_eq!(store.lookup(&key), Some(record));
        fs::write(store.record_path(&Digest::of(b"other")), "{ torn").unwrap();
        assert_eq!(store.lookup(&Digest::of(b"other")), None);
        assert_eq!(store.records_of("dataset").len(), 1);
        fs::remove_file(store.blob_path(&blob.digest)).unwrap();
        assert_eq!(store.lookup(&key), None);
    }
}
