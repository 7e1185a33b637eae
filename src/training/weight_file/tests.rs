//! Files that PyTorch wrote (`benches/pytorch/weight_files.py`), and what becomes of them when they are cut or bent.

use super::*;
use crate::random::Key;
use serde_json::Value;
use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights").join(name)
}

fn expected() -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let text = std::fs::read_to_string(fixture("expected.json")).unwrap();
    let json: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let numbers = |value: &Value| value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect::<Vec<_>>();
    json.iter()
        .map(|(name, tensor)| {
            let shape = numbers(&tensor["shape"]).iter().map(|size| *size as usize).collect();
            (name.clone(), (shape, numbers(&tensor["values"]).iter().map(|number| *number as f32).collect()))
        })
        .collect()
}

fn refusal(name: &str, key: &str) -> Refusal {
    WeightFile::open(&fixture(name), key).map(|file| file.tensors).unwrap_err()
}

#[test]
fn every_form_of_a_file_holds_the_same_numbers() {
    let expected = expected();
    for name in
        ["plain.pth", "legacy.pth", "protocol4.pth", "legacy4.pth", "parameters.pth", "plain.safetensors", "big_endian.pth"]
    {
        let mut file = WeightFile::open(&fixture(name), "").unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        let names: Vec<String> = file.tensors.keys().cloned().collect();
        let due: Vec<&String> = expected.keys().filter(|due| name != "big_endian.pth" || names.contains(due)).collect();
        assert_eq!(names.iter().collect::<Vec<_>>(), due, "{name}");
        assert!(names.len() > 4, "{name}");
        for tensor in &names {
            let (shape, numbers) = &expected[tensor];
            assert_eq!(file.tensors[tensor].shape, *shape, "{name}: {tensor}");
            if file.tensors[tensor].element.is_floating() {
                assert_eq!(file.read(tensor).unwrap(), *numbers, "{name}: {tensor}");
            } else {
                assert!(file.read(tensor).unwrap_err().reason.contains("holds int64 instead of floating numbers"));
            }
        }
    }
}

#[test]
fn a_table_among_others_is_named() {
    let nested = refusal("nested.pth", "");
    assert!(nested.is_about_key);
    assert!(nested.reason.contains("`epoch`, `args`, `state_dict` (6 tensors), `optimizer` (9 tensors)"), "{nested:?}");
    assert!(nested.help.unwrap().contains("key = \"state_dict\""));
    let wrong = refusal("nested.pth", "model");
    assert!(wrong.reason.contains("it has no `model`; it holds `epoch`"), "{wrong:?}");
    let file = WeightFile::open(&fixture("nested.pth"), "state_dict").unwrap();
    assert_eq!(file.tensors.len(), 6);
    assert!(refusal("deep.pth", "").help.unwrap().contains("key = \"models\""));
    assert!(refusal("deep.pth", "models").help.unwrap().contains("key = \"models/generator\""));
    assert_eq!(WeightFile::open(&fixture("deep.pth"), "models/generator").unwrap().tensors.len(), 6);
    assert!(refusal("plain.safetensors", "state_dict").help.unwrap().contains("leave `key` out"));
}

#[test]
fn what_only_python_could_read_is_refused_with_its_reason() {
    assert!(refusal("module.pth", "").reason.contains("a whole object of the Python class `__main__.Small`"));
    assert!(refusal("script.pt", "").reason.contains("TorchScript"));
    let folder = tempfile::tempdir().unwrap();
    let told = |bytes: &[u8]| {
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        WeightFile::open(&path, "").map(|file| file.tensors).unwrap_err().reason
    };
    assert!(told(b"").contains("empty"));
    assert!(told(b"version https://git-lfs.github.com/spec/v1").contains("Git LFS"));
    assert!(told(b"<!DOCTYPE html>").contains("web page"));
    assert!(told(b"\x89HDF\r\n\x1a\n").contains("HDF5"));
    assert!(told(b"\x80\x02K\x01.").contains("not one that `torch.save` writes"));
    assert!(told(b"PK\x03\x04 and no more").contains("zip archive cannot be read"));
    assert!(told(b"\xff\xff\xff\xff\xff\xff\xff\xff{}").contains("its header should have"));
    let header = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &[0; 8]].concat();
    assert!(told(&header(r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#)).contains("other bytes"));
    assert!(told(&header(r#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#)).contains("reaches past the end"));
    assert!(
        told(&header(r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#)).contains("other bytes")
    );
    assert!(told(&header(r#"{"a":{"dtype":"F32","shape":[2]"#)).contains("no header of safetensors"));
    assert!(WeightFile::open(folder.path(), "").unwrap_err().reason.contains("a folder"));
    assert!(WeightFile::open(&folder.path().join("none"), "").unwrap_err().reason.contains("the system says"));
}

/// Opens and reads all that a file holds, as far as it is small.
fn exhaust(path: &Path) {
    for key in ["", "state_dict"] {
        let Ok(mut file) = WeightFile::open(path, key) else { continue };
        for name in file.tensors.keys().cloned().collect::<Vec<_>>() {
            let count = file.tensors[&name].shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
            if count.is_some_and(|count| count < 100_000) {
                let _ = file.read(&name);
            }
        }
    }
}

#[test]
fn damaged_files_end_in_a_message_or_in_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    for name in ["plain.pth", "legacy.pth", "protocol4.pth", "nested.pth", "plain.safetensors", "module.pth"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for length in (0..whole.len()).step_by(37) {
            std::fs::write(&path, &whole[..length]).unwrap();
            exhaust(&path);
        }
        // Single bytes changed: lengths, opcodes, sizes, offsets.
        let key = Key::new(1).with(name);
        for draw in 0..400 {
            let mut bent = whole.clone();
            let at = key.below(2 * draw, whole.len() as u64) as usize;
            bent[at] = key.below(2 * draw + 1, 256) as u8;
            std::fs::write(&path, &bent).unwrap();
            exhaust(&path);
        }
    }
}
