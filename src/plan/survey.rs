//! What a run would do, as far as that can be known before it: a key depends on the contents of inputs, so behind a step
//! that runs all are `after` it.

use super::external::{ExternalInputs, Watch};
use super::graph::Plan;
use super::key::{Key, KeyInputs, Ports};
use super::reason::{self, reason};
use super::shown::shown;
use crate::diagnostic::Diagnostic;
use crate::language::{Program, Role, Step, StepReference, Value};
use crate::steps::{Memo, PipelineFacts, StepKind};
use crate::store::{Blob, Component, Digest, FileDigests, Record, Store};
use std::collections::{BTreeMap, BTreeSet};

/// Whether a step is in the store.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    Cached(Record),
    /// It runs, and why. With the position of the checkpoint that it goes on from.
    Runs {
        why: String,
        from: Option<u64>,
    },
    /// Nothing is known before these steps have run.
    After(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Surveyed {
    pub step: usize,
    pub state: State,
    /// An earlier step that is the same work: one is made, and the other found in the store then.
    pub same_as: Option<usize>,
    /// The components of its key, without those that depend on steps which have not run.
    pub components: Vec<Component>,
}

/// All wanted steps in order, and the records that they were compared with, by kind and newest first.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    pub steps: Vec<Surveyed>,
    pub records: BTreeMap<String, Vec<Record>>,
}

