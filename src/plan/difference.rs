//! The difference in meaning between two programs: steps added, removed and renamed, fields and networks that changed, with
//! every default known, and what would run again because of it. Layout, comments and the order of blocks are no difference.

use super::graph::Plan;
use super::key::{Key, KeyInputs};
use super::layers::{NetworkChange, network_change};
use super::shown::shown;
use super::survey::{promised, provenance, provenance_params};
use crate::diagnostic::Diagnostic;
use crate::language::{Condition, Construction, Program, Role, Step, StepReference, Value};
use crate::steps::{self, PipelineFacts};
use crate::store::Digest;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// All that is different.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    pub params: Vec<FieldChange>,
    pub added: Vec<Named>,
    pub removed: Vec<Named>,
    pub renamed: Vec<Renamed>,
    pub changed: Vec<Changed>,
    /// The steps of the second program that the results of the first do not serve, in the order in which they run. A step
    /// that makes the same bytes as before stops the wave, so that fewer may run.
    pub reruns: Vec<Rerun>,
    /// How many steps the second program has.
    pub steps: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    pub kind: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Renamed {
    pub kind: String,
    pub before: String,
    pub now: String,
}

/// A step with the fields that changed, under its name in the second program.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    pub kind: String,
    pub name: String,
    pub fields: Vec<FieldChange>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// `budget`, `source.patients`.
    pub name: String,
    /// `None` where there was no such field.
    pub before: Option<String>,
    /// `None` where there is none any more.
    pub now: Option<String>,
    /// It only says how the work is done, and reruns nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub resource: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkChange>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rerun {
    pub name: String,
    /// The steps that it reads and that run again; empty where it is the first to.
    pub after: Vec<String>,
}

impl Difference {
    /// From the first program to the second. E0612 where one has no order.
    pub fn between(before: &Program, now: &Program) -> Result<Self, Diagnostic> {
        let order = Plan::new(now)?;
        let names = matched(before, now, &order);
        let steps = before.steps_by_name();
        let partners: BTreeMap<&str, &Step> =
            names.iter().filter_map(|(name, now)| Some((now.as_str(), *steps.get(name.as_str())?))).collect();
        let named = |step: &Step| Named { kind: step.kind.clone(), name: step.name.clone() };
        let mut difference = Self { params: params(before, now), steps: now.steps.len(), ..Self::default() };
        difference.removed = before.steps.iter().filter(|step| !names.contains_key(&step.name)).map(named).collect();
        for step in &now.steps {
            let Some(before) = partners.get(step.name.as_str()) else {
                difference.added.push(named(step));
                continue;
            };
            if before.name != step.name {
                let renamed = Renamed { kind: step.kind.clone(), before: before.name.clone(), now: step.name.clone() };
                difference.renamed.push(renamed);
            }
            let fields = changes(before, step, &names);
            if !fields.is_empty() {
                difference.changed.push(Changed { kind: step.kind.clone(), name: step.name.clone(), fields });
            }
        }
        difference.reruns = reruns(before, now, &order)?;
        Ok(difference)
    }

    /// Whether the two programs mean the same.
    pub fn is_none(&self) -> bool {
        self.params.is_empty()
            && self.added.is_empty()
            && self.removed.is_empty()
            && self.renamed.is_empty()
            && self.changed.is_empty()
    }
}

