//! First and second derivatives of every primitive against central differences in double precision.

use super::gradient;
use crate::kernels::cpu::{ConvolutionGeometry, ConvolutionSettings, Executable};
use crate::network::graph::{Graph, NodeId};
use crate::network::primitives::{BinaryFunction, Grid, UnaryFunction, Window, all_names};
use crate::random::Key;
use std::collections::BTreeSet;

/// A function of some tensors: their shapes, the interval that their elements are drawn from, and how it is built.
struct Case {
    name: &'static str,
    shapes: Vec<Vec<usize>>,
    interval: (f64, f64),
    build: Box<Build>,
}

type Build = dyn Fn(&mut Graph, &[NodeId]) -> NodeId;

fn case(name: &'static str, shapes: &[&[usize]], build: impl Fn(&mut Graph, &[NodeId]) -> NodeId + 'static) -> Case {
    let shapes = shapes.iter().map(|shape| shape.to_vec()).collect();
    Case { name, shapes, interval: (-1.0, 1.0), build: Box::new(build) }
}

fn unary(graph: &mut Graph, function: UnaryFunction, x: NodeId) -> NodeId {
    match function {
        UnaryFunction::Scale(factor) => graph.scale(x, factor),
        UnaryFunction::Shift(offset) => graph.shift(x, offset),
        UnaryFunction::Exp => graph.exp(x),
        UnaryFunction::Ln => graph.ln(x),
        UnaryFunction::Sqrt => graph.sqrt(x),
        UnaryFunction::Square => graph.square(x),
        UnaryFunction::Tanh => graph.tanh(x),
        UnaryFunction::Sigmoid => graph.sigmoid(x),
        UnaryFunction::Softplus => graph.softplus(x),
        UnaryFunction::Relu => graph.relu(x),
        UnaryFunction::LeakyRelu(slope) => graph.leaky_relu(x, slope),
        UnaryFunction::LeakyStep(slope) => graph.leaky_step(x, slope),
        UnaryFunction::Step => graph.step(x),
        UnaryFunction::Sign => graph.sign(x),
        UnaryFunction::Abs => graph.abs(x),
        UnaryFunction::Reciprocal => graph.reciprocal(x),
        UnaryFunction::Detach => graph.detach(x),
    }
}

fn binary(graph: &mut Graph, function: BinaryFunction, a: NodeId, b: NodeId) -> NodeId {
    match function {
        BinaryFunction::Add => graph.add(a, b),
        BinaryFunction::Sub => graph.sub(a, b),
        BinaryFunction::Mul => graph.mul(a, b),
        BinaryFunction::Div => graph.div(a, b),
        BinaryFunction::Maximum => graph.maximum(a, b),
        BinaryFunction::Greater => graph.greater(a, b),
    }
}

