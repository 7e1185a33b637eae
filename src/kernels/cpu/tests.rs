//! What an executable must keep whatever its plan is.

use super::{ConvolutionSettings, Executable, fusion_listing};
use crate::autodiff::gradient;
use crate::network::graph::{Graph, NodeId};
use crate::network::listing::live_nodes;
use crate::network::primitives::{MatrixProduct, Window};
use crate::random::Key;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The gradients of a gradient penalty and a loss through normalisation, convolutions, pooling and a linear layer, with
/// all that they are made of.
fn training_graph(batch: usize) -> (Graph, Vec<NodeId>) {
    let mut graph = Graph::new();
    let image = graph.input("image", &[batch, 2, 20, 20]);
    let weights = [
        graph.input("first", &[6, 2, 3, 3]),
        graph.input("gain", &[1, 6, 1, 1]),
        graph.input("second", &[8, 6, 3, 3]),
        graph.input("linear", &[200, 3]),
        graph.input("bias", &[1, 3]),
    ];
    let y = graph.conv2d(image, weights[0], ConvolutionSettings::square(1, 1));
    let mean = graph.mean(y, &[0, 2, 3], true);
    let centred = graph.sub(y, mean);
    let square = graph.square(centred);
    let variance = graph.mean(square, &[0, 2, 3], true);
    let variance = graph.shift(variance, 1e-5);
    let deviation = graph.sqrt(variance);
    let y = graph.div(centred, deviation);
    let y = graph.mul(y, weights[1]);
    let y = graph.leaky_relu(y, 0.2);
    let y = graph.max_pool(y, Window::square(3, 2, 1));
    let y = graph.conv2d(y, weights[2], ConvolutionSettings::square(2, 1));
    let length = graph.square(y);
    let length = graph.mean(length, &[1], true);
    let length = graph.shift(length, 1e-8);
    let length = graph.sqrt(length);
    let y = graph.div(y, length);
    let y = graph.reshape(y, &[batch, 200]);
    let y = graph.matmul(y, weights[3], false, false);
    let score = graph.add(y, weights[4]);
    let total = graph.sum_all(score);
    let by_image = gradient(&mut graph, total, &[image])[0];
    let square = graph.square(by_image);
    let norms = graph.sum(square, &[1, 2, 3], false);
    let penalty = graph.mean(norms, &[0], false);
    let loss = graph.softplus(score);
    let loss = graph.mean(loss, &[0, 1], false);
    let loss = graph.add(loss, penalty);
    let mut outputs = vec![loss, penalty, score];
    outputs.extend(gradient(&mut graph, loss, &weights));
    (graph, outputs)
}

fn feed(graph: &Graph, bindings: &[String]) -> Vec<Vec<f32>> {
    let mut fed = Vec::new();
    for name in bindings {
        let elements = graph.find_input(name).map_or(0, |id| graph.elements(id));
        let mut values = vec![0.0; elements];
        Key::new(4).with(name).fill_normal(&mut values);
        values.iter_mut().for_each(|value| *value *= 0.3);
        fed.push(values);
    }
    fed
}

fn run(graph: &Graph, outputs: &[NodeId]) -> Vec<Vec<f32>> {
    let mut executable = Executable::<f32>::compile(graph, outputs);
    let fed = feed(graph, executable.bindings());
    let fed: Vec<&[f32]> = fed.iter().map(Vec::as_slice).collect();
    executable.run(&fed);
    let first: Vec<Vec<f32>> = (0..outputs.len()).map(|index| executable.output(index).to_vec()).collect();
    executable.run(&fed);
    for (index, value) in first.iter().enumerate() {
        assert_eq!(executable.output(index), value, "a second run gives other numbers");
    }
    first
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (graph, outputs) = training_graph(24);
    let mut results = Vec::new();
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let values = pool.install(|| run(&graph, &outputs));
        results.push(values.iter().flatten().map(|value| value.to_bits()).collect::<Vec<u32>>());
    }
    assert!(results[0].iter().any(|bits| *bits != 0));
    assert_eq!(results[0], results[1]);
    assert_eq!(results[0], results[2]);
}

