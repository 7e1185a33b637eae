//! Carries a plan out: what is in the store is taken from there, the rest runs, one step after the other in the order of
//! the plan, each with all threads.
//!
//! One loop owns all state and writes what it does to the journal before it does it. A step that fails stops those that
//! need it and no others. Inputs are read through before a step sees them: a damaged one is made again. What a step makes
//! becomes visible as a whole, after its outside inputs were looked at again, or not at all.

mod attempt;
mod defect;
mod event;
mod inputs;
mod outcome;
mod reporter;
mod reports;
#[cfg(test)]
mod tests;

pub use defect::catch_panics_quietly;
pub use outcome::{Ended, Outcome, short_digest};
pub use reporter::Reporter;
pub use reports::{Page, copy_reports};

use crate::diagnostic::Diagnostic;
use crate::language::{Program, Step};
use crate::plan::{ExternalInputs, Key, Plan, Ports, continues_from, horizon, key_of, reason};
use crate::steps::{Memo, PipelineFacts, StepKind};
use crate::store::{Digest, FileDigests, Journal, Owner, Record, Store};
use event::Event;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What a run works on.
pub struct Engine<'a> {
    pub program: &'a Program,
    pub plan: &'a Plan,
    /// The steps that are to be there at the end.
    pub wanted: BTreeSet<usize>,
    pub store: &'a Store,
    pub facts: &'a PipelineFacts,
    /// Finds what implements a kind of step.
    pub registry: &'a dyn Fn(&str) -> Option<&'static dyn StepKind>,
    /// Set to stop: the running step saves its state and ends.
    pub interrupted: &'a AtomicBool,
    pub reporter: &'a dyn Reporter,
}

/// How often a step is made again in one run because its result was damaged afterwards. More often, the disk is at fault.
const MOST_REMAKES: usize = 3;
/// How long to wait before looking again whether another run has finished.
const PATIENCE: Duration = Duration::from_millis(100);

/// What is known at one moment of a run.
struct Run {
    made: BTreeMap<String, Ports>,
    ended: BTreeMap<usize, Ended>,
    digests: FileDigests,
    journal: Journal,
    /// Blobs that were read through in this run.
    verified: BTreeSet<Digest>,
    remakes: BTreeMap<usize, usize>,
    /// The steps of which it was said that another run is making them.
    awaited: BTreeSet<usize>,
}

/// What came of trying a step.
enum Try {
    Ended(Ended),
    /// Another process is making it.
    Elsewhere(Owner),
    /// Inputs were damaged and are to be made again first.
    Again,
}

