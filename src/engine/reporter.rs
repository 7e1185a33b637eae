//! Whom the engine tells what it does.

use super::Ended;
use crate::language::Step;

pub trait Reporter: Sync {
    /// As [`crate::plan::Watch`]: before a step is looked up, and where it is called from many threads.
    fn looking(&self, _step: &Step, _done: u64, _total: u64) {}
    /// A step is about to run, and why it was not in the store.
    fn started(&self, step: &Step, why: &str);
    /// As [`crate::steps::Progress::update`].
    fn progress(&self, step: &Step, done: u64, total: u64, unit: &str, figures: &[(&str, f64)]);
    fn ended(&self, step: &Step, ended: &Ended);
    /// Something out of the ordinary that needs no action.
    fn message(&self, text: &str);
}