/// What docs/architecture.md promises of fused passes: nothing is contracted, sums have one order. All else is the same on both sides.
#[test]
fn fused_passes_give_the_same_bits_with_and_without_vector_instructions() {
    let (graph, outputs) = training_graph(7);
    let mut results = [true, false].map(|vectors| {
        let mut executable = Executable::<f32>::compile(&graph, &outputs);
        if !vectors {
            executable.without_vector_instructions();
        }
        let fed = feed(&graph, executable.bindings());
        executable.run(&fed.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let bits = (0..outputs.len()).flat_map(|index| executable.output(index).iter().map(|value| value.to_bits()));
        bits.collect::<Vec<u32>>()
    });
    let [with, without] = &mut results;
    assert!(with.iter().any(|bits| *bits != 0));
    assert_eq!(with, without);
}

/// A value repeated along any axes, in rows of lengths that have a loop of their own and of others, over the borders of blocks.
#[test]
fn values_are_repeated_along_any_axes() {
    for shape in [[3, 5, 7, 2], [2, 300, 2, 2], [3, 40, 4, 4], [2, 5, 8, 8], [2, 3, 30, 31], [1, 700, 1, 1], [3, 1, 1, 600]] {
        for subset in 1..15_usize {
            let size = |axis: usize| if subset >> axis & 1 == 1 { 1 } else { shape[axis] };
            let mut graph = Graph::new();
            let small = [0, 1, 2, 3].map(size);
            let (x, y) = (graph.input("x", &shape), graph.input("y", &small));
            let sum = graph.add(x, y);
            let mut executable = Executable::<f64>::compile(&graph, &[sum]);
            let numbers =
                |count: usize, step: usize| (0..count).map(|index| ((index * step) % 1013) as f64).collect::<Vec<f64>>();
            let (x, y) = (numbers(shape.iter().product(), 7919), numbers(small.iter().product(), 104_729));
            let fed: Vec<&[f64]> = executable.bindings().iter().map(|name| if name == "x" { &x[..] } else { &y[..] }).collect();
            executable.run(&fed);
            for (index, found) in executable.output(0).iter().enumerate() {
                let (mut rest, mut place, mut stride) = (index, 0, 1);
                for axis in (0..4).rev() {
                    place += (rest % shape[axis]).min(small[axis] - 1) * stride;
                    stride *= small[axis];
                    rest /= shape[axis];
                }
                assert_eq!(*found, x[index] + y[place], "{shape:?} {small:?}: element {index}");
            }
        }
    }
}

#[test]
fn single_precision_agrees_with_double() {
    let (graph, outputs) = training_graph(5);
    let single = run(&graph, &outputs);
    let mut executable = Executable::<f64>::compile(&graph, &outputs);
    let fed = feed(&graph, executable.bindings());
    let fed: Vec<Vec<f64>> = fed.iter().map(|values| values.iter().map(|value| f64::from(*value)).collect()).collect();
    executable.run(&fed.iter().map(Vec::as_slice).collect::<Vec<_>>());
    for (index, single) in single.iter().enumerate() {
        let double = executable.output(index);
        let scale = double.iter().fold(1e-3, |scale: f64, value| scale.max(value.abs()));
        for (found, expected) in single.iter().zip(double) {
            assert!((f64::from(*found) - expected).abs() < 1e-4 * scale, "output {index}: {found} is not {expected}");
        }
    }
}

/// Asking for every value in between gives each its own memory and stops reuse; numbers must not change by it.
#[test]
fn reuse_of_memory_changes_no_number() {
    let (graph, outputs) = training_graph(9);
    let small = Executable::<f32>::compile(&graph, &outputs);
    let mut all = outputs.clone();
    all.extend((0..graph.len()).map(NodeId));
    let large = Executable::<f32>::compile(&graph, &all);
    assert!(small.buffer_bytes() * 2 < large.buffer_bytes(), "{} of {}", small.buffer_bytes(), large.buffer_bytes());
    let (small, large) = (run(&graph, &outputs), run(&graph, &all));
    for (small, large) in small.iter().zip(&large) {
        let scale = large.iter().fold(1e-6, |scale: f32, value| scale.max(value.abs()));
        for (found, expected) in small.iter().zip(large) {
            assert!((found - expected).abs() <= 1e-5 * scale, "{found} is not {expected}");
        }
    }
}

#[test]
fn dead_inputs_are_not_asked_for_and_inputs_and_constants_can_be_outputs() {
    let mut graph = Graph::new();
    let (a, b) = (graph.input("a", &[2, 3]), graph.input("b", &[2]));
    graph.exp(b);
    let seven = graph.constant(7.0, &[4]);
    let view = graph.reshape(a, &[6]);
    let doubled = graph.scale(a, 2.0);
    let mut executable = Executable::<f64>::compile(&graph, &[a, seven, view, doubled, doubled]);
    assert_eq!(executable.bindings(), ["a"]);
    let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    executable.run(&[&values]);
    assert_eq!(executable.output(0), values);
    assert_eq!(executable.output(1), [7.0; 4]);
    assert_eq!(executable.output(2), values);
    assert_eq!(executable.output(3), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
    assert_eq!(executable.output(4), executable.output(3));
}

/// Sums of every kind of pattern, of sizes that fill no block and of sizes over many chunks.
#[test]
fn sums_over_any_axes_are_those_of_their_definition() {
    for shape in [[3, 5, 7, 2], [4, 33, 30, 30], [70, 3, 17, 16], [5, 300, 2, 2], [3, 90, 8, 8], [1, 1, 1, 1], [2, 1, 600, 1]] {
        for subset in 1..16_usize {
            let axes: Vec<usize> = (0..4).filter(|axis| subset >> axis & 1 == 1).collect();
            let mut graph = Graph::new();
            let x = graph.input("x", &shape);
            let square = graph.square(x);
            let sum = graph.sum(square, &axes, true);
            let mut executable = Executable::<f64>::compile(&graph, &[sum]);
            let count: usize = shape.iter().product();
            let values: Vec<f64> = (0..count).map(|index| ((index * 7919) % 101) as f64 / 50.0).collect();
            executable.run(&[&values]);
            let kept = graph.shape(sum).to_vec();
            let mut expected = vec![0.0; kept.iter().product()];
            for (index, value) in values.iter().enumerate() {
                let (mut rest, mut place, mut stride) = (index, 0, 1);
                for axis in (0..4).rev() {
                    place += (rest % shape[axis]).min(kept[axis] - 1) * stride;
                    stride *= kept[axis];
                    rest /= shape[axis];
                }
                expected[place] += value * value;
            }
            for (found, expected) in executable.output(0).iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{shape:?} {axes:?}: {found} {expected}");
            }
        }
    }
}

/// Nothing hides a number that is none: a training that diverged is found by its losses.
#[test]
fn what_is_no_number_comes_through() {
    let mut graph = Graph::new();
    let (x, one) = (graph.input("x", &[1, 1, 2, 2]), graph.input("one", &[1, 1, 2, 2]));
    let outputs = [
        graph.relu(x),
        graph.leaky_relu(x, 0.2),
        graph.softplus(x),
        graph.maximum(x, one),
        graph.maximum(one, x),
        graph.greatest(x, 3),
        graph.max_pool(x, Window::square(2, 1, 0)),
    ];
    for place in 0..4 {
        let mut values = [0.5f32, -1.0, 2.0, 3.0];
        values[place] = f32::NAN;
        let mut executable = Executable::<f32>::compile(&graph, &outputs);
        let fed: Vec<&[f32]> =
            executable.bindings().iter().map(|name| if name == "x" { &values[..] } else { &[1.0; 4] }).collect();
        executable.run(&fed);
        for index in 0..outputs.len() {
            let none = executable.output(index).iter().filter(|value| value.is_nan()).count();
            assert_eq!(none, 1, "output {index} with NaN at {place}: {:?}", executable.output(index));
        }
    }
}

/// Counts what its thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: all work is the system allocator's; a thread's own count without a destructor allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_run_allocates_nothing_but_what_matrix_products_pack() {
    let (graph, outputs) = training_graph(8);
    let live = live_nodes(&graph, &outputs);
    let products = live.into_iter().filter(|id| graph.primitive::<MatrixProduct>(*id).is_some()).count() as u64;
    let mut executable = Executable::<f32>::compile(&graph, &outputs);
    let fed = feed(&graph, executable.bindings());
    let fed: Vec<&[f32]> = fed.iter().map(Vec::as_slice).collect();
    // One thread, so that all that a run does is counted.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let (first, second) = pool.install(|| {
        let mut allocations = || {
            let before = ALLOCATIONS.get();
            executable.run(&fed);
            ALLOCATIONS.get() - before
        };
        (allocations(), allocations())
    });
    assert!(first > second, "the count works: a first run makes the workspace");
    // The `gemm` crate takes three buffers for each product and offers no way to keep them.
    assert!(second <= 3 * products, "{second} allocations, {products} matrix products");
}

#[test]
fn cheap_values_are_worked_out_again_instead_of_kept() {
    let mut graph = Graph::new();
    let (x, w) = (graph.input("x", &[2, 3, 8, 8]), graph.input("w", &[3, 3, 3, 3]));
    let settings = ConvolutionSettings::square(1, 1);
    let mut y = x;
    for _ in 0..3 {
        y = graph.conv2d(y, w, settings);
        y = graph.leaky_relu(y, 0.2);
    }
    let total = graph.sum_all(y);
    let outputs = [total, gradient(&mut graph, total, &[w])[0]];
    // Slopes stand in the passes of the backward half alone, from results that are kept for the convolutions' gradients.
    let text = fusion_listing(&graph, &outputs);
    let passes: Vec<&str> = text.split("one pass").filter(|pass| pass.contains("= leaky_relu(")).collect();
    assert_eq!(passes.len(), 3);
    let kept = passes.iter().filter(|pass| pass.contains("= leaky_step(") && !pass.contains("= mul(")).count();
    // The slope of the last is itself a gradient, which a convolution reads.
    assert_eq!(kept, 1, "{text}");
}
