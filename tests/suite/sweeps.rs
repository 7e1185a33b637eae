//! Sweeps from the file to the table, the figure and the page.

use crate::laboratory::Laboratory;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use synth::language::{CheckOptions, Program, check};
use synth::plan::{Plan, State, survey};
use synth::source::Sources;
use synth::steps::{self, PipelineFacts};
use synth::store::Store;

const STUDY: &str = r#"edition 2026

use std.data.phantom
use std.classify.densenet

## Does another draw of patients change the figure?

dataset chest {
  source = phantom.chest(patients = 80, findings = 2)
  image  = gray(16)
  split  = by(patient, train = 60%, valid = 20%, test = 20%)
}

## The classifier knows nothing of the seed, which is that of the bootstrap.
recipe read(data: dataset, epochs: int, seed: int) {
  classifier reader {
    network = densenet.small(growth = 4, depth = 1)
    train   = data.train
    valid   = data.valid
    epochs  = epochs
  }

  utility gap {
    real      = reader
    synthetic = reader
    test      = data.test
    resamples = 200
    seed      = seed
  }
}

sweep by_both of read {
  data   = chest
  epochs = each(1, 2)
  seed   = each(1..3)
}

table means {
  from  = by_both
  rows  = epochs
  value = mean_ci(gap.auroc_real)
}

figure curve {
  from   = by_both
  x      = epochs
  y      = gap.auroc_real
  series = seed
}

figure beside {
  from      = by_both
  x         = epochs
  y         = gap.auroc_synthetic
  reference = gap.auroc_real
  resamples = 100
}

figure p { from = by_both, x = epochs, y = gap.gap_p }

claim no_gap { that = maximum(by_both.gap.auroc_gap) <= 0 }

report summary { title = "Two epochs" }
"#;

#[test]
fn a_sweep_ends_in_a_table_a_figure_and_a_page() {
    let laboratory = Laboratory::new(STUDY);
    let first = laboratory.run(&[]);
    assert!(first.out.contains("mean"), "{}", first.out);
    for part in [
        "Mean of gap.auroc_real by epochs",
        "by_both[…].gap",
        "epochs=1, seed=2",
        "table: reports/study/means.md",
        "✓ no_gap holds",
    ] {
        assert!(first.out.contains(part), "{part}:\n{}", first.out);
    }
    // Equal work of two instances is done once.
    let readers = laboratory.digests(".synth").keys().filter(|step| step.ends_with(".reader")).count();
    assert_eq!(readers, 2, "one classifier for each number of epochs");

    let read = |name: &str| std::fs::read_to_string(laboratory.path("reports/study").join(name)).unwrap();
    let table: Value = serde_json::from_str(&read("means.json")).unwrap();
    assert_eq!(table["row_labels"], serde_json::json!([["1"], ["2"]]));
    assert_eq!(table["cells"][0][0]["n"], 2);
    assert_eq!(table["cells"][1][0]["instances"][1]["at"], serde_json::json!({"epochs": "2", "seed": "2"}));
    assert!(read("means.md").contains("| epochs | gap.auroc_real |"), "{}", read("means.md"));
    assert!(read("means.csv").starts_with("epochs,mean_ci,low,high,n,note\n1,0."), "{}", read("means.csv"));
    assert_eq!(read("curve.csv").lines().count(), 5);
    assert!(read("curve.svg").starts_with("<svg") && read("curve.svg").contains("seed = 2"));
    // Both instances are of one classifier: what is drawn is the interval of its patients, as a table has it.
    let points = |figure: &str| {
        let blob = laboratory.file_of(figure, "points");
        serde_json::from_slice::<Value>(&std::fs::read(blob).unwrap()).unwrap()
    };
    let beside = points("beside");
    let [mark, behind] = [&beside["series"][0]["cells"][0], &beside["reference"]["cells"][0]];
    assert!(mark["n"] == 1 && behind["n"] == 1 && mark["estimate"] == behind["estimate"], "{beside:#}");
    assert!(mark["estimate"]["low"].as_f64() < mark["estimate"]["value"].as_f64(), "{beside:#}");
    assert!(
        beside["conditions"]
            .as_str()
            .unwrap()
            .contains("by bootstrap over instances and patients together (100 resamples, seed 1)")
    );
    assert!(
        read("beside.svg").contains("<polygon") && read("beside.csv").lines().next().unwrap().contains("mean of gap.auroc_real")
    );
    assert!(points("p")["conditions"].as_str().unwrap().contains("by Student's t over the instances"));
    let page = read("summary.html");
    for part in ["Tables and figures", "Mean of gap.auroc_real by epochs", "by_both[epochs=1, seed=2].gap", "Student"] {
        assert!(page.contains(part), "{part}");
    }

    // A sweep is known by what it makes and not by its name; a title is printed.
    laboratory.write("study.synth", &STUDY.replace("by_both", "all"));
    let renamed = laboratory.run(&[]);
    assert_eq!((renamed.fate("means"), renamed.fate("curve")), ("cached", "cached"), "{}", renamed.out);
    laboratory.write("study.synth", &STUDY.replace("rows  = epochs", "rows  = epochs\n  title = \"Epochs\""));
    let titled = laboratory.run(&[]);
    assert_eq!((titled.fate("means"), titled.fate("curve")), ("ran", "cached"), "{}", titled.out);
    assert!(read("means.md").starts_with("**Epochs**"));
    let shown = laboratory.synth(&["show", "study.synth", "means"]);
    assert!(shown.out.contains("Epochs") && shown.out.contains("Mean over seed"), "{}{}", shown.out, shown.err);
}

