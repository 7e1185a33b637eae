//! What a network costs, layer by layer: shapes, learned numbers, multiply-adds and the memory of its outputs.

use super::graph::{Graph, NodeId};
use super::lowering::{Mode, WeightTable, lower_watched};
use super::program::{NetworkProgram, ShapeError};

/// What one layer costs for one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerDescription {
    /// Numbers that are learned.
    pub parameters: u64,
    /// Numbers that training keeps without learning them, such as running means.
    pub state: u64,
    /// Products that are added up in convolutions and matrix products, for one image in inference.
    pub multiply_adds: u64,
    /// Numbers in the output for one image; 0 where it is its input under another shape.
    pub activations: u64,
}

/// What a network costs for one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// One for each call of the network, in its order.
    pub layers: Vec<LayerDescription>,
}

impl Description {
    /// The sum over all layers.
    pub fn total(&self) -> LayerDescription {
        LayerDescription::sum(&self.layers)
    }
}

impl LayerDescription {
    /// What several layers cost together.
    pub fn sum<'l>(layers: impl IntoIterator<Item = &'l LayerDescription>) -> Self {
        let nothing = Self { parameters: 0, state: 0, multiply_adds: 0, activations: 0 };
        layers.into_iter().fold(nothing, |sum, layer| Self {
            parameters: sum.parameters + layer.parameters,
            state: sum.state + layer.state,
            multiply_adds: sum.multiply_adds + layer.multiply_adds,
            activations: sum.activations + layer.activations,
        })
    }
}

/// What every layer of a network costs.
///
/// Multiply-adds for one image are those of two images less those of one, so that what is done once for a batch (a
/// weight that is normalised) does not count.
///
/// # Errors
/// When a layer cannot be lowered.
pub fn describe(program: &NetworkProgram) -> Result<Description, ShapeError> {
    let (one, two) = (Watched::of(program, 1)?, Watched::of(program, 2)?);
    let layers = program.calls.iter().enumerate().map(|(index, call)| {
        let is_view = one.views.get(index).copied().unwrap_or(false);
        let [once, twice] = [&one, &two].map(|watched| watched.multiply_adds.get(index).copied().unwrap_or(0));
        LayerDescription {
            parameters: one.parameters.get(index).copied().unwrap_or(0),
            state: one.state.get(index).copied().unwrap_or(0),
            multiply_adds: twice.saturating_sub(once),
            activations: if is_view { 0 } else { call.shape.iter().map(|size| *size as u64).product() },
        }
    });
    Ok(Description { layers: layers.collect() })
}

/// What was seen after each layer while a network was lowered for a batch.
#[derive(Default)]
struct Watched {
    parameters: Vec<u64>,
    state: Vec<u64>,
    multiply_adds: Vec<u64>,
    /// Whether a layer added nothing but views.
    views: Vec<bool>,
}

impl Watched {
    fn of(program: &NetworkProgram, batch: usize) -> Result<Self, ShapeError> {
        let (mut graph, mut table, mut watched) = (Graph::default(), WeightTable::default(), Self::default());
        let inputs: Vec<NodeId> = program
            .inputs
            .iter()
            .map(|(name, shape)| graph.input(name, &std::iter::once(batch).chain(shape.iter().copied()).collect::<Vec<_>>()))
            .collect();
        let (mut nodes, mut weights) = (graph.len(), 0);
        let mut watch = |graph: &Graph, table: &WeightTable| {
            let new = || table.specifications.iter().skip(weights);
            let numbers = |trainable: bool| {
                let sizes = new().filter(|weight| weight.trainable == trainable).map(|weight| &weight.shape);
                sizes.map(|shape| shape.iter().map(|size| *size as u64).product::<u64>()).sum()
            };
            watched.parameters.push(numbers(true));
            watched.state.push(numbers(false));
            let added = || (nodes..graph.len()).map(|index| graph.node(NodeId(index)));
            let work = added().map(|node| {
                let shapes: Vec<&[usize]> = node.inputs.iter().map(|input| graph.shape(*input)).collect();
                node.primitive.multiply_adds(&shapes)
            });
            watched.multiply_adds.push(work.sum());
            watched.views.push(added().all(|node| node.primitive.is_view()));
            (nodes, weights) = (graph.len(), table.specifications.len());
        };
        lower_watched(program, &mut graph, batch, Mode::Inference, &inputs, &mut table, &mut watch)?;
        Ok(watched)
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::{LayerArguments, LayerCall, TensorId};
    use super::*;
    use crate::language::{Construction, Value};

    /// `x |> conv(4, 3) |> batch_norm |> flatten |> dense(5)` on 2×6×6.
    fn program() -> NetworkProgram {
        let weights =
            Value::Construction(Construction { function: "he".into(), arguments: vec![("gain".into(), Value::Number(1.0))] });
        let call = |layer: &str, input: usize, arguments: &[(&str, Value)], shape: &[usize]| LayerCall {
            layer: layer.into(),
            path: format!("net/{layer}_0"),
            inputs: vec![TensorId(input)],
            arguments: LayerArguments(arguments.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()),
            shape: shape.to_vec(),
        };
        let size = Value::Integer;
        NetworkProgram {
            name: "net".into(),
            inputs: vec![("x".into(), vec![2, 6, 6])],
            calls: vec![
                call(
                    "conv",
                    0,
                    &[
                        ("filters", size(4)),
                        ("kernel", size(3)),
                        ("stride", size(1)),
                        ("dilation", size(1)),
                        ("padding", size(1)),
                        ("groups", size(1)),
                        ("weights", weights.clone()),
                    ],
                    &[4, 6, 6],
                ),
                call(
                    "batch_norm",
                    1,
                    &[("momentum", Value::Number(0.1)), ("epsilon", Value::Number(1e-5)), ("affine", Value::Boolean(true))],
                    &[4, 6, 6],
                ),
                call("flatten", 2, &[], &[144]),
                call("dense", 3, &[("outputs", size(5)), ("weights", weights)], &[5]),
            ],
            output: TensorId(4),
            ..NetworkProgram::default()
        }
    }

    #[test]
    fn layers_cost_what_can_be_counted_by_hand() {
        let described = describe(&program()).expect("the network is lowered");
        let layer =
            |parameters, state, multiply_adds, activations| LayerDescription { parameters, state, multiply_adds, activations };
        assert_eq!(
            described.layers,
            [
                layer(4 * 2 * 9, 0, 4 * 2 * 9 * 36, 144),
                layer(8, 8, 0, 144),
                layer(0, 0, 0, 0), // the same numbers in another shape
                layer(720, 0, 720, 5),
            ]
        );
        assert_eq!(described.total(), layer(800, 8, 2592 + 720, 293));
    }

    #[test]
    fn parameters_are_those_that_training_has() {
        let table = super::super::weights(&program()).expect("the network is lowered");
        let total = describe(&program()).expect("the network is lowered").total();
        assert_eq!(total.parameters, table.parameter_count() as u64);
    }
}
