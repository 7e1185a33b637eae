//! One step run once: in a fresh folder, with panics caught, published as a whole.

use super::{Ended, Engine, Reporter, defect};
use crate::diagnostic::Diagnostic;
use crate::language::Step;
use crate::plan::{ExternalInputs, Key, LookedAt, Ports, horizon};
use crate::steps::{Artefact, Progress, StepContext, StepError, StepKind};
use crate::store::{Record, Work, failed};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Instant, SystemTime};

/// Passes what a step says of its progress on with the step's name.
struct Told<'a> {
    reporter: &'a dyn Reporter,
    step: &'a Step,
}

impl Progress for Told<'_> {
    fn update(&self, done: u64, total: u64, unit: &str, figures: &[(&str, f64)]) {
        self.reporter.progress(self.step, done, total, unit, figures);
    }
}

impl Engine<'_> {
    /// Runs the step and publishes what it made.
    pub(super) fn attempt(
        &self,
        step: &Step,
        kind: &dyn StepKind,
        key: &Key,
        inputs: BTreeMap<String, Vec<Artefact>>,
        files: &ExternalInputs,
        work: &Work,
    ) -> Result<Ended, Diagnostic> {
        let began = Instant::now();
        let trajectory = self.store.trajectory(&key.trajectory, work);
        let told = Told { reporter: self.reporter, step };
        let mut context = StepContext {
            step,
            inputs,
            outputs: work.outputs(),
            checkpoints: &trajectory,
            progress: &told,
            interrupted: self.interrupted,
            pipeline: self.facts,
        };
        // What a panic leaves half done is in the work folder, which goes away.
        match catch_unwind(AssertUnwindSafe(|| kind.run(&mut context))) {
            Ok(Ok(())) => {}
            Ok(Err(StepError::Interrupted)) => return Ok(Ended::Interrupted),
            Ok(Err(StepError::Failed(diagnostic))) => return Ok(Ended::Failed(Box::new(placed(*diagnostic, step)))),
            Err(payload) => return Err(defect::diagnostic(step, payload.as_ref())),
        }
        if let LookedAt::Moved(path) = files.look_again() {
            return Err(Diagnostic::error("E0608", format!("`{}` changed while `{}` was reading it", path.display(), step.name))
                .label(step.span, "the result of this block was dropped")
                .help("wait until nothing writes to it any more, and run again"));
        }
        let outputs = self.publish(step, work)?;
        let record = Record {
            key: key.key,
            kind: step.kind.clone(),
            step: step.name.clone(),
            components: key.components.clone(),
            outputs,
            created: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis() as u64,
            seconds: began.elapsed().as_secs_f64(),
            resumed: trajectory.resumed(),
        };
        self.store.record(work, &record)?;
        if let Some(horizon) = horizon(step) {
            self.store.prune_trajectory(&key.trajectory, horizon);
        }
        Ok(Ended::Ran(record))
    }

    /// Every file that the step wrote, as a blob.
    fn publish(&self, step: &Step, work: &Work) -> Result<Ports, Diagnostic> {
        let folder = work.outputs();
        let read = |error: std::io::Error| failed("read", folder, &error);
        let mut outputs = Ports::new();
        for entry in std::fs::read_dir(folder).map_err(read)? {
            let entry = entry.map_err(read)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !entry.file_type().map_err(read)?.is_file() {
                return Err(not_made(step, &format!("made `{name}`, which is not a plain file")));
            }
            outputs.insert(name, self.store.publish(work, &entry.path())?);
        }
        if outputs.is_empty() {
            return Err(not_made(step, "ended well and made nothing"));
        }
        Ok(outputs)
    }
}

fn not_made(step: &Step, what: &str) -> Diagnostic {
    Diagnostic::error("E0607", format!("`{}` {what}", step.name))
        .label(step.span, "this block")
        .help("this is a defect of synth: please report it with this file")
}

/// A step knows nothing of the file that it stands in; a message without a place gets that of its block.
fn placed(diagnostic: Diagnostic, step: &Step) -> Diagnostic {
    if diagnostic.labels.is_empty() { diagnostic.label(step.span, "while making this block") } else { diagnostic }
}
