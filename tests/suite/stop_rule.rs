//! The stop rule of a `gan`: it ends the training, the best generator is kept, and interruptions change nothing.

use crate::laboratory::{Laboratory, files};
use serde_json::Value;

/// A generator that is looked at every 80 images, against validation images.
const STUDY: &str = r#"edition 2026

use std.data.phantom
use std.gan.cpd

dataset chest {
  source = phantom.chest(patients = 80, findings = 2)
  image  = gray(16)
  split  = by(patient, train = 60%, valid = 20%, test = 20%)
}

gan model {
  data                = chest.train
  generator           = cpd.generator(channels = 8, latent = 8)
  discriminator       = cpd.discriminator(channels = 8)
  generator_optimiser = adam(rate = 0.01, beta1 = 0.0, beta2 = 0.99)
  batch               = 8
  averaging           = half_life(40img)
  budget              = 8_000img
  stop                = plateau(from = 240img, every = 80img, patience = 3, images = 40)
  valid               = chest.valid
  checkpoint          = 80img
}
"#;

/// A file that the training made.
fn output(laboratory: &Laboratory, store: &str, name: &str) -> String {
    let digests = laboratory.digests(store);
    let digest = digests["model"][name]["digest"].as_str().unwrap().to_owned();
    let path = files(&laboratory.path(store).join("blobs")).into_iter().find(|path| path.ends_with(&digest)).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn training_stops_and_keeps_the_best_generator() {
    let laboratory = Laboratory::new(STUDY);
    laboratory.run(&["--store", "whole", "--threads", "1"]);
    let results: Value = serde_json::from_str(&output(&laboratory, "whole", "results")).unwrap();
    assert_eq!(results["stopped"], true, "{results:#}");
    assert_eq!(results["measured"]["name"], "Fréchet distance (random network, seed 1)");
    assert_eq!(results["measured"]["real"], "chest.valid");
    let history = output(&laboratory, "whole", "history");
    let looks: Vec<Value> = history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let looks: Vec<&Value> = looks.iter().filter(|line| !line["distance"].is_null()).collect();
    let distance = |look: &Value| look["distance"].as_f64().unwrap();
    let best = looks.iter().map(|look| distance(look)).fold(f64::INFINITY, f64::min);
    let place = looks.iter().position(|look| distance(look) == best).unwrap();
    assert_eq!(looks.len(), place + 4, "three looks behind the best: {looks:#?}");
    assert_eq!(looks[0]["kimg"], 0.24);
    assert_eq!((&results["values"]["distance"], &results["values"]["kimg"]), (&looks[place]["distance"], &looks[place]["kimg"]));

    // The generator is the one of the best look, to the last bit: that of a training which ends there.
    let images = (results["values"]["kimg"].as_f64().unwrap() * 1000.0).round();
    let plain: Vec<&str> = STUDY.lines().filter(|line| !line.contains("stop  ") && !line.contains("valid  ")).collect();
    laboratory.write("study.synth", &plain.join("\n").replace("8_000img", &format!("{images}img")));
    laboratory.run(&["--store", "plain", "--threads", "2"]);
    let generator = |store: &str| laboratory.digests(store)["model"]["generator"].clone();
    assert_eq!(generator("whole"), generator("plain"));
}

#[test]
fn interruptions_and_raised_budgets_change_no_byte() {
    let laboratory = Laboratory::new(STUDY);
    laboratory.run(&["--store", "whole", "--threads", "2"]);
    let whole = laboratory.digests("whole");

    // A budget that ends between looks keeps the best so far, and raised it goes on.
    for budget in ["260img", "400img", "8_000img"] {
        laboratory.write("study.synth", &STUDY.replace("8_000img", budget));
        laboratory.run(&["--store", "raised", "--threads", "1"]);
    }
    assert_eq!(whole["model"], laboratory.digests("raised")["model"], "a raised budget");
    // One that is never reached changes nothing.
    laboratory.write("study.synth", &STUDY.replace("8_000img", "9_000img"));
    laboratory.run(&["--store", "raised"]);
    assert_eq!(whole["model"], laboratory.digests("raised")["model"], "a budget beyond the end");
    laboratory.write("study.synth", STUDY);

    // Killed behind checkpoints, and interrupted as by Ctrl-C.
    for (goal, signal) in [(2, "-KILL"), (4, "-INT"), (6, "-KILL")] {
        let mut child = laboratory.start(&["run", "study.synth", "--store", "killed"]);
        while files(&laboratory.path("killed/trajectories")).len() < goal && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        child.wait().unwrap();
    }
    laboratory.run(&["--store", "killed"]);
    assert_eq!(whole, laboratory.digests("killed"), "killed");
}

/// `compat = paper` looks at training images, and keeps the last generator where the budget ends first.
#[test]
fn the_authors_quirks_are_kept_where_they_are_asked_for() {
    let paper = STUDY.replace("  valid               = chest.valid\n", "  compat = paper\n").replace("8_000img", "320img");
    let laboratory = Laboratory::new(&paper);
    laboratory.run(&[]);
    let results: Value = serde_json::from_str(&output(&laboratory, ".synth", "results")).unwrap();
    assert_eq!((&results["stopped"], &results["measured"]["real"]), (&Value::Bool(false), &Value::from("chest.train")));
    assert_eq!(results["values"]["kimg"], 0.32, "the last: {results:#}");
}
