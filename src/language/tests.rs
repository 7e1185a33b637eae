//! Mistakes by family, each with its code and place, and the pipelines of this repository.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use super::{CheckOptions, Checked, Value, check};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources};
use std::path::{Path, PathBuf};

mod limits;
mod mistakes;
mod networks;
mod values;

/// Checks a text with these `-p` values; the environment has `CHEXPERT_ROOT` only.
pub(super) fn check_with(text: &str, params: &[(&str, &str)]) -> (Checked, Sources, FileId) {
    let mut sources = Sources::default();
    let file = sources.add("test.synth", None, text);
    let environment = |name: &str| (name == "CHEXPERT_ROOT").then(|| "/data".to_owned());
    let params = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = CheckOptions { params, environment: &environment, base: PathBuf::new() };
    (check(&mut sources, file, &options), sources, file)
}

/// `E0201 5:3`, in the order of the report.
pub(super) fn places(text: &str) -> Vec<String> {
    places_with(text, &[])
}

pub(super) fn places_with(text: &str, params: &[(&str, &str)]) -> Vec<String> {
    let (checked, sources, _) = check_with(text, params);
    checked.diagnostics.iter().map(|diagnostic| place(diagnostic, &sources)).collect()
}

pub(super) fn place(diagnostic: &Diagnostic, sources: &Sources) -> String {
    match diagnostic.labels.first() {
        Some(label) => {
            let (line, column) = sources.line_column(label.span);
            format!("{} {line}:{column}", diagnostic.code)
        }
        None => diagnostic.code.to_owned(),
    }
}

/// The whole of the only message.
pub(super) fn only(text: &str) -> Diagnostic {
    let (checked, _, _) = check_with(text, &[]);
    assert_eq!(checked.diagnostics.len(), 1, "{:#?}", checked.diagnostics);
    checked.diagnostics.into_iter().next().unwrap()
}

/// A data set and a use of everything, to put mistakes into.
pub(super) const HEAD: &str = "edition 2026
use std.data.phantom
use std.gan.cpd
use std.classify.densenet
dataset chest {
  source = phantom.chest(patients = 200, findings = 4)
  image = gray(32)
}
";

fn pipeline(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name)).unwrap()
}

#[test]
fn every_pipeline_is_clean() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let mut sources = Sources::default();
        let file = sources.read(&path).unwrap();
        let options = CheckOptions { params: Vec::new(), environment: &|_| Some("/data".into()), base: PathBuf::new() };
        let checked = check(&mut sources, file, &options);
        let name = path.display();
        let messages: Vec<String> = checked
            .diagnostics
            .iter()
            .map(|diagnostic| format!("{} {diagnostic}\n{diagnostic:#?}", place(diagnostic, &sources)))
            .collect();
        assert!(messages.is_empty(), "{name}: {}", messages.join("\n"));
        assert!(checked.program.is_some(), "{name}");
    }
}

#[test]
fn the_quickstart_has_its_steps() {
    let (checked, _, _) = check_with(&pipeline("quickstart.synth"), &[("seed", "7")]);
    let program = checked.program.unwrap();
    let kinds: Vec<&str> = program.steps.iter().map(|step| step.kind.as_str()).collect();
    assert_eq!(kinds.get(..6), Some(["dataset", "gan", "sample", "classifier", "classifier", "utility"].as_slice()), "{kinds:?}");
    assert!(kinds.contains(&"claim") && kinds.contains(&"report"));
    assert_eq!(program.params, [("seed".to_owned(), Value::Integer(7))]);
    assert!(program.documentation.starts_with("Can a classifier"));
    let fake = program.step("fake").unwrap();
    let reference = |step: &str, port: Option<&str>| {
        Value::Step(super::StepReference { step: step.to_owned(), port: port.map(str::to_owned) })
    };
    assert_eq!(fake.field("from").map(|field| &field.value), Some(&reference("model", Some("generator"))));
    assert_eq!(fake.field("labels").map(|field| &field.value), Some(&reference("chest", None)));
    assert_eq!(fake.field("seed").map(|field| field.is_default), Some(true));
    let report = program.steps.iter().find(|step| step.kind == "report").unwrap();
    let others = program.steps.iter().filter(|step| step.kind != "report").map(|step| reference(&step.name, None)).collect();
    assert_eq!(report.field("of").map(|field| &field.value), Some(&Value::List(others)));
}

#[test]
fn the_networks_of_the_standard_library_follow_the_data() {
    let (checked, _, _) = check_with(
        &format!(
            "{HEAD}gan model {{
  data = chest.train
  generator = cpd.generator(channels = 64)
  discriminator = cpd.discriminator(channels = 64)
  budget = 30kimg
}}
classifier tells {{ network = densenet.small(), train = chest.train, valid = chest.valid }}"
        ),
        &[],
    );
    let program = checked.program.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    let network = |step: &str, field: &str| match program.step(step).and_then(|step| step.field(field)).map(|field| &field.value)
    {
        Some(Value::Network(network)) => network.clone(),
        other => panic!("{other:?}"),
    };
    let generator = network("model", "generator");
    assert_eq!(generator.name, "std.gan.cpd.generator");
    assert_eq!(generator.inputs, [("z".to_owned(), vec![512]), ("y".to_owned(), vec![4])]);
    assert_eq!(generator.output_shape(), Some(&vec![1, 32, 32]));
    assert!(generator.calls.iter().any(|call| call.path == "generator/for.stage=3/conditional_norm_0/dense_0"));
    assert_eq!(network("model", "discriminator").output_shape(), Some(&vec![1]));
    assert_eq!(network("tells", "network").output_shape(), Some(&vec![4]));
}
