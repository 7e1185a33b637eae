//! Declarations and implementations agree, networks of the standard library have their published sizes, and dependencies are
//! under licences that allow everyone to use the program.

use std::path::PathBuf;
use synth::language::{CheckOptions, Native, Program, Value, check, declarations};
use synth::source::Sources;
use synth::{data, features, metrics, network, steps, training};

/// The declared names of one sort, sorted.
fn declared(native: Native) -> Vec<String> {
    let mut names: Vec<String> = declarations().into_iter().filter(|(found, _)| *found == native).map(|(_, name)| name).collect();
    names.sort();
    names
}

#[test]
fn every_declared_kind_is_a_step_and_the_reverse() {
    let mut implemented: Vec<&str> = steps::all().iter().map(|kind| kind.name()).collect();
    implemented.sort_unstable();
    assert_eq!(declared(Native::Kind), implemented);
}

#[test]
fn every_declared_constructor_is_understood_and_the_reverse() {
    let mut implemented: Vec<&str> = data::sources::constructors()
        .chain(data::image::CONSTRUCTORS)
        .chain(data::split::CONSTRUCTORS)
        .chain(data::selection::constructors())
        .chain(training::LOSS_CONSTRUCTORS.iter().copied())
        .chain(training::PENALTY_CONSTRUCTORS.iter().copied())
        .chain(training::optimiser_constructors())
        .chain(network::layers::WEIGHT_CONSTRUCTORS.iter().copied())
        .chain([training::WEIGHT_FILE_CONSTRUCTOR])
        .chain(features::CONSTRUCTORS.iter().copied())
        .chain(metrics::statistic::CONSTRUCTORS.iter().map(|(name, _)| *name))
        .collect();
    implemented.sort_unstable();
    assert_eq!(declared(Native::Constructor), implemented);
}

/// Checks a text, which must be without mistakes.
fn program(text: &str) -> Program {
    let mut sources = Sources::default();
    let file = sources.add("test.synth", None, text);
    let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: PathBuf::new() };
    let checked = check(&mut sources, file, &options);
    checked.program.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
}

/// How many numbers the network in a field of the step `model` learns.
fn parameters(program: &Program, field: &str) -> usize {
    match &program.step("model").unwrap().field(field).unwrap().value {
        Value::Network(network) => network::weights(network).unwrap().parameter_count(),
        other => panic!("{other:?} is no network"),
    }
}

/// Schütte et al. 2021, from the shapes in the authors' code: networks of cpD-GAN for 14 findings.
#[test]
fn the_networks_of_cpd_gan_have_their_published_sizes() {
    for (resolution, generator, discriminator) in
        [(32, 25_147_396, 21_512_718), (64, 30_946_821, 26_494_478), (128, 33_256_710, 28_395_278)]
    {
        let program = program(&format!(
            r#"edition 2026
use std.gan.cpd
dataset chest {{
  source = chexpert("nowhere")
  image  = gray({resolution})
}}
gan model {{
  data          = chest.train
  generator     = cpd.generator()
  discriminator = cpd.discriminator()
  budget        = 1kimg
}}
"#
        ));
        assert_eq!(parameters(&program, "generator"), generator, "generator at {resolution}");
        assert_eq!(parameters(&program, "discriminator"), discriminator, "discriminator at {resolution}");
    }
}

#[test]
fn every_dependency_may_be_used_by_everyone() {
    const ALLOWED: [&str; 12] = [
        "MIT",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "Unlicense",
        "0BSD",
        "CC0-1.0",
        "BSL-1.0",
        "Unicode-3.0",
        "MIT-0",
    ];
    // Crates for other systems are not downloaded, and so not looked at.
    let version = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50);
    for package in packages {
        let licence = package["license"].as_str().unwrap_or_default();
        // `A OR B AND C`: one alternative must be allowed whole.
        let allowed = licence.replace('/', " OR ").replace(['(', ')'], "").split(" OR ").any(|alternative| {
            alternative.split(" AND ").all(|part| ALLOWED.contains(&part.trim().trim_end_matches(" WITH LLVM-exception")))
        });
        assert!(allowed, "{} is under `{licence}`", package["name"]);
    }
}
