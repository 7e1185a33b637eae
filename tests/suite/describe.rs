//! `synth describe`: what a network costs, as people and programs read it.

use crate::laboratory::{Laboratory, STUDY, Said};
use serde_json::Value;

fn describe(arguments: &[&str]) -> Said {
    Laboratory::new(STUDY).synth(&[&["describe"], arguments].concat())
}

fn json(arguments: &[&str]) -> Value {
    let said = describe(&[arguments, &["--format", "json"]].concat());
    assert_eq!(said.status, Some(0), "{}{}", said.out, said.err);
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn a_network_of_a_block_has_the_sizes_of_its_data() {
    let said = describe(&["study.synth", "model.generator"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    assert!(said.out.starts_with("model.generator  std.gan.cpd.generator\nz[16], y[2] → [1×16×16]\n"), "{}", said.out);
    assert!(said.out.contains("\nfor.stage=4\n  upsample_0"), "{}", said.out);
    assert!(said.out.contains("with a batch of 8: weights "), "{}", said.out);
    assert!(said.out.contains("running average"), "{}", said.out);
    assert!(!said.out.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn a_block_alone_stands_for_all_its_networks() {
    let found = json(&["study.synth", "model"]);
    let names: Vec<&str> = found.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["model.generator", "model.discriminator"]);
}

#[test]
fn levels_are_summed_up_without_losing_anything() {
    let total = |arguments: &[&str]| {
        let said = describe(arguments);
        let line = said.out.lines().find(|line| line.starts_with("parameters ")).unwrap_or_else(|| panic!("{}", said.err));
        line.to_owned()
    };
    let network = ["std.classify.densenet", "small", "-s", "labels=14", "--input", "1x32x32"];
    assert_eq!(total(&network), "parameters     32_506, and 1_328 of state");
    let said = describe(&[network.as_slice(), &["--depth", "1"]].concat());
    let group = said.out.lines().find(|line| line.starts_with("transition_0")).unwrap();
    assert_eq!(group.split_whitespace().collect::<Vec<_>>(), ["transition_0", "20×8×8", "880", "205", "k", "105", "KiB"]);
    assert!(!said.out.contains("\n  batch_norm_0"), "one level only:\n{}", said.out);
}

#[test]
fn sizes_may_be_given_in_any_of_three_ways() {
    let ways: [&[&str]; 3] = [
        &["cpd.generator(channels = 8, latent = 16, labels = 2, resolution = 16)"],
        &["cpd.generator", "-s", "channels=8", "-s", "latent=16", "-s", "labels=2", "-s", "resolution=16"],
        &["cpd.generator(channels = 8)", "-s", "latent=16", "--input", "y=2", "-s", "resolution=16"],
    ];
    let of_block = json(&["study.synth", "model.generator"])[0]["layers"].clone();
    for way in ways {
        assert_eq!(json(&[&["study.synth"], way].concat())[0]["layers"], of_block, "{way:?}");
    }
}

#[test]
fn what_cannot_be_described_is_told_with_what_can() {
    let wrong: [(&[&str], &str, &str); 8] = [
        (&["study.synth", "model.genrator"], "E0304", "did you mean `model.generator`?"),
        (&["study.synth", "compact_generator"], "E0304", "did you mean `cpd.compact_generator`?"),
        (&["study.synth", "cpd.generator"], "E0303", "give sizes with `-s name=value`"),
        (&["study.synth", "cpd.generator", "-s", "chanels=3"], "E0213", "did you mean `channels`?"),
        (&["study.synth", "densenet.small", "--input", "img=1x8x8"], "E0305", "inputs: image"),
        (&["study.synth", "densenet.small", "--input", "8x8"], "E0305", "give 3 sizes"),
        (&["study.synth", "model", "-s", "channels=3"], "E0305", "follow from its block"),
        (&["std.classify.densent", "small"], "E0216", "did you mean `std.classify.densenet`?"),
    ];
    for (arguments, code, words) in wrong {
        let said = describe(arguments);
        assert_eq!(said.status, Some(1), "{arguments:?}");
        assert!(said.err.contains(code) && said.err.contains(words), "{arguments:?}\n{}", said.err);
    }
}

#[test]
fn without_a_name_all_networks_are_listed() {
    let said = describe(&["study.synth"]);
    assert!(said.out.starts_with("model.generator "), "{}", said.out);
    assert!(said.out.contains("densenet.small ") && said.out.contains("labels: int"), "{}", said.out);
    assert!(describe(&["std.gan.cpd"]).out.starts_with("conditional_norm "));
}
