//! From a list of layers to a graph of primitives for one batch size. A network may be lowered several times into one
//! graph (a penalty looks at the discriminator twice): the weights are then shared by name.

use super::graph::{Graph, NodeId};
use super::layers;
use super::program::{LayerCall, NetworkProgram, Shape, ShapeError};
use std::collections::BTreeMap;

/// Whether batch statistics and dropout act (training) or their running averages do (inference).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Training,
    Inference,
}

/// How a weight begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// Drawn from N(0, deviation²).
    Normal {
        deviation: f64,
    },
    Constant(f64),
}

/// One weight tensor or running statistic of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightSpecification {
    /// Path of its layer and its own name: `generator/for.stage=3/conv_0/weight`.
    pub name: String,
    pub shape: Shape,
    pub initial: Initial,
    /// False for running statistics, which no gradient reaches.
    pub trainable: bool,
}

/// How the numbers of a random input are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Uniform in [0, 1).
    Uniform,
    /// N(0, 1).
    Normal,
}

/// An input of the graph that must be filled with new random numbers whenever the graph is run.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomInput {
    /// Its name in the graph: that of its layer, and a number where a network stands in the graph more than once.
    pub binding: String,
    /// The batch first.
    pub shape: Shape,
    pub distribution: Distribution,
}

/// The weights that a network turned out to have, in the order in which its layers stand.
#[derive(Clone, Debug, Default)]
pub struct WeightTable {
    /// Put before each name in the graph, so that two networks share a graph without sharing weights.
    prefix: String,
    pub specifications: Vec<WeightSpecification>,
    nodes: BTreeMap<String, NodeId>,
    /// New values of running statistics after a step in training mode, by name.
    pub updates: Vec<(String, NodeId)>,
    /// In the order in which layers ask for them.
    pub randomness: Vec<RandomInput>,
    /// How often the network has been lowered with this table.
    applications: usize,
}

impl WeightTable {
    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..Self::default() }
    }

    /// The name under which a weight is an input of the graph.
    pub fn binding(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The graph's node of a weight.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.nodes.get(name).copied()
    }

    /// How many numbers are learned.
    pub fn parameter_count(&self) -> usize {
        self.specifications.iter().filter(|weight| weight.trainable).map(|weight| weight.shape.iter().product::<usize>()).sum()
    }
}

/// What a layer is given while it adds its primitives.
pub struct Lowering<'a> {
    pub graph: &'a mut Graph,
    pub batch: usize,
    pub mode: Mode,
    path: &'a str,
    weights: &'a mut WeightTable,
    /// How often the network was lowered before.
    application: usize,
}

impl Lowering<'_> {
    /// The shape of a node, the batch first.
    pub fn shape(&self, node: NodeId) -> Shape {
        self.graph.shape(node).to_vec()
    }

    /// A learned tensor of this layer.
    pub fn weight(&mut self, local_name: &str, shape: &[usize], initial: Initial) -> NodeId {
        self.declare(local_name, shape, initial, true)
    }

    /// A running statistic of this layer.
    pub fn state(&mut self, local_name: &str, shape: &[usize], initial: Initial) -> NodeId {
        self.declare(local_name, shape, initial, false)
    }

    /// What a running statistic becomes after this step. The first application of a network counts.
    pub fn update_state(&mut self, local_name: &str, value: NodeId) {
        let name = format!("{}/{local_name}", self.path);
        if self.weights.updates.iter().all(|(known, _)| *known != name) {
            self.weights.updates.push((name, value));
        }
    }

    /// Random numbers of a shape that begins with the batch: new at each run, and others for each application of the network
    /// within a graph, so that real and generated images meet different ones.
    pub fn randomness(&mut self, local_name: &str, shape: &[usize], distribution: Distribution) -> NodeId {
        let mut name = format!("{}/{local_name}", self.path);
        if self.application > 0 {
            name = format!("{name} {}", self.application + 1);
        }
        let binding = self.weights.binding(&name);
        let node = self.graph.input(&binding, shape);
        if self.weights.randomness.iter().all(|known| known.binding != binding) {
            self.weights.randomness.push(RandomInput { binding, shape: shape.to_vec(), distribution });
        }
        node
    }

    fn declare(&mut self, local_name: &str, shape: &[usize], initial: Initial, trainable: bool) -> NodeId {
        let name = format!("{}/{local_name}", self.path);
        if let Some(node) = self.weights.node(&name) {
            return node;
        }
        let node = self.graph.input(&self.weights.binding(&name), shape);
        self.weights.nodes.insert(name.clone(), node);
        self.weights.specifications.push(WeightSpecification { name, shape: shape.to_vec(), initial, trainable });
        node
    }
}

