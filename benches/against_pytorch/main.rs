//! Our side of the comparison with PyTorch: does the steps of one row when asked over standard input.
//!
//! `benches/against_pytorch/run.py` starts it with `--serve`. It says `"ready"` and then answers lines of JSON: a row by building what
//! it needs, doing the first unit and telling facts; a number by doing as many units and telling how many nanoseconds each took.
//! With `--ceilings` it measures what the processor and its memory can do at most.
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
    /// Of a convolution.
    layer: Option<layers::Convolution>,
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

/// A line that is read.
#[derive(Deserialize)]
#[serde(untagged)]
enum Request {
    Units(usize),
    Row(Box<Row>),
}

fn serve() -> Outcome<()> {
    reply(&"ready".into())?;
    let mut current: Option<(Work, usize)> = None;
    for line in std::io::stdin().lock().lines() {
        match serde_json::from_str(&line?)? {
            Request::Row(row) => {
                drop(current.take());
                let mut work = prepare(&row)?;
                unit(&mut work, row.steps)?;
                reply(&serde_json::json!({ "parameters": work.parameters }))?;
                current = Some((work, row.steps));
            }
            Request::Units(units) => {
                let (work, steps) = current.as_mut().ok_or("a row comes before what is timed of it")?;
                let times = (0..units).map(|_| unit(work, *steps)).collect::<Outcome<Vec<u64>>>()?;
                reply(&times.into())?;
            }
        }
    }
    Ok(())
}

/// Does so many steps and gives the nanoseconds that they took.
fn unit(work: &mut Work, steps: usize) -> Outcome<u64> {
    let start = Instant::now();
    for _ in 0..steps {
        (work.step)()?;
    }
    Ok(start.elapsed().as_nanos() as u64)
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
