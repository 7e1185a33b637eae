//! How two networks differ, layer by layer. Layers are told apart by where they stand, as weights are.

use super::shown::{grouped, shown};
use crate::language::Value;
use crate::network::{LayerCall, NetworkProgram, TensorId, weights};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NetworkChange {
    pub layers_before: usize,
    pub layers_now: usize,
    /// Learned numbers.
    pub weights_before: usize,
    pub weights_now: usize,
    pub layers: Vec<LayerChange>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerChange {
    /// `generator/for.stage=3/conv_0`.
    pub path: String,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// The layer, or what changed of it: `filters 64 → 32`.
    pub what: String,
}

/// `None` where the two are the same but for their names.
pub fn network_change(before: &NetworkProgram, now: &NetworkProgram) -> Option<NetworkChange> {
    let is_same = before.inputs == now.inputs && before.calls == now.calls && before.output == now.output;
    if is_same && before.given == now.given {
        return None;
    }
    let by_path = |network: &NetworkProgram| -> BTreeMap<String, LayerCall> {
        network.calls.iter().map(|call| (call.path.clone(), call.clone())).collect()
    };
    let (old, new) = (by_path(before), by_path(now));
    let mut layers = Vec::new();
    let mut tell = |path: &str, change, what| layers.push(LayerChange { path: path.to_owned(), change, what });
    for call in before.calls.iter().filter(|call| !new.contains_key(&call.path)) {
        tell(&call.path, "removed", written(call));
    }
    for call in &now.calls {
        match old.get(&call.path) {
            None => tell(&call.path, "added", written(call)),
            Some(was) => {
                let what = changed((before, was), (now, call));
                if !what.is_empty() {
                    tell(&call.path, "changed", what.join(", "));
                }
            }
        }
    }
    if before.inputs != now.inputs {
        tell("inputs", "changed", format!("{} → {}", inputs(before), inputs(now)));
    }
    if name(before, before.output) != name(now, now.output) {
        tell("output", "changed", format!("{} → {}", name(before, before.output), name(now, now.output)));
    }
    let given = |network: &NetworkProgram, at: &str| {
        let given = network.given.iter().find(|given| given.at == at);
        given.map_or("drawn".to_owned(), |given| shown(&Value::Construction(given.source.clone())))
    };
    let parts: BTreeSet<&str> = before.given.iter().chain(&now.given).map(|given| given.at.as_str()).collect();
    for at in parts {
        let (was, is) = (given(before, at), given(now, at));
        if was != is {
            layers.push(LayerChange { path: at.to_owned(), change: "changed", what: format!("weights {was} → {is}") });
        }
    }
    if layers.is_empty() {
        let what = "the same layers in another order".to_owned();
        layers.push(LayerChange { path: "layers".to_owned(), change: "changed", what });
    }
    let count = |network: &NetworkProgram| weights(network).map_or(0, |weights| weights.parameter_count());
    Some(NetworkChange {
        layers_before: before.calls.len(),
        layers_now: now.calls.len(),
        weights_before: count(before),
        weights_now: count(now),
        layers,
    })
}

impl NetworkChange {
    /// `23 layers, 12_000 → 9_000 weights`.
    pub fn sentence(&self) -> String {
        let pair = |before: usize, now: usize| match before == now {
            true => grouped(now as i64),
            false => format!("{} → {}", grouped(before as i64), grouped(now as i64)),
        };
        format!("{} layers, {} weights", pair(self.layers_before, self.layers_now), pair(self.weights_before, self.weights_now))
    }
}

/// `conv(filters = 8, kernel = 3) → [8, 16, 16]`.
fn written(call: &LayerCall) -> String {
    let arguments: Vec<String> = call.arguments.0.iter().map(|(name, value)| format!("{name} = {}", shown(value))).collect();
    format!("{}({}) → {:?}", call.layer, arguments.join(", "), call.shape)
}

fn changed((before, old): (&NetworkProgram, &LayerCall), (now, new): (&NetworkProgram, &LayerCall)) -> Vec<String> {
    if old.layer != new.layer {
        return vec![format!("{} → {}", written(old), written(new))];
    }
    let mut changes = Vec::new();
    for (argument, value) in &new.arguments.0 {
        match old.arguments.get(argument) {
            Some(was) if was == value => {}
            Some(was) => changes.push(format!("{argument} {} → {}", shown(was), shown(value))),
            None => changes.push(format!("{argument} is new: {}", shown(value))),
        }
    }
    let read = |network: &NetworkProgram, call: &LayerCall| -> Vec<String> {
        call.inputs.iter().map(|input| name(network, *input)).collect()
    };
    let (was, is) = (read(before, old), read(now, new));
    if was != is {
        changes.push(format!("reads {} → {}", was.join(" and "), is.join(" and ")));
    }
    if old.shape != new.shape {
        changes.push(format!("shape {:?} → {:?}", old.shape, new.shape));
    }
    changes
}

/// What a tensor is called: an input by its name, else the layer that makes it.
fn name(network: &NetworkProgram, id: TensorId) -> String {
    let name = match id.0.checked_sub(network.inputs.len()) {
        None => network.inputs.get(id.0).map(|(name, _)| name),
        Some(index) => network.calls.get(index).map(|call| &call.path),
    };
    name.cloned().unwrap_or_default()
}

fn inputs(network: &NetworkProgram) -> String {
    let inputs: Vec<String> = network.inputs.iter().map(|(name, shape)| format!("{name} {shape:?}")).collect();
    inputs.join(", ")
}
