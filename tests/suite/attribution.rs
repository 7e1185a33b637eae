//! Where classifiers look, from a file to its results, maps and page.

use crate::laboratory::Laboratory;

const STUDY: &str = r#"edition 2026

use std.data.phantom
use std.classify.densenet

dataset chest {
  source = phantom.chest(patients = 160, findings = 2)
  image  = gray(16)
  split  = by(patient, train = 50%, valid = 20%, test = 30%)
}

classifier long {
  network = densenet.small(growth = 4, depth = 1)
  train   = chest.train
  valid   = chest.valid
  epochs  = 4
}

classifier short {
  network = densenet.small(growth = 4, depth = 1)
  train   = chest.train
  valid   = chest.valid
  epochs  = 1
  seed    = 2
}

attribution places {
  real      = long
  synthetic = short
  test      = chest.test
  images    = 20
}

## One classifier against itself.
attribution same {
  real      = long
  synthetic = long
  test      = chest.test
  images    = 10
  block     = 8
  fill      = image_mean
}

claim alike { that = same.agreement > 0.999 and same.agreement_linear > 0.999 }

report summary { title = "Places" }
"#;

#[test]
fn maps_of_two_classifiers_stand_beside_each_other() {
    let laboratory = Laboratory::new(STUDY);
    let said = laboratory.run(&[]);
    assert!(
        said.out.contains("Rank correlation, both predictors, same image") && said.out.contains("alike holds"),
        "{}",
        said.out
    );
    let found = laboratory.results("places");
    let value = |name: &str| found["values"][name]["value"].as_f64().unwrap_or_else(|| panic!("{name}: {found:#}"));
    for name in ["agreement", "agreement_linear", "agreement_elsewhere", "sameness_real", "sameness_synthetic"] {
        let [low, high] = ["low", "high"].map(|end| found["values"][name][end].as_f64().expect(name));
        assert!(-1.0 <= low && low <= value(name) && value(name) <= high && high <= 1.0, "{name}: {low} {high}");
    }
    // Of 16 blocks two are the top tenth.
    assert!((0.125..=1.0).contains(&value("focus_real")) && (0.125..=1.0).contains(&value("focus_synthetic")));
    let depends = &found["conditions"]["agreement"];
    assert_eq!((&depends["blocks"], &depends["fill"]), (&"4 px of 16×16".into(), &"the mean of the test images".into()));
    assert_eq!((&found["attribution"]["images"], &found["attribution"]["blocks"]["rows"]), (&20.into(), &4.into()));
    let shown = laboratory.synth(&["show", "study.synth", "places"]);
    assert!(shown.out.contains("16 blocks of 4×4 px") && shown.out.contains("of maps that tell nothing"), "{}", shown.out);
    let page = std::fs::read_to_string(laboratory.path("reports/study/summary.html")).unwrap();
    assert!(page.contains("id=\"attribution\"") && page.contains("Greatest Δ: "));
    // Two blocks with 12 and 10 images, each with its picture and two maps.
    assert_eq!(page.matches("trained on real: image labelled").count(), 22);

    // Other blocks: not comparable.
    laboratory.write("study.synth", &STUDY.replace("same.agreement > 0.999 and", "same.agreement > places.agreement and"));
    let said = laboratory.synth(&["run", "study.synth"]);
    assert!(said.status == Some(1) && said.err.contains("E0661"), "{}\n{}", said.out, said.err);
}

#[test]
fn blocks_that_leave_a_rest_are_told_before_anything_runs() {
    let laboratory = Laboratory::new(&STUDY.replace("block     = 8", "block     = 6"));
    let said = laboratory.synth(&["check", "study.synth"]);
    assert_eq!(said.status, Some(1), "{}", said.err);
    assert!(
        said.err.contains("E0319") && said.err.contains("blocks of 6×6 pixels leave a rest of images of 16×16"),
        "{}",
        said.err
    );
    assert!(said.err.contains("1, 2, 4, 8, 16"), "{}", said.err);
}

#[test]
fn classifiers_judge_with_images_that_they_have_not_seen() {
    let laboratory = Laboratory::new(&STUDY.replacen("test      = chest.test", "test      = chest.train", 1));
    let said = laboratory.synth(&["check", "study.synth"]);
    assert!(said.err.contains("E0421") || said.out.contains("E0421"), "{}{}", said.out, said.err);
}
