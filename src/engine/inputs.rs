//! What a step is given of the steps before it: their files, read through, and their names and fields.

use super::{Engine, MOST_REMAKES, Run};
use crate::diagnostic::Diagnostic;
use crate::language::{Step, StepReference};
use crate::plan::{provenance_fields, resolve, shown_reference};
use crate::steps::Artefact;
use std::collections::BTreeMap;

impl Engine<'_> {
    /// Reads all inputs of a step through. Where one was damaged, the step that made it is to run again: `true`.
    pub(super) fn remakes_damaged_inputs(&self, run: &mut Run, index: usize, step: &Step) -> Result<bool, Diagnostic> {
        let mut damaged = false;
        for need in self.plan.needs(index) {
            let Some(maker) = self.step(need) else { continue };
            let read: Vec<_> = step
                .references()
                .into_iter()
                .filter(|(_, reference)| reference.step == maker.name)
                .filter_map(|(_, reference)| resolve(&run.made, &reference))
                .flatten()
                .filter(|(_, blob)| !run.verified.contains(&blob.digest))
                .collect();
            for (port, blob) in read {
                if self.store.verify(&blob)? {
                    run.verified.insert(blob.digest);
                    continue;
                }
                damaged = true;
                let remakes = run.remakes.entry(need).or_default();
                *remakes += 1;
                if *remakes > MOST_REMAKES {
                    return Err(Diagnostic::error("E0605", format!("`{port}` of `{}` is damaged again and again", maker.name))
                        .note(format!("it was made {MOST_REMAKES} times and never read back as it was written"))
                        .help("the disk of the store seems to be failing: put the store elsewhere with `--store DIR`"));
                }
                self.reporter
                    .message(&format!("{}: its `{port}` was damaged, was moved to quarantine, and is made again", maker.name));
                run.ended.remove(&need);
                run.made.remove(&maker.name);
                break;
            }
        }
        Ok(damaged)
    }

    /// The artefacts that each field refers to. E0607 where a step did not make what its kind says it makes.
    pub(super) fn inputs(&self, run: &Run, step: &Step) -> Result<BTreeMap<String, Vec<Artefact>>, Diagnostic> {
        let mut inputs: BTreeMap<String, Vec<Artefact>> = BTreeMap::new();
        for (field, reference) in step.references() {
            inputs.entry(field.to_owned()).or_default().push(self.artefact(run, step, &reference)?);
        }
        Ok(inputs)
    }

    fn artefact(&self, run: &Run, reader: &Step, reference: &StepReference) -> Result<Artefact, Diagnostic> {
        let ports = resolve(&run.made, reference).filter(|ports| !ports.is_empty());
        let (Some(ports), Some(step)) = (ports, self.program.step(&reference.step)) else {
            let message = format!("`{}` reads `{}`, which was not made", reader.name, shown_reference(reference));
            return Err(Diagnostic::error("E0607", message)
                .label(reader.span, "read by this block")
                .help("this is a defect of synth: please report it with this file"));
        };
        let mut reads: Vec<String> = Vec::new();
        for (_, reference) in step.references() {
            if !reads.contains(&reference.step) {
                reads.push(reference.step);
            }
        }
        Ok(Artefact {
            step: step.name.clone(),
            kind: step.kind.clone(),
            files: ports.into_iter().map(|(port, blob)| (port, self.store.blob_path(&blob.digest))).collect(),
            fields: provenance_fields(step),
            reads,
        })
    }
}
