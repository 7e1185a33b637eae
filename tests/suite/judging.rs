//! Classifiers judged through the program: every setting of a training, tests of the gap, seeds and patients together, and numbers
//! that cannot be put together or compared.

use crate::laboratory::Laboratory;

const STUDY: &str = r#"edition 2026

use std.data.phantom
use std.classify.densenet

dataset chest {
  source = phantom.chest(patients = 120, findings = 2)
  image  = gray(16)
  split  = by(patient, train = 50%, valid = 20%, test = 30%)
}

recipe reading(seed: int = 1) {
  classifier long {
    network       = densenet.small(growth = 4, depth = 1)
    train         = chest.train
    valid         = chest.valid
    schedule      = reduce_on_plateau()
    class_weights = balanced_classes()
    augment       = [flip(), rotate(5deg), translate(), zoom(), contrast()]
    batch         = 16
    epoch         = 60img
    epochs        = 6
    patience      = 3
    seed          = seed
  }

  classifier short {
    network = densenet.small(growth = 4, depth = 1)
    train   = chest.train
    valid   = chest.valid
    epochs  = 1
    seed    = seed
  }

  utility gap {
    real      = long
    synthetic = short
    test      = chest.test
    resamples = 300
    interval  = corrected
  }
}

sweep by_seed of reading { seed = each(1..4) }

table gaps {
  from  = by_seed
  rows  = []
  value = bootstrap_ci(gap.auroc_gap, resamples = 300)
}

table tests {
  from  = by_seed
  rows  = seed
  value = holm(gap.gap_p)
}

claim bounded { that = bootstrap_upper(by_seed.gap.auroc_gap, resamples = 300) < 1 and maximum(by_seed.gap.noninferior_p) <= 1 }
"#;

#[test]
fn gaps_are_tested_and_seeds_and_patients_drawn_together() {
    let laboratory = Laboratory::new(STUDY);
    let said = laboratory.run(&[]);
    for expected in ["bootstrap over instances and patients together", "adjusted by Holm for all cells", "✓ bounded"] {
        assert!(said.out.contains(expected), "{expected} in\n{}", said.out);
    }
    let table = std::fs::read_to_string(laboratory.path("reports/study/gaps.csv")).unwrap();
    let fields: Vec<f64> = table.lines().nth(1).unwrap().split(',').filter_map(|field| field.parse().ok()).collect();
    let [mean, low, high, 3.0] = fields[..] else { panic!("{table}") };
    assert!(low < mean && mean < high, "{table}");
    let shown = laboratory.synth(&["show", "study.synth", "by_seed[seed=1].gap"]);
    for expected in ["p of gaps: DeLong's test by patient, adjusted by Holm", "corrected bootstrap", "scores"] {
        assert!(shown.out.contains(expected), "{expected} in\n{}", shown.out);
    }
}

#[test]
fn what_has_no_scores_cannot_be_drawn_again() {
    let distance = STUDY.replace("bootstrap_ci(gap.auroc_gap", "bootstrap_ci(gap.gap_p");
    let laboratory = Laboratory::new(&distance);
    let said = laboratory.synth(&["check", "study.synth"]);
    assert!(said.status == Some(1) && format!("{}{}", said.out, said.err).contains("E0691"), "{}{}", said.out, said.err);
}
