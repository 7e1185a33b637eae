//! One layer on its own, for tests: its shape, its numbers in double precision, and its first and second derivatives
//! compared with central differences, through the lowering.

use super::super::graph::{Graph, NodeId};
use super::super::lowering::{Mode, WeightTable, lower};
use super::super::program::{LayerArguments, LayerCall, NetworkProgram, Shape, TensorId};
use crate::autodiff::gradient;
use crate::kernels::cpu::Executable;
use crate::language::{Construction, Value};
use crate::random::Key;
use std::collections::BTreeMap;

/// A layer with its inputs' shapes (batch left out) and arguments.
#[derive(Clone)]
pub struct Trial {
    layer: &'static str,
    inputs: Vec<Shape>,
    arguments: LayerArguments,
    pub batch: usize,
    pub mode: Mode,
}

/// A lowered trial: inputs are fed as `x0`, `x1` …, weights by `layer/weight`.
struct Lowered {
    graph: Graph,
    inputs: Vec<NodeId>,
    output: NodeId,
    table: WeightTable,
}

type Values = BTreeMap<String, Vec<f64>>;

/// A way for weights to begin.
pub fn construction(function: &str, arguments: &[(&str, Value)]) -> Value {
    let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Value::Construction(Construction { function: function.to_owned(), arguments })
}

/// `normal(deviation)`.
pub fn normal(deviation: f64) -> Value {
    construction("normal", &[("deviation", Value::Number(deviation))])
}

/// 1, 2, 3 … `count`.
pub fn counting(count: usize) -> Vec<f64> {
    (1..=count).map(|number| number as f64).collect()
}

/// Fails unless all numbers agree to nine digits.
pub fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{found:?} and {expected:?}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "element {index}: {found}, expected {expected}");
    }
}

impl Trial {
    pub fn new(layer: &'static str, inputs: &[&[usize]]) -> Self {
        let inputs = inputs.iter().map(|shape| shape.to_vec()).collect();
        Self { layer, inputs, arguments: LayerArguments::default(), batch: 2, mode: Mode::Training }
    }

    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.arguments.0.push((name.to_owned(), value));
        self
    }

    pub fn size(self, name: &str, value: i64) -> Self {
        self.with(name, Value::Integer(value))
    }

    pub fn number(self, name: &str, value: f64) -> Self {
        self.with(name, Value::Number(value))
    }

    pub fn flag(self, name: &str, value: bool) -> Self {
        self.with(name, Value::Boolean(value))
    }

    pub fn shape(&self) -> Shape {
        self.try_shape().unwrap_or_else(|message| panic!("{message}"))
    }

    /// How many numbers one sample has in all inputs.
    pub fn inputs(&self) -> usize {
        self.inputs.iter().flatten().product()
    }

    /// Why the layer refuses these shapes, in words.
    pub fn refusal(&self) -> String {
        self.try_shape().expect_err("the layer takes these shapes")
    }

    fn try_shape(&self) -> Result<Shape, String> {
        let layer = super::find(self.layer).unwrap();
        layer.shape(&self.inputs.iter().collect::<Vec<_>>(), &self.arguments).map_err(|error| error.message)
    }

    fn lowered(&self) -> Lowered {
        let mut graph = Graph::new();
        let names = (0..self.inputs.len()).map(|index| format!("x{index}"));
        let program = NetworkProgram {
            name: String::new(),
            inputs: names.zip(self.inputs.iter().cloned()).collect(),
            calls: vec![LayerCall {
                layer: self.layer.to_owned(),
                path: "layer".into(),
                inputs: (0..self.inputs.len()).map(TensorId).collect(),
                arguments: self.arguments.clone(),
                shape: self.shape(),
            }],
            output: TensorId(self.inputs.len()),
            ..NetworkProgram::default()
        };
        let shapes = program.inputs.iter();
        let inputs: Vec<NodeId> =
            shapes.map(|(name, shape)| graph.input(name, &[&[self.batch], shape.as_slice()].concat())).collect();
        let mut table = WeightTable::default();
        let output = lower(&program, &mut graph, self.batch, self.mode, &inputs, &mut table).unwrap();
        Lowered { graph, inputs, output, table }
    }

    /// Names and shapes of the layer's weights and running statistics.
    pub fn weights(&self) -> Vec<(String, Shape)> {
        self.lowered().table.specifications.into_iter().map(|weight| (weight.name, weight.shape)).collect()
    }

    /// The output for these inputs and weights.
    pub fn run(&self, inputs: &[&[f64]], weights: &[(&str, &[f64])]) -> Vec<f64> {
        let lowered = self.lowered();
        evaluate(&lowered.graph, &[lowered.output], &fed(inputs, weights)).remove(0)
    }

    /// What a running statistic becomes.
    pub fn update(&self, name: &str, inputs: &[&[f64]], weights: &[(&str, &[f64])]) -> Vec<f64> {
        let lowered = self.lowered();
        let (_, node) = lowered.table.updates.iter().find(|(known, _)| known == name).unwrap();
        evaluate(&lowered.graph, &[*node], &fed(inputs, weights)).remove(0)
    }

    /// First and second derivatives by inputs and learned weights against central differences.
    pub fn check_gradient(&self) {
        let lowered = self.lowered();
        self.check_gradient_at(&drawn(&lowered), 2);
    }

    /// Up to the given order, at the given weights; what is not given is drawn.
    pub fn check_gradient_at(&self, given: &BTreeMap<String, Vec<f64>>, order: usize) {
        let Lowered { mut graph, inputs, output, table } = self.lowered();
        let mut values = drawn(&self.lowered());
        values.extend(given.clone());
        let learned = table.specifications.iter().filter(|weight| weight.trainable);
        let by: Vec<NodeId> = inputs.into_iter().chain(learned.map(|weight| table.node(&weight.name).unwrap())).collect();
        let first = weighted_sum(&mut graph, &[output], "first", &mut values);
        let square = graph.square(output);
        let square = graph.sum_all(square);
        let first = graph.add(first, square);
        compare(&mut graph, first, &by, &values, &format!("first derivative of {}", self.layer));
        if order > 1 {
            let gradients = gradient(&mut graph, first, &by);
            let second = weighted_sum(&mut graph, &gradients, "second", &mut values);
            compare(&mut graph, second, &by, &values, &format!("second derivative of {}", self.layer));
        }
    }
}