/// Odd images, kernels of every form, strides, paddings, dilations and groups.
fn convolutions() -> Vec<ConvolutionGeometry> {
    let square = ConvolutionSettings::square;
    let asymmetric = ConvolutionSettings { stride: [2, 1], padding: [0, 2], ..square(1, 0) };
    let dilated = ConvolutionSettings { padding: [2, 3], dilation: [2, 3], ..square(1, 0) };
    let grouped = ConvolutionSettings { groups: 2, ..square(1, 1) };
    [
        (1, 2, [4, 5], 3, [3, 3], square(1, 1)),
        (2, 2, [5, 7], 3, [3, 3], square(2, 1)),
        (2, 2, [4, 6], 3, [3, 3], square(2, 1)),
        (2, 2, [3, 3], 3, [1, 1], square(1, 0)),
        (2, 2, [5, 6], 2, [4, 4], square(2, 1)),
        (1, 2, [4, 4], 3, [4, 4], square(1, 0)),
        (1, 2, [3, 6], 2, [1, 5], ConvolutionSettings { padding: [0, 2], ..square(1, 0) }),
        (1, 2, [6, 3], 2, [5, 1], ConvolutionSettings { padding: [2, 0], ..square(1, 0) }),
        (1, 2, [5, 4], 2, [2, 3], asymmetric),
        (1, 2, [5, 6], 2, [2, 2], dilated),
        (1, 4, [4, 3], 6, [3, 3], grouped),
        (2, 3, [4, 3], 3, [3, 3], ConvolutionSettings { groups: 3, ..square(2, 1) }),
        (1, 4, [5, 6], 2, [2, 3], ConvolutionSettings { groups: 2, stride: [1, 2], ..dilated }),
    ]
    .map(|(batch, input_channels, [height, width], output_channels, kernel, settings)| ConvolutionGeometry {
        batch,
        input_channels,
        height,
        width,
        output_channels,
        kernel,
        settings,
    })
    .to_vec()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    // Its derivative is not that of the identity, by agreement; it is right where what is detached is constant.
    let differentiable = UnaryFunction::all().iter().filter(|function| **function != UnaryFunction::Detach);
    cases.push(case("detach", &[&[3, 5]], |graph, x| {
        let step = graph.step(x[0]);
        let detached = graph.detach(step);
        graph.mul(detached, x[0])
    }));
    for function in differentiable {
        let positive = matches!(function, UnaryFunction::Ln | UnaryFunction::Sqrt | UnaryFunction::Reciprocal);
        let interval = if positive { (0.5, 2.0) } else { (-1.5, 1.5) };
        cases.push(Case { interval, ..case(function.name(), &[&[3, 5]], |graph, x| unary(graph, *function, x[0])) });
        // Used twice, once directly: also steps then have a derivative to check.
        let twice = move |graph: &mut Graph, x: &[NodeId]| {
            let y = unary(graph, *function, x[0]);
            let product = graph.mul(x[0], y);
            graph.add(product, y)
        };
        cases.push(Case { interval, ..case(function.name(), &[&[7]], twice) });
    }
    for function in BinaryFunction::all() {
        let interval = if *function == BinaryFunction::Div { (0.5, 2.0) } else { (-1.0, 1.0) };
        let shapes: [[&[usize]; 2]; 6] = [
            [&[2, 3], &[2, 3]],
            [&[2, 3, 2, 2], &[1, 3, 1, 1]],
            [&[2, 1, 3, 1], &[2, 4, 1, 1]],
            [&[], &[2, 3]],
            [&[4, 1], &[1, 5]],
            [&[3], &[1]],
        ];
        for pair in shapes {
            let of = move |graph: &mut Graph, x: &[NodeId]| {
                let y = binary(graph, *function, x[0], x[1]);
                graph.mul(y, x[0])
            };
            cases.push(Case { interval, ..case(function.name(), &pair, of) });
        }
        let same = move |graph: &mut Graph, x: &[NodeId]| {
            let doubled = graph.exp(x[0]);
            let y = binary(graph, *function, x[0], doubled);
            binary(graph, *function, y, x[0])
        };
        cases.push(Case { interval: (0.5, 2.0), ..case("an operand used twice", &[&[2, 3]], same) });
    }
    cases.push(case("select", &[&[2, 5], &[2, 5], &[2, 5]], |graph, x| {
        let condition = graph.step(x[0]);
        let chosen = graph.select(condition, x[1], x[2]);
        graph.mul(chosen, x[0])
    }));
    for axis in 0..3 {
        cases.push(case("greatest", &[&[2, 3, 4]], move |graph, x| {
            let greatest = graph.greatest(x[0], axis);
            graph.mul(greatest, x[0])
        }));
    }
    cases.push(case("broadcast", &[&[1, 3, 1, 2]], |graph, x| graph.broadcast(x[0], &[2, 3, 4, 2])));
    cases.push(case("broadcast of a scalar", &[&[]], |graph, x| graph.broadcast(x[0], &[2, 3])));
    for axes in [&[0, 2, 3][..], &[1], &[1, 2, 3], &[0, 1, 2, 3], &[0], &[3], &[0, 2], &[1, 3]] {
        cases.push(case("sum", &[&[2, 3, 4, 5]], |graph, x| graph.sum(x[0], axes, true)));
        cases.push(case("mean", &[&[2, 3, 4, 5]], |graph, x| {
            let square = graph.square(x[0]);
            let mean = graph.mean(square, axes, true);
            graph.sub(x[0], mean)
        }));
        cases.push(case("sum without the axes", &[&[2, 3, 4, 5]], |graph, x| graph.sum(x[0], axes, false)));
    }
    for (transpose_a, transpose_b) in [(false, false), (true, false), (false, true), (true, true)] {
        let a: &[usize] = if transpose_a { &[4, 3] } else { &[3, 4] };
        let b: &[usize] = if transpose_b { &[5, 4] } else { &[4, 5] };
        cases.push(case("matmul", &[a, b], move |graph, x| graph.matmul(x[0], x[1], transpose_a, transpose_b)));
        let pairs: [&[usize]; 2] = [&[2, a[0], a[1]], &[2, b[0], b[1]]];
        cases.push(case("matmul of pairs", &pairs, move |graph, x| graph.matmul(x[0], x[1], transpose_a, transpose_b)));
    }
    cases.push(case("matmul with itself", &[&[3, 3]], |graph, x| graph.matmul(x[0], x[0], false, true)));
    for geometry in convolutions() {
        let ConvolutionGeometry { batch, input_channels, output_channels, height, width, kernel, settings } = geometry;
        let x = [batch, input_channels, height, width];
        let w = [output_channels, geometry.group_inputs(), kernel[0], kernel[1]];
        let y = [batch, output_channels, geometry.output_height(), geometry.output_width()];
        cases.push(case("conv2d", &[&x, &w], move |graph, x| graph.conv2d(x[0], x[1], settings)));
        cases.push(case("conv2d input gradient", &[&y, &w], move |graph, x| {
            graph.conv2d_input_gradient(x[0], x[1], settings, [height, width])
        }));
        cases.push(case("conv2d weight gradient", &[&x, &y], move |graph, x| {
            graph.conv2d_weight_gradient(x[0], x[1], settings, kernel)
        }));
    }
    cases.push(case("conv2d with weights used twice", &[&[1, 2, 4, 4], &[2, 2, 3, 3]], |graph, x| {
        let y = graph.conv2d(x[0], x[1], ConvolutionSettings::square(1, 1));
        let y = graph.leaky_relu(y, 0.2);
        graph.conv2d(y, x[1], ConvolutionSettings::square(1, 1))
    }));
    cases.push(case("reshape", &[&[2, 3, 4], &[6, 4]], |graph, x| {
        let flat = graph.reshape(x[0], &[6, 4]);
        graph.mul(flat, x[1])
    }));
    for order in [&[2, 0, 1][..], &[0, 2, 1], &[2, 1, 0]] {
        cases.push(case("transpose", &[&[2, 3, 4]], |graph, x| graph.transpose(x[0], order)));
    }
    for axis in 0..3 {
        cases.push(case("slice", &[&[3, 4, 5]], move |graph, x| graph.slice(x[0], axis, 1, 2)));
        cases.push(case("pad", &[&[3, 4, 5]], move |graph, x| graph.pad(x[0], axis, 1, 2)));
        cases.push(case("concat", &[&[2, 3, 2], &[2, 3, 2]], move |graph, x| {
            let first = graph.concat(&[x[0], x[1], x[0]], axis);
            let second = graph.concat(&[x[1], x[1], x[0]], axis);
            graph.mul(first, second)
        }));
    }
    for factor in [2, 3] {
        cases.push(case("upsample", &[&[2, 2, 2, 3]], move |graph, x| graph.upsample(x[0], factor)));
        cases.push(case("sum pool", &[&[2, 2, 6, 12]], move |graph, x| graph.sum_pool(x[0], factor)));
    }
    for grid in [Grid::Corner, Grid::Centre] {
        for size in [[5, 3], [2, 7]] {
            cases.push(case("resize", &[&[2, 2, 3, 4]], move |graph, x| graph.resize(x[0], size, grid)));
            cases.push(case("resize adjoint", &[&[1, 2, 3, 4]], move |graph, x| graph.resize_adjoint(x[0], size, grid)));
        }
    }
    for swap in [false, true] {
        cases.push(case("kernel map", &[&[2, 3, 3, 3]], move |graph, x| {
            graph.kernel_map(x[0], vec![vec![1.0, 0.0, 0.5], vec![-1.0, 2.0, 0.0]], swap)
        }));
    }
    for (kernel, factor) in [(1, 2), (3, 2), (3, 3)] {
        cases.push(case("conv2d of what was upsampled", &[&[8, 2, 2, 3], &[3, 2, kernel, kernel]], move |graph, x| {
            let large = graph.upsample(x[0], factor);
            graph.conv2d(large, x[1], ConvolutionSettings::square(1, kernel / 2))
        }));
        cases.push(case("sum pool of conv2d", &[&[8, 2, factor, 2 * factor], &[3, 2, kernel, kernel]], move |graph, x| {
            let large = graph.conv2d(x[0], x[1], ConvolutionSettings::square(1, kernel / 2));
            graph.sum_pool(large, factor)
        }));
    }
    let windows = [
        Window::square(2, 2, 0),
        Window::square(3, 1, 1),
        Window::square(3, 2, 1),
        Window::square(2, 3, 1),
        Window { size: [5, 6], stride: [1, 1], padding: [0, 0] },
        Window { size: [1, 4], stride: [2, 1], padding: [0, 2] },
    ];
    for (window, count_padding) in windows.into_iter().flat_map(|window| [(window, true), (window, false)]) {
        let [rows, columns] = window.places([5, 6]).unwrap();
        cases.push(case("average pool", &[&[1, 2, 5, 6]], move |graph, x| graph.average_pool(x[0], window, count_padding)));
        cases.push(case("average pool gradient", &[&[1, 2, rows, columns]], move |graph, x| {
            graph.average_pool_gradient(x[0], window, count_padding, [5, 6])
        }));
    }
    for (size, stride, padding) in [(2, 2, 0), (3, 2, 1), (3, 2, 0), (3, 1, 1), (2, 3, 1)] {
        cases.push(case("max pool", &[&[2, 2, 5, 6]], move |graph, x| {
            graph.max_pool(x[0], Window::square(size, stride, padding))
        }));
        cases.push(case("scatter", &[&[1, 2, 5, 6]], move |graph, x| {
            let indices = graph.max_pool(x[0], Window::square(size, stride, padding));
            let node = graph.node(indices);
            let positions = node.inputs[1];
            let pooled = graph.max_pool(x[0], Window::square(size, stride, padding));
            let spread = graph.scatter(pooled, positions, [5, 6]);
            graph.mul(spread, x[0])
        }));
    }
    cases.push(case("constant", &[&[2, 2]], |graph, x| {
        let two = graph.constant(2.0, &[2, 2]);
        graph.maximum(x[0], two)
    }));
    cases
}