/// Adds a network to a graph for `batch` samples and gives the node of its output, `[batch, …]`.
///
/// `inputs` stand in the order of the network's declaration and carry the batch as their first dimension.
pub fn lower(
    program: &NetworkProgram,
    graph: &mut Graph,
    batch: usize,
    mode: Mode,
    inputs: &[NodeId],
    weights: &mut WeightTable,
) -> Result<NodeId, ShapeError> {
    lower_watched(program, graph, batch, mode, inputs, weights, &mut |_, _| {})
}

/// As [`lower`]; `watch` sees the graph and the weights after each layer has added its own.
pub(super) fn lower_watched(
    program: &NetworkProgram,
    graph: &mut Graph,
    batch: usize,
    mode: Mode,
    inputs: &[NodeId],
    weights: &mut WeightTable,
    watch: &mut dyn FnMut(&Graph, &WeightTable),
) -> Result<NodeId, ShapeError> {
    let mut nodes: Vec<NodeId> = Vec::with_capacity(program.inputs.len() + program.calls.len());
    for ((name, shape), node) in program.inputs.iter().zip(inputs) {
        let found = graph.shape(*node);
        if found.split_first() != Some((&batch, shape.as_slice())) {
            return Err(ShapeError::new(format!("input `{name}` has shape {found:?}, but {batch} times {shape:?} is due")));
        }
        nodes.push(*node);
    }
    if nodes.len() != program.inputs.len() {
        return Err(ShapeError::new(format!("{} inputs are given where {} are due", inputs.len(), program.inputs.len())));
    }
    let application = weights.applications;
    weights.applications += 1;
    for call in &program.calls {
        let node = lower_call(call, graph, (batch, mode, application), &nodes, weights)
            .map_err(|error| ShapeError { message: format!("{}: {}", call.path, error.message), ..error })?;
        nodes.push(node);
        watch(graph, weights);
    }
    nodes.get(program.output.0).copied().ok_or_else(|| ShapeError::new("the network's output is none of its tensors"))
}

fn lower_call(
    call: &LayerCall,
    graph: &mut Graph,
    (batch, mode, application): (usize, Mode, usize),
    nodes: &[NodeId],
    weights: &mut WeightTable,
) -> Result<NodeId, ShapeError> {
    let layer = layers::find(&call.layer).ok_or_else(|| ShapeError::new(format!("there is no layer `{}`", call.layer)))?;
    let inputs: Vec<NodeId> = call
        .inputs
        .iter()
        .map(|id| nodes.get(id.0).copied().ok_or_else(|| ShapeError::new("an input stands behind the layer that reads it")))
        .collect::<Result<_, _>>()?;
    let shapes: Vec<Shape> = inputs.iter().map(|node| graph.shape(*node).iter().skip(1).copied().collect()).collect();
    let shape = layer.shape(&shapes.iter().collect::<Vec<_>>(), &call.arguments)?;
    if shape != call.shape {
        return Err(ShapeError::new(format!("makes {shape:?}, but {:?} is written down", call.shape)));
    }
    let mut lowering = Lowering { graph, batch, mode, path: &call.path, weights, application };
    layer.lower(&mut lowering, &inputs, &call.arguments)
}

/// The weights of a network, without running it.
pub fn weights(program: &NetworkProgram) -> Result<WeightTable, ShapeError> {
    let mut graph = Graph::default();
    let mut table = WeightTable::default();
    let inputs: Vec<NodeId> = program
        .inputs
        .iter()
        .map(|(name, shape)| graph.input(name, &std::iter::once(1).chain(shape.iter().copied()).collect::<Vec<_>>()))
        .collect();
    lower(program, &mut graph, 1, Mode::Training, &inputs, &mut table)?;
    Ok(table)
}
