//! Measures of image sets, from a file to its results: what they say of real images against themselves, and what is refused.

use crate::laboratory::Laboratory;

/// Real images against others of other patients, by the same and by other features.
const STUDY: &str = r#"edition 2026

use std.data.phantom
use std.classify.densenet

dataset chest {
  source = phantom.chest(patients = 120, findings = 2)
  image  = gray(16)
  split  = by(patient, train = 40%, valid = 30%, test = 30%)
}

dataset other {
  source = phantom.chest(patients = 60, findings = 2, seed = 9)
  image  = gray(16)
}

classifier on_real {
  network = densenet.small(growth = 4, depth = 1)
  train   = chest.train
  valid   = chest.valid
  epochs  = 1
}

fidelity likeness {
  real      = chest.test
  synthetic = other.train
  pairs     = 20
}

fidelity by_reader {
  real      = chest.test
  synthetic = other.train
  features  = on_real
  measures  = [frechet_distance, neighbourhoods]
}

claim near { that = likeness.frechet_matched < 10 * likeness.frechet_floor }

report summary { title = "Likeness" }
"#;

#[test]
fn real_images_of_other_patients_are_near_and_every_number_has_its_conditions() {
    let laboratory = Laboratory::new(STUDY);
    let said = laboratory.run(&[]);
    assert!(said.out.contains("Fréchet distance (random network, seed 1)") && said.out.contains("near holds"), "{}", said.out);
    let found = laboratory.results("likeness");
    let value = |name: &str| found["values"][name]["value"].as_f64().unwrap_or_else(|| panic!("{name}: {found:#}"));
    assert!(value("frechet_distance") > 0.0 && value("kernel_distance").abs() < 0.05, "{found:#}");
    assert!(value("precision") > 0.5 && value("recall") > 0.5 && value("coverage") > 0.5, "{found:#}");
    assert!((value("ms_ssim_real") - value("ms_ssim_synthetic")).abs() < 0.1 && value("sliced_wasserstein") > 0.0);
    assert!(found["missing"]["inception_score"].as_str().unwrap().contains("does not tell classes"));
    assert!(found["conditions"]["frechet_distance"]["features"].as_str().unwrap().starts_with("random network, seed 1, "));
    for name in ["frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage", "ms_ssim_real"] {
        let [low, high] = ["low", "high"].map(|end| found["values"][name][end].as_f64().expect(name));
        assert!(low <= value(name) && value(name) <= high, "{name}: {low} {high}");
    }
    assert_eq!(found["fidelity"]["measures"].as_array().unwrap().len(), 12);
    let by_reader = laboratory.results("by_reader");
    assert!(by_reader["fidelity"]["network"].as_str().unwrap().starts_with("classifier "));
    assert!(by_reader["missing"]["ms_ssim_real"].as_str().unwrap().contains("leaves it out"));
    let shown = laboratory.synth(&["show", "study.synth", "likeness"]);
    assert!(shown.out.contains("real halves") && shown.out.contains("95 % intervals of"), "{}", shown.out);
    let page = std::fs::read_to_string(laboratory.path("reports/study/summary.html")).unwrap();
    assert!(page.contains("id=\"fidelity\"") && page.contains("Real half against real half"));

    // Other features: refused, with the reason.
    laboratory.write(
        "study.synth",
        &STUDY.replace("likeness.frechet_matched < 10 * likeness.frechet_floor", "likeness.precision < by_reader.precision"),
    );
    let said = laboratory.synth(&["run", "study.synth"]);
    assert_eq!(said.status, Some(1), "{}\n{}", said.out, said.err);
    assert!(said.err.contains("E0661") && said.err.contains("differ in their features"), "{}", said.err);
}

#[test]
fn wrong_features_are_told_before_anything_runs() {
    let wrong = |change: &str| {
        let laboratory = Laboratory::new(&STUDY.replace("features  = on_real", change));
        let said = laboratory.synth(&["run", "study.synth", "--format", "json"]);
        format!("{}{}", said.out, said.err)
    };
    assert!(wrong("features  = inception(\"nowhere.pth\")").contains("E0514"));
    assert!(wrong("features  = chest.train").contains("E0404"));
    let said = wrong("features  = on_small");
    assert!(said.contains("E0205"), "{said}");
}
