//! Where an expression stands: in which module, among which local names.

use super::static_value::Static;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(super) struct Scope<'a> {
    pub module: usize,
    /// Parameters of a function or network, sizes that were inferred, and names bound in a network's body.
    pub locals: BTreeMap<&'a str, Static<'a>>,
    /// Inside a network's body: its path, `generator/for.stage=3`.
    pub path: Option<String>,
    /// In a field: the place of the block.
    pub block: Option<usize>,
    /// In a file's or recipe's blocks: the frame whose names are seen.
    pub frame: Option<usize>,
    /// In a block that reads a sweep: that sweep, whose parts are seen by their names.
    pub family: Option<usize>,
}

impl<'a> Scope<'a> {
    pub fn new(module: usize) -> Self {
        Self { module, locals: BTreeMap::new(), path: None, block: None, frame: None, family: None }
    }

    pub fn in_block(module: usize, block: usize) -> Self {
        Self { block: Some(block), ..Self::new(module) }
    }
}
