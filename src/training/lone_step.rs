//! One step of training of a network alone, as a graph: what can be told of a network before any block asks for it.

use super::gan_graphs::gradients;
use crate::network::graph::{Graph, NodeId};
use crate::network::{self, Mode, NetworkProgram, ShapeError, WeightTable};

/// The graph of the step; see [`lone_step`].
#[derive(Debug)]
pub struct LoneStep {
    pub graph: Graph,
    pub table: WeightTable,
    /// What the network makes.
    pub made: NodeId,
    /// The loss, the gradient of every learned tensor, and new running statistics.
    pub outputs: Vec<NodeId>,
}

/// The forward pass in training mode on `batch` images, a stand-in for the loss (the sum of squares of what the network
/// makes), and its gradient with respect to every weight. What a block adds is not in it: the other network of a `gan`,
/// penalties, labels.
///
/// # Errors
/// When a layer cannot be lowered for this batch.
pub fn lone_step(program: &NetworkProgram, batch: usize) -> Result<LoneStep, ShapeError> {
    let mut graph = Graph::default();
    let mut table = WeightTable::default();
    let shape = |shape: &[usize]| [&[batch], shape].concat();
    let inputs: Vec<NodeId> = program.inputs.iter().map(|(name, one)| graph.input(name, &shape(one))).collect();
    let made = network::lower(program, &mut graph, batch, Mode::Training, &inputs, &mut table)?;
    let squares = graph.square(made);
    let loss = graph.sum_all(squares);
    let gradients = gradients(&mut graph, loss, &table);
    let outputs = std::iter::once(loss).chain(gradients).chain(table.updates.iter().map(|(_, node)| *node)).collect();
    Ok(LoneStep { graph, table, made, outputs })
}
