//! How fast the convolutions are, in multiply-adds counted as two operations.
//!
//! `cargo bench --bench convolution` measures the shapes of small networks with criterion. `benches/against_pytorch/run.py --layers`
//! has many more shapes, and PyTorch beside them.
#![allow(clippy::indexing_slicing, missing_docs)] // a benchmark's sizes are its own

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use synth::kernels::cpu::convolution::{self, ConvolutionGeometry, ConvolutionSettings};

/// Numbers that begin at a cache line, as those of the executor do.
struct Numbers {
    held: Vec<f32>,
    start: usize,
}

impl Numbers {
    fn new(count: usize) -> Numbers {
        let mut held: Vec<f32> = (0..count + 16).map(|i| ((i * 7919) % 1009) as f32 / 504.0 - 1.0).collect();
        let start = held.as_ptr().align_offset(64).min(16);
        held.truncate(start + count);
        Numbers { held, start }
    }

    fn get(&mut self) -> &mut [f32] {
        &mut self.held[self.start..]
    }
}

/// Operands and results of one geometry.
struct Operands {
    geometry: ConvolutionGeometry,
    input: Numbers,
    weight: Numbers,
    output: Numbers,
    workspace: Numbers,
}

impl Operands {
    fn new(geometry: ConvolutionGeometry) -> Operands {
        Operands {
            geometry,
            input: Numbers::new(geometry.input_len()),
            weight: Numbers::new(geometry.weight_len()),
            output: Numbers::new(geometry.output_len()),
            workspace: Numbers::new(geometry.workspace_len()),
        }
    }

    fn run(&mut self, pass: &str) {
        let Operands { geometry, input, weight, output, workspace } = self;
        let [input, weight, output, workspace] = [input, weight, output, workspace].map(Numbers::get);
        match pass {
            "forward" => convolution::forward(geometry, input, weight, output, workspace),
            "input" => convolution::input_gradient(geometry, output, weight, input, workspace),
            _ => convolution::weight_gradient(geometry, input, output, weight, workspace),
        }
        black_box(&self.output.held);
    }
}

/// The layers of small networks for images of 32 pixels: side, input channels, output channels, kernel.
const SHAPES: [(usize, usize, usize, usize); 10] = [
    (4, 64, 64, 3),
    (8, 64, 64, 3),
    (16, 64, 32, 3),
    (32, 32, 16, 3),
    (32, 16, 16, 3),
    (32, 1, 16, 3),
    (8, 32, 8, 3),
    (32, 1, 16, 1),
    (32, 16, 1, 1),
    (16, 64, 32, 1),
];

fn measure(criterion: &mut Criterion) {
    for pass in ["forward", "input", "weight"] {
        let mut group = criterion.benchmark_group(pass);
        for (side, input_channels, output_channels, kernel) in SHAPES {
            let padding = kernel / 2;
            let geometry = ConvolutionGeometry {
                batch: 32,
                input_channels,
                height: side,
                width: side,
                output_channels,
                kernel: [kernel; 2],
                settings: ConvolutionSettings::square(1, padding),
            };
            let mut operands = Operands::new(geometry);
            group.throughput(Throughput::Elements(2 * geometry.multiplications() as u64));
            let name = format!("32x{input_channels}to{output_channels}x{side}x{side} {kernel}x{kernel}");
            group.bench_function(name, |bencher| bencher.iter(|| operands.run(pass)));
        }
        group.finish();
    }
}

criterion_group!(benches, measure);
criterion_main!(benches);
