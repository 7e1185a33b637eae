//! A classifier without its last layer: what it has made of an image when it comes to decide.

use crate::diagnostic::Diagnostic;
use crate::network::{self, NetworkProgram, TensorId};
use crate::random::Key;
use crate::training::{Model, Weights, defect};

/// The network up to the input of its last dense layer, going back from its output, and the weights of that layer, `[outputs, k]`.
/// Where there is no dense layer the whole network, whose features are the logits, and no weights.
pub fn before_last_layer(model: &Model) -> Result<(Model, Option<Vec<f32>>), Diagnostic> {
    let whole = &model.network;
    let Some((input, path)) = last_dense(whole) else { return Ok((model.clone(), None)) };
    let calls = input.0.saturating_sub(whole.inputs.len()) + 1;
    let calls = if input.0 < whole.inputs.len() { 0 } else { calls };
    let network = NetworkProgram { calls: whole.calls.iter().take(calls).cloned().collect(), output: input, ..whole.clone() };
    let table = network::weights(&network).map_err(|error| defect(format!("a classifier cannot be cut: {error}")))?;
    let mut weights = Weights::initial(&table, &Key::new(0));
    for (specification, values) in weights.specifications.iter().zip(&mut weights.values) {
        let known = model.weights.position(&specification.name).and_then(|place| model.weights.values.get(place));
        *values = known.ok_or_else(|| defect(format!("a classifier lacks `{}`", specification.name)))?.clone();
    }
    let head = model.weights.position(&format!("{path}/weight")).and_then(|place| model.weights.values.get(place)).cloned();
    Ok((Model { network, weights, label_names: model.label_names.clone() }, head))
}

/// The input of the last dense layer and the path of that layer; behind it are only layers with one input, such as a bias.
fn last_dense(network: &NetworkProgram) -> Option<(TensorId, String)> {
    let mut at = network.output;
    loop {
        let call = network.calls.get(at.0.checked_sub(network.inputs.len())?)?;
        let &[input] = call.inputs.as_slice() else { return None };
        if call.layer == "dense" {
            return Some((input, call.path.clone()));
        }
        at = input;
    }
}
