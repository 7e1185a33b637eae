//! A panic inside a step, as a message to the user.

use crate::diagnostic::Diagnostic;
use crate::language::Step;
use std::any::Any;
use std::sync::{Mutex, PoisonError};

/// Where the last panic was, noted by the hook.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// From now on panics print nothing themselves; where they happened is noted for [`diagnostic`]. Called once, by the
/// command that runs steps.
pub fn catch_panics_quietly() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|place| format!("{}:{}", place.file(), place.line()));
        *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
}

/// E0606 with what the panic said and where.
pub fn diagnostic(step: &Step, payload: &(dyn Any + Send)) -> Diagnostic {
    let said = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("it did not say why");
    let diagnostic = Diagnostic::error("E0606", format!("`{}` stopped by a defect of synth", step.name))
        .label(step.span, "while it made this block")
        .note(format!("it said: {said}"))
        .help("please report it with this file and the lines above; other blocks are not affected");
    match PLACE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(place) => diagnostic.note(format!("at {place}, synth {}", env!("CARGO_PKG_VERSION"))),
        None => diagnostic,
    }
}
