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
    let most = read.images.iter().zip(drawn.images.iter()).map(|(read, drawn)| read.abs_diff(*drawn)).max();
    assert!(most < Some(24), "{most:?}");
    let said = laboratory.synth(&["phantom", "radiographs", "CheXpert-v1.0-small", "--patients", "12"]);
    assert!(said.status == Some(1) && said.err.contains("E0542"), "{}", said.err);
}

/// The whole way of the brain's images: drawn, stored as DICOM with a rescale, read by their table, windowed. Every pixel is that of
/// the phantom, and so is every label.
#[test]
fn heads_are_written_and_read_as_rsna() {
    let laboratory = Laboratory::new("");
    let arguments = ["phantom", "head_ct", "rsna", "--patients", "6", "--slices", "5", "--size", "32"];
    let said = laboratory.synth(&arguments);
    assert_eq!(said.status, Some(0), "{}{}", said.out, said.err);
    let study = |uses: &str, source: &str| {
        format!(
            "edition 2026\n\n{uses}dataset made {{\n  source = {source}\n  image  = hounsfield(32)\n  split  = by(patient, {ALL})\n}}\n"
        )
    };
    let read = shard(&laboratory, &study("", "rsna_ich(\"rsna\")"), ".read");
    let drawn = shard(&laboratory, &study("use std.data.phantom\n\n", "phantom.head_ct(patients = 6, slices = 5)"), ".drawn");
    assert_eq!((read.len(), read.patient_names.len()), (30, 6));
    assert_eq!(read.label_names, drawn.label_names);
    // The tables have different orders.
    let rows = |shard: &Shard| {
        let mut rows: Vec<_> = (0..shard.len()).map(|row| (shard.image(row).to_vec(), shard.label_row(row).to_vec())).collect();
        rows.sort();
        rows
    };
    assert!(rows(&read) == rows(&drawn), "pixels or labels differ");
}
