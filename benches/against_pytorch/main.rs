//! Our side of the comparison with PyTorch: does the steps of one row when asked over standard input.
//!
//! `benches/against_pytorch/run.py` starts it with `--serve`. It says `"ready"`, reads the row as a line of JSON, builds what it
//! needs, does the first unit, and answers with a line of facts. Then each line `UNITS` is answered with as many times in
//! nanoseconds. With `--ceilings` it measures what the processor and its memory can do at most.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a benchmark prints

mod ceilings;
mod layers;
mod study;

use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Instant;

/// What can go wrong is told to whoever started this side.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// One row of the table, as `rows.py` writes it; what only the other side reads is left out.
#[derive(Deserialize)]
struct Row {
    /// `gan`, `classifier`, `scores`, `sample`, `convolution` or `adam`.
    kind: String,
    /// Steps that are timed as a whole.
    steps: usize,
    /// Images of a step.
    images: usize,
    /// The file under `studies/`, without its ending.
    #[serde(default)]
    study: String,
    /// Values of its `param`s.
    #[serde(default)]
    params: BTreeMap<String, serde_json::Value>,
    /// Of a convolution: batch, channels, side, outputs, kernel.
    #[serde(default)]
    sizes: Vec<usize>,
    /// Of a convolution: `forward`, `input` and `weight`, or some of them.
    #[serde(default)]
    passes: Vec<String>,
    /// Of the optimiser: whether a running average is kept.
    #[serde(default)]
    average: bool,
}

/// Something that is done again and again.
struct Work {
    step: Box<dyn FnMut() -> Outcome<()>>,
    /// How many numbers each network learns.
    parameters: Vec<usize>,
}

fn prepare(row: &Row) -> Outcome<Work> {
    match row.kind.as_str() {
        "gan" => study::gan(row),
        "classifier" => study::classifier(row),
        "scores" => study::scores(row),
        "sample" => study::sample(row),
        "adam" => study::adam(row),
        "convolution" => layers::convolution(row),
        other => Err(format!("there is no kind of row `{other}`").into()),
    }
}

fn reply(value: &serde_json::Value) -> Outcome<()> {
    println!("{value}");
    Ok(std::io::stdout().flush()?)
}

fn serve() -> Outcome<()> {
    reply(&"ready".into())?;
    let mut lines = std::io::stdin().lock().lines();
    let Some(row) = lines.next() else { return Ok(()) };
    let row: Row = serde_json::from_str(&row?)?;
    let mut work = prepare(&row)?;
    let mut unit = || (0..row.steps).try_for_each(|_| (work.step)());
    unit()?;
    reply(&serde_json::json!({ "parameters": work.parameters }))?;
    for line in lines {
        let mut times = Vec::new();
        for _ in 0..line?.trim().parse::<usize>()? {
            let start = Instant::now();
            unit()?;
            times.push(start.elapsed().as_nanos() as u64);
        }
        reply(&times.into())?;
    }
    Ok(())
}

fn main() -> std::process::ExitCode {
    let given = |name: &str| std::env::args().any(|argument| argument == name);
    let outcome = match () {
        () if given("--serve") => serve(),
        () if given("--ceilings") => reply(&ceilings::measure()),
        () => {
            // `cargo bench` and `cargo test` start every benchmark.
            println!("run `python3 benches/against_pytorch/run.py`");
            Ok(())
        }
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