/// Looks at all wanted steps in order. Digests of files outside the store are computed, nothing else.
pub fn survey(
    program: &Program,
    plan: &Plan,
    wanted: &BTreeSet<usize>,
    store: &Store,
    facts: &PipelineFacts,
    registry: &dyn Fn(&str) -> Option<&'static dyn StepKind>,
    watch: Watch<'_>,
) -> Result<Survey, Vec<Diagnostic>> {
    let records = store.records();
    let memo = Memo::default();
    let mut digests = FileDigests::load(store);
    let mut made: BTreeMap<String, Ports> = BTreeMap::new();
    let mut works: BTreeMap<String, Digest> = BTreeMap::new();
    let mut first: BTreeMap<Digest, usize> = BTreeMap::new();
    let mut surveyed = Vec::new();
    let mut problems = Vec::new();
    for index in plan.order().iter().copied().filter(|index| wanted.contains(index)) {
        let Some(step) = program.steps.get(index) else { continue };
        let Some(kind) = registry(&step.kind) else {
            problems.push(no_kind(step));
            continue;
        };
        let open: Vec<String> = plan
            .needs(index)
            .into_iter()
            .filter_map(|need| program.steps.get(need))
            .filter(|need| !made.contains_key(&need.name))
            .map(|need| need.name.clone())
            .collect();
        let files = match ExternalInputs::of(step, kind, &memo, &mut digests, watch) {
            Ok(files) => files,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        // For what is not made yet stands the work that makes it, so that equal work is known before it is done.
        let inputs = |reference: &StepReference| resolve(&made, reference).or_else(|| promised(&works, reference));
        let provenance = if kind.shows_provenance() { provenance(program, step, facts) } else { Vec::new() };
        let inputs = KeyInputs { resolve: &inputs, files: files.component(), provenance };
        let Some(mut key) = Key::of(step, kind, inputs) else { continue };
        works.insert(step.name.clone(), key.key);
        let same_as = *first.entry(key.key).or_insert(index);
        let state = if open.is_empty() {
            match store.lookup(&key.key) {
                Some(record) => {
                    made.insert(step.name.clone(), record.outputs.clone());
                    State::Cached(record)
                }
                None => {
                    let records = records.get(&step.kind).map(Vec::as_slice).unwrap_or_default();
                    State::Runs { why: reason(records, program, step, &key), from: continues_from(store, step, &key.trajectory) }
                }
            }
        } else {
            let is_open = |component: &Component| {
                let field = component.name.split('.').next().and_then(|name| step.field(name));
                field.is_some_and(|field| field.value.references().iter().any(|reference| open.contains(&reference.step)))
            };
            key.components.retain(|component| !is_open(component));
            State::After(open)
        };
        let same_as = (same_as != index).then_some(same_as);
        surveyed.push(Surveyed { step: index, state, same_as, components: key.components });
    }
    digests.save();
    if problems.is_empty() { Ok(Survey { steps: surveyed, records }) } else { Err(problems) }
}

impl Survey {
    /// The record that a step is compared with in the reasons.
    pub fn nearest(&self, program: &Program, surveyed: &Surveyed) -> Option<&Record> {
        let step = program.steps.get(surveyed.step)?;
        reason::nearest(self.records.get(&step.kind)?, program, step, &surveyed.components)
    }
}

/// What stands for the outputs of a step while there are none: the work that will make them.
pub(super) fn promised(works: &BTreeMap<String, Digest>, reference: &StepReference) -> Option<Ports> {
    let digest = *works.get(&reference.step)?;
    Some(Ports::from([(reference.port.clone().unwrap_or_default(), Blob { digest, size: 0 })]))
}

/// The diagnostic for a kind that the program declares and does not implement: a defect of this program.
pub fn no_kind(step: &Step) -> Diagnostic {
    Diagnostic::error("E0614", format!("nothing implements the kind `{}`", step.kind))
        .label(step.span, "needed by this block")
        .help("this is a defect of synth: please report it with this file")
}

/// The key of a step, given what the steps before it made. `None` while one of them is missing.
pub fn key_of(
    program: &Program,
    step: &Step,
    kind: &dyn StepKind,
    files: &ExternalInputs,
    made: &BTreeMap<String, Ports>,
    facts: &PipelineFacts,
) -> Option<Key> {
    let resolve = |reference: &StepReference| resolve(made, reference);
    let provenance = if kind.shows_provenance() { provenance(program, step, facts) } else { Vec::new() };
    Key::of(step, kind, KeyInputs { resolve: &resolve, files: files.component(), provenance })
}

/// The outputs that a reference means: the port with its name, or all of them. A port that the step did not make is
/// nothing here; the engine says so when the step has run.
pub fn resolve(made: &BTreeMap<String, Ports>, reference: &StepReference) -> Option<Ports> {
    let ports = made.get(&reference.step)?;
    Some(match &reference.port {
        None => ports.clone(),
        Some(port) => ports.iter().filter(|(name, _)| is_port(name, port)).map(|(_, blob)| (port.clone(), *blob)).collect(),
    })
}

/// An output is named as its port, with or without an ending: `results`, `results.json`.
fn is_port(name: &str, port: &str) -> bool {
    name == port || name.strip_prefix(port).is_some_and(|rest| rest.starts_with('.'))
}

/// The fields of a step as text, for kinds that print what they read.
pub fn provenance_fields(step: &Step) -> Vec<(String, String)> {
    // How the work is done and where files lie is not told: a change of it changes no result, and so no report.
    let told = step.fields.iter().filter(|field| field.role != Role::Resource);
    told.map(|field| (field.name.clone(), shown(&without_locations(step, field.value.clone()).0))).collect()
}

/// The `param`s of a file as text, for the same kinds. Those that only say where files lie are left out.
pub fn provenance_params(program: &Program) -> Vec<(String, String)> {
    let fields = program.steps.iter().flat_map(|step| step.fields.iter().map(move |field| (step, field)));
    let locations: Vec<Value> = fields.flat_map(|(step, field)| without_locations(step, field.value.clone()).1).collect();
    let told = program.params.iter().filter(|(_, value)| !locations.contains(value));
    told.map(|(name, value)| (name.clone(), shown(value))).collect()
}

/// A value without the arguments that only say where external files lie, and these arguments.
fn without_locations(step: &Step, value: Value) -> (Value, Vec<Value>) {
    let (Value::Construction(mut construction), Some(kind)) = (value.clone(), crate::steps::find(&step.kind)) else {
        return (value, Vec::new());
    };
    let (locations, arguments): (Vec<_>, Vec<_>) =
        construction.arguments.into_iter().partition(|(argument, _)| kind.is_location(&construction.function, argument));
    construction.arguments = arguments;
    (Value::Construction(construction), locations.into_iter().map(|(_, value)| value).collect())
}

/// All names and texts that a kind which shows provenance is given.
pub(super) fn provenance(program: &Program, step: &Step, facts: &PipelineFacts) -> Vec<(String, Vec<String>)> {
    let mut file = vec![facts.file_name.clone(), facts.documentation.clone()];
    file.extend(facts.params.iter().flat_map(|(name, value)| [name.clone(), value.clone()]));
    let mut groups = vec![("name".to_owned(), vec![step.name.clone()]), ("file".to_owned(), file)];
    let read: BTreeSet<String> = step.references().into_iter().map(|(_, reference)| reference.step).collect();
    for read in program.steps.iter().filter(|step| read.contains(&step.name)) {
        let mut texts = vec![read.kind.clone()];
        texts.extend(provenance_fields(read).into_iter().map(|(name, value)| format!("{name} = {value}")));
        groups.push((format!("block {}", read.name), texts));
    }
    groups
}

/// How long a step trains, in its own unit.
pub fn horizon(step: &Step) -> Option<u64> {
    step.fields.iter().filter(|field| field.role == Role::Horizon).find_map(|field| match &field.value {
        Value::Integer(value) => u64::try_from(*value).ok(),
        Value::Quantity(quantity) if quantity.value >= 0.0 => Some(quantity.value as u64),
        _ => None,
    })
}

/// The position of the checkpoint from which the step would go on: one that reads back whole.
pub fn continues_from(store: &Store, step: &Step, trajectory: &Digest) -> Option<u64> {
    store.newest_checkpoint(trajectory, horizon(step)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Construction, StepField};
    use crate::source::Span;

    #[test]
    fn where_images_lie_is_not_told() {
        let text = |text: &str| Value::Text(text.into());
        let arguments =
            vec![("root".to_owned(), text("/home/someone/images")), ("views".to_owned(), Value::Choice("all".into()))];
        let value = Value::Construction(Construction { function: "chexpert".into(), arguments });
        let field = StepField { name: "source".into(), role: Role::Identity, value, span: Span::default(), is_default: false };
        let step = Step {
            name: "chest".into(),
            kind: "dataset".into(),
            fields: vec![field],
            span: Span::default(),
            folder: Default::default(),
        };
        assert_eq!(provenance_fields(&step), [("source".to_owned(), "chexpert(views = all)".to_owned())]);
        let params = vec![("root".to_owned(), text("/home/someone/images")), ("seed".to_owned(), Value::Integer(1))];
        let program = Program { params, steps: vec![step], ..Program::default() };
        assert_eq!(provenance_params(&program), [("seed".to_owned(), "1".to_owned())]);
    }
}
