//! The one sequence of bytes for a value, from which keys are made: a tag, then lengths before everything that has one,
//! numbers by their bits. It holds what decides a result and leaves out what does not: names of networks, places in text,
//! and the names of steps, for which the digests of their outputs stand.

use crate::language::{Comparison, Condition, Results, StepReference, Value};
use crate::network::{LayerCall, NetworkProgram};
use crate::store::Blob;
use std::collections::BTreeMap;

/// What stands for a reference: the outputs of the step that are meant, by port.
pub type Resolve<'a> = &'a dyn Fn(&StepReference) -> Option<BTreeMap<String, Blob>>;

pub struct Encoder<'a> {
    bytes: Vec<u8>,
    resolve: Resolve<'a>,
    /// Some reference had no outputs yet, so that the bytes mean nothing.
    is_open: bool,
}

/// The canonical bytes of a value; `None` while a step that it refers to has no outputs.
pub fn encode(value: &Value, resolve: Resolve<'_>) -> Option<Vec<u8>> {
    let mut encoder = Encoder { bytes: Vec::new(), resolve, is_open: false };
    encoder.value(value);
    (!encoder.is_open).then_some(encoder.bytes)
}

/// Canonical bytes of a list of texts.
pub fn encode_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<u8> {
    let mut encoder = Encoder { bytes: Vec::new(), resolve: &|_| None, is_open: false };
    texts.into_iter().for_each(|text| encoder.text(text));
    encoder.bytes
}

