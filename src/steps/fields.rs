//! Fields of a checked step as what the step needs. The checker has made sure of names and types, so that a failure here is
//! a defect of the program, and says so.

use super::{ExternalFile, StepContext, StepError};
use crate::diagnostic::Diagnostic;
use crate::features::{self, FeatureNetwork};
use crate::language::{Step, Value};
use crate::network::{self, NetworkProgram, layers};
use crate::training::defect;
use crate::training::weight_file::fit;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The value of a field.
pub fn value<'a>(step: &'a Step, field: &str) -> Result<&'a Value, Diagnostic> {
    step.field(field).map(|field| &field.value).ok_or_else(|| defect(format!("`{}` has no field `{field}`", step.name)))
}

/// A whole number that is not negative.
pub fn count(step: &Step, field: &str) -> Result<u64, Diagnostic> {
    match value(step, field)? {
        Value::Integer(count) if *count >= 0 => Ok(*count as u64),
        other => Err(wrong(step, field, "a whole number", other)),
    }
}

/// A number.
pub fn number(step: &Step, field: &str) -> Result<f64, Diagnostic> {
    match value(step, field)? {
        Value::Integer(number) => Ok(*number as f64),
        Value::Number(number) => Ok(*number),
        other => Err(wrong(step, field, "a number", other)),
    }
}

/// A quantity in base units: images, seconds, a fraction.
pub fn quantity(step: &Step, field: &str) -> Result<f64, Diagnostic> {
    match value(step, field)? {
        Value::Quantity(quantity) => Ok(quantity.value),
        other => Err(wrong(step, field, "a quantity", other)),
    }
}

/// Whether `compat = paper` asks for the quirks of the authors' code.
pub fn as_published(step: &Step) -> Result<bool, Diagnostic> {
    match value(step, "compat")? {
        Value::Choice(word) => Ok(word == "paper"),
        other => Err(wrong(step, "compat", "`none` or `paper`", other)),
    }
}

/// The words of a list of choices.
pub fn words(value: &Value) -> BTreeSet<&str> {
    let Value::List(words) = value else { return BTreeSet::new() };
    let mut found = BTreeSet::new();
    for word in words {
        if let Value::Choice(word) = word {
            found.insert(word.as_str());
        }
    }
    found
}

/// A network with every size known.
pub fn network(step: &Step, field: &str) -> Result<Arc<NetworkProgram>, Diagnostic> {
    match value(step, field)? {
        Value::Network(network) => Ok(network.clone()),
        other => Err(wrong(step, field, "a network", other)),
    }
}

/// The feature network that a field names, for images of so many channels, rows and columns.
pub fn feature_network(context: &StepContext<'_>, field: &str, image: [usize; 3]) -> Result<FeatureNetwork, StepError> {
    let value = value(context.step, field)?;
    let model = matches!(value, Value::Step(_)).then(|| context.input_file(field)).transpose()?;
    let network = FeatureNetwork::new(value, &context.step.folder, model, image);
    network.map_err(|problem| {
        let place = context.step.field(field).map_or(context.step.span, |field| field.span);
        problem.label(place, "these features").into()
    })
}

fn wrong(step: &Step, field: &str, expected: &str, found: &Value) -> Diagnostic {
    defect(format!("`{field}` of `{}` must be {expected}, not {found:?}", step.name))
}

/// The files that the networks and feature networks of a step take their weights from. Whether everything in them fits is known before anything runs.
pub fn weight_files(step: &Step) -> Result<Vec<ExternalFile>, Diagnostic> {
    let mut files = Vec::new();
    for field in &step.fields {
        let at = |problem: Diagnostic| problem.label(field.span, format!("the {} of `{}`", field.name, step.name));
        let features = features::weight_file(&field.value, &step.folder).map_err(at)?;
        files.extend(features.map(|path| ExternalFile { name: field.name.clone(), path }));
        let Value::Network(network) = &field.value else { continue };
        if network.given.is_empty() {
            continue;
        }
        let table = network::weights(network).map_err(|error| at(defect(error.message)))?;
        fit::fits(network, &table.specifications).map_err(at)?;
        let file = |given: &network::GivenWeights| ExternalFile {
            name: format!("{} {}", field.name, given.at),
            path: given.path.clone(),
        };
        files.extend(network.given.iter().map(file));
    }
    Ok(files)
}

/// The layers of a step's networks that cannot work on the step's batches, which is known before anything runs.
pub fn unfit_batches(step: &Step) -> Vec<Diagnostic> {
    let Ok(batch) = count(step, "batch") else { return Vec::new() };
    let place = step.field("batch").map_or(step.span, |field| field.span);
    let unfit = |field: &crate::language::StepField| -> Option<Diagnostic> {
        let Value::Network(network) = &field.value else { return None };
        let (path, error) = network.calls.iter().find_map(|call| {
            let fits = layers::find(&call.layer)?.admits_batch(usize::try_from(batch).unwrap_or(usize::MAX), &call.arguments);
            fits.err().map(|error| (call.path.as_str(), error))
        })?;
        let diagnostic = Diagnostic::error("E0320", format!("`{}` cannot be trained in batches of {batch}", field.name))
            .label(place, error.message)
            .label(field.span, format!("the layer {path}"));
        Some(match error.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        })
    };
    step.fields.iter().filter_map(unfit).collect()
}
