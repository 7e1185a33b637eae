//! A claim that rests on one run of a random process says little about the process.

use crate::diagnostic::Diagnostic;
use crate::language::{Condition, Program, Role, Step, StepField, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Warns, once for a file, of the claims of which no number was seen at two seeds.
pub fn check(program: &Program) -> Option<Diagnostic> {
    let steps: BTreeMap<&str, &Step> = program.steps.iter().map(|step| (step.name.as_str(), step)).collect();
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

fn rests_on_one_seed(condition: &Condition, steps: &BTreeMap<&str, &Step>) -> bool {
    let runs: Vec<BTreeSet<Seeds>> = groups(condition)
        .iter()
        .map(|group| group.iter().map(|name| seeds(name, steps)).filter(|seeds| !seeds.is_empty()).collect())
        .collect();
    runs.iter().any(|seeds| !seeds.is_empty()) && runs.iter().all(|seeds| seeds.len() < 2)
}

/// The steps whose results count together: those of one statistic, or a single one.
fn groups(condition: &Condition) -> Vec<Vec<String>> {
    match condition {
        Condition::Result { step, .. } => vec![vec![step.clone()]],
        Condition::Number(_) => Vec::new(),
        Condition::Statistic(_) => vec![condition.references().into_iter().map(|reference| reference.step).collect()],
        Condition::Negate(inner) | Condition::Not(inner) => groups(inner),
        Condition::Arithmetic { left, right, .. }
        | Condition::Compare { left, right, .. }
        | Condition::And(left, right)
        | Condition::Or(left, right) => groups(left).into_iter().chain(groups(right)).collect(),
    }
}

/// The seeds of all trainings behind a result, by the kind of step.
type Seeds = BTreeSet<(String, i64)>;

fn seeds(step: &str, steps: &BTreeMap<&str, &Step>) -> Seeds {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut open = vec![step.to_owned()];
    let mut found = Seeds::new();
    while let Some(name) = open.pop() {
        let Some(step) = steps.get(name.as_str()).filter(|_| seen.insert(name.clone())) else { continue };
        if step.fields.iter().any(|field| field.role == Role::Training)
            && let Some(Value::Integer(seed)) = step.field("seed").map(|field| &field.value)
        {
            found.insert((step.kind.clone(), *seed));
        }
        open.extend(step.references().into_iter().map(|(_, reference)| reference.step));
    }
    found
}
