//! Single layers, as an executable runs them.

use super::{Outcome, Row, Work};
use serde::Deserialize;
use synth::autodiff;
use synth::kernels::cpu::{ConvolutionSettings, Executable};
use synth::network::graph::{Graph, NodeId};

/// A convolution as `rows.py` writes it.
#[derive(Deserialize)]
pub struct Convolution {
    batch: usize,
    channels: usize,
    side: usize,
    filters: usize,
    kernel: [usize; 2],
    stride: usize,
    padding: [usize; 2],
    groups: usize,
    /// `forward`, `input` and `weight`, or some of them.
    passes: Vec<String>,
}

/// Its output and both of its gradients, or some of the three.
pub fn convolution(row: &Row) -> Outcome<Work> {
    let layer = row.layer.as_ref().ok_or("the row says nothing of its layer")?;
    let settings =
        ConvolutionSettings { padding: layer.padding, groups: layer.groups, ..ConvolutionSettings::square(layer.stride, 0) };
    let [rows, columns] = layer.kernel;
    let mut graph = Graph::default();
    let x = graph.input("x", &[layer.batch, layer.channels, layer.side, layer.side]);
    let w = graph.input("w", &[layer.filters, layer.channels / layer.groups.max(1), rows, columns]);
    let y = graph.conv2d(x, w, settings);
    let g = graph.input("g", graph.shape(y).to_vec().as_slice());
    let product = graph.mul(y, g);
    let total = graph.sum_all(product);
    let gradients = autodiff::gradient(&mut graph, total, &[x, w]);
    let wanted = |pass: &str| layer.passes.iter().any(|wanted| wanted == pass);
    let results: Vec<NodeId> = [("forward", y)]
        .into_iter()
        .chain(["input", "weight"].into_iter().zip(gradients))
        .filter_map(|(pass, node)| wanted(pass).then_some(node))
        .collect();
    let mut executable = Executable::<f32>::compile(&graph, &results);
    let fed: Vec<Vec<f32>> = executable
        .bindings()
        .iter()
        .filter_map(|name| graph.find_input(name))
        .map(|input| (0..graph.elements(input)).map(|index| ((index * 7919) % 1009) as f32 / 504.0 - 1.0).collect())
        .collect();
    let step = Box::new(move || {
        let fed: Vec<&[f32]> = fed.iter().map(Vec::as_slice).collect();
        executable.run(&fed);
        Ok(())
    });
    Ok(Work { step, parameters: Vec::new() })
}