/// Random values for inputs, far enough from one another for maxima to be differentiable.
fn draw(case: &Case, seed: u64) -> Vec<Vec<f64>> {
    let (low, high) = case.interval;
    let fill = |(index, shape): (usize, &Vec<usize>)| {
        let key = Key::new(seed).with(case.name).with_index(index as u64);
        (0..shape.iter().product::<usize>()).map(|i| low + (high - low) * key.uniform(i as u64)).collect()
    };
    case.shapes.iter().enumerate().map(fill).collect()
}

fn evaluate(graph: &Graph, outputs: &[NodeId], values: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut executable = Executable::<f64>::compile(graph, outputs);
    let fed: Vec<&[f64]> = executable.bindings().iter().map(|name| values[name.parse::<usize>().unwrap()].as_slice()).collect();
    executable.run(&fed);
    (0..outputs.len()).map(|index| executable.output(index).to_vec()).collect()
}

/// Compares the gradient of a scalar by some inputs with central differences at every element.
fn compare(graph: &mut Graph, scalar: NodeId, inputs: &[NodeId], values: &[Vec<f64>], what: &str) {
    let gradients = gradient(graph, scalar, inputs);
    let found = evaluate(graph, &gradients, values);
    let mut executable = Executable::<f64>::compile(graph, &[scalar]);
    let names: Vec<usize> = executable.bindings().iter().map(|name| name.parse().unwrap()).collect();
    let mut at = |values: &[Vec<f64>]| {
        executable.run(&names.iter().map(|index| values[*index].as_slice()).collect::<Vec<_>>());
        executable.output(0)[0]
    };
    let mut values = values.to_vec();
    let mut expected: Vec<Vec<f64>> = values.iter().map(|value| vec![0.0; value.len()]).collect();
    for input in 0..values.len() {
        for element in 0..values[input].len() {
            let (centre, step) = (values[input][element], 1e-5);
            values[input][element] = centre + step;
            let above = at(&values);
            values[input][element] = centre - step;
            let below = at(&values);
            values[input][element] = centre;
            expected[input][element] = (above - below) / (2.0 * step);
        }
    }
    let scale = expected.iter().flatten().fold(1.0, |scale: f64, value| scale.max(value.abs()));
    for (input, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found.len(), expected.len());
        for (element, (found, expected)) in found.iter().zip(expected).enumerate() {
            let error = (found - expected).abs() / scale;
            assert!(error < 1e-6, "{what}: by input {input}, element {element}: {found}, by differences {expected}");
        }
    }
}

