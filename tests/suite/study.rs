//! The pipelines of the published study: all are checked at both scales; run, each of the small ones by itself, only when asked for.

use crate::laboratory::Laboratory;

const STUDIES: [&str; 6] =
    ["chest_resolution", "chest_classes", "chest_samples", "brain_resolution", "brain_classes", "brain_samples"];

fn study(name: &str) -> Laboratory {
    let path = format!("{}/pipelines/{name}.synth", env!("CARGO_MANIFEST_DIR"));
    Laboratory::new(&std::fs::read_to_string(path).unwrap())
}

#[test]
fn every_pipeline_of_the_study_checks_at_both_scales() {
    for name in STUDIES {
        let laboratory = study(name);
        for scale in ["small", "paper"] {
            let said = laboratory.synth(&["check", "study.synth", "-p", &format!("scale={scale}")]);
            assert_eq!(said.status, Some(0), "{name}, {scale}: {}{}", said.out, said.err);
        }
    }
}

/// `SYNTH_STUDY=chest_classes cargo test --release --test suite small_pipelines -- --ignored --nocapture`, or without the variable all six.
#[test]
#[ignore = "each takes up to half an hour on two cores"]
fn small_pipelines_of_the_study_run() {
    let chosen = std::env::var("SYNTH_STUDY").ok();
    for name in STUDIES.iter().filter(|name| chosen.as_deref().is_none_or(|chosen| chosen == **name)) {
        let begin = std::time::Instant::now();
        let laboratory = study(name);
        laboratory.run(&[]);
        for table in ["trained_on_real", "trained_on_synthetic", "gaps"] {
            println!("{}", laboratory.synth(&["show", "study.synth", table]).out);
        }
        println!("{name}: {:?}", begin.elapsed());
    }
}
