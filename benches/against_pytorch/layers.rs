//! Single layers, as an executable runs them.

use super::{Outcome, Row, Work};
use synth::autodiff;
use synth::kernels::cpu::Executable;
use synth::network::graph::{Graph, NodeId};

/// A convolution's output and both of its gradients, or some of the three.
pub fn convolution(row: &Row) -> Outcome<Work> {
    let &[batch, channels, side, outputs, kernel] = row.sizes.as_slice() else {
        return Err(format!("a convolution has five sizes, not {:?}", row.sizes).into());
    };
    let mut graph = Graph::default();
    let x = graph.input("x", &[batch, channels, side, side]);
    let w = graph.input("w", &[outputs, channels, kernel, kernel]);
    let y = graph.conv2d(x, w, 1, kernel / 2);
    let g = graph.input("g", graph.shape(y).to_vec().as_slice());
    let product = graph.mul(y, g);
    let total = graph.sum_all(product);
    let gradients = autodiff::gradient(&mut graph, total, &[x, w]);
    let wanted = |pass: &str| row.passes.is_empty() || row.passes.iter().any(|wanted| wanted == pass);
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
