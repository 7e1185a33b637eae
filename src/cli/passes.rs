//! `synth describe NETWORK --graph`: what becomes of a network on its way to the kernels, pass by pass.

use crate::kernels::cpu::{fusion_listing, plan_listing};
use crate::network::listing::listing;
use crate::network::{NetworkProgram, ShapeError};
use crate::training::{LoneStep, lone_step};

/// A pass over the graph, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Pass {
    /// Layers as primitives, for a batch; equal nodes made once, constants folded, kernels added up beside resampling.
    Lowering,
    /// With the gradients of all weights; what nothing depends on left out.
    Gradients,
    /// Which nodes run together, and in which order.
    Fusion,
    /// Where each value lives in memory.
    Plan,
}

const PASSES: [Pass; 4] = [Pass::Lowering, Pass::Gradients, Pass::Fusion, Pass::Plan];

/// The graph of a step of training of the network alone, after one pass or after each.
///
/// # Errors
/// When a layer cannot be lowered for this batch.
pub fn passes(network: &NetworkProgram, batch: usize, only: Option<Pass>) -> Result<String, ShapeError> {
    let LoneStep { graph, made, outputs, .. } = lone_step(network, batch)?;
    let shown = PASSES.into_iter().filter(|pass| only.is_none_or(|only| only == *pass));
    let after = |pass: Pass| match pass {
        Pass::Lowering => format!("# lowering: {} images\n{}", batch, listing(&graph, &[made])),
        Pass::Gradients => format!("# gradients: of the sum of squares, by every weight\n{}", listing(&graph, &outputs)),
        Pass::Fusion => format!("# fusion\n{}", fusion_listing(&graph, &outputs)),
        Pass::Plan => format!("# plan\n{}", plan_listing(&graph, &outputs)),
    };
    Ok(shown.map(after).collect::<Vec<_>>().join("\n"))
}
