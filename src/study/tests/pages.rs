//! The examples of the pages about the codes that a check gives: the wrong one gives the code, the right one nothing. The
//! chapters of the reference are tried by `tests/suite/chapters.rs`.

use super::checked;
use crate::diagnostic::Severity;
use crate::language::Value;
use std::path::Path;

/// The text of the code block under a heading, and its language.
fn example<'p>(page: &'p str, heading: &str) -> Option<(&'p str, &'p str)> {
    let (_, after) = page.split_once(heading)?;
    let (_, block) = after.split_once("```")?;
    let (text, _) = block.split_once("\n```")?;
    text.split_once('\n')
}

#[test]
fn examples_of_pages_are_wrong_and_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors");
    let mut tried = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let code = path.file_stem().unwrap().to_string_lossy().into_owned();
        if !["E02", "E03", "E04"].iter().any(|family| code.starts_with(family)) {
            continue;
        }
        let page = std::fs::read_to_string(&path).unwrap();
        let (Some((language, wrong)), Some((_, right))) = (example(&page, "## Wrong"), example(&page, "## Right")) else {
            panic!("{code} lacks an example")
        };
        if language != "synth" {
            continue;
        }
        tried += 1;
        let found = checked(wrong).diagnostics;
        let codes: Vec<&str> = found.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [code.as_str()], "the wrong example of {code}: {found:#?}");
        let found = checked(right).diagnostics;
        let errors: Vec<_> = found.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "the right example of {code}: {errors:#?}");
    }
    assert!(tried > 30, "{tried} pages");
}

#[test]
fn names_of_weights_are_those_of_the_reference() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/networks.md")).unwrap();
    let example = page
        .split("```synth\n")
        .find(|text| text.contains("network around"))
        .and_then(|text| text.split("\n```").next())
        .unwrap();
    let program = checked(example).program.unwrap();
    let Some(Value::Network(network)) = program.step("small").and_then(|step| step.field("network")).map(|field| &field.value)
    else {
        panic!()
    };
    assert!(network.calls.iter().any(|call| call.path == "tells/for.level=1/around_0/conv_1"), "{:#?}", network.calls);
}
