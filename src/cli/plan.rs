//! `synth plan FILE`: what a run would do.

use super::{Exit, FileArguments, StoreArguments};
use crate::plan::{self, State, Surveyed, survey};
use crate::steps;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub struct Plan {
    #[command(flatten)]
    file: FileArguments,
    /// Only these steps and what they need.
    steps: Vec<String>,
    #[command(flatten)]
    store: StoreArguments,
}

impl Plan {
    pub fn run(&self) -> Exit {
        let pipeline = match self.file.load() {
            Ok(pipeline) => pipeline,
            Err(exit) => return exit,
        };
        let surveyed = || {
            let plan = plan::Plan::new(&pipeline.program).map_err(|problem| vec![problem])?;
            let wanted = pipeline.wanted(&plan, &self.steps)?;
            let store = Store::at(&self.store.store).map_err(|problem| vec![problem])?;
            survey(&pipeline.program, &plan, &wanted, &store, &pipeline.facts, &steps::find)
        };
        match surveyed() {
            Ok(surveyed) => {
                let rows: Vec<[String; 4]> = surveyed
                    .iter()
                    .filter_map(|surveyed| {
                        let step = pipeline.program.steps.get(surveyed.step)?;
                        let (state, why) = words(surveyed);
                        Some([step.name.clone(), step.kind.clone(), state.to_owned(), why])
                    })
                    .collect();
                print(&rows);
                Exit::Success
            }
            Err(problems) => {
                self.file.print(&problems, &pipeline.sources);
                Exit::Failure
            }
        }
    }
}

fn words(surveyed: &Surveyed) -> (&'static str, String) {
    match &surveyed.state {
        State::Cached(record) => ("cached", format!("took {}", super::pace::shown_duration(record.seconds))),
        State::Runs { why, from: None } => ("runs", why.clone()),
        State::Runs { why, from: Some(position) } => ("runs", format!("{why}; continues from its checkpoint at {position}")),
        State::After(steps) => ("waits", format!("after {}", steps.join(", "))),
    }
}

fn print(rows: &[[String; 4]]) {
    let width = |column: fn(&[String; 4]) -> &String| rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0);
    let (names, kinds) = (width(|[name, ..]| name).max(4), width(|[_, kind, ..]| kind).max(4));
    println!("{:names$}  {:kinds$}  {:6}  why", "step", "kind", "state");
    for [name, kind, state, why] in rows {
        println!("{name:names$}  {kind:kinds$}  {state:6}  {why}");
    }
    let count = |word: &str| rows.iter().filter(|[_, _, state, _]| state == word).count();
    println!("{} cached, {} run, {} wait for them", count("cached"), count("runs"), count("waits"));
}
