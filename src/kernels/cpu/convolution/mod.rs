//! Two-dimensional convolution and its two gradients.
//!
//! The three are bilinear and closed under differentiation: each one's gradients are the other two. Layouts are those of
//! the graph: images `[n, c, h, w]`, weights `[o, c / groups, kh, kw]`, dense and row-major.
//!
//! Each goes by `winograd` where the kernel has 3×3 places and sizes say that this saves work. The direct ways, for all else:
//! forward and by the input go by `rows`, or by `across` for small images in large batches; by the weight goes by `outer`, or
//! by `weight` for few output channels. All call the register tiles of `tile`.
//! Each element of a result is summed by one thread in an order that depends on the sizes alone.

mod across;
pub mod geometry;
mod layout;
mod outer;
mod pass;
pub mod plain;
mod rows;
mod tasks;
mod tile;
mod vector;
mod weight;
mod winograd;

#[cfg(test)]
mod tests;

pub use geometry::{ConvolutionGeometry, ConvolutionSettings};

use outer::OuterPlan;
use pass::Pass;
use rows::Rows;
use vector::InstructionSet;
use weight::WeightPlan;
use winograd::{WinogradPass, WinogradWeight};

/// Operations of fewer multiplications than this are done by the calling thread; waking another costs more than it saves.
const MULTIPLICATIONS_WORTH_A_THREAD: usize = 1 << 19;
/// Numbers in a cache line; the workspace is used from the first whole line on.
const LINE: usize = 16;

impl ConvolutionGeometry {
    /// Numbers of workspace that any of the three operations needs at most, with the current number of threads. With more
    /// threads later the operations use as many as have room.
    pub fn workspace_len(&self) -> usize {
        let workers = rayon::current_num_threads();
        let passes = [Pass::forward(self), Pass::input_gradient(self)];
        let pass = passes.iter().map(|pass| pass_workspace(pass, workers)).max().unwrap_or(0);
        LINE + pass.max(weight_workspace(self, workers))
    }

    /// Whether the forward pass multiplies less than one product for every place of the kernel, by Winograd's algorithm.
    pub fn goes_by_winograd(&self) -> bool {
        WinogradPass::plan(&Pass::forward(self)).is_some()
    }
}

/// Convolves `input` `[n, c, h, w]` with `weight` `[o, c / groups, kh, kw]` to `output` `[n, o, h', w']`. What `workspace` holds
/// before does not matter.
///
/// # Panics
/// When a slice's length does not fit the geometry.
pub fn forward(geometry: &ConvolutionGeometry, input: &[f32], weight: &[f32], output: &mut [f32], workspace: &mut [f32]) {
    check(geometry, input, weight, output);
    run_pass(&Pass::forward(geometry), InstructionSet::detect(), input, weight, output, workspace);
}

/// The gradient by the input `[n, c, h, w]`, from the gradient by the output `[n, o, h', w']` and the weight.
///
/// # Panics
/// When a slice's length does not fit the geometry.
pub fn input_gradient(
    geometry: &ConvolutionGeometry,
    output_gradient: &[f32],
    weight: &[f32],
    input_gradient: &mut [f32],
    workspace: &mut [f32],
) {
    check(geometry, input_gradient, weight, output_gradient);
    let pass = Pass::input_gradient(geometry);
    run_pass(&pass, InstructionSet::detect(), output_gradient, weight, input_gradient, workspace);
}

/// The gradient by the weight `[o, c / groups, kh, kw]`, from the input `[n, c, h, w]` and the gradient by the output.
///
/// # Panics
/// When a slice's length does not fit the geometry.
pub fn weight_gradient(
    geometry: &ConvolutionGeometry,
    input: &[f32],
    output_gradient: &[f32],
    weight_gradient: &mut [f32],
    workspace: &mut [f32],
) {
    check(geometry, input, weight_gradient, output_gradient);
    run_weight(geometry, InstructionSet::detect(), input, output_gradient, weight_gradient, workspace);
}

/// The bands in which a pass goes by rows; none when it goes across images, which leaves out what is in the padding and fills
/// all lanes when the batch fills its blocks. The copies it needs must be worth it.
fn rows_for(pass: &Pass) -> Option<Rows> {
    let rows = Rows::plan(pass)?;
    let across = across::cost(pass);
    if across * 8 < rows.cost(pass) * pass.batch * 7 { None } else { Some(rows) }
}