/// Which step of the second program each step of the first is: the one of its name and kind, or else one that is equal but
/// for its name, or else the only one of its kind that is like it. What a step reads is matched before it, so that renaming
/// both is seen as that.
fn matched(before: &Program, now: &Program, order: &Plan) -> BTreeMap<String, String> {
    let steps = now.steps_by_name();
    let same = |step: &&Step| steps.get(step.name.as_str()).is_some_and(|now| now.kind == step.kind);
    let mut names: BTreeMap<String, String> =
        before.steps.iter().filter(same).map(|step| (step.name.clone(), step.name.clone())).collect();
    let mut taken: BTreeSet<String> = names.keys().cloned().collect();
    let mut open: BTreeMap<&str, Vec<&Step>> = BTreeMap::new();
    for step in before.steps.iter().filter(|step| !names.contains_key(&step.name)) {
        open.entry(&step.kind).or_default().push(step);
    }
    // Equal ones first, so that none of them is taken for one that is only like it.
    for alike in [false, true] {
        for step in order.order().iter().filter_map(|index| now.steps.get(*index)) {
            if taken.contains(&step.name) {
                continue;
            }
            let Some(open) = open.get_mut(step.kind.as_str()) else { continue };
            let equal = open.iter().position(|old| changes(old, step, &names).is_empty());
            let is_rival = |other: &&Step| other.kind == step.kind && !taken.contains(&other.name);
            let found = match (equal, open.as_slice()) {
                (Some(equal), _) => Some(equal),
                (None, [one]) if alike && now.steps.iter().filter(is_rival).count() == 1 => {
                    // Less than half of its fields changed.
                    (2 * changes(one, step, &names).len() < step.fields.len()).then_some(0)
                }
                _ => None,
            };
            if let Some(old) = found.map(|place| open.remove(place)) {
                taken.insert(step.name.clone());
                names.insert(old.name.clone(), step.name.clone());
            }
        }
    }
    names
}

fn params(before: &Program, now: &Program) -> Vec<FieldChange> {
    let find =
        |params: &[(String, Value)], name: &str| params.iter().find(|(found, _)| found == name).map(|(_, value)| shown(value));
    let gone = before.params.iter().filter(|(name, _)| find(&now.params, name).is_none());
    let names = now.params.iter().chain(gone).map(|(name, _)| name);
    let change = |name: &String| plain(name, find(&before.params, name), find(&now.params, name));
    names.map(change).filter(|change| change.before != change.now).collect()
}

fn plain(name: &str, before: Option<String>, now: Option<String>) -> FieldChange {
    FieldChange { name: name.to_owned(), before, now, resource: false, network: None }
}

/// The fields of a step that changed, in the order of their declaration.
fn changes(before: &Step, now: &Step, names: &BTreeMap<String, String>) -> Vec<FieldChange> {
    let mut found = Vec::new();
    for field in &now.fields {
        let start = found.len();
        match before.field(&field.name) {
            // `everything`: it says no more than which steps there are.
            Some(old) if old.is_default && field.is_default && is_references(&old.value) && is_references(&field.value) => {}
            Some(old) => compare(&field.name, &renamed(&old.value, names), &field.value, &mut found),
            None => found.push(plain(&field.name, None, Some(shown(&field.value)))),
        }
        for change in found.iter_mut().skip(start) {
            change.resource = field.role == Role::Resource;
        }
    }
    let gone = before.fields.iter().filter(|field| now.field(&field.name).is_none());
    found.extend(gone.map(|field| plain(&field.name, Some(shown(&field.value)), None)));
    found
}

fn is_references(value: &Value) -> bool {
    matches!(value, Value::List(values) if values.iter().all(|value| matches!(value, Value::Step(_))))
}

/// Constructors are taken apart, so that the argument which changed is named.
fn compare(name: &str, before: &Value, now: &Value, found: &mut Vec<FieldChange>) {
    match (before, now) {
        (Value::Construction(old), Value::Construction(new)) if old.function == new.function => {
            let find = |arguments: &[(String, Value)], name: &str| {
                arguments.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
            };
            for (argument, value) in &new.arguments {
                let path = format!("{name}.{argument}");
                match find(&old.arguments, argument) {
                    Some(old) => compare(&path, &old, value, found),
                    None => found.push(plain(&path, None, Some(shown(value)))),
                }
            }
            let gone = old.arguments.iter().filter(|(argument, _)| find(&new.arguments, argument).is_none());
            found.extend(gone.map(|(argument, value)| plain(&format!("{name}.{argument}"), Some(shown(value)), None)));
        }
        (Value::Network(old), Value::Network(new)) => {
            if let Some(change) = network_change(old, new) {
                found.push(FieldChange { network: Some(change), ..plain(name, Some(shown(before)), Some(shown(now))) });
            }
        }
        _ if before == now => {}
        _ => found.push(plain(name, Some(shown(before)), Some(shown(now)))),
    }
}

