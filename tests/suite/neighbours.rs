//! Nearest training images, from a file to its results: of copies, of other people, and what is refused as a baseline.

use crate::laboratory::{Laboratory, files};
use serde_json::Value;

const STUDY: &str = r#"edition 2026

use std.data.phantom

dataset chest {
  source = phantom.chest(patients = 160, findings = 2)
  image  = gray(16)
  split  = by(patient, train = 50%, valid = 25%, test = 25%)
}

dataset other {
  source = phantom.chest(patients = 80, findings = 2, seed = 9)
  image  = gray(16)
}

neighbours of_copies { train = chest.train, holdout = chest.test, synthetic = chest.train, shown = 3 }
neighbours of_others { train = chest.train, holdout = chest.test, synthetic = other.train, images = 60 }

## Half of the copied images are among the training images that are drawn for `closer`.
claim copied { that = of_copies.closer > 0.65 and of_copies.median_distance == 0 }
claim new { that = of_others.closer < 0.7 and of_others.median_distance > 0.5 * of_others.holdout_median_distance }

report summary { title = "Neighbours" }
"#;

/// An output of a step.
pub fn blob(laboratory: &Laboratory, step: &str, output: &str) -> std::path::PathBuf {
    let digests = laboratory.digests(".synth");
    let digest = digests[step][output]["digest"].as_str().unwrap_or_else(|| panic!("{:#}", digests[step])).to_owned();
    files(&laboratory.path(".synth/blobs")).into_iter().find(|file| file.ends_with(&digest)).expect("a blob")
}

pub fn results(laboratory: &Laboratory, step: &str) -> Value {
    serde_json::from_slice(&std::fs::read(blob(laboratory, step, "results")).unwrap()).unwrap()
}

#[test]
fn copies_are_told_from_other_people_and_every_number_has_its_conditions() {
    let laboratory = Laboratory::new(STUDY);
    let said = laboratory.run(&["--threads", "1"]);
    assert!(said.out.contains("copied holds") && said.out.contains("new holds"), "{}", said.out);
    assert!(said.out.contains("50 % where nothing was copied"), "{}", said.out);
    let of = |step: &str, name: &str, part: &str| {
        let found = results(&laboratory, step);
        found["values"][name][part].as_f64().unwrap_or_else(|| panic!("{step}.{name}: {found:#}"))
    };
    assert_eq!((of("of_copies", "mean_distance", "value"), of("of_copies", "near", "value")), (0.0, 1.0));
    assert!(of("of_copies", "holdout_mean_distance", "value") > 0.0);
    // 5 % of other people are very near, as far as 60 images tell.
    assert!(of("of_others", "near", "low") <= 0.05, "{}", of("of_others", "near", "low"));
    for name in ["median_distance", "mean_distance", "holdout_median_distance", "near", "closer"] {
        let [low, value, high] = ["low", "value", "high"].map(|part| of("of_others", name, part));
        assert!(low <= value && value <= high && low < high, "{name}: {low} {value} {high}");
    }
    let found = results(&laboratory, "of_others");
    assert!(found["conditions"]["closer"]["features"].as_str().unwrap().starts_with("random network, seed 1, "));
    assert_eq!(found["neighbours"]["sets"]["synthetic"][0], 60);
    let distances = |step: &str, set: &str| results(&laboratory, step)["neighbours"]["gallery"][set].as_array().unwrap().clone();
    assert_eq!(distances("of_copies", "synthetic"), [0.0; 3]);
    assert_eq!(distances("of_others", "holdout").len(), 8);
    let gallery = synth::data::shard::Shard::read(&blob(&laboratory, "of_copies", "gallery")).unwrap();
    assert_eq!((gallery.len(), gallery.image(0)), (12, gallery.image(1)));
    assert_ne!(gallery.image(6), gallery.image(7));
    let shown = laboratory.synth(&["show", "study.synth", "of_others"]);
    assert!(shown.out.contains("held-out real images") && shown.out.contains("Nearer to a training image"), "{}", shown.out);
    let page = std::fs::read_to_string(laboratory.path("reports/study/summary.html")).unwrap();
    assert!(page.contains("id=\"neighbours\"") && page.contains("Synthetic images, each left of its nearest training image"));

    // Other threads, the same bytes.
    for threads in ["2", "3", "7"] {
        let again = Laboratory::new(STUDY);
        again.run(&["--threads", threads]);
        for step in ["of_copies", "of_others", "summary"] {
            assert_eq!(laboratory.digests(".synth")[step], again.digests(".synth")[step], "{step} on {threads}");
        }
    }
}

#[test]
fn training_images_are_no_baseline() {
    let laboratory =
        Laboratory::new(&STUDY.replace("holdout = chest.test, synthetic = other", "holdout = chest.train, synthetic = other"));
    let said = laboratory.synth(&["run", "study.synth"]);
    assert_eq!(said.status, Some(1), "{}\n{}", said.out, said.err);
    assert!(said.err.contains("E0421") && said.err.contains("`chest.train` judges here"), "{}", said.err);
}
