use super::*;
use std::path::PathBuf;

mod pages;

const BASE: &str = "edition 2026
use std.data.phantom
use std.gan.cpd
use std.classify.densenet

dataset chest {
  source = phantom.chest(patients = 200)
  image  = gray(32)
}
gan model {
  data          = chest.train
  generator     = cpd.compact_generator(channels = 8)
  discriminator = cpd.compact_discriminator(channels = 8)
  budget        = 1kimg
}
sample fake {
  from   = model
  labels = chest
}
classifier on_real {
  network = densenet.small()
  train   = chest.train
  valid   = chest.valid
}
classifier on_fake {
  network = densenet.small()
  train   = fake.train
  valid   = fake.valid
}
utility gap {
  real      = on_real
  synthetic = on_fake
  test      = chest.test
}
";

/// The codes for the base with one line changed and more behind it.
fn codes(from: &str, to: &str, more: &str) -> Vec<&'static str> {
    assert!(BASE.contains(from), "{from}");
    checked(&format!("{}{more}", BASE.replacen(from, to, 1))).diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// Checks a text; the environment has `CHEXPERT_ROOT` only.
fn checked(text: &str) -> Checked {
    let mut sources = Sources::default();
    let file = sources.add("test.synth", None, text);
    let environment = |name: &str| (name == "CHEXPERT_ROOT").then(|| "/data".to_owned());
    let options = CheckOptions { params: Vec::new(), environment: &environment, base: PathBuf::new() };
    check(&mut sources, file, &options)
}

#[test]
fn test_images_reach_neither_training_nor_selection() {
    assert_eq!(codes("", "", ""), [] as [&str; 0]);
    assert_eq!(codes("data          = chest.train", "data          = chest.test", ""), ["E0421"]);
    assert_eq!(codes("train   = chest.train", "train   = chest.test", ""), ["E0421"]);
    assert_eq!(codes("valid   = chest.valid", "valid   = chest.test", ""), ["E0422"]);
    // Synthetic images for the label rows of test patients: still theirs.
    assert_eq!(codes("train   = fake.train", "train   = fake.test", ""), ["E0421"]);
    assert_eq!(codes("test      = chest.test", "test      = chest.train", ""), ["E0421", "E0421"][..1]);
}

/// What is told to be training data is no baseline, whether it was learned from or not.
#[test]
fn held_out_images_are_not_among_those_that_copies_are_looked_for_in() {
    let near = "neighbours near {\n  train = chest.train\n  holdout = chest.test\n  synthetic = fake.train\n}\n";
    assert_eq!(codes("", "", near), [] as [&str; 0]);
    assert_eq!(codes("", "", &near.replace("chest.test", "chest.train")), ["E0421"]);
    assert_eq!(codes("", "", &near.replace("chest.train", "chest.test")), ["E0421"]);
    assert_eq!(codes("", "", &near.replace("chest.test", "fake.test")), ["E0423"]);
    // Nothing is trained here, so that no claim rests on a seed.
    let people = "dataset others {\n  source = phantom.chest(patients = 90, seed = 2)\n  image = gray(32)\n}\nclaim far { that = \
                  near.closer < 0.6 }\n";
    assert_eq!(codes("", "", &format!("{people}{}", near.replace("fake.train", "others.train"))), [] as [&str; 0]);
    assert_eq!(codes("", "", &format!("{near}claim far {{ that = near.closer < 0.6 }}\n")), ["E0425"]);
    // Another generator's images of the same patients, divided anew.
    let other = "dataset again {\n  source = phantom.chest(patients = 200)\n  image = gray(32)\n  split = by(patient, \
                 train = 60%, valid = 20%, test = 20%)\n}\n";
    assert_eq!(codes("", "", &format!("{other}{}", near.replace("chest.test", "again.test"))), ["E0420"]);
}

#[test]
fn images_that_judge_are_real() {
    assert_eq!(codes("test      = chest.test", "test      = fake.test", ""), ["E0423"]);
}

#[test]
fn patients_are_in_one_part() {
    let by_image = "gray(32)\n  split = by(image, train = 70%, valid = 15%, test = 15%)";
    assert_eq!(codes("gray(32)", by_image, "").first(), Some(&"E0420"));
    let other = "dataset again {\n  source = phantom.chest(patients = 300)\n  image = gray(32)\n  split = by(patient, \
                 train = 60%, valid = 20%, test = 20%)\n}\n";
    assert_eq!(codes("test      = chest.test", "test      = again.test", other).first(), Some(&"E0420"));
    // Other people altogether.
    let other = other.replace("patients = 300", "patients = 300, seed = 2");
    assert_eq!(codes("test      = chest.test", "test      = again.test", &other), [] as [&str; 0]);
}

#[test]
fn a_claim_over_one_seed_is_told() {
    assert_eq!(codes("", "", "claim useful { that = gap.auroc_gap < 0.1 }\n"), ["E0425"]);
    let swept = "recipe run(seed: int) {
  classifier reader { network = densenet.small(), train = chest.train, valid = chest.valid, seed = seed }
  utility score { real = reader, synthetic = reader, test = chest.test }
}
sweep by_seed of run { seed = each(1..4) }
claim useful { that = mean(by_seed.score.auroc_real) > 0.8 }
";
    assert_eq!(codes("", "", swept), [] as [&str; 0]);
    assert_eq!(codes("", "", &swept.replace("each(1..4)", "each(1)")), ["E0425"]);
}

#[test]
fn steps_look_at_their_fields_before_they_run() {
    let parts = "gray(32)\n  split = by(patient, train = 70%, valid = 15%, test = 25%)";
    assert_eq!(codes("gray(32)", parts, ""), ["E0508"]);
    assert_eq!(codes("budget        = 1kimg", "budget        = 1kimg\n  batch         = 6", ""), ["E0320"]);
}