/// Numbers without a pattern as a constant expression: weights that make a scalar of a tensor.
fn weighted_sum(graph: &mut Graph, y: NodeId, salt: usize, values: &mut Vec<Vec<f64>>) -> NodeId {
    let shape = graph.shape(y).to_vec();
    let weights = graph.input(&values.len().to_string(), &shape);
    let key = Key::new(9).with("weights").with_index(salt as u64);
    values.push((0..graph.elements(y)).map(|index| 2.0 * key.uniform(index as u64) - 1.0).collect());
    let product = graph.mul(weights, y);
    graph.sum_all(product)
}

/// Cases whose third derivative is checked too.
const THIRD: &[&str] =
    &["conv2d", "conv2d input gradient", "conv2d weight gradient", "matmul", "average pool", "exp", "tanh", "softplus"];

#[test]
fn first_and_second_derivatives_of_every_primitive_are_those_of_finite_differences() {
    let mut covered: BTreeSet<&'static str> = BTreeSet::new();
    for (number, case) in cases().iter().enumerate() {
        let mut graph = Graph::new();
        let shapes = case.shapes.iter().enumerate();
        let inputs: Vec<NodeId> = shapes.map(|(index, shape)| graph.input(&index.to_string(), shape)).collect();
        let mut values = draw(case, number as u64);
        let y = (case.build)(&mut graph, &inputs);
        covered.extend((0..graph.len()).map(|index| graph.node(NodeId(index)).primitive.name()));
        // w·y + y²/2, so that the second derivative of what is linear is seen too.
        let linear = weighted_sum(&mut graph, y, 0, &mut values);
        let square = graph.square(y);
        let quadratic = graph.sum_all(square);
        let quadratic = graph.scale(quadratic, 0.5);
        let first = graph.add(linear, quadratic);
        let mut scalar = first;
        for order in 1..=if THIRD.contains(&case.name) { 3 } else { 2 } {
            if order > 1 {
                let gradients = gradient(&mut graph, scalar, &inputs);
                scalar = graph.constant(0.0, &[]);
                for (index, gradient) in gradients.into_iter().enumerate() {
                    let part = weighted_sum(&mut graph, gradient, index + 1, &mut values);
                    scalar = graph.add(scalar, part);
                }
            }
            let checked: Vec<NodeId> = (0..values.len()).map(|index| input_of(&graph, index)).collect();
            compare(&mut graph, scalar, &checked, &values, &format!("order {order}: {} of {:?}", case.name, case.shapes));
        }
    }
    let missing: Vec<&str> = all_names().into_iter().filter(|name| !covered.contains(name)).collect();
    assert!(missing.is_empty(), "no case checks the derivatives of {missing:?}");
    let unknown: Vec<&&str> = covered.iter().filter(|name| !all_names().contains(name)).collect();
    assert!(unknown.is_empty(), "not registered: {unknown:?}");
}

