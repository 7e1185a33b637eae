//! Phantoms as files in the layouts of real sets, read back by the sources of those sets.

use crate::laboratory::{Laboratory, files};
use std::path::PathBuf;
use synth::data::shard::Shard;

const ALL: &str = "train = 100%, valid = 0%, test = 0%";

/// The training shard of the only data set of a study.
fn shard(laboratory: &Laboratory, study: &str, store: &str) -> Shard {
    laboratory.write("study.synth", study);
    laboratory.run(&["--store", store]);
    let digests = laboratory.digests(store);
    let digest = digests["made"]["train"]["digest"].as_str().unwrap().to_owned();
    let of = |path: &PathBuf| path.to_string_lossy().replace('/', "").ends_with(&digest);
    Shard::read(files(&laboratory.path(&format!("{store}/blobs"))).iter().find(|path| of(path)).unwrap()).unwrap()
}

#[test]
fn chests_are_written_and_read_as_chexpert() {
    let laboratory = Laboratory::new("");
    let said = laboratory.synth(&["phantom", "radiographs", "CheXpert-v1.0-small", "--patients", "12", "--size", "32"]);
    assert_eq!(said.status, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("of 12 patients (radiographs, seed 1)"), "{}", said.out);
    let study = |source: &str| {
        format!(
            "edition 2026\n\nuse std.data.phantom\n\ndataset made {{\n  source = {source}\n  image  = gray(32)\n  split  = by(patient, {ALL})\n}}\n"
        )
    };
    let read = shard(&laboratory, &study("chexpert(\"CheXpert-v1.0-small\")").replace("use std.data.phantom\n\n", ""), ".read");
    let drawn = shard(&laboratory, &study("phantom.radiographs(patients = 12)"), ".drawn");
    assert_eq!((&read.labels, &read.patients, &read.label_names), (&drawn.labels, &drawn.patients, &drawn.label_names));
    // JPEG changes little.
    let most = read.images.iter().zip(&drawn.images).map(|(read, drawn)| read.abs_diff(*drawn)).max();
    assert!(most < Some(24), "{most:?}");
    let said = laboratory.synth(&["phantom", "radiographs", "CheXpert-v1.0-small", "--patients", "12"]);
    assert!(said.status == Some(1) && said.err.contains("E0542"), "{}", said.err);
}