/// A value of the first program with the names that its references have in the second.
fn renamed(value: &Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::Step(StepReference { step, port }) => {
            Value::Step(StepReference { step: names.get(step).unwrap_or(step).clone(), port: port.clone() })
        }
        Value::List(values) => Value::List(values.iter().map(|value| renamed(value, names)).collect()),
        Value::Construction(construction) => Value::Construction(construction_renamed(construction, names)),
        Value::Record(fields) => {
            Value::Record(fields.iter().map(|(name, value)| (name.clone(), renamed(value, names))).collect())
        }
        Value::Results(results) => {
            let mut results = results.clone();
            for cell in &mut results.cells {
                cell.step = names.get(&cell.step).unwrap_or(&cell.step).clone();
            }
            Value::Results(results)
        }
        Value::Condition(condition) => Value::Condition(condition_renamed(condition, names)),
        other => other.clone(),
    }
}

fn construction_renamed(construction: &Construction, names: &BTreeMap<String, String>) -> Construction {
    let arguments = construction.arguments.iter().map(|(name, value)| (name.clone(), renamed(value, names)));
    Construction { function: construction.function.clone(), arguments: arguments.collect() }
}

fn condition_renamed(condition: &Condition, names: &BTreeMap<String, String>) -> Condition {
    let inner = |condition: &Condition| Box::new(condition_renamed(condition, names));
    match condition {
        Condition::Result { step, result } => {
            Condition::Result { step: names.get(step).unwrap_or(step).clone(), result: result.clone() }
        }
        Condition::Number(value) => Condition::Number(*value),
        Condition::Statistic(statistic) => Condition::Statistic(construction_renamed(statistic, names)),
        Condition::Negate(it) => Condition::Negate(inner(it)),
        Condition::Not(it) => Condition::Not(inner(it)),
        Condition::Arithmetic { operator, left, right } => {
            Condition::Arithmetic { operator: *operator, left: inner(left), right: inner(right) }
        }
        Condition::Compare { comparison, left, right } => {
            Condition::Compare { comparison: *comparison, left: inner(left), right: inner(right) }
        }
        Condition::And(left, right) => Condition::And(inner(left), inner(right)),
        Condition::Or(left, right) => Condition::Or(inner(left), inner(right)),
    }
}

/// The steps of the second program whose work is none of the first's. Files outside the store count as unchanged.
fn reruns(before: &Program, now: &Program, order: &Plan) -> Result<Vec<Rerun>, Diagnostic> {
    let done: BTreeSet<Digest> = works(before, &Plan::new(before)?).into_values().collect();
    let works = works(now, order);
    let runs = |step: &Step| works.get(&step.name).is_some_and(|work| !done.contains(work));
    let mut reruns = Vec::new();
    for index in order.order() {
        let Some(step) = now.steps.get(*index).filter(|step| runs(step)) else { continue };
        let needs = order.needs(*index);
        let after = needs.iter().filter_map(|need| now.steps.get(*need)).filter(|need| runs(need));
        reruns.push(Rerun { name: step.name.clone(), after: after.map(|need| need.name.clone()).collect() });
    }
    Ok(reruns)
}

