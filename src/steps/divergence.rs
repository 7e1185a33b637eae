//! What is said of a training whose numbers are not finite any more: what was found, when, what is kept, what to try.

use super::{StepContext, StepError};
use crate::diagnostic::Diagnostic;
use crate::training::Failure;

/// The error of a step's training. Checkpoints stand at positions in `unit`, and the training had come to `position`.
pub fn failed(context: &StepContext<'_>, failure: Failure, unit: &str, position: u64) -> StepError {
    let divergence = match failure {
        Failure::Diverged(divergence) => divergence,
        Failure::Other(diagnostic) => return StepError::Failed(diagnostic),
    };
    let network = divergence.network;
    let step = context.step;
    let adversarial = step.field("penalty").is_some();
    let field = if adversarial { format!("{network}_optimiser") } else { "optimiser".to_owned() };
    let place = step.field(&field).map_or(step.span, |field| field.span);
    let kept = match context.checkpoints.latest(position) {
        Some((position, path)) => format!("the last checkpoint, at {position} {unit}, is whole and kept: {}", path.display()),
        None => "there was no checkpoint yet".to_owned(),
    };
    let penalty = if adversarial { ", or another `weight` of the `penalty`" } else { "" };
    Diagnostic::from(divergence)
        .label(place, format!("the {network} was trained with this"))
        .note(kept)
        .note("run again as it is, the training would go on from there and come to the same; changed, it begins anew")
        .help(format!("try a `rate` ten times smaller in `{field}`{penalty}"))
        .into()
}
