//! Killed, interrupted, on one thread or two, with a raised budget: the same bytes.

use crate::laboratory::{Laboratory, STUDY, files};
use std::time::{Duration, Instant};

/// Waits until a condition holds; a minute is a failure.
fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited a minute for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The newest position that a trajectory of the store holds.
fn newest_position(laboratory: &Laboratory, store: &str) -> u64 {
    files(&laboratory.path(store).join("trajectories"))
        .iter()
        .filter_map(|path| path.file_stem()?.to_str()?.split(['.', '-']).next()?.parse::<u64>().ok())
        .max()
        .unwrap_or(0)
}

/// Runs the study on so many threads each, which must give the same bytes.
fn same_on_any_number_of_threads(study: &str, steps: usize) {
    let laboratory = Laboratory::new(study);
    laboratory.run(&["--store", "1", "--threads", "1"]);
    let one = laboratory.digests("1");
    assert_eq!(one.len(), steps);
    for threads in ["2", "3", "7"] {
        laboratory.run(&["--store", threads, "--threads", threads]);
        assert_eq!(one, laboratory.digests(threads), "{threads} threads");
    }
}

#[test]
fn threads_change_no_byte() {
    same_on_any_number_of_threads(STUDY, 8);
}

#[test]
fn threads_change_no_byte_of_a_gradient_penalty_and_of_densenet_121() {
    let study = r#"edition 2026

use std.data.phantom
use std.gan.progressive
use std.classify.densenet

dataset chest {
  source = phantom.chest(patients = 40, findings = 2)
  image  = gray(32)
}

gan model {
  data                    = chest.train
  generator               = progressive.generator(channels = 16, latent = 16)
  discriminator           = progressive.discriminator(channels = 16)
  loss                    = wasserstein()
  penalty                 = gradient_penalty()
  discriminator_optimiser = adamw(rate = 0.001)
  batch                   = 16
  budget                  = 48img
}

classifier on_real {
  network   = densenet.densenet121(growth = 4)
  train     = chest.train
  valid     = chest.valid
  optimiser = sgd(rate = 0.01, nesterov = true)
  epochs    = 1
}
"#;
    same_on_any_number_of_threads(study, 3);
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bytes() {
    let laboratory = Laboratory::new(STUDY);
    laboratory.run(&["--store", "whole"]);
    let whole = laboratory.digests("whole");
    // Three kills in one training, each behind another checkpoint, on changing numbers of threads.
    for (index, threads) in ["1", "2", "1"].into_iter().enumerate() {
        let mut child = laboratory.start(&["run", "study.synth", "--store", "killed", "--threads", threads]);
        let goal = 80 * (index as u64 + 1);
        wait_for("a checkpoint of the training", || {
            newest_position(&laboratory, "killed") >= goal
                || !files(&laboratory.path("killed/actions")).is_empty() && child_ended(&laboratory)
        });
        std::thread::sleep(Duration::from_millis(7 * index as u64));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(!laboratory.digests("killed").contains_key("model"), "the training ended before it was killed");
    assert!(newest_position(&laboratory, "killed") >= 80, "nothing was saved to go on from");
    laboratory.run(&["--store", "killed", "--threads", "2"]);
    assert_eq!(whole, laboratory.digests("killed"));
}

fn child_ended(laboratory: &Laboratory) -> bool {
    laboratory.digests("killed").contains_key("model")
}

#[test]
fn killed_before_the_first_checkpoint_leaves_nothing_half_written() {
    let laboratory = Laboratory::new(STUDY);
    laboratory.run(&["--store", "whole"]);
    for delay in [0, 5, 20, 50, 100, 200] {
        let mut child = laboratory.start(&["run", "study.synth", "--store", "killed"]);
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    laboratory.run(&["--store", "killed"]);
    assert_eq!(laboratory.digests("whole"), laboratory.digests("killed"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_saves_and_stops() {
    let laboratory = Laboratory::new(&STUDY.replace("1_600img", "200_000img"));
    let mut child = laboratory.start(&["run", "study.synth"]);
    wait_for("a checkpoint of the training", || newest_position(&laboratory, ".synth") >= 80);
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(laboratory.checkpoints(".synth") >= 1);
    assert!(!laboratory.digests(".synth").contains_key("model"));
}

#[test]
fn a_raised_budget_goes_on_where_the_lower_one_ended() {
    let laboratory = Laboratory::new(STUDY);
    let raised = STUDY.replace("1_600img", "2_400img");
    laboratory.run(&["--store", "raised"]);
    laboratory.write("study.synth", &raised);
    let plan = laboratory.synth(&["plan", "study.synth", "--store", "raised"]);
    assert!(plan.out.contains("continues"), "{}", plan.out);
    laboratory.run(&["--store", "raised"]);
    laboratory.run(&["--store", "fresh"]);
    assert_eq!(laboratory.digests("fresh"), laboratory.digests("raised"));
}
