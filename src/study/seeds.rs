//! A claim that rests on one run of a random process says little about the process.

use crate::diagnostic::Diagnostic;
use crate::language::{Condition, Program, Role, Step, StepField, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Warns, once for a file, of the claims of which no number was seen at two seeds.
pub fn check(program: &Program) -> Option<Diagnostic> {
    let steps = program.steps_by_name();
    let claims = program.steps.iter().flat_map(|step| step.fields.iter().map(move |field| (step, field)));
    let lonely: Vec<(&Step, &StepField)> = claims
        .filter(|(_, field)| match &field.value {
            Value::Condition(condition) => rests_on_one_seed(condition, &steps),
            _ => false,
        })
        .collect();
    let (first, _) = lonely.first()?;
    let message = match lonely.len() {
        1 => format!("the claim `{}` rests on one seed", first.name),
        many => format!("{many} claims rest on one seed"),
    };
    let told = "every number here is of a single run";
    let labels = lonely.iter().take(MOST_LABELS).map(|(_, field)| field.span);
    let diagnostic = labels.fold(Diagnostic::warning("E0425", message), |diagnostic, span| diagnostic.label(span, told));
    Some(diagnostic.help("sweep the study over seeds and claim their mean: `mean(by_seed.gap.auroc_gap) < 0.10`"))
}

/// Claims that are pointed at; a file may have hundreds.
const MOST_LABELS: usize = 3;

/// Whether all numbers of a claim come from one run of what is random behind them: trainings, and divisions of data.
fn rests_on_one_seed(condition: &Condition, steps: &BTreeMap<&str, &Step>) -> bool {
    let read: BTreeSet<String> = condition.references().into_iter().map(|reference| reference.step).collect();
    let runs: BTreeSet<Seeds> = read.iter().map(|step| seeds(step, steps)).collect();
    runs.iter().any(|seeds| seeds.iter().any(|(_, trains)| *trains)) && runs.len() < 2
}

/// What was drawn behind a result, as text, and whether it was in a training.
type Seeds = BTreeSet<(String, bool)>;

fn seeds(step: &str, steps: &BTreeMap<&str, &Step>) -> Seeds {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut open = vec![step.to_owned()];
    let mut found = Seeds::new();
    while let Some(name) = open.pop() {
        let Some(step) = steps.get(name.as_str()).filter(|_| seen.insert(name.clone())) else { continue };
        let has = |role: Role| step.fields.iter().any(|field| field.role == role);
        // What judges looks at training images without learning from them.
        let trains = has(Role::Training) && !has(Role::Evaluation);
        let drawn = step.field(if trains { "seed" } else { "split" });
        found.extend(drawn.map(|drawn| (format!("{} {:?}", step.kind, drawn.value), trains)));
        open.extend(step.references().into_iter().map(|(_, reference)| reference.step));
    }
    found
}
