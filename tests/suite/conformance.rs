//! Declarations and implementations agree, and dependencies are under licences that allow everyone to use the program.

use synth::language::{Native, declarations};
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
        .chain(training::AUXILIARY_CONSTRUCTORS.iter().copied())
        .chain(training::AVERAGING_CONSTRUCTORS.iter().copied())
        .chain(training::GROWTH_CONSTRUCTORS.iter().copied())
        .chain(training::STOP_CONSTRUCTORS.iter().copied())
        .chain(training::LATENT_CONSTRUCTORS.iter().copied())
        .chain(data::label_rows::CONSTRUCTORS.iter().copied())
        .chain(training::SCHEDULE_CONSTRUCTORS.iter().copied())
        .chain(training::CLASS_WEIGHT_CONSTRUCTORS.iter().copied())
        .chain(training::AUGMENTATION_CONSTRUCTORS.iter().copied())
        .chain(network::layers::WEIGHT_CONSTRUCTORS.iter().copied())
        .chain([training::WEIGHT_FILE_CONSTRUCTOR])
        .chain(features::CONSTRUCTORS.iter().copied())
        .chain(metrics::statistic::CONSTRUCTORS.iter().map(|(name, _)| *name))
        .collect();
    implemented.sort_unstable();
    assert_eq!(declared(Native::Constructor), implemented);
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