fn fed(inputs: &[&[f64]], weights: &[(&str, &[f64])]) -> Values {
    let inputs = inputs.iter().enumerate().map(|(index, values)| (format!("x{index}"), values.to_vec()));
    inputs.chain(weights.iter().map(|(name, values)| (format!("layer/{name}"), values.to_vec()))).collect()
}

/// Numbers in (0.1, 1.1) for everything that is fed: positive, so that running variances are too.
fn drawn(lowered: &Lowered) -> Values {
    let names = Executable::<f64>::compile(&lowered.graph, &[lowered.output]);
    let draw = |name: &String| {
        let node = lowered.graph.find_input(name).unwrap();
        let key = Key::new(3).with(name);
        (name.clone(), (0..lowered.graph.elements(node)).map(|index| 0.1 + key.uniform(index as u64)).collect())
    };
    names.bindings().iter().map(draw).collect()
}

fn evaluate(graph: &Graph, outputs: &[NodeId], values: &Values) -> Vec<Vec<f64>> {
    let mut executable = Executable::<f64>::compile(graph, outputs);
    let fed: Vec<&[f64]> = executable.bindings().iter().map(|name| values[name].as_slice()).collect();
    executable.run(&fed);
    (0..outputs.len()).map(|index| executable.output(index).to_vec()).collect()
}

/// Σ weights · nodes with weights without a pattern.
fn weighted_sum(graph: &mut Graph, nodes: &[NodeId], name: &str, values: &mut Values) -> NodeId {
    let mut sum = graph.constant(0.0, &[]);
    for (index, node) in nodes.iter().enumerate() {
        let (name, shape) = (format!("{name} {index}"), graph.shape(*node).to_vec());
        let weights = graph.input(&name, &shape);
        let key = Key::new(4).with(&name);
        values.insert(name, (0..graph.elements(*node)).map(|index| 2.0 * key.uniform(index as u64) - 1.0).collect());
        let product = graph.mul(weights, *node);
        let part = graph.sum_all(product);
        sum = graph.add(sum, part);
    }
    sum
}

fn compare(graph: &mut Graph, scalar: NodeId, by: &[NodeId], values: &Values, what: &str) {
    let gradients = gradient(graph, scalar, by);
    let found = evaluate(graph, &gradients, values);
    let names: Vec<String> =
        by.iter().map(|node| graph.node(*node).primitive.input_name().expect("an input").to_owned()).collect();
    let mut values = values.clone();
    let mut executable = Executable::<f64>::compile(graph, &[scalar]);
    let bindings = executable.bindings().to_vec();
    let mut at = |values: &Values| {
        executable.run(&bindings.iter().map(|name| values[name].as_slice()).collect::<Vec<_>>());
        executable.output(0)[0]
    };
    let scale = found.iter().flatten().fold(1.0, |scale: f64, value| scale.max(value.abs()));
    for (name, found) in names.iter().zip(&found) {
        for (element, found) in found.iter().enumerate() {
            let (centre, step) = (values[name][element], 1e-5);
            let mut shifted = |value: f64| {
                values.get_mut(name).unwrap()[element] = value;
                at(&values)
            };
            let expected = (shifted(centre + step) - shifted(centre - step)) / (2.0 * step);
            shifted(centre);
            assert!((found - expected).abs() / scale < 1e-6, "{what} by {name}, element {element}: {found}, not {expected}");
        }
    }
}
