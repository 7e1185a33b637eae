//! What runs again after a change, and what does not.

use crate::laboratory::{Laboratory, STEPS, STUDY};
use std::time::Instant;

#[test]
fn a_second_run_is_cached_and_ends_within_a_second() {
    let laboratory = Laboratory::new(STUDY);
    assert_eq!(laboratory.run(&[]).ran(), STEPS);
    let digests = laboratory.digests(".synth");
    assert!(laboratory.path("reports/study/summary.html").is_file());
    let start = Instant::now();
    let second = laboratory.run(&[]);
    assert!(second.ran().is_empty(), "{}", second.out);
    assert!(start.elapsed().as_secs_f64() < 1.0, "{:?}", start.elapsed());
    assert_eq!(laboratory.digests(".synth"), digests);
}

#[test]
fn a_change_reruns_what_depends_on_it_and_nothing_else() {
    let laboratory = Laboratory::new(STUDY);
    laboratory.run(&[]);

    laboratory.write("study.synth", &STUDY.replace("resamples = 200", "resamples = 300"));
    assert_eq!(laboratory.run(&[]).ran(), ["gap", "finite", "summary"]);

    // Names, order, comments and layout are no part of a key; the report prints names.
    let renamed = STUDY.replace("on_real", "first").replace("## A small study.", "## A small study, again.\n# a comment");
    laboratory.write("study.synth", &renamed);
    let said = laboratory.synth(&["run", "study.synth"]);
    assert_eq!(said.fate("first"), "cached");
    assert_eq!(said.fate("gap"), "cached");
    assert_eq!(said.fate("summary"), "ran");

    // A resource is no part of a key.
    laboratory.write("study.synth", &STUDY.replace("checkpoint    = 80img", "checkpoint    = 160img"));
    assert!(!laboratory.run(&[]).ran().contains(&"model"));
}

#[test]
fn a_step_that_makes_the_same_bytes_stops_the_wave() {
    let laboratory = Laboratory::new(STUDY);
    laboratory.run(&[]);
    // Patience 3 is as good as 2 where there are two epochs: both classifiers are trained again to the same bytes.
    laboratory.write("study.synth", &STUDY.replace("patience = 2", "patience = 3"));
    let said = laboratory.run(&[]);
    assert_eq!(said.ran(), ["on_real", "on_fake", "summary"]);
}

#[test]
fn another_seed_on_the_command_line_reruns_what_has_it() {
    let laboratory = Laboratory::new(STUDY);
    laboratory.run(&[]);
    let said = laboratory.run(&["-p", "seed=2"]);
    assert_eq!(said.fate("chest"), "cached");
    assert_eq!(said.fate("model"), "ran");
    assert!(laboratory.run(&[]).ran().iter().all(|step| *step == "summary"));
}