impl Encoder<'_> {
    fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    fn integer(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Both zeros are one number.
    fn number(&mut self, value: f64) {
        self.integer((value + 0.0).to_bits());
    }

    fn text(&mut self, text: &str) {
        self.integer(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Boolean(value) => self.bytes.extend_from_slice(&[1, u8::from(*value)]),
            Value::Integer(value) => {
                self.tag(2);
                self.integer(*value as u64);
            }
            Value::Number(value) => {
                self.tag(3);
                self.number(*value);
            }
            Value::Text(text) => {
                self.tag(4);
                self.text(text);
            }
            Value::Quantity(quantity) => {
                self.tag(5);
                self.number(quantity.value);
                self.text(&quantity.dimension);
            }
            Value::Choice(word) => {
                self.tag(6);
                self.text(word);
            }
            Value::List(values) => {
                self.tag(7);
                self.integer(values.len() as u64);
                values.iter().for_each(|value| self.value(value));
            }
            Value::Construction(construction) => {
                self.tag(8);
                self.text(&construction.function);
                self.arguments(&construction.arguments);
            }
            Value::Step(reference) => {
                self.tag(9);
                self.reference(reference);
            }
            Value::Network(network) => {
                self.tag(10);
                self.network(network);
            }
            Value::Condition(condition) => {
                self.tag(11);
                self.condition(condition);
            }
            Value::Record(fields) => {
                self.tag(12);
                self.arguments(fields);
            }
            Value::Family(_) => self.tag(15),
            Value::Axes(names) => {
                self.tag(13);
                self.integer(names.len() as u64);
                names.iter().for_each(|name| self.text(name));
            }
            Value::Results(results) => {
                self.tag(14);
                self.results(results);
            }
        }
    }

    /// Labels count, because tables and figures print them; names of steps do not.
    fn results(&mut self, results: &Results) {
        self.text(&results.written);
        self.text(&results.documentation);
        self.integer(results.axes.len() as u64);
        for axis in &results.axes {
            self.text(&axis.name);
            self.integer(axis.labels.len() as u64);
            axis.labels.iter().for_each(|label| self.text(label));
        }
        self.integer(results.cells.len() as u64);
        let references = results.references();
        references.iter().skip(results.cells.len()).for_each(|scores| self.reference(scores));
        for (cell, reference) in results.cells.iter().zip(references) {
            cell.labels.iter().for_each(|label| self.text(label));
            self.text(&cell.result);
            self.reference(&reference);
        }
    }

    fn arguments(&mut self, arguments: &[(String, Value)]) {
        self.integer(arguments.len() as u64);
        for (name, value) in arguments {
            self.text(name);
            self.value(value);
        }
    }

    fn reference(&mut self, reference: &StepReference) {
        let Some(outputs) = (self.resolve)(reference) else {
            self.is_open = true;
            return;
        };
        self.integer(outputs.len() as u64);
        for (port, blob) in outputs {
            self.text(&port);
            self.bytes.extend_from_slice(blob.digest.as_bytes());
        }
    }

    fn shape(&mut self, shape: &[usize]) {
        self.integer(shape.len() as u64);
        shape.iter().for_each(|size| self.integer(*size as u64));
    }

    fn network(&mut self, network: &NetworkProgram) {
        self.integer(network.inputs.len() as u64);
        for (name, shape) in &network.inputs {
            self.text(name);
            self.shape(shape);
        }
        self.integer(network.calls.len() as u64);
        for LayerCall { layer, path, inputs, arguments, shape } in &network.calls {
            self.text(layer);
            self.text(path);
            self.integer(inputs.len() as u64);
            inputs.iter().for_each(|input| self.integer(input.0 as u64));
            self.arguments(&arguments.0);
            self.shape(shape);
        }
        self.integer(network.output.0 as u64);
        if !network.given.is_empty() {
            self.given_weights(network);
        }
    }

    /// What is taken from files and under which names. Where the files lie is left out: their contents count, apart from this.
    fn given_weights(&mut self, network: &NetworkProgram) {
        for given in &network.given {
            self.text(&given.at);
            self.text(&given.source.function);
            let settings = given.source.arguments.iter().filter(|(name, _)| name != "path");
            self.arguments(&settings.cloned().collect::<Vec<_>>());
        }
        self.integer(network.named.len() as u64);
        network.named.iter().for_each(|path| self.text(path));
    }

    /// With the names of steps, unlike everything else: a verdict repeats its condition in words.
    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Result { step, result } => {
                self.tag(1);
                self.text(step);
                self.text(result);
                self.reference(&StepReference { step: step.clone(), port: Some("results".into()) });
            }
            Condition::Number(value) => {
                self.tag(2);
                self.number(*value);
            }
            Condition::Statistic(statistic) => {
                self.tag(9);
                self.text(&statistic.function);
                self.arguments(&statistic.arguments);
                for reference in condition.references() {
                    self.text(&reference.step);
                }
            }
            Condition::Negate(inner) => {
                self.tag(3);
                self.condition(inner);
            }
            Condition::Not(inner) => {
                self.tag(4);
                self.condition(inner);
            }
            Condition::Arithmetic { operator, left, right } => {
                self.tag(5);
                self.integer(u64::from(u32::from(*operator)));
                self.condition(left);
                self.condition(right);
            }
            Condition::Compare { comparison, left, right } => {
                self.tag(6);
                self.tag(match comparison {
                    Comparison::Less => 0,
                    Comparison::LessOrEqual => 1,
                    Comparison::Greater => 2,
                    Comparison::GreaterOrEqual => 3,
                    Comparison::Equal => 4,
                    Comparison::NotEqual => 5,
                });
                self.condition(left);
                self.condition(right);
            }
            Condition::And(left, right) => {
                self.tag(7);
                self.condition(left);
                self.condition(right);
            }
            Condition::Or(left, right) => {
                self.tag(8);
                self.condition(left);
                self.condition(right);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Construction;
    use crate::network::{LayerArguments, TensorId};
    use crate::store::Digest;
    use std::sync::Arc;

    fn bytes(value: &Value) -> Vec<u8> {
        encode(value, &|_| None).unwrap()
    }

    #[test]
    fn different_values_have_different_bytes() {
        let text = |text: &str| Value::Text(text.into());
        let call = |function: &str, arguments: Vec<(&str, Value)>| {
            let arguments = arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Value::Construction(Construction { function: function.into(), arguments })
        };
        let values = [
            Value::Boolean(true),
            Value::Integer(1),
            Value::Number(1.0),
            text("1"),
            Value::Choice("1".into()),
            Value::List(vec![]),
            Value::List(vec![text("ab"), text("c")]),
            Value::List(vec![text("a"), text("bc")]),
            Value::List(vec![Value::List(vec![text("a")]), text("bc")]),
            call("gray", vec![("size", Value::Integer(32))]),
            call("gray", vec![("fit", Value::Integer(32))]),
            call("gray", vec![]),
        ];
        for (at, one) in values.iter().enumerate() {
            for other in &values[at + 1..] {
                assert_ne!(bytes(one), bytes(other), "{one:?} {other:?}");
            }
        }
        assert_eq!(bytes(&Value::Number(0.0)), bytes(&Value::Number(-0.0)));
    }

    #[test]
    fn the_name_of_a_network_does_not_count_and_its_layers_do() {
        let network = |name: &str, filters: i64| {
            let arguments = LayerArguments(vec![("filters".into(), Value::Integer(filters))]);
            let call = LayerCall { layer: "conv".into(), path: "c".into(), inputs: vec![TensorId(0)], arguments, shape: vec![8] };
            let inputs = vec![("x".to_owned(), vec![8])];
            Value::Network(Arc::new(NetworkProgram {
                name: name.into(),
                inputs,
                calls: vec![call],
                output: TensorId(1),
                ..NetworkProgram::default()
            }))
        };
        assert_eq!(bytes(&network("a", 8)), bytes(&network("b", 8)));
        assert_ne!(bytes(&network("a", 8)), bytes(&network("a", 9)));
    }

    #[test]
    fn a_step_counts_by_what_it_made_and_not_by_its_name() {
        let outputs = BTreeMap::from([("train".to_owned(), Blob { digest: Digest::of(b"images"), size: 6 })]);
        let step = |name: &str| Value::Step(StepReference { step: name.into(), port: Some("train".into()) });
        let made = |_: &StepReference| Some(outputs.clone());
        assert_eq!(encode(&step("chest"), &made), encode(&step("films"), &made));
        assert_eq!(encode(&step("chest"), &|_| None), None);
    }
}
