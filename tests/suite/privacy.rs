//! Copies of training images, from a file to its results: of copies, of other people, of noise, and of copies that were planted.

use crate::laboratory::Laboratory;
use crate::neighbours::results;
use serde_json::Value;

const STUDY: &str = r#"edition 2026

use std.data.phantom
use std.gan.cpd

dataset chest {
  source = phantom.chest(patients = 240, findings = 2)
  image  = gray(16)
  split  = by(patient, train = 40%, valid = 10%, test = 50%)
}

dataset other {
  source = phantom.chest(patients = 200, findings = 2, seed = 9)
  image  = gray(16)
}

## Hardly trained: it makes noise.
gan model {
  data          = chest.train
  generator     = cpd.generator(channels = 8, latent = 8)
  discriminator = cpd.discriminator(channels = 8)
  batch         = 8
  budget        = 80img
}

sample fake { from = model, labels = chest }

privacy leak { train = chest.train, holdout = chest.test, synthetic = fake.train, planted = 40 }
privacy of_copies { train = chest.train, holdout = chest.test, synthetic = chest.train, planted = 5, shown = 2 }
privacy of_others { train = chest.train, holdout = chest.test, synthetic = other.train, planted = 40, changes = [exact, noise] }

claim private { that = leak.copies <= leak.copies_expected + 1% }
claim told { that = of_copies.copies > of_others.copies + 50% and of_copies.memorised == 1 }

report summary { title = "Copies" }
"#;

fn value(results: &Value, name: &str, part: &str) -> f64 {
    results["values"][name][part].as_f64().unwrap_or_else(|| panic!("{name}: {results:#}"))
}

#[test]
fn copies_are_found_and_other_people_are_not_taken_for_them() {
    let laboratory = Laboratory::new(STUDY);
    let said = laboratory.run(&["--threads", "1"]);
    assert!(said.out.contains("private holds") && said.out.contains("told holds"), "{}", said.out);
    assert!(said.out.contains("Planted copies that are found") && said.out.contains("if none were missed"), "{}", said.out);
    let [leak, of_copies, of_others] = ["leak", "of_copies", "of_others"].map(|step| results(&laboratory, step));
    assert_eq!((value(&of_copies, "copies", "value"), value(&of_copies, "memorised", "value")), (1.0, 1.0));
    assert_eq!(value(&leak, "copies", "value"), 0.0, "noise is no copy");
    // Other people count as copies about as often as those of the other half.
    let [low, high] = ["low", "high"].map(|end| value(&of_others, "copies", end));
    assert!(low <= value(&of_others, "copies_expected", "high") && value(&of_others, "copies_expected", "low") <= high);
    assert!(value(&of_others, "copies", "value") < 0.2 && value(&of_others, "copies_expected", "value") < 0.2);
    let planted = leak["privacy"]["planted"].as_array().unwrap();
    assert_eq!((planted.len(), planted[0]["found"]["value"].as_f64()), (11, Some(1.0)), "exact copies are all found");
    assert_eq!(of_others["privacy"]["planted"].as_array().unwrap().len(), 4);
    let detection = value(&leak, "detection", "value");
    assert!(value(&leak, "detection", "low") <= detection && detection < 1.0, "{detection}");
    let mixtures = leak["privacy"]["mixtures"].as_array().unwrap();
    assert!(mixtures.len() >= 2 && mixtures.iter().all(|mixture| mixture["found"]["value"].as_f64() <= mixture["due"].as_f64()));
    assert_eq!(leak["conditions"]["copies"]["percentile"], "95");
    assert!(leak["conditions"]["detection"]["planted copies"].as_str().unwrap().contains("contrast times 0.5"));
    assert_eq!(of_copies["privacy"]["gallery"]["synthetic"].as_array().unwrap().len(), 2);
    let shown = laboratory.synth(&["show", "study.synth", "leak"]);
    assert!(shown.out.contains("exact copies") && shown.out.contains("the 95th percentile of"), "{}", shown.out);
    let page = std::fs::read_to_string(laboratory.path("reports/study/summary.html")).unwrap();
    assert!(page.contains("id=\"privacy\"") && page.contains("do not show that it repeats nobody") && page.contains("ρ = 1"));

    let again = Laboratory::new(STUDY);
    again.run(&["--threads", "3"]);
    for step in ["leak", "of_copies", "of_others", "summary"] {
        assert_eq!(laboratory.digests(".synth")[step], again.digests(".synth")[step], "{step}");
    }

    // A claim that does not hold tells what was found.
    laboratory
        .write("study.synth", &STUDY.replace("leak.copies <= leak.copies_expected", "of_copies.copies <= leak.copies_expected"));
    let said = laboratory.synth(&["run", "study.synth"]);
    assert_eq!(said.status, Some(3), "{}\n{}", said.out, said.err);

    laboratory.write(
        "study.synth",
        &STUDY.replace("holdout = chest.test, synthetic = fake", "holdout = chest.train, synthetic = fake"),
    );
    let said = laboratory.synth(&["run", "study.synth"]);
    assert!(said.status == Some(1) && said.err.contains("E0421"), "{}\n{}", said.out, said.err);
}
