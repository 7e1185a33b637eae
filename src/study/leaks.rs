//! Images that judge must be real, and must not have been seen: not in training, not in selection, nor through another image
//! of the same patient.

use super::origins::{Origins, Part, Through, shown};
use crate::diagnostic::Diagnostic;
use crate::language::{Construction, Program, Role, Step, StepField, Value};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The steps by their names.
type Steps<'p> = BTreeMap<&'p str, &'p Step>;

/// All leaks into the steps that judge.
pub fn check(program: &Program, origins: &Origins) -> Vec<Diagnostic> {
    let steps = program.steps_by_name();
    let mut found = Vec::new();
    for step in &program.steps {
        for judging in step.fields.iter().filter(|field| field.role == Role::Evaluation) {
            for reference in judging.value.references() {
                let held_out = origins.get(&reference);
                if let Some(((part, _), way)) = held_out.iter().find(|((_, through), _)| *through != Through::Nothing) {
                    found.push(synthetic(step, judging, &shown(&reference), part, way));
                    continue;
                }
                let held_out: Vec<&Part> = held_out.keys().map(|(part, _)| part).collect();
                found.extend(judged(&steps, origins, step, judging, &held_out));
            }
        }
    }
    found
}

/// Leaks of held-out parts into what one step judges.
fn judged(steps: &Steps<'_>, origins: &Origins, step: &Step, judging: &StepField, held_out: &[&Part]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for field in step.fields.iter().filter(|field| field.role != Role::Evaluation) {
        for reference in field.value.references() {
            for ((seen, through), way) in origins.get(&reference) {
                // A step that is told what was learned from reads it as such, although it learns nothing itself.
                let entered = through.entering(field.role);
                if entered == Through::Nothing {
                    continue;
                }
                let Some((test, shared)) = held_out.iter().find_map(|test| Some((*test, shared(steps, seen, test)?))) else {
                    continue;
                };
                let mut way = way.clone();
                let place = match through {
                    Through::Nothing => {
                        way.push(format!("{}.{}", step.name, field.name));
                        Some(field)
                    }
                    _ => entrance(steps, &way, entered),
                };
                found.push(match shared {
                    Shared::Images => seen_before(step, judging, test, entered, &way, place),
                    Shared::Patients(why) => same_patients(judging, seen, test, why, &way, place),
                });
            }
        }
    }
    found
}

/// What two parts have in common.
enum Shared {
    Images,
    Patients(String),
}

/// Whether two parts may hold the same images, or images of the same patients.
fn shared(steps: &Steps<'_>, one: &Part, other: &Part) -> Option<Shared> {
    let value = |part: &Part, field: &str| Some(&steps.get(part.step.as_str())?.field(field)?.value);
    if one == other {
        return Some(Shared::Images);
    }
    let same_people = match (value(one, "source")?, value(other, "source")?) {
        (Value::Construction(a), Value::Construction(b)) => same_people(a, b),
        _ => false,
    };
    if !same_people {
        return None;
    }
    let (a, b) = (value(one, "split")?, value(other, "split")?);
    if a != b {
        return Some(Shared::Patients(format!("`{}` and `{}` divide the same patients in different ways", one.step, other.step)));
    }
    // A stratified split looks at every row of its source; what is selected afterwards changes no patient's part.
    let of_all_rows = matches!(a, Value::Construction(rule) if rule.function == "stratified_by");
    if of_all_rows && value(one, "source")? != value(other, "source")? {
        let why = format!("`stratified_by` divides the rows of `{}` and of `{}`, whose sources differ", one.step, other.step);
        return Some(Shared::Patients(why));
    }
    if one.port == other.port {
        return Some(Shared::Images);
    }
    let by_image = matches!(a, Value::Construction(rule)
        if rule.arguments.iter().any(|(name, value)| name == "unit" && *value == Value::Choice("image".into())));
    by_image.then(|| Shared::Patients(format!("`{}` is divided image by image", one.step)))
}

/// Whether two sources draw on the same patients: the same reader at the same place or with the same seed.
fn same_people(a: &Construction, b: &Construction) -> bool {
    let identity = |source: &Construction| -> Vec<(String, Value)> {
        let arguments = source.arguments.iter().filter(|(name, _)| ["root", "seed"].contains(&name.as_str()));
        arguments.map(|(name, value)| (name.clone(), plain_path(value))).collect()
    };
    a.function == b.function && identity(a) == identity(b)
}

