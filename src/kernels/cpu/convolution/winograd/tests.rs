//! Winograd's way, taken where it pays and where it does not, against the definition in double precision.

use super::super::pass::Pass;
use super::super::tests::{assert_definition, numbers};
use super::super::vector::InstructionSet;
use super::super::{ConvolutionGeometry, ConvolutionSettings};
use super::{WinogradPass, WinogradWeight};

/// Planes of all remainders by four and fewer pixels than a tile has, batches that do not fill the lanes, channels that do
/// not fill register tiles, panels or vectors, more channels than are summed at once, groups, and both orders of the work.
fn geometries() -> Vec<ConvolutionGeometry> {
    let mut found = Vec::new();
    for (height, width) in [(4, 4), (8, 8), (5, 7), (6, 16), (1, 1), (2, 3), (3, 40), (13, 10), (19, 33)] {
        for padding in [[1, 1], [0, 2], [2, 1]] {
            let index = found.len();
            let (inputs, outputs) = [(1, 1), (8, 16), (5, 13), (17, 7), (3, 41), (40, 3), (131, 6), (6, 70)][index % 8];
            let batch = [1, 8, 11, 3, 16][index % 5];
            let groups = [1, 1, 3][index % 3];
            let settings = ConvolutionSettings { padding, groups, ..ConvolutionSettings::square(1, 0) };
            let (input_channels, output_channels) = (groups * inputs, groups * outputs);
            let g = ConvolutionGeometry { batch, input_channels, height, width, output_channels, kernel: [3; 2], settings };
            if g.output_len() > 0 && g.multiplications() < 1 << 22 {
                found.push(g);
            }
        }
    }
    let square = |batch, input_channels, output_channels, side| ConvolutionGeometry {
        batch,
        input_channels,
        height: side,
        width: side,
        output_channels,
        kernel: [3; 2],
        settings: ConvolutionSettings::square(1, 1),
    };
    found.extend([square(8, 64, 64, 4), square(19, 4, 4, 12), square(2, 2, 3, 64), square(9, 12, 30, 16), square(2, 140, 2, 6)]);
    found
}

/// All three operations in Winograd's way on all threads of the pool, with results and workspace full of NaN before.
fn run(g: &ConvolutionGeometry, instructions: InstructionSet) -> [Vec<f32>; 3] {
    let (input, weight) = (numbers(g.input_len(), 1), numbers(g.weight_len(), 2));
    let gradient = numbers(g.output_len(), 3);
    let workers = rayon::current_num_threads();
    let nan = |length: usize| vec![f32::NAN; length];
    let mut results = [nan(g.output_len()), nan(g.input_len()), nan(g.weight_len())];
    let [output, by_input, by_weight] = &mut results;
    let pass = WinogradPass::new(&Pass::forward(g));
    pass.run(instructions, &input, &weight, output, &mut nan(pass.workspace_len(workers)), workers);
    let pass = WinogradPass::new(&Pass::input_gradient(g));
    pass.run(instructions, &gradient, &weight, by_input, &mut nan(pass.workspace_len(workers)), workers);
    let plan = WinogradWeight::new(g);
    plan.run(instructions, &input, &gradient, by_weight, &mut nan(plan.workspace_len(workers)), workers);
    results
}

#[test]
fn every_geometry_equals_the_definition() {
    for g in geometries() {
        assert_definition(&g, |instructions| run(&g, instructions));
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for g in geometries() {
        let [one, others @ ..] = [1, 2, 3, 7].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let results = pool.install(|| run(&g, InstructionSet::detect()));
            results.map(|values| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>())
        });
        assert!(others.iter().all(|other| *other == one), "{g:?}");
    }
}

#[test]
fn it_is_chosen_where_it_saves_work() {
    let chosen = |batch, channels, side| {
        let g = ConvolutionGeometry {
            batch,
            input_channels: channels,
            height: side,
            width: side,
            output_channels: channels,
            kernel: [3; 2],
            settings: ConvolutionSettings::square(1, 1),
        };
        WinogradPass::plan(&Pass::forward(&g)).is_some()
    };
    assert!(chosen(16, 64, 64) && chosen(16, 512, 8) && chosen(32, 512, 4), "wide layers");
    assert!(!chosen(1, 64, 32), "one image would fill one lane of eight");
    assert!(!chosen(16, 2, 32), "two channels do not repay the transformations");
    assert!(!chosen(16, 64, 1), "one pixel would waste fifteen results of sixteen");
}
