//! The graph of primitives: nodes of known shape, each after its inputs. Equal nodes are made once, and what is trivial
//! (times one, plus zero, arithmetic on constants) is folded while the graph is built, so that gradients stay small.
//! Shape mistakes are mistakes of the caller here (layers check first) and panic with the shapes in the message.

#![allow(clippy::indexing_slicing)] // an id is that of a node, and a node's shape was checked when it was made

use super::primitives::*;
use super::resampling;
use crate::kernels::cpu::ConvolutionSettings;
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A node of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub usize);

/// One application of a primitive.
#[derive(Clone, Debug)]
pub struct Node {
    pub primitive: Arc<dyn Primitive>,
    pub inputs: Vec<NodeId>,
    pub shape: Vec<usize>,
    /// The number, if the node is the same one everywhere.
    pub constant: Option<f64>,
}

/// Primitive operations on tensors of known shape, each node after its inputs.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    /// Looked up, never iterated.
    known: HashMap<(String, Vec<NodeId>), NodeId>,
    inputs: BTreeMap<String, NodeId>,
}

impl Graph {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// What the node applies, if it is a primitive of this type.
    pub fn primitive<P: Primitive>(&self, id: NodeId) -> Option<&P> {
        let primitive: &dyn Any = &*self.nodes[id.0].primitive;
        primitive.downcast_ref()
    }

    pub fn shape(&self, id: NodeId) -> &[usize] {
        &self.nodes[id.0].shape
    }

    /// The product of the dimensions; 1 for shape `[]`.
    pub fn elements(&self, id: NodeId) -> usize {
        self.shape(id).iter().product()
    }

    /// The number that fills the node, if it is known to be the same everywhere.
    pub fn constant_value(&self, id: NodeId) -> Option<f64> {
        self.nodes[id.0].constant
    }

