//! From a list of layers to a graph of primitives for one batch size.

/// What a layer is given while it adds its primitives.
pub struct Lowering<'a> {
    pub graph: &'a mut super::graph::Graph,
}
