//! The chain of shapes on the way to a tensor, for messages: `shapes: z[512] → [516] → [64, 4, 4] → …`.

use crate::network::{NetworkProgram, TensorId};

/// More shapes than this are shortened in the middle.
const MOST_SHAPES: usize = 14;

/// The shapes along the longest way to a tensor, equal neighbours told once.
pub(super) fn shapes(program: &NetworkProgram, target: TensorId) -> String {
    let inputs = program.inputs.len();
    // Of each tensor: how many layers are on the longest way to it, and the tensor before it on that way.
    let mut ways: Vec<(usize, Option<usize>)> = vec![(0, None); inputs];
    for call in &program.calls {
        let mut longest: Option<(usize, usize)> = None;
        for input in &call.inputs {
            let length = ways.get(input.0).map_or(0, |(length, _)| *length);
            if longest.is_none_or(|(known, _)| length > known) {
                longest = Some((length, input.0));
            }
        }
        ways.push((longest.map_or(0, |(length, _)| length) + 1, longest.map(|(_, input)| input)));
    }
    let mut tensors = vec![target.0];
    while let Some(before) = tensors.last().and_then(|tensor| ways.get(*tensor)).and_then(|(_, before)| *before) {
        tensors.push(before);
    }
    let mut names: Vec<String> = Vec::new();
    let mut last = None;
    for tensor in tensors.into_iter().rev() {
        let Some(shape) = program.shape(TensorId(tensor)) else { continue };
        let name = program.inputs.get(tensor).map_or("", |(name, _)| name);
        if last != Some(shape) || !name.is_empty() {
            names.push(format!("{name}{shape:?}"));
        }
        last = Some(shape);
    }
    if names.len() > MOST_SHAPES {
        let half = MOST_SHAPES / 2;
        names.splice(half..names.len() - half, ["…".to_owned()]);
    }
    format!("shapes: {}", names.join(" → "))
}