    /// Adds a primitive, or returns the node that already is this primitive of these inputs.
    pub fn apply(&mut self, primitive: impl Primitive + 'static, inputs: &[NodeId]) -> NodeId {
        let key = (format!("{primitive:?}"), inputs.to_vec());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let shapes: Vec<&[usize]> = inputs.iter().map(|input| self.shape(*input)).collect();
        let shape = primitive.shape(&shapes);
        let constant = primitive.constant();
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node { primitive: Arc::new(primitive), inputs: inputs.to_vec(), shape, constant });
        self.known.insert(key, id);
        id
    }

    // Sources.

    /// What is fed when the graph is run. The same name twice is the same node; with another shape it is a mistake.
    pub fn input(&mut self, name: &str, shape: &[usize]) -> NodeId {
        if let Some(known) = self.inputs.get(name) {
            assert!(self.shape(*known) == shape, "input `{name}` has shape {:?}, not {shape:?}", self.shape(*known));
            return *known;
        }
        let id = self.apply(Input { name: name.to_owned(), shape: shape.to_vec() }, &[]);
        self.inputs.insert(name.to_owned(), id);
        id
    }

    /// The input of a name, if there is one.
    pub fn find_input(&self, name: &str) -> Option<NodeId> {
        self.inputs.get(name).copied()
    }

    pub fn constant(&mut self, value: f64, shape: &[usize]) -> NodeId {
        self.apply(Constant { value, shape: shape.to_vec() }, &[])
    }

    // Elementwise functions of one tensor.

    fn unary(&mut self, function: UnaryFunction, a: NodeId) -> NodeId {
        if let Some(value) = self.constant_value(a) {
            let shape = self.shape(a).to_vec();
            return self.constant(function.apply(value), &shape);
        }
        self.apply(Unary { function }, &[a])
    }

    pub fn scale(&mut self, a: NodeId, factor: f64) -> NodeId {
        if factor == 1.0 {
            return a;
        }
        if factor == 0.0 {
            let shape = self.shape(a).to_vec();
            return self.constant(0.0, &shape);
        }
        if let Some((UnaryFunction::Scale(inner), source)) = self.unary_of(a) {
            return self.scale(source, inner * factor);
        }
        self.unary(UnaryFunction::Scale(factor), a)
    }

    pub fn shift(&mut self, a: NodeId, offset: f64) -> NodeId {
        if offset == 0.0 {
            return a;
        }
        if let Some((UnaryFunction::Shift(inner), source)) = self.unary_of(a) {
            return self.shift(source, inner + offset);
        }
        self.unary(UnaryFunction::Shift(offset), a)
    }

    pub fn neg(&mut self, a: NodeId) -> NodeId {
        self.scale(a, -1.0)
    }

    pub fn exp(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Exp, a)
    }

    pub fn ln(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Ln, a)
    }

    pub fn sqrt(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Sqrt, a)
    }

    pub fn square(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Square, a)
    }

    pub fn tanh(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Tanh, a)
    }

    pub fn sigmoid(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Sigmoid, a)
    }

    /// ln(1 + exp(a)), without overflow.
    pub fn softplus(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Softplus, a)
    }

    pub fn relu(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Relu, a)
    }

    pub fn leaky_relu(&mut self, a: NodeId, slope: f64) -> NodeId {
        self.unary(UnaryFunction::LeakyRelu(slope), a)
    }

    /// The derivative of [`Self::leaky_relu`]: 1 where a > 0, else `slope`.
    pub fn leaky_step(&mut self, a: NodeId, slope: f64) -> NodeId {
        self.unary(UnaryFunction::LeakyStep(slope), a)
    }

    /// 1 where a > 0, else 0.
    pub fn step(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Step, a)
    }

    /// −1, 0 or 1.
    pub fn sign(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Sign, a)
    }

    pub fn abs(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Abs, a)
    }

    pub fn reciprocal(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Reciprocal, a)
    }

    /// The same numbers, which count as constants: no gradient goes through.
    pub fn detach(&mut self, a: NodeId) -> NodeId {
        self.unary(UnaryFunction::Detach, a)
    }

    // Elementwise functions of two tensors of equal rank, where dimensions of 1 are broadcast; shape `[]` goes with any.

    fn binary(&mut self, function: BinaryFunction, a: NodeId, b: NodeId) -> NodeId {
        let shape = broadcast_shape(self.shape(a), self.shape(b));
        if let (Some(x), Some(y)) = (self.constant_value(a), self.constant_value(b)) {
            return self.constant(function.apply(x, y), &shape);
        }
        // A broadcast operand is read as it was before, where the other operand has the whole shape.
        let (mut a, mut b) = (a, b);
        if let Some(source) = self.broadcast_source(a)
            && broadcasts(self.shape(source), &shape)
            && self.shape(b) == shape
        {
            a = source;
        }
        if let Some(source) = self.broadcast_source(b)
            && broadcasts(self.shape(source), &shape)
            && self.shape(a) == shape
        {
            b = source;
        }
        if function.commutes() && b < a {
            (a, b) = (b, a);
        }
        self.apply(Binary { function }, &[a, b])
    }

    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let shape = broadcast_shape(self.shape(a), self.shape(b));
        match (self.constant_value(a), self.constant_value(b)) {
            (None, Some(value)) if self.shape(a) == shape => self.shift(a, value),
            (Some(value), None) if self.shape(b) == shape => self.shift(b, value),
            _ if a == b => self.scale(a, 2.0),
            _ => self.binary(BinaryFunction::Add, a, b),
        }
    }

    pub fn sub(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let shape = broadcast_shape(self.shape(a), self.shape(b));
        match (self.constant_value(a), self.constant_value(b)) {
            (None, Some(value)) if self.shape(a) == shape => self.shift(a, -value),
            (Some(value), None) if self.shape(b) == shape => {
                let negated = self.neg(b);
                self.shift(negated, value)
            }
            _ if a == b => self.constant(0.0, &shape),
            _ => self.binary(BinaryFunction::Sub, a, b),
        }
    }

    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let shape = broadcast_shape(self.shape(a), self.shape(b));
        match (self.constant_value(a), self.constant_value(b)) {
            (Some(0.0), _) | (_, Some(0.0)) => self.constant(0.0, &shape),
            (None, Some(value)) if self.shape(a) == shape => self.scale(a, value),
            (Some(value), None) if self.shape(b) == shape => self.scale(b, value),
            _ if a == b => self.square(a),
            _ => self.binary(BinaryFunction::Mul, a, b),
        }
    }

    pub fn div(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let shape = broadcast_shape(self.shape(a), self.shape(b));
        match (self.constant_value(a), self.constant_value(b)) {
            (Some(0.0), _) => self.constant(0.0, &shape),
            (None, Some(value)) if self.shape(a) == shape => self.scale(a, value.recip()),
            (Some(value), None) if self.shape(b) == shape => {
                let inverse = self.reciprocal(b);
                self.scale(inverse, value)
            }
            // A divisor that is repeated is inverted before, once for each of its elements.
            _ if self.elements(b) < shape.iter().product() => {
                let inverse = self.reciprocal(b);
                self.mul(a, inverse)
            }
            _ => self.binary(BinaryFunction::Div, a, b),
        }
    }

    pub fn maximum(&mut self, a: NodeId, b: NodeId) -> NodeId {
        if a == b {
            return a;
        }
        self.binary(BinaryFunction::Maximum, a, b)
    }

    /// 1 where a > b, else 0. Its gradient is zero.
    pub fn greater(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.binary(BinaryFunction::Greater, a, b)
    }

    /// `a` where `condition` is not 0, else `b`; the three have one shape.
    pub fn select(&mut self, condition: NodeId, a: NodeId, b: NodeId) -> NodeId {
        match self.constant_value(condition) {
            Some(0.0) => b,
            Some(_) => a,
            None if a == b => a,
            None => self.apply(Select, &[condition, a, b]),
        }
    }

    // Sums and broadcasts.

    /// The sum over some axes, which are kept with dimension 1 or dropped.
    pub fn sum(&mut self, a: NodeId, axes: &[usize], keep: bool) -> NodeId {
        let mut axes = axes.to_vec();
        axes.sort_unstable();
        axes.dedup();
        let shape = self.shape(a).to_vec();
        let reduced = reduced_shape(&shape, &axes, keep);
        let count: usize = axes.iter().map(|axis| shape[*axis]).product();
        if let Some(value) = self.constant_value(a) {
            return self.constant(value * count as f64, &reduced);
        }
        if axes.iter().all(|axis| shape[*axis] == 1) {
            return self.reshape(a, &reduced);
        }
        let kept = self.apply(Sum { axes: axes.clone() }, &[a]);
        self.reshape(kept, &reduced)
    }

    pub fn mean(&mut self, a: NodeId, axes: &[usize], keep: bool) -> NodeId {
        let mut unique = axes.to_vec();
        unique.sort_unstable();
        unique.dedup();
        let count: usize = unique.iter().map(|axis| self.shape(a)[*axis]).product();
        let sum = self.sum(a, &unique, keep);
        self.scale(sum, 1.0 / count as f64)
    }

    /// The sum of all elements, of shape `[]`.
    pub fn sum_all(&mut self, a: NodeId) -> NodeId {
        let axes: Vec<usize> = (0..self.shape(a).len()).collect();
        self.sum(a, &axes, false)
    }

    /// The greatest element along an axis, which is kept with dimension 1.
    pub fn greatest(&mut self, a: NodeId, axis: usize) -> NodeId {
        if self.shape(a)[axis] == 1 {
            return a;
        }
        self.rearrangement(Greatest { axis }, a)
    }

    /// Repeats along dimensions of 1 (of equal rank), or a scalar to any shape.
    pub fn broadcast(&mut self, a: NodeId, shape: &[usize]) -> NodeId {
        if self.shape(a) == shape {
            return a;
        }
        if let Some(value) = self.constant_value(a) {
            return self.constant(value, shape);
        }
        let source = self.broadcast_source(a).filter(|source| broadcasts(self.shape(*source), shape)).unwrap_or(a);
        self.apply(Broadcast { shape: shape.to_vec() }, &[source])
    }

    // Products and convolutions.

    /// The product of two matrices, each transposed first if asked; of `[p, …, …]` and `[p, …, …]`, the products of p pairs.
    pub fn matmul(&mut self, a: NodeId, b: NodeId, transpose_a: bool, transpose_b: bool) -> NodeId {
        self.multilinear(MatrixProduct { transpose_a, transpose_b }, &[a, b])
    }

    /// Cross-correlation of `x` `[n, c, h, w]` with `w` `[o, c / groups, kh, kw]`, zeros outside: `[n, o, oh, ow]`. Where
    /// `x` was upsampled, with fewer products; see [`resampling`].
    pub fn conv2d(&mut self, x: NodeId, w: NodeId, settings: ConvolutionSettings) -> NodeId {
        let rewritten = resampling::convolution_of_upsampled(self, x, w, settings);
        rewritten.unwrap_or_else(|| self.multilinear(Convolution { settings }, &[x, w]))
    }

    /// The adjoint of [`Self::conv2d`] in `x`: `g` `[n, o, oh, ow]`, `w` `[o, c / groups, kh, kw]` to `[n, c, h, w]`, of which
    /// `image` is the height and width.
    pub fn conv2d_input_gradient(&mut self, g: NodeId, w: NodeId, settings: ConvolutionSettings, image: [usize; 2]) -> NodeId {
        self.multilinear(ConvolutionInputGradient { settings, image }, &[g, w])
    }

    /// The adjoint of [`Self::conv2d`] in `w`: `x` `[n, c, h, w]`, `g` `[n, o, oh, ow]` to `[o, c / groups, kh, kw]`, of which
    /// `kernel` is the last two.
    pub fn conv2d_weight_gradient(&mut self, x: NodeId, g: NodeId, settings: ConvolutionSettings, kernel: [usize; 2]) -> NodeId {
        self.multilinear(ConvolutionWeightGradient { settings, kernel }, &[x, g])
    }

    /// Maps both sides of every kernel of `w` `[o, c, k, k]` by the matrix of these rows; see [`KernelMap`].
    pub fn kernel_map(&mut self, w: NodeId, rows: Vec<Vec<f64>>, swap: bool) -> NodeId {
        self.multilinear(KernelMap { rows, swap }, &[w])
    }

    /// A primitive that is linear in each input: zero where one of them is zero.
    fn multilinear(&mut self, primitive: impl Primitive + 'static, inputs: &[NodeId]) -> NodeId {
        if inputs.iter().any(|input| self.constant_value(*input) == Some(0.0)) {
            let shapes: Vec<&[usize]> = inputs.iter().map(|input| self.shape(*input)).collect();
            let shape = primitive.shape(&shapes);
            return self.constant(0.0, &shape);
        }
        self.apply(primitive, inputs)
    }

    // Layout.

    pub fn reshape(&mut self, a: NodeId, shape: &[usize]) -> NodeId {
        if self.shape(a) == shape {
            return a;
        }
        if let Some(value) = self.constant_value(a) {
            let same = self.elements(a) == shape.iter().product::<usize>();
            assert!(same, "reshape of {:?} to {shape:?}", self.shape(a));
            return self.constant(value, shape);
        }
        if self.node(a).primitive.is_view() {
            return self.reshape(self.node(a).inputs[0], shape);
        }
        self.apply(Reshape { shape: shape.to_vec() }, &[a])
    }

    /// Dimension i of the result is dimension `order[i]` of `a`.
    pub fn transpose(&mut self, a: NodeId, order: &[usize]) -> NodeId {
        if order.iter().enumerate().all(|(index, axis)| index == *axis) {
            return a;
        }
        self.rearrangement(Transpose { order: order.to_vec() }, a)
    }

    pub fn slice(&mut self, a: NodeId, axis: usize, start: usize, length: usize) -> NodeId {
        if start == 0 && length == self.shape(a)[axis] {
            return a;
        }
        self.rearrangement(Slice { axis, start, length }, a)
    }

    /// Zeros before and after along an axis.
    pub fn pad(&mut self, a: NodeId, axis: usize, before: usize, after: usize) -> NodeId {
        if before == 0 && after == 0 {
            return a;
        }
        self.multilinear(Pad { axis, before, after }, &[a])
    }

    pub fn concat(&mut self, parts: &[NodeId], axis: usize) -> NodeId {
        if let [only] = parts {
            return *only;
        }
        self.multilinear_sum(Concat { axis }, parts)
    }

    /// A primitive that is zero if all inputs are.
    fn multilinear_sum(&mut self, primitive: impl Primitive + 'static, inputs: &[NodeId]) -> NodeId {
        if inputs.iter().all(|input| self.constant_value(*input) == Some(0.0)) {
            let shapes: Vec<&[usize]> = inputs.iter().map(|input| self.shape(*input)).collect();
            let shape = primitive.shape(&shapes);
            return self.constant(0.0, &shape);
        }
        self.apply(primitive, inputs)
    }

    /// A primitive that only moves elements: a constant stays one.
    fn rearrangement(&mut self, primitive: impl Primitive + 'static, a: NodeId) -> NodeId {
        if let Some(value) = self.constant_value(a) {
            let shape = primitive.shape(&[self.shape(a)]);
            return self.constant(value, &shape);
        }
        self.apply(primitive, &[a])
    }

    // Resolution; `[n, c, h, w]`.

    /// Each pixel k × k times.
    pub fn upsample(&mut self, a: NodeId, factor: usize) -> NodeId {
        if factor == 1 {
            return a;
        }
        self.rearrangement(Upsample { factor }, a)
    }

    /// Sums of blocks of k × k pixels; height and width are multiples of k.
    pub fn sum_pool(&mut self, a: NodeId, factor: usize) -> NodeId {
        if factor == 1 {
            return a;
        }
        let rewritten = resampling::sums_of_convolution(self, a, factor);
        rewritten.unwrap_or_else(|| self.multilinear(SumPool { factor }, &[a]))
    }

    /// Bilinear interpolation to height × width pixels.
    pub fn resize(&mut self, a: NodeId, [height, width]: [usize; 2], grid: Grid) -> NodeId {
        if self.shape(a).get(2..) == Some(&[height, width]) {
            return a;
        }
        self.rearrangement(Resize { height, width, grid }, a)
    }

    /// The adjoint of [`Self::resize`] from height × width pixels.
    pub fn resize_adjoint(&mut self, a: NodeId, [height, width]: [usize; 2], grid: Grid) -> NodeId {
        self.multilinear(ResizeAdjoint { height, width, grid }, &[a])
    }

    /// The means of windows. Without `count_padding` they are those of the pixels inside the image, else what is outside
    /// counts as 0.
    pub fn average_pool(&mut self, a: NodeId, window: Window, count_padding: bool) -> NodeId {
        self.multilinear(AveragePool { window, count_padding }, &[a])
    }

    /// The adjoint of [`Self::average_pool`]: `[n, c, oh, ow]` to `[n, c, h, w]`, of which `image` is the height and width.
    pub fn average_pool_gradient(&mut self, g: NodeId, window: Window, count_padding: bool, image: [usize; 2]) -> NodeId {
        self.multilinear(AveragePoolGradient { window, count_padding, image }, &[g])
    }

    /// The maximum of windows; what is outside counts as −∞. The first of equal values gets the gradient.
    pub fn max_pool(&mut self, a: NodeId, window: Window) -> NodeId {
        let indices = self.apply(MaxPoolIndices { window }, &[a]);
        self.gather(a, indices)
    }

    /// Within each plane of `a` `[n, c, h, w]`, the pixels whose positions (row-major) stand in `indices` `[n, c, oh, ow]`.
    pub fn gather(&mut self, a: NodeId, indices: NodeId) -> NodeId {
        self.multilinear_gather(Gather, a, indices)
    }

    /// The adjoint of [`Self::gather`]: adds the pixels of `a` at their positions in planes of zeros.
    pub fn scatter(&mut self, a: NodeId, indices: NodeId, [height, width]: [usize; 2]) -> NodeId {
        self.multilinear_gather(Scatter { height, width }, a, indices)
    }

    fn multilinear_gather(&mut self, primitive: impl Primitive + 'static, a: NodeId, indices: NodeId) -> NodeId {
        if self.constant_value(a) == Some(0.0) {
            let shape = primitive.shape(&[self.shape(a), self.shape(indices)]);
            return self.constant(0.0, &shape);
        }
        self.apply(primitive, &[a, indices])
    }

    fn unary_of(&self, id: NodeId) -> Option<(UnaryFunction, NodeId)> {
        match self.node(id).primitive.elementwise() {
            Some(Elementwise::Unary(function)) => Some((function, self.node(id).inputs[0])),
            _ => None,
        }
    }

    fn broadcast_source(&self, id: NodeId) -> Option<NodeId> {
        match self.node(id).primitive.elementwise() {
            Some(Elementwise::Broadcast) => Some(self.node(id).inputs[0]),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Graph;

    #[test]
    fn equal_nodes_are_made_once_and_trivial_ones_not_at_all() {
        let mut graph = Graph::new();
        let (x, y) = (graph.input("x", &[2, 3]), graph.input("y", &[2, 3]));
        assert_eq!(graph.input("x", &[2, 3]), x);
        assert_eq!(graph.add(x, y), graph.add(y, x));
        let (one, zero) = (graph.constant(1.0, &[2, 3]), graph.constant(0.0, &[]));
        assert_eq!(graph.mul(x, one), x);
        assert_eq!(graph.add(zero, x), x);
        assert_eq!(graph.reshape(x, &[2, 3]), x);
        let flat = graph.reshape(x, &[6]);
        assert_eq!(graph.reshape(flat, &[2, 3]), x);
        let product = graph.mul(x, zero);
        assert_eq!((graph.constant_value(product), graph.shape(product)), (Some(0.0), &[2, 3][..]));
        let before = graph.len();
        let negated = graph.neg(x);
        assert_eq!(graph.neg(negated), x);
        assert_eq!(graph.len(), before + 1);
    }

    #[test]
    #[should_panic(expected = "input `x` has shape [2], not [3]")]
    fn an_input_has_one_shape() {
        let mut graph = Graph::new();
        graph.input("x", &[2]);
        graph.input("x", &[3]);
    }
}