impl Engine<'_> {
    /// Runs to the end, or until interrupted. An error is one of the store as a whole; those of steps are in the outcome.
    pub fn run(&self) -> Result<Outcome, Diagnostic> {
        let mut run = Run {
            made: BTreeMap::new(),
            ended: BTreeMap::new(),
            digests: FileDigests::load(self.store),
            journal: self.store.journal()?,
            verified: BTreeSet::new(),
            remakes: BTreeMap::new(),
            awaited: BTreeSet::new(),
        };
        run.journal.write(&Event::Begins { file: &self.facts.file_name, process: std::process::id() });
        while !self.is_interrupted() {
            self.give_up_on_dependents(&mut run);
            let ready = self.ready(&run);
            if ready.is_empty() {
                break;
            }
            if !self.advance(&mut run, &ready) {
                std::thread::sleep(PATIENCE);
            }
        }
        run.digests.save();
        // A run that had nothing left to do when it was told to stop ended well.
        let is_open = |index: &usize| matches!(run.ended.get(index), None | Some(Ended::Interrupted));
        let interrupted = self.is_interrupted() && self.wanted.iter().any(is_open);
        let outcome = Outcome { ended: run.ended, interrupted };
        run.journal.write(&Event::Ends { interrupted: outcome.interrupted, failed: outcome.failures().count() });
        Ok(outcome)
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    fn step(&self, index: usize) -> Option<&Step> {
        self.program.steps.get(index)
    }

    /// The steps that can be tried now, in the order of the plan.
    fn ready(&self, run: &Run) -> Vec<usize> {
        let is_done = |index: &usize| run.ended.get(index).is_some_and(Ended::is_done);
        let open =
            self.plan.order().iter().copied().filter(|index| self.wanted.contains(index) && !run.ended.contains_key(index));
        open.filter(|index| self.plan.needs(*index).iter().all(is_done)).collect()
    }

    /// Tries the ready steps until one ends. `false` where all of them are being made by other processes.
    fn advance(&self, run: &mut Run, ready: &[usize]) -> bool {
        for index in ready.iter().copied() {
            let Some(step) = self.step(index) else { continue };
            match self.try_step(run, index, step) {
                Ok(Try::Ended(ended)) => self.end(run, index, step, ended),
                Err(diagnostic) => self.end(run, index, step, Ended::Failed(Box::new(diagnostic))),
                Ok(Try::Again) => {}
                Ok(Try::Elsewhere(owner)) => {
                    if run.awaited.insert(index) {
                        self.reporter
                            .message(&format!("{}: another run (process {}) is making it; waiting", step.name, owner.process));
                    }
                    continue;
                }
            }
            return true;
        }
        false
    }

    fn end(&self, run: &mut Run, index: usize, step: &Step, ended: Ended) {
        if let Some(record) = ended.record() {
            run.made.insert(step.name.clone(), record.outputs.clone());
        }
        run.journal.write(&Event::of(&step.name, &ended));
        self.reporter.ended(step, &ended);
        run.ended.insert(index, ended);
    }

    /// Steps that need one that failed are not tried.
    fn give_up_on_dependents(&self, run: &mut Run) {
        for index in self.plan.order().iter().copied().filter(|index| self.wanted.contains(index)) {
            let Some(step) = self.step(index).filter(|_| !run.ended.contains_key(&index)) else { continue };
            let failed = |need: &usize| run.ended.get(need).is_some_and(|ended| !ended.is_done());
            if let Some(need) = self.plan.needs(index).into_iter().find(failed).and_then(|need| self.step(need)) {
                let ended = Ended::NotRun { needs: need.name.clone() };
                self.end(run, index, step, ended);
            }
        }
    }

    /// Finds a step in the store, or makes it.
    fn try_step(&self, run: &mut Run, index: usize, step: &Step) -> Result<Try, Diagnostic> {
        let kind = (self.registry)(&step.kind).ok_or_else(|| crate::plan::no_kind(step))?;
        let files = ExternalInputs::of(step, kind, &Memo::default(), &mut run.digests, &|step, done, total| {
            self.reporter.looking(step, done, total);
        })?;
        let Some(key) = key_of(self.program, step, kind, &files, &run.made, self.facts) else { return Ok(Try::Again) };
        if let Some(record) = self.recorded(run, kind, &key)? {
            return Ok(Try::Ended(Ended::Cached(record)));
        }
        let work = self.store.work()?;
        let _lease = match self.store.lease(&work, &key.key)? {
            Ok(lease) => lease,
            Err(owner) => return Ok(Try::Elsewhere(owner)),
        };
        // Another run may have published it between the look and the lease.
        if let Some(record) = self.recorded(run, kind, &key)? {
            return Ok(Try::Ended(Ended::Cached(record)));
        }
        if self.remakes_damaged_inputs(run, index, step)? {
            return Ok(Try::Again);
        }
        let inputs = self.inputs(run, step)?;
        for position in self.store.quarantine_damaged_checkpoints(&key.trajectory, horizon(step).unwrap_or(0))? {
            self.reporter
                .message(&format!("{}: its checkpoint at {position} was damaged and was moved to quarantine", step.name));
        }
        let mut why = reason(&self.store.records_of(&step.kind), self.program, step, &key);
        if let Some(position) = continues_from(self.store, step, &key.trajectory) {
            why += &format!("; continues from its checkpoint at {position}");
        }
        run.journal.write(&Event::Runs { step: &step.name, key: &key.key, why: &why });
        self.reporter.started(step, &why);
        self.attempt(step, kind, &key, inputs, &files, &work).map(Try::Ended)
    }

    /// The record of a key, if those of its outputs that are shown to people read back whole. Others are read through when
    /// a step needs them.
    fn recorded(&self, run: &mut Run, kind: &dyn StepKind, key: &Key) -> Result<Option<Record>, Diagnostic> {
        let Some(record) = self.store.lookup(&key.key) else { return Ok(None) };
        for (name, blob) in &record.outputs {
            let is_shown = name.starts_with("results") || kind.pages().iter().any(|(output, _)| output == name);
            if is_shown && !run.verified.contains(&blob.digest) {
                if !self.store.verify(blob)? {
                    self.reporter.message(&format!("{}: its `{name}` was damaged and is made again", record.step));
                    return Ok(None);
                }
                run.verified.insert(blob.digest);
            }
        }
        Ok(Some(record))
    }
}
