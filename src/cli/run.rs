//! `synth run FILE [STEP…]`: makes what is not in the store.

use super::pipeline::Pipeline;
use super::summary::summary;
use super::terminal::Terminal;
use super::{Exit, FileArguments, StoreArguments};
use crate::diagnostic::Diagnostic;
use crate::engine::{Engine, Outcome, catch_panics_quietly, copy_reports};
use crate::plan;
use crate::steps;
use crate::store::Store;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// More threads than any machine has cores for.
const MOST_THREADS: i64 = 1_024;

#[derive(Debug, clap::Args)]
pub struct Run {
    #[command(flatten)]
    file: FileArguments,
    /// Only these steps and what they need. The name of a sweep means all of its steps.
    steps: Vec<String>,
    #[command(flatten)]
    store: StoreArguments,
    /// The folder of the pages that reports make.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    reports: PathBuf,
    /// How many threads work; as many as there are cores where it is not given. Results are the same with any number.
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MOST_THREADS))]
    threads: Option<u16>,
}

impl Run {
    pub fn run(&self) -> Exit {
        let pipeline = match self.file.load() {
            Ok(pipeline) => pipeline,
            Err(exit) => return exit,
        };
        self.file.mention_warnings(&pipeline);
        match self.carry_out(&pipeline) {
            Ok(exit) => exit,
            Err(problems) => {
                self.file.print(&problems, &pipeline.sources);
                Exit::Failure
            }
        }
    }

    fn carry_out(&self, pipeline: &Pipeline) -> Result<Exit, Vec<Diagnostic>> {
        let one = |problem| vec![problem];
        let plan = plan::Plan::new(&pipeline.program).map_err(one)?;
        let wanted = pipeline.wanted(&plan, &self.steps)?;
        let store = Store::open(&self.store.store).map_err(one)?;
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new()
                .num_threads(usize::from(threads))
                .build_global()
                .map_err(|error| one(no_threads(threads, &error)))?;
        }
        catch_panics_quietly();
        let interrupted = stop_at_signal();
        let steps: Vec<_> = wanted.iter().filter_map(|index| pipeline.program.steps.get(*index)).collect();
        let terminal = Terminal::new(&steps);
        let engine = Engine {
            program: &pipeline.program,
            plan: &plan,
            wanted,
            store: &store,
            facts: &pipeline.facts,
            registry: &steps::find,
            interrupted: &interrupted,
            reporter: &terminal,
        };
        let outcome = engine.run().map_err(one)?;
        self.conclude(pipeline, &store, &outcome).map_err(one)
    }

    /// The last lines and the exit status.
    fn conclude(&self, pipeline: &Pipeline, store: &Store, outcome: &Outcome) -> Result<Exit, Diagnostic> {
        let summary = summary(outcome, &pipeline.program, store);
        for line in &summary.lines {
            println!("{line}");
        }
        let folder = self.reports.join(self.file.stem());
        let pages = copy_reports(outcome, &pipeline.program, &steps::find, store, &folder)?;
        for (index, page) in pages.iter().enumerate() {
            println!("{}{}: {}", if index == 0 { "\n" } else { "" }, page.kind, page.path.display());
        }
        let failures: Vec<Diagnostic> = outcome.failures().cloned().collect();
        self.file.print(&failures, &pipeline.sources);
        Ok(if outcome.interrupted {
            eprintln!("interrupted: run again to go on");
            Exit::Interrupted
        } else if !failures.is_empty() {
            Exit::Failure
        } else if summary.broken_claims > 0 {
            Exit::BrokenClaim
        } else {
            Exit::Success
        })
    }
}

fn no_threads(threads: u16, error: &rayon::ThreadPoolBuildError) -> Diagnostic {
    Diagnostic::error("E0615", format!("{threads} threads cannot be started"))
        .note(format!("the system says: {error}"))
        .help("ask for fewer with `-j`, or leave it out for as many as there are cores")
}

/// A flag that is set by the first Ctrl-C (or the signal to terminate); the second ends the program at once.
fn stop_at_signal() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    let handler = move || {
        if set.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        eprintln!("\nstopping: the running step saves its state (again to stop at once)");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("note: Ctrl-C will not save a checkpoint: {error}");
    }
    flag
}