/// The work of each step: its key, with the work of the steps that it reads in place of what they made.
fn works(program: &Program, plan: &Plan) -> BTreeMap<String, Digest> {
    let params = provenance_params(program);
    let facts = PipelineFacts { file_name: String::new(), documentation: program.documentation.clone(), params };
    let mut works = BTreeMap::new();
    for step in plan.order().iter().filter_map(|index| program.steps.get(*index)) {
        let Some(kind) = steps::find(&step.kind) else { continue };
        let provenance = if kind.shows_provenance() { provenance(program, step, &facts) } else { Vec::new() };
        let resolve = |reference: &StepReference| promised(&works, reference);
        if let Some(key) = Key::of(step, kind, KeyInputs { resolve: &resolve, files: None, provenance }) {
            works.insert(step.name.clone(), key.key);
        }
    }
    works
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{CheckOptions, check};
    use crate::source::Sources;

    const STUDY: &str = "edition 2026
use std.data.phantom
use std.gan.cpd
param seed : int = 1
dataset chest {
  source = phantom.chest(patients = 200, findings = 2)
  image  = gray(16)
}
gan model {
  data          = chest.train
  generator     = cpd.generator(channels = 8)
  discriminator = cpd.discriminator(channels = 8)
  budget        = 30kimg
  seed          = seed
}
sample fake {
  from   = model
  labels = chest
}
report summary { title = \"A study\" }
";

    fn program(text: &str) -> Program {
        let mut sources = Sources::default();
        let file = sources.add("test.synth", None, text);
        let options = CheckOptions { params: vec![], environment: &|_| None, base: std::path::PathBuf::new() };
        let checked = check(&mut sources, file, &options);
        checked.program.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics))
    }

    fn difference(change: impl Fn(String) -> String) -> Difference {
        Difference::between(&program(STUDY), &program(&change(STUDY.to_owned()))).unwrap()
    }

    fn fields(difference: &Difference) -> Vec<String> {
        let of = |changed: &Changed| -> Vec<String> {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let line =
                |field: &FieldChange| format!("{}.{} {} → {}", changed.name, field.name, text(&field.before), text(&field.now));
            changed.fields.iter().map(line).collect()
        };
        difference.changed.iter().flat_map(of).collect()
    }

    fn reruns(difference: &Difference) -> Vec<&str> {
        difference.reruns.iter().map(|rerun| rerun.name.as_str()).collect()
    }

    #[test]
    fn layout_comments_and_order_are_no_difference() {
        let found = difference(|text| {
            let (head, sample) = text.split_once("sample fake").unwrap();
            let (sample, report) = sample.split_once("report").unwrap();
            let (start, rest) = head.split_once("dataset").unwrap();
            format!("{start}# a comment\nsample   fake{sample}dataset{rest}report{report}")
        });
        assert!(found.is_none(), "{found:#?}");
        assert_eq!(reruns(&found), ["summary"], "it shows the steps in their order");
    }

    #[test]
    fn a_field_changes_with_its_resolved_values_and_reruns_what_reads_it() {
        let found = difference(|text| text.replace("30kimg", "40kimg").replace("findings = 2)", "findings = 2, seed = 3)"));
        assert_eq!(fields(&found), ["chest.source.seed 1 → 3", "model.budget 30kimg → 40kimg"]);
        assert_eq!(reruns(&found), ["chest", "model", "fake", "summary"]);
        assert_eq!(found.reruns[2].after, ["chest", "model"]);
        let found = difference(|text| text.replace("  seed          = seed", "  batch = 32"));
        assert!(found.is_none(), "a default written out: {found:#?}");
        let found = difference(|text| text.replace("  seed          = seed", "  checkpoint = 4kimg"));
        assert!(found.changed[0].fields[0].resource && found.reruns.is_empty(), "{found:#?}");
        let found = difference(|text| text.replace("seed : int = 1", "seed : int = 2"));
        assert_eq!((found.params[0].before.as_deref(), found.params[0].now.as_deref()), (Some("1"), Some("2")));
        assert_eq!(fields(&found), ["model.seed 1 → 2"]);
    }

    #[test]
    fn renamed_blocks_are_found_with_what_reads_them() {
        let found =
            difference(|text| text.replace("chest", "films").replace("phantom.films", "phantom.chest").replace("model", "net"));
        let names: Vec<_> = found.renamed.iter().map(|it| (it.before.as_str(), it.now.as_str())).collect();
        assert_eq!(names, [("chest", "films"), ("model", "net")]);
        assert!(found.added.is_empty() && found.removed.is_empty() && found.changed.is_empty(), "{found:#?}");
        assert_eq!(reruns(&found), ["summary"], "it prints names");
        let found = difference(|text| text.replace("model", "net").replace("30kimg", "40kimg"));
        assert_eq!((found.renamed.len(), fields(&found)), (1, vec!["net.budget 30kimg → 40kimg".to_owned()]));
    }

    #[test]
    fn another_network_names_its_layers() {
        let found = difference(|text| text.replace("cpd.generator(channels = 8)", "cpd.generator(channels = 4)"));
        let network = found.changed[0].fields[0].network.as_ref().unwrap();
        assert!(network.weights_now < network.weights_before);
        assert!(network.layers.iter().any(|layer| layer.path.contains("conv_0")), "{network:#?}");
        let found =
            difference(|text| text.replace("sample fake", "sample other") + "sample third { from = model\nlabels = chest }\n");
        assert_eq!((found.renamed.len(), found.added.len()), (1, 1));
        assert_eq!(found.added[0].name, "third");
    }
}