/// A folder without the signs that change nothing: `./data/C/` is `data/C`.
fn plain_path(value: &Value) -> Value {
    match value {
        Value::Text(path) => {
            let parts = Path::new(path).components().filter(|part| *part != Component::CurDir);
            Value::Text(parts.collect::<PathBuf>().to_string_lossy().into_owned())
        }
        other => other.clone(),
    }
}

/// Steps that choose among what they have trained by the images that they trained it on.
pub fn chosen_on_training_data(program: &Program, origins: &Origins) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for step in &program.steps {
        let fields = |role: Role| step.fields.iter().filter(move |field| field.role == role);
        for (training, selection) in fields(Role::Training).flat_map(|a| fields(Role::Selection).map(move |b| (a, b))) {
            let parts = |field: &StepField| field.value.references().into_iter().map(|part| shown(&part)).collect::<Vec<_>>();
            let own = |field: &StepField| -> Vec<Part> {
                let references = field.value.references();
                let of = references.iter().flat_map(|reference| origins.get(reference).keys());
                of.filter(|(_, through)| *through == Through::Nothing).map(|(part, _)| part.clone()).collect()
            };
            let trained = own(training);
            if own(selection).iter().any(|part| trained.contains(part)) {
                let what = parts(selection).join(", ");
                found.push(
                    Diagnostic::error("E0424", format!("`{}` chooses by `{what}`, on which it trains", step.name))
                        .label(selection.span, "decides here what is kept or when training stops")
                        .label(training.span, "is learned from here")
                        .help("choose on another part, such as `valid`"),
                );
            }
        }
    }
    found
}

/// The field through which data came to be learned from: the first on the way that trains or selects.
fn entrance<'p>(steps: &Steps<'p>, way: &[String], through: Through) -> Option<&'p StepField> {
    let role = if through == Through::Selection { Role::Selection } else { Role::Training };
    way.iter().find_map(|stop| {
        let (step, field) = stop.rsplit_once('.')?;
        steps.get(step)?.field(field).filter(|field| field.role == role)
    })
}

fn seen_before(
    step: &Step,
    judging: &StepField,
    test: &Part,
    through: Through,
    way: &[String],
    place: Option<&StepField>,
) -> Diagnostic {
    let test = shown(test);
    let (code, message, label, help) = match through {
        Through::Selection => (
            "E0422",
            format!("`{}` judges with `{test}`, which has chosen what is judged", step.name),
            "decides here what is kept or when training stops",
            "choose on another part, such as `valid`, and keep `test` for the end",
        ),
        _ => (
            "E0421",
            format!("`{}` judges with `{test}`, from which what it judges has learned", step.name),
            "is learned from here",
            "train on another part, such as `train`, and keep `test` for the end",
        ),
    };
    let diagnostic = Diagnostic::error(code, message).label(judging.span, format!("`{test}` judges here"));
    let diagnostic = match place {
        Some(field) => diagnostic.label(field.span, label),
        None => diagnostic,
    };
    diagnostic.note(format!("the way: {}", way.join(" → "))).help(help)
}

fn same_patients(
    judging: &StepField,
    seen: &Part,
    test: &Part,
    why: String,
    way: &[String],
    place: Option<&StepField>,
) -> Diagnostic {
    let message = format!("`{}` and `{}` can hold images of the same patients", shown(seen), shown(test));
    let diagnostic = Diagnostic::error("E0420", message).label(judging.span, format!("`{}` judges here", shown(test)));
    let diagnostic = match place {
        Some(field) => diagnostic.label(field.span, format!("`{}` is learned from here", shown(seen))),
        None => diagnostic,
    };
    diagnostic
        .note(why)
        .note(format!("the way: {}", way.join(" → ")))
        .help("take both from one data set that is divided by patient: `split = by(patient, …)`")
}

fn synthetic(step: &Step, judging: &StepField, test: &str, part: &Part, way: &[String]) -> Diagnostic {
    Diagnostic::error("E0423", format!("`{}` judges with synthetic images", step.name))
        .label(judging.span, format!("`{test}` was made by a network that learned from `{}`", shown(part)))
        .note(format!("the way: {}", way.join(" → ")))
        .help("judge with real images that nothing has learned from, such as `chest.test`")
}
