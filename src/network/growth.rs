//! A growing network at a lower resolution: the layers that count while the newest stages have not begun to fade in.
//!
//! Where a `fade` has progress 0, its new branch counts for nothing. A generator whose output is such a fade of an image that was
//! enlarged twice shows the older branch, enlarged; a discriminator whose first fade is one sees its image only through the
//! `downsample` before the older branch. Both can then be had without the new branch, at half the resolution and a fraction of
//! the cost, and give the same numbers. Paths stay as they are, so weights are found by the same names.
//! Karras et al. 2018, section 2; networks that always take and give full size are those of Schütte et al. 2021.

use super::program::{LayerCall, NetworkProgram, Shape, ShapeError, TensorId};
use std::collections::BTreeMap;

/// A network as it is while its newest stages are not there yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    pub network: NetworkProgram,
    /// The path of the `fade` that takes this level's stage in; `None` where nothing fades.
    pub fade: Option<String>,
}

/// A generator at its full size, at half of it, and so on as far as it can be halved `halvings` times: its output must be a
/// `fade` whose old branch ends with `upsample`.
///
/// # Errors
/// Where it cannot be halved so often.
pub fn generator_levels(network: &NetworkProgram, halvings: usize) -> Result<Vec<Level>, ShapeError> {
    levels(network, halvings, output_fade, |network, fade| {
        let old = input(fade, 0)?;
        let enlarged = call(network, old).filter(|call| call.layer == "upsample" && call.arguments.size("factor") == Ok(2));
        let enlarged = enlarged.ok_or_else(|| no_growth("the old branch of its `fade` does not end with `upsample(2)`"))?;
        let output = input(enlarged, 0)?;
        Ok(without_unused(&NetworkProgram { output, ..network.clone() }))
    })
}

/// A discriminator at its full size, at half of it, and so on: the image must reach the old branch of its first `fade` through
/// `downsample`, and nothing else but the new branch.
///
/// # Errors
/// Where it cannot be halved so often.
pub fn discriminator_levels(network: &NetworkProgram, halvings: usize) -> Result<Vec<Level>, ShapeError> {
    levels(network, halvings, first_fade, |network, fade| {
        let position = network.calls.iter().position(|call| call.path == fade.path);
        let made = TensorId(network.inputs.len() + position.unwrap_or_default());
        let older = without_unused(&redirected(network, made, input(fade, 0)?));
        let readers: Vec<&LayerCall> = older.calls.iter().filter(|call| call.inputs.contains(&TensorId(0))).collect();
        let [shrink] = readers.as_slice() else {
            return Err(no_growth("its image is read by more than one layer besides the newest stage"));
        };
        if shrink.layer != "downsample" || shrink.arguments.size("factor") != Ok(2) {
            return Err(no_growth("the old branch of its first `fade` does not begin with `downsample(2)`"));
        }
        let position = older.calls.iter().position(|call| call.path == shrink.path);
        let shrunk = TensorId(older.inputs.len() + position.unwrap_or_default());
        let shape = shrink.shape.clone();
        let mut smaller = without_unused(&redirected(&older, shrunk, TensorId(0)));
        if let Some((_, image)) = smaller.inputs.first_mut() {
            *image = shape;
        }
        Ok(smaller)
    })
}

type Halve = fn(&NetworkProgram, &LayerCall) -> Result<NetworkProgram, ShapeError>;

fn levels(
    network: &NetworkProgram,
    halvings: usize,
    newest: fn(&NetworkProgram) -> Option<&LayerCall>,
    halve: Halve,
) -> Result<Vec<Level>, ShapeError> {
    let mut levels = vec![Level { network: network.clone(), fade: newest(network).map(|call| call.path.clone()) }];
    for _ in 0..halvings {
        let Some(last) = levels.last() else { break };
        let fade = newest(&last.network).ok_or_else(|| no_growth("there is no `fade` that takes its newest stage in"))?;
        let smaller = halve(&last.network, fade)?;
        levels.push(Level { fade: newest(&smaller).map(|call| call.path.clone()), network: smaller });
    }
    Ok(levels)
}

fn output_fade(network: &NetworkProgram) -> Option<&LayerCall> {
    call(network, network.output).filter(|call| call.layer == "fade")
}

fn first_fade(network: &NetworkProgram) -> Option<&LayerCall> {
    network.calls.iter().find(|call| call.layer == "fade")
}

fn call(network: &NetworkProgram, tensor: TensorId) -> Option<&LayerCall> {
    network.calls.get(tensor.0.checked_sub(network.inputs.len())?)
}

fn input(call: &LayerCall, index: usize) -> Result<TensorId, ShapeError> {
    call.inputs.get(index).copied().ok_or_else(|| ShapeError::new("an input is missing"))
}

fn no_growth(why: &str) -> ShapeError {
    ShapeError {
        message: format!("it cannot be had at half its resolution: {why}"),
        help: Some("`std.gan.progressive` has networks that grow; `fade` tells how they are made".into()),
    }
}

/// Whoever read one tensor reads another.
fn redirected(network: &NetworkProgram, from: TensorId, to: TensorId) -> NetworkProgram {
    let mut network = network.clone();
    for id in network.calls.iter_mut().flat_map(|call| &mut call.inputs).chain([&mut network.output]) {
        if *id == from {
            *id = to;
        }
    }
    network
}

/// The same without layers that the output does not need.
fn without_unused(network: &NetworkProgram) -> NetworkProgram {
    let first = network.inputs.len();
    let mut needed = vec![false; first + network.calls.len()];
    let mut open = vec![network.output];
    while let Some(id) = open.pop() {
        match needed.get_mut(id.0) {
            Some(known) if !*known => *known = true,
            _ => continue,
        }
        open.extend(call(network, id).into_iter().flat_map(|call| call.inputs.iter().copied()));
    }
    let kept = |id: usize| id < first || needed.get(id).copied().unwrap_or(false);
    let numbers: BTreeMap<TensorId, TensorId> =
        (0..needed.len()).filter(|id| kept(*id)).enumerate().map(|(new, old)| (TensorId(old), TensorId(new))).collect();
    let renumbered = |id: &TensorId| numbers.get(id).copied().unwrap_or(*id);
    let calls = network
        .calls
        .iter()
        .enumerate()
        .filter(|(index, _)| kept(first + index))
        .map(|(_, call)| LayerCall { inputs: call.inputs.iter().map(renumbered).collect(), ..call.clone() });
    NetworkProgram { calls: calls.collect(), output: renumbered(&network.output), ..network.clone() }
}

/// Height and width of images that are halved so often; `None` where they do not divide or nothing is left.
pub fn halved(shape: &Shape, halvings: usize) -> Option<[usize; 2]> {
    let [.., height, width] = shape.as_slice() else { return None };
    let factor = 1usize.checked_shl(u32::try_from(halvings).ok()?)?;
    let fits = height.is_multiple_of(factor) && width.is_multiple_of(factor) && height / factor > 0 && width / factor > 0;
    fits.then_some([height / factor, width / factor])
}
