//! Convolutions beside a change of resolution, with fewer products: a rewriting of the graph while it is built.
//!
//! Repeating every pixel f × f times and then convolving with a k × k kernel multiplies the same number with several
//! places of the kernel; so does summing blocks of f × f results. The places can be added up first: with the kernel
//! `w ⊛ 1`, where `1` is an f × f block of ones and ⊛ the full convolution,
//!
//! - `sum_pool_f(conv(x, w))` is `conv(x, w ⊛ 1)` with stride f, and
//! - `conv(upsample_f(x), w)` is its adjoint, with `w` turned by half a turn and its channels exchanged,
//!
//! for stride 1, an odd k and padding (k − 1)/2. For k = 3 and f = 2 that is 16 products for four pixels instead of 36, and
//! the large image in between is never made. Where the kernels have Winograd's algorithm for the convolution on the large image
//! (9 products for four pixels) it stays as it is. A 1 × 1 kernel simply works on the smaller image. Gradients follow by
//! themselves, as the rules of the new nodes. (The same sums with their terms in another order: Karras et al. 2018 call the
//! pair "fused" upscaling and downscaling in their code.)

use super::graph::{Graph, NodeId};
use super::primitives::{Convolution, Upsample};
use crate::kernels::cpu::{ConvolutionGeometry, ConvolutionSettings};

/// A convolution with a stride fills its vectors with images: with fewer than these they would stay empty. What a network costs
/// is told for one image, and so of the network as it is written.
const LEAST_BATCH: usize = 8;

/// `conv2d(x, w)` with fewer products, where `x` is an image that was repeated and sizes allow it.
pub fn convolution_of_upsampled(graph: &mut Graph, x: NodeId, w: NodeId, settings: ConvolutionSettings) -> Option<NodeId> {
    let Upsample { factor } = *graph.primitive::<Upsample>(x)?;
    let kernel = same_size_kernel(graph, w, settings)?;
    let source = *graph.node(x).inputs.first()?;
    let [batch, _, height, width] = *graph.shape(x) else { return None };
    if batch < LEAST_BATCH {
        return None;
    }
    if kernel == 1 {
        let small = graph.conv2d(source, w, settings);
        return Some(graph.upsample(small, factor));
    }
    if geometry(graph, x, w, settings)?.goes_by_winograd() {
        return None;
    }
    let mut spread = spread(kernel, factor);
    spread.reverse();
    let mapped = graph.kernel_map(w, spread, true);
    let settings = ConvolutionSettings { stride: [factor; 2], ..settings };
    Some(graph.conv2d_input_gradient(source, mapped, settings, [height, width]))
}

/// `sum_pool(a, factor)` with fewer products, where `a` is a convolution and sizes allow it.
pub fn sums_of_convolution(graph: &mut Graph, a: NodeId, factor: usize) -> Option<NodeId> {
    let Convolution { settings } = *graph.primitive::<Convolution>(a)?;
    let [x, w] = *graph.node(a).inputs.as_slice() else { return None };
    let kernel = same_size_kernel(graph, w, settings)?;
    if *graph.shape(x).first()? < LEAST_BATCH {
        return None;
    }
    if kernel == 1 {
        let small = graph.sum_pool(x, factor);
        return Some(graph.conv2d(small, w, settings));
    }
    if geometry(graph, x, w, settings)?.goes_by_winograd() {
        return None;
    }
    let mapped = graph.kernel_map(w, spread(kernel, factor), false);
    Some(graph.conv2d(x, mapped, ConvolutionSettings { stride: [factor; 2], ..settings }))
}

fn geometry(graph: &Graph, x: NodeId, w: NodeId, settings: ConvolutionSettings) -> Option<ConvolutionGeometry> {
    let [batch, input_channels, height, width] = *graph.shape(x) else { return None };
    let [output_channels, _, rows, columns] = *graph.shape(w) else { return None };
    Some(ConvolutionGeometry { batch, input_channels, height, width, output_channels, kernel: [rows, columns], settings })
}

