//! The three benchmarks of Schütte et al. 2021 (§2.4 of the facts), small and on phantoms: every kind of selection as a field, swept
//! as an ordinary value.

use crate::laboratory::{Laboratory, Said};
use serde_json::Value;

/// A sweep needs a recipe and something that reads it: a table of counts.
fn study(dataset: &str, sweep: &str, value: &str, rows: &str) -> String {
    format!(
        r#"edition 2026

use std.data.phantom

recipe cohort(k: int = 4, n: int = 20) {{
  dataset chosen {{
{dataset}
  }}
}}

sweep by of cohort {{
{sweep}
}}

table counts {{
  from  = by
  rows  = {rows}
  value = single({value})
}}
"#
    )
}

fn shown(laboratory: &Laboratory, step: &str) -> String {
    let Said { status, out, err } = laboratory.synth(&["show", "study.synth", step]);
    assert_eq!(status, Some(0), "{out}\n{err}");
    out
}

/// Resolution: all frequent combinations, test and validation of a given size in the proportions of the combinations.
#[test]
fn resolution_takes_frequent_combinations_and_stratified_parts() {
    let laboratory = Laboratory::new(
        r#"edition 2026

use std.data.phantom

dataset chest {
  source           = phantom.radiographs(patients = 400)
  image            = gray(8)
  split            = stratified_by(patient, train = 80%, valid = 10%, test = 10%, seed = 100)
  without_findings = drop
  classes          = at_least(8)
  valid_size       = proportional(80)
  test_size        = proportional(80)
}

claim enough { that = chest.train_images > 500 and chest.test_images == 80 }
"#,
    );
    let said = laboratory.run(&[]);
    assert!(said.out.contains("holds") || said.out.contains('✓'), "{}", said.out);
    let text = shown(&laboratory, "chest");
    for told in ["`classes = at_least(8)` removed", "`test_size = proportional(80)` removed", "label combinations: ", "Edema"] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
}

/// Classes: the k most frequent combinations, so many images of each in every part.
#[test]
fn classes_are_swept() {
    let dataset =
        "    source     = phantom.radiographs(patients = 500, findings = [\"No Finding\", \"Edema\", \"Pleural Effusion\"])
    image      = gray(8)
    classes    = most_frequent(k, minimum = 30)
    train_size = per_class(n)
    valid_size = per_class(9)
    test_size  = per_class(9)";
    let laboratory = Laboratory::new(&study(dataset, "  k = each(4, 3, 2)", "chosen.train_images", "k"));
    laboratory.run(&[]);
    let text = shown(&laboratory, "by[k=2].chosen");
    assert!(text.contains("images") && text.contains("40") && text.contains("18"), "{text}");
    assert!(text.contains("label combinations: 2"), "{text}");

    let wrong = study(&dataset.replace("minimum = 30", "minimum = 3_000"), "  k = each(4, 3)", "chosen.train_images", "k");
    laboratory.write("study.synth", &wrong);
    let said = laboratory.synth(&["plan", "study.synth"]);
    assert_eq!(said.status, Some(1), "{}", said.out);
    assert!(said.err.contains("E0540") || said.out.contains("E0540"), "{}{}", said.out, said.err);
}

/// Samples: nested training sets of a few classes, the same validation and test images for all of them.
#[test]
fn samples_are_nested_and_tests_stay() {
    let dataset = "    source     = phantom.radiographs(patients = 300, findings = [\"Edema\", \"Support Devices\"])
    image      = gray(8)
    classes    = at_least(40)
    train_size = per_class(n)
    valid_size = per_class(10)
    test_size  = per_class(10)";
    let laboratory = Laboratory::new(&study(dataset, "  n = each(40, 20, 5)", "chosen.train_images", "n"));
    laboratory.run(&[]);
    let digests = laboratory.digests(".synth");
    let of = |n: u32, port: &str| -> Value { digests[&format!("by[n={n}].chosen")][port]["digest"].clone() };
    assert_eq!(of(40, "test"), of(5, "test"));
    assert_ne!(of(40, "train"), of(5, "train"));
    let pixels = |n: u32| {
        let digest = of(n, "train").as_str().unwrap().to_owned();
        let blob = crate::laboratory::files(&laboratory.path(".synth/blobs"))
            .into_iter()
            .find(|path| path.to_string_lossy().replace('/', "").ends_with(digest.trim_start_matches("blake3:")))
            .unwrap();
        synth::data::shard::Shard::read(&blob).unwrap()
    };
    let (few, many) = (pixels(5), pixels(40));
    assert!(*few.images == many.images[..few.images.len()] && few.labels == many.labels[..few.labels.len()]);
}

/// Brain: balanced negatives, the most frequent combinations of the training images, in the order of the table.
#[test]
fn brains_are_balanced_and_counted_in_training() {
    let laboratory = Laboratory::new(
        r#"edition 2026

use std.data.phantom

dataset brain {
  source     = phantom.head_ct(patients = 250)
  image      = hounsfield(8)
  split      = by(patient, train = 80%, valid = 10%, test = 10%, seed = 1_001)
  negatives  = balanced()
  classes    = most_frequent(4, minimum = 10, counted = train)
  train_size = per_class(15, order = file)
  valid_size = per_class(20, short = fewer)
  test_size  = per_class(20, short = fewer)
}

claim balanced { that = brain.train_images == 60 and brain.classes_found == 4 }
"#,
    );
    laboratory.run(&[]);
    let text = shown(&laboratory, "brain");
    assert!(text.contains("`negatives = balanced(1)` removed"), "{text}");
    assert!(text.contains("no training image has") || text.contains("epidural"), "{text}");
    laboratory.write(
        "study.synth",
        &std::fs::read_to_string(laboratory.path("study.synth"))
            .unwrap()
            .replace("per_class(15, order = file)", "per_class(5_000)"),
    );
    let said = laboratory.synth(&["plan", "study.synth"]);
    assert!(said.status == Some(1) && format!("{}{}", said.out, said.err).contains("E0541"), "{}{}", said.out, said.err);
}
