//! How long it takes to check a file: the quickstart, and a generated file of 20 000 lines.
//! `cargo bench --bench check`.
#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use synth::language::CheckOptions;
use synth::source::Sources;
use synth::{study, syntax};

/// Studies of one data set, two classifiers and their comparison, with a comment and a function each: 28 lines a study.
fn long_file(lines: usize) -> String {
    let mut text = String::from("edition 2026\n\nuse std.data.phantom\nuse std.classify.densenet\n\n");
    for study in 0.. {
        if text.lines().count() >= lines {
            break;
        }
        text += &format!(
            "# Study {study}.\nfn width_{study}(stage: int) -> int = clamp(64 / 2 ^ stage, 8, 64)\n\n\
             dataset chest_{study} {{\n  source = phantom.chest(patients = {}, findings = 2, seed = {study})\n  image = gray(16)\n  \
             split = by(patient, train = 70%, valid = 15%, test = 15%)\n}}\n\n",
            100 + study
        );
        for (name, growth) in [("small", 2), ("large", 4)] {
            text += &format!(
                "classifier {name}_{study} {{\n  network = densenet.small(growth = {growth})\n  train = chest_{study}.train\n  \
                 valid = chest_{study}.valid\n  seed = {study}\n}}\n\n"
            );
        }
        text += &format!(
            "utility gap_{study} {{\n  real = large_{study}\n  synthetic = small_{study}\n  test = chest_{study}.test\n}}\n\n"
        );
    }
    text
}

fn check(text: &str) -> usize {
    let mut sources = Sources::default();
    let file = sources.add("file.synth", None, text);
    let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: PathBuf::new() };
    study::check(&mut sources, file, &options).program.unwrap().steps.len()
}

fn parse(text: &str) -> usize {
    let mut sources = Sources::default();
    let file = sources.add("file.synth", None, text);
    syntax::parse(&sources, file).file.declarations.len()
}

fn checks(criterion: &mut Criterion) {
    let quickstart = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/quickstart.synth")).unwrap();
    let long = long_file(20_000);
    criterion.bench_function("check the quickstart", |bench| bench.iter(|| check(black_box(&quickstart))));
    let mut group = criterion.benchmark_group("20 000 lines");
    group.sample_size(10);
    group.bench_function("parse", |bench| bench.iter(|| parse(black_box(&long))));
    group.bench_function("check", |bench| bench.iter(|| check(black_box(&long))));
    group.finish();
}

criterion_group!(benches, checks);
criterion_main!(benches);
