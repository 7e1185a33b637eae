//! How fast the convolutions are, in multiply-adds counted as two operations.
//!
//! `cargo bench --bench convolution` measures all shapes with criterion. With `--serve` instead, the program reads lines
//! `pass n c h w o rows columns stride above beside groups repeats` and answers each with as many times in nanoseconds; so
//! `benches/compare_with_pytorch.py` measures both programs in turn on a machine that others use as well.
#![allow(clippy::indexing_slicing, clippy::print_stdout)] // a benchmark prints, and its sizes are its own

use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

use criterion::{Criterion, Throughput};
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

fn serve() -> std::io::Result<()> {
    let mut held: Option<Operands> = None;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split_whitespace();
        let pass = words.next().unwrap_or("forward");
        let sizes: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
        let [batch, input_channels, height, width, output_channels, rows, columns, stride, above, beside, groups, repeats] =
            sizes[..]
        else {
            return Err(std::io::Error::other(format!("expected a pass and twelve sizes, found {line:?}")));
        };
        let settings = ConvolutionSettings { padding: [above, beside], groups, ..ConvolutionSettings::square(stride, 0) };
        let kernel = [rows, columns];
        let geometry = ConvolutionGeometry { batch, input_channels, height, width, output_channels, kernel, settings };
        let operands = match &mut held {
            Some(operands) if operands.geometry == geometry => operands,
            _ => held.insert(Operands::new(geometry)),
        };
        operands.run(pass);
        let times: Vec<String> = (0..repeats)
            .map(|_| {
                let start = Instant::now();
                operands.run(pass);
                start.elapsed().as_nanos().to_string()
            })
            .collect();
        println!("{}", times.join(" "));
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    if std::env::args().any(|argument| argument == "--serve") {
        // As the executor does, the measured calls come from a thread of the pool.
        return rayon::join(serve, || ()).0;
    }
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion);
    criterion.final_summary();
    Ok(())
}