fn input_of(graph: &Graph, index: usize) -> NodeId {
    graph.find_input(&index.to_string()).unwrap()
}

#[test]
fn derivatives_at_zero_are_those_of_the_flat_side() {
    let mut graph = Graph::new();
    let x = graph.input("0", &[1]);
    for (function, expected) in [(UnaryFunction::Relu, 0.0), (UnaryFunction::LeakyRelu(0.2), 0.2), (UnaryFunction::Abs, 0.0)] {
        let y = unary(&mut graph, function, x);
        let sum = graph.sum_all(y);
        let gradients = gradient(&mut graph, sum, &[x]);
        assert_eq!(evaluate(&graph, &gradients, &[vec![0.0]]), [[expected]], "{function:?}");
    }
}

#[test]
fn what_is_not_asked_for_is_not_built_and_what_is_independent_is_zero() {
    let mut graph = Graph::new();
    let (x, w) = (graph.input("x", &[2, 3, 5, 5]), graph.input("w", &[4, 3, 3, 3]));
    let other = graph.input("other", &[7]);
    let y = graph.conv2d(x, w, ConvolutionSettings::square(1, 1));
    let sum = graph.sum_all(y);
    let gradients = gradient(&mut graph, sum, &[x, other]);
    let names: Vec<&str> = (0..graph.len()).map(|index| graph.node(NodeId(index)).primitive.name()).collect();
    assert!(names.contains(&"convolution_input_gradient") && !names.contains(&"convolution_weight_gradient"));
    assert_eq!(graph.constant_value(gradients[1]), Some(0.0));
    assert_eq!(graph.shape(gradients[1]), [7]);
}