/// Checks a text as if it stood in `pipelines/`.
fn program(text: &str) -> Program {
    let mut sources = Sources::default();
    let file = sources.add("study.synth", None, text);
    let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: PathBuf::new() };
    let checked = check(&mut sources, file, &options);
    checked.program.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// What the quickstart has made is not made again for seed 1: the steps have the same keys.
#[test]
fn three_seeds_go_on_from_the_quickstart() {
    let pipeline =
        |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name)).unwrap();
    // Both studies in one file: the quickstart, and the sweep over its data.
    let three = pipeline("three_seeds.synth");
    let (_, sweep) = three.split_once("\nsweep ").unwrap();
    let sweep = sweep.split("\n}\n").next().unwrap();
    let both = pipeline("quickstart.synth")
        .replace("use std.gan.cpd\n", "use std.gan.cpd\nuse std.study.synthetic_for_real as study\n")
        + &format!("\nsweep {sweep}\n}}\n");
    let program = program(&both);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let plan = Plan::new(&program).unwrap();
    let wanted: BTreeSet<usize> = (0..program.steps.len()).collect();
    let found = survey(&program, &plan, &wanted, &store, &PipelineFacts::default(), &steps::find, &|_, _, _| ()).unwrap();
    let name = |index: usize| program.steps[index].name.as_str();
    let mut same: Vec<(&str, &str)> =
        found.steps.iter().filter_map(|step| Some((name(step.step), name(step.same_as?)))).collect();
    same.sort_unstable();
    assert_eq!(
        same,
        [
            ("by_seed[seed=1].fake", "fake"),
            ("by_seed[seed=1].gap", "gap"),
            ("by_seed[seed=1].on_fake", "on_fake"),
            ("by_seed[seed=1].on_real", "on_real"),
            ("by_seed[seed=1].trained.model", "model"),
        ]
    );
    assert!(found.steps.iter().all(|step| !matches!(step.state, State::Cached(_))));
    // The data set of both files is the same, too.
    let data = |text: &str| text.split("dataset chest {").nth(1).unwrap().split('}').next().unwrap().to_owned();
    assert_eq!(data(&three), data(&pipeline("quickstart.synth")));
}
