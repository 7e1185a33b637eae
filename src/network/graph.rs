//! The graph of primitives.

/// A node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// Primitive operations on tensors of known shape, each node after its inputs.
#[derive(Clone, Debug, Default)]
pub struct Graph {}
