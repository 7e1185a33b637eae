//! The three operations against their definition in double precision, and against themselves on other thread counts.

use super::vector::InstructionSet;
use super::{ConvolutionGeometry, ConvolutionSettings, Pass, plain, run_pass, run_weight};

pub fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

fn double(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

/// Sizes that reach every way, tile size and remainder, odd ones included.
fn geometries() -> Vec<ConvolutionGeometry> {
    let mut found = Vec::new();
    for kernel in [1, 3, 4, 5, 7, 9] {
        for (height, width) in [(4, 4), (8, 8), (5, 7), (6, 16), (9, 24), (3, 1), (10, 11), (16, 8)] {
            for (stride, padding) in [(1, 0), (1, 1), (1, kernel / 2), (2, 1), (2, 0), (3, kernel)] {
                // Channels and batches change with every geometry, so that over the grid each meets each.
                let index = found.len();
                let (input_channels, output_channels) = [(1, 16), (5, 1), (3, 7), (8, 13), (17, 2), (1, 3), (2, 9)][index % 7];
                let batch = [1, 3, 17, 2, 16][index % 5];
                let settings = ConvolutionSettings::square(stride, padding);
                found.push(ConvolutionGeometry {
                    batch,
                    input_channels,
                    height,
                    width,
                    output_channels,
                    kernel: [kernel; 2],
                    settings,
                });
            }
        }
    }
    found.extend([(64, 65, 64, 8), (18, 32, 16, 16), (9, 32, 16, 32), (33, 64, 32, 4), (16, 16, 8, 4), (2, 90, 100, 8)].map(
        |(batch, input_channels, output_channels, side)| ConvolutionGeometry {
            batch,
            input_channels,
            height: side,
            width: side,
            output_channels,
            kernel: [3; 2],
            settings: ConvolutionSettings::square(1, 1),
        },
    ));
    found.extend(drawn_geometries(400));
    found
}

/// Geometries of sizes drawn at random, each direction's for itself.
fn drawn_geometries(count: usize) -> Vec<ConvolutionGeometry> {
    let mut state = 1_u64;
    let mut draw = |from: usize, to: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        from + (state >> 33) as usize % (to - from + 1)
    };
    let mut found = Vec::new();
    while found.len() < count {
        let groups = [1, 1, 1, 2, 3, 5][draw(0, 5)];
        let most = if groups > 1 { 4 } else { 20 };
        let (inputs, outputs) = (draw(1, most), draw(1, most));
        let stretched = draw(0, 3) == 0;
        let mut pair = |from: usize, to: usize| [draw(from, to), draw(from, to)];
        let geometry = ConvolutionGeometry {
            kernel: pair(1, 7),
            settings: ConvolutionSettings {
                stride: if stretched { pair(1, 3) } else { [1; 2] },
                padding: pair(0, 4),
                dilation: if stretched { pair(1, 3) } else { [1; 2] },
                groups,
            },
            height: pair(1, 18)[0],
            width: pair(1, 26)[0],
            batch: pair(1, 17)[0],
            input_channels: groups * inputs,
            output_channels: groups * outputs,
        };
        if geometry.output_len() > 0 && geometry.multiplications() < 1 << 20 {
            found.push(geometry);
        }
    }
    found
}

struct Results([Vec<f32>; 3]);

/// All three operations, with results and workspace full of NaN before.
fn run(g: &ConvolutionGeometry, instructions: InstructionSet) -> Results {
    let (input, weight) = (numbers(g.input_len(), 1), numbers(g.weight_len(), 2));
    let gradient = numbers(g.output_len(), 3);
    let nan = |length: usize| vec![f32::NAN; length];
    let mut results = [nan(g.output_len()), nan(g.input_len()), nan(g.weight_len())];
    let [output, by_input, by_weight] = &mut results;
    let mut workspace = nan(g.workspace_len());
    run_pass(&Pass::forward(g), instructions, &input, &weight, output, &mut workspace);
    workspace.fill(f32::NAN);
    run_pass(&Pass::input_gradient(g), instructions, &gradient, &weight, by_input, &mut workspace);
    workspace.fill(f32::NAN);
    run_weight(g, instructions, &input, &gradient, by_weight, &mut workspace);
    Results(results)
}

fn expected(g: &ConvolutionGeometry) -> [Vec<f64>; 3] {
    let (input, weight) = (double(&numbers(g.input_len(), 1)), double(&numbers(g.weight_len(), 2)));
    let gradient = double(&numbers(g.output_len(), 3));
    let mut results = [vec![0.0; g.output_len()], vec![0.0; g.input_len()], vec![0.0; g.weight_len()]];
    let [output, by_input, by_weight] = &mut results;
    plain::forward(g, &input, &weight, output);
    plain::input_gradient(g, &gradient, &weight, by_input);
    plain::weight_gradient(g, &input, &gradient, by_weight);
    results
}

/// Asks that the three results of `run` are those of the definition, up to rounding, with every instruction set.
pub fn assert_definition(g: &ConvolutionGeometry, run: impl Fn(InstructionSet) -> [Vec<f32>; 3]) {
    let expected = expected(g);
    for instructions in InstructionSet::all() {
        for ((found, expected), name) in run(instructions).iter().zip(&expected).zip(["forward", "by the input", "by the weight"])
        {
            let size = (expected.iter().map(|value| value * value).sum::<f64>() / expected.len().max(1) as f64).sqrt();
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                let error = (f64::from(*found) - expected).abs();
                assert!(
                    error <= 1e-5 * (size + expected.abs()),
                    "{name}, element {index}: {found} is not {expected} with {instructions:?}, {g:?}"
                );
            }
        }
    }
}

#[test]
fn every_geometry_equals_the_definition() {
    for g in geometries() {
        assert_definition(&g, |instructions| run(&g, instructions).0);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let bits = |results: Results| results.0.map(|values| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>());
    let large = geometries().into_iter().filter(|g| g.multiplications() > super::MULTIPLICATIONS_WORTH_A_THREAD);
    let mut compared = 0;
    for g in large {
        let mut found = [1, 2, 3, 7].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            bits(pool.install(|| run(&g, InstructionSet::detect())))
        });
        let [one, others @ ..] = &mut found;
        assert!(others.iter().all(|other| other == one), "{g:?}");
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} geometries are large enough for threads");
}

#[test]
fn a_workspace_for_one_thread_serves_more() {
    let g = ConvolutionGeometry {
        batch: 8,
        input_channels: 16,
        height: 16,
        width: 16,
        output_channels: 16,
        kernel: [3; 2],
        settings: ConvolutionSettings::square(1, 1),
    };
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let (input, weight) = (numbers(g.input_len(), 1), numbers(g.weight_len(), 2));
    let mut output = [vec![f32::NAN; g.output_len()], vec![f32::NAN; g.output_len()]];
    let mut workspace = vec![f32::NAN; pool(1).install(|| g.workspace_len())];
    for (threads, output) in [1, 3].into_iter().zip(&mut output) {
        pool(threads).install(|| super::forward(&g, &input, &weight, output, &mut workspace));
    }
    assert_eq!(output[0], output[1]);
}