/// A critic of two convolutions and a linear layer; weights are inputs 1 to 4.
fn critic(graph: &mut Graph, image: NodeId, weights: &[NodeId]) -> NodeId {
    let y = graph.conv2d(image, weights[0], ConvolutionSettings::square(1, 1));
    let y = graph.add(y, weights[1]);
    let y = graph.leaky_relu(y, 0.2);
    let y = graph.sum_pool(y, 2);
    let y = graph.scale(y, 0.25);
    let y = graph.conv2d(y, weights[2], ConvolutionSettings::square(2, 1));
    let y = graph.tanh(y);
    let shape = graph.shape(y).to_vec();
    let y = graph.reshape(y, &[shape[0], shape[1..].iter().product()]);
    graph.matmul(y, weights[3], false, false)
}

#[test]
fn gradient_penalties_through_a_network_have_the_gradient_of_finite_differences() {
    let shapes: [&[usize]; 5] = [&[3, 2, 6, 6], &[4, 2, 3, 3], &[1, 4, 1, 1], &[3, 4, 3, 3], &[12, 1]];
    for wasserstein in [true, false] {
        let mut graph = Graph::new();
        let inputs: Vec<NodeId> =
            shapes.iter().enumerate().map(|(index, shape)| graph.input(&index.to_string(), shape)).collect();
        let values = draw(&case("penalty", &shapes, |_, x| x[0]), 5);
        let score = critic(&mut graph, inputs[0], &inputs[1..]);
        let total = graph.sum_all(score);
        let by_image = gradient(&mut graph, total, &[inputs[0]])[0];
        let square = graph.square(by_image);
        let norms = graph.sum(square, &[1, 2, 3], false);
        let penalty = if wasserstein {
            // Gulrajani et al. 2017: (|∇| − 1)²
            let norms = graph.sqrt(norms);
            let excess = graph.shift(norms, -1.0);
            graph.square(excess)
        } else {
            norms
        };
        let penalty = graph.mean(penalty, &[0], false);
        compare(&mut graph, penalty, &inputs, &values, if wasserstein { "gradient penalty" } else { "R1" });
    }
}