/// Numbers of workspace that a pass needs with `workers` threads.
fn pass_workspace(pass: &Pass, workers: usize) -> usize {
    if let Some(plan) = WinogradPass::plan(pass) {
        return plan.workspace_len(workers);
    }
    pass.weight_len()
        + match rows_for(pass) {
            Some(rows) => rows.band_len(pass) * workers.max(1),
            None => across::copy_len(pass.batch, pass.groups * pass.source_channels, pass.source_plane()),
        }
}

/// Numbers of workspace that the gradient by the weight needs with `workers` threads.
fn weight_workspace(geometry: &ConvolutionGeometry, workers: usize) -> usize {
    if let Some(plan) = WinogradWeight::plan(geometry) {
        return plan.workspace_len(workers);
    }
    let dots = || WeightPlan::plan(geometry).map_or(0, |plan| plan.workspace_len());
    OuterPlan::plan(geometry).map_or_else(dots, |plan| plan.workspace_len())
}

fn run_pass(
    pass: &Pass,
    instructions: InstructionSet,
    source: &[f32],
    weight: &[f32],
    destination: &mut [f32],
    workspace: &mut [f32],
) {
    let multiplications = pass.batch * pass.destination_plane() * pass.weight_len();
    if multiplications == 0 || source.is_empty() {
        destination.fill(0.0);
        return;
    }
    let workers = workers_for(multiplications);
    let workspace = whole_lines(workspace, pass_workspace(pass, 1));
    if let Some(plan) = WinogradPass::plan(pass) {
        return plan.run(instructions, source, weight, destination, workspace, workers);
    }
    let rows = rows_for(pass);
    let (packed, rest) = workspace.split_at_mut(pass.weight_len());
    pass.pack_weights(weight, packed, workers);
    match rows {
        Some(rows) => {
            let room = rest.len().checked_div(rows.band_len(pass)).unwrap_or(workers);
            rows.run(pass, instructions, source, packed, destination, rest, workers.min(room));
        }
        None => {
            let sizes = (pass.batch, pass.groups * pass.source_channels, pass.source_plane());
            let copy = &mut rest[..across::copy_len(sizes.0, sizes.1, sizes.2)];
            across::copy_images(instructions, source, sizes, copy, workers);
            across::run(pass, instructions, copy, packed, destination, workers);
        }
    }
}

fn run_weight(
    geometry: &ConvolutionGeometry,
    instructions: InstructionSet,
    input: &[f32],
    output_gradient: &[f32],
    weight_gradient: &mut [f32],
    workspace: &mut [f32],
) {
    if geometry.multiplications() == 0 {
        weight_gradient.fill(0.0);
        return;
    }
    let workspace = whole_lines(workspace, weight_workspace(geometry, 1));
    let workers = workers_for(geometry.multiplications());
    if let Some(plan) = WinogradWeight::plan(geometry) {
        plan.run(instructions, input, output_gradient, weight_gradient, workspace, workers);
    } else if let Some(plan) = OuterPlan::plan(geometry) {
        plan.run(instructions, input, output_gradient, weight_gradient, workspace, workers);
    } else if let Some(plan) = WeightPlan::plan(geometry) {
        plan.run(instructions, input, output_gradient, weight_gradient, workspace, workers);
    } else {
        plain::weight_gradient(geometry, input, output_gradient, weight_gradient);
    }
}

fn workers_for(multiplications: usize) -> usize {
    if multiplications < MULTIPLICATIONS_WORTH_A_THREAD { 1 } else { rayon::current_num_threads() }
}

/// The workspace from its first whole cache line on.
fn whole_lines(workspace: &mut [f32], needed: usize) -> &mut [f32] {
    let length = workspace.len();
    assert!(length >= needed + LINE, "the workspace has {length} numbers, the convolution needs {}", needed + LINE);
    let start = workspace.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    &mut workspace[start..]
}

fn check(geometry: &ConvolutionGeometry, input: &[f32], weight: &[f32], output: &[f32]) {
    assert!(geometry.is_sound(), "groups must divide the channels; stride, kernel and dilation must be at least 1: {geometry:?}");
    assert_eq!(input.len(), geometry.input_len(), "the input must fit {geometry:?}");
    assert_eq!(weight.len(), geometry.weight_len(), "the weight must fit {geometry:?}");
    assert_eq!(output.len(), geometry.output_len(), "the output must fit {geometry:?}");
}