/// The side of a square kernel that leaves the image's size as it is.
fn same_size_kernel(graph: &Graph, w: NodeId, settings: ConvolutionSettings) -> Option<usize> {
    let [_, _, kernel, columns] = *graph.shape(w) else { return None };
    let same = kernel == columns && kernel % 2 == 1 && settings == ConvolutionSettings::square(1, kernel / 2);
    same.then_some(kernel)
}

/// The matrix that a side of a kernel is multiplied with: row i adds up places i − factor + 1 to i.
fn spread(kernel: usize, factor: usize) -> Vec<Vec<f64>> {
    let place = |row: usize, column: usize| f64::from(u8::from(column <= row && row < column + factor));
    (0..kernel + factor - 1).map(|row| (0..kernel).map(|column| place(row, column)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::gradient;
    use crate::kernels::cpu::Executable;
    use crate::network::primitives::SumPool;
    use crate::random::Key;

    /// The values of nodes, and of the gradients of their squares' sums by the inputs.
    fn values(graph: &mut Graph, of: NodeId, inputs: &[NodeId]) -> Vec<Vec<f64>> {
        let square = graph.square(of);
        let total = graph.sum_all(square);
        let mut outputs = vec![of];
        outputs.extend(gradient(graph, total, inputs));
        let mut executable = Executable::<f64>::compile(graph, &outputs);
        let draw = |name: &String| {
            let node = graph.find_input(name).unwrap();
            let mut numbers = vec![0.0f32; graph.elements(node)];
            Key::new(5).with(name).fill_normal(&mut numbers);
            numbers.into_iter().map(f64::from).collect::<Vec<f64>>()
        };
        let fed: Vec<Vec<f64>> = executable.bindings().iter().map(draw).collect();
        executable.run(&fed.iter().map(Vec::as_slice).collect::<Vec<_>>());
        (0..outputs.len()).map(|index| executable.output(index).to_vec()).collect()
    }

    #[test]
    fn fewer_products_give_the_same_numbers_and_gradients() {
        for (kernel, factor) in [(1, 2), (3, 2), (5, 2), (3, 3), (3, 4)] {
            let settings = ConvolutionSettings::square(1, kernel / 2);
            let mut graph = Graph::new();
            let x = graph.input("x", &[LEAST_BATCH, 3, 2 * factor, 3 * factor]);
            let w = graph.input("w", &[4, 3, kernel, kernel]);
            let plain = graph.apply(Convolution { settings }, &[x, w]);
            let plain = graph.apply(SumPool { factor }, &[plain]);
            let whole = graph.conv2d(x, w, settings);
            let rewritten = graph.sum_pool(whole, factor);
            assert_ne!(plain, rewritten);
            let (a, b) = (values(&mut graph, plain, &[x, w]), values(&mut graph, rewritten, &[x, w]));
            assert_close(&a, &b);

            let repeated = graph.upsample(x, factor);
            let plain = graph.apply(Convolution { settings }, &[repeated, w]);
            let rewritten = graph.conv2d(repeated, w, settings);
            assert_ne!(plain, rewritten);
            let (a, b) = (values(&mut graph, plain, &[x, w]), values(&mut graph, rewritten, &[x, w]));
            assert_close(&a, &b);
        }
    }

    fn assert_close(a: &[Vec<f64>], b: &[Vec<f64>]) {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().flatten().zip(b.iter().flatten()) {
            assert!((a - b).abs() <= 1e-11 * (1.0 + a.abs()), "{a} is not {b}");
        }
    }

    #[test]
    fn sizes_that_would_change_and_small_batches_are_left_alone() {
        let mut graph = Graph::new();
        for (batch, padding) in [(LEAST_BATCH, 0), (LEAST_BATCH - 1, 1)] {
            let (x, w) = (graph.input(&format!("{batch}"), &[batch, 2, 6, 6]), graph.input("w", &[2, 2, 3, 3]));
            let narrow = graph.conv2d(x, w, ConvolutionSettings::square(1, padding));
            let pooled = graph.sum_pool(narrow, 2);
            assert!(graph.primitive::<SumPool>(pooled).is_some());
        }
    }
}
