//! A training whose numbers leave the range of numbers stops at once, says what and when, and keeps its last checkpoint.

use crate::laboratory::{Laboratory, STUDY};
use std::path::Path;

/// The study with a loss that has no bound, another optimiser of the generator, and a checkpoint after every step.
fn study(optimiser: &str) -> String {
    let seed = "checkpoint    = 80img\n";
    assert!(STUDY.contains(seed));
    STUDY.replace(seed, &format!("checkpoint    = 8img\n  loss = wasserstein()\n  generator_optimiser = {optimiser}\n"))
}

/// The words behind a mark in a text whose lines may have been broken.
fn behind(text: &str, mark: &str) -> String {
    let words = text.replace(['│', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    words.split_once(mark).unwrap_or_else(|| panic!("no `{mark}` in:\n{text}")).1.to_owned()
}

#[test]
fn an_absurd_rate_is_told_with_what_when_and_the_last_checkpoint_that_is_kept() {
    let laboratory = Laboratory::new(&study("sgd(rate = 100.0)"));
    let said = laboratory.synth(&["run", "study.synth", "model"]);
    assert_eq!(said.status, Some(1), "{}", said.err);
    assert!(said.err.contains("E0651"), "{}", said.err);
    assert!(behind(&said.err, "training diverged in step ").contains("images: "), "{}", said.err);
    assert!(behind(&said.err, "ten times smaller in ").contains("_optimiser`"), "{}", said.err);
    let kept = behind(&said.err, "is whole and kept: ");
    let kept = kept.split_whitespace().next().unwrap();
    assert!(laboratory.path(".").join(Path::new(kept)).is_file(), "{kept} is no file");
    assert!(!laboratory.digests(".synth").contains_key("model"), "what diverged became a result");

    // Run again, it goes on from the checkpoint and comes to the same.
    let step = behind(&said.err, "diverged in step ");
    let again = laboratory.synth(&["run", "study.synth", "model"]);
    assert_eq!(step.split(',').next(), behind(&again.err, "diverged in step ").split(',').next());

    // With a lower rate it is another training, which begins anew.
    laboratory.write("study.synth", &study("sgd(rate = 0.001)"));
    laboratory.run(&["model"]);
    laboratory.run(&["model", "--store", "fresh"]);
    assert_eq!(laboratory.digests(".synth")["model"], laboratory.digests("fresh")["model"]);
    assert!(laboratory.path(".").join(Path::new(kept)).is_file(), "{kept} is gone");
}

#[test]
fn a_classifier_that_diverges_says_so() {
    let laboratory = Laboratory::new(
        r#"edition 2026

use std.data.phantom

dataset chest {
  source = phantom.chest(patients = 80, findings = 2)
  image  = gray(16)
}

classifier on_real {
  network   = bare()
  train     = chest.train
  valid     = chest.valid
  optimiser = sgd(rate = 100.0, nesterov = true)
  batch     = 8
}

## Without normalisation, and with squares, which grow.
network bare(image: tensor[1, h, w], labels: int) -> tensor[labels] {
  x = image |> flatten |> dense(16)
  x = dense(x * x, 16)
  return dense(x * x, labels)
}
"#,
    );
    let said = laboratory.synth(&["run", "study.synth"]);
    assert_eq!(said.status, Some(1), "{}", said.err);
    assert!(
        behind(&said.err, "training diverged in step ").contains("try a `rate` ten times smaller in `optimiser`"),
        "{}",
        said.err
    );
    assert!(said.err.contains("there was no checkpoint yet") || said.err.contains("is whole and kept"), "{}", said.err);
}
