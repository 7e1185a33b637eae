//! Our side of `run.py`: answers each line of standard input, the name of a measure, with a line of the seconds that it took and what
//! came out. The first argument is the folder with `real.f32`, `fake.f32` (rows of features) and `images.u8`; then d and the
//! size of the images.

use std::io::{BufRead, Write};
use std::path::Path;
use std::time::Instant;
use synth::kernels::cpu::pairs::Rows;
use synth::kernels::cpu::windows::Plane;
use synth::metrics::frechet::{Moments, frechet_distance};
use synth::metrics::neighbourhoods::Neighbourhoods;
use synth::metrics::{inception_score, kernel_distance, ms_ssim, sliced_wasserstein};
use synth::random::Key;

/// What is measured, made once.
struct Inputs {
    d: usize,
    real: Vec<f32>,
    fake: Vec<f32>,
    size: usize,
    images: Vec<u8>,
}

/// Classes of the logits for the inception score: the first features.
const CLASSES: usize = 1_008;

impl Inputs {
    fn read(folder: &Path, d: usize, size: usize) -> std::io::Result<Self> {
        let floats = |name: &str| -> std::io::Result<Vec<f32>> {
            let bytes = std::fs::read(folder.join(name))?;
            Ok(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
        };
        let images = std::fs::read(folder.join("images.u8"))?;
        Ok(Self { d, real: floats("real.f32")?, fake: floats("fake.f32")?, size, images })
    }

    fn plane(&self, index: usize) -> Vec<Plane> {
        let pixels = self.images.chunks_exact(self.size * self.size).nth(index).unwrap_or_default();
        vec![Plane::new(self.size, self.size, pixels.iter().map(|byte| f64::from(*byte)).collect())]
    }

    fn measure(&self, name: &str) -> Option<f64> {
        let (real, fake) = (Rows::new(&self.real, self.d), Rows::new(&self.fake, self.d));
        let images = self.images.len() / (self.size * self.size);
        match name {
            "frechet_distance" => frechet_distance(&Moments::of(&self.real, self.d), &Moments::of(&self.fake, self.d)),
            "kernel_distance" => {
                let size = kernel_distance::SUBSET_SIZE.min(real.len());
                let found = kernel_distance::over_subsets(fake, real, kernel_distance::SUBSETS, size, kernel_distance::SEED);
                found.map(|(mean, _)| mean)
            }
            "precision_recall" => Neighbourhoods::new(real, fake, [3, 3]).map(|found| found.shares()[0]),
            "neighbourhoods" => Neighbourhoods::new(real, fake, [5, 5]).map(|found| found.shares()[2]),
            "inception_score" => {
                let classes = CLASSES.min(self.d);
                let logits: Vec<f32> =
                    self.fake.chunks_exact(self.d).filter_map(|row| row.get(..classes)).flatten().copied().collect();
                let scores = inception_score::scores(&logits, classes, inception_score::PARTS, Some(inception_score::SEED));
                inception_score::mean_and_deviation(&scores).map(|(mean, _)| mean)
            }
            "ms_ssim" => {
                let pairs: Vec<(usize, usize)> = (0..images / 2).map(|pair| (2 * pair, 2 * pair + 1)).collect();
                let found = ms_ssim::of_pairs(&pairs, |index| self.plane(index));
                Some(found.iter().sum::<f64>() / found.len() as f64)
            }
            "sliced_wasserstein" => {
                let half = images / 2;
                let found = sliced_wasserstein::of_images(
                    [half, half],
                    |index| self.plane(index),
                    |index| self.plane(half + index),
                    &Key::new(1),
                );
                found.map(|(_, mean)| mean)
            }
            _ => None,
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [folder, d, size] = arguments.as_slice() else {
        // `cargo bench` runs all benchmarks without arguments.
        return Ok(());
    };
    let inputs = Inputs::read(Path::new(folder), d.parse()?, size.parse()?)?;
    let mut out = std::io::stdout();
    for line in std::io::stdin().lock().lines() {
        let start = Instant::now();
        let found = inputs.measure(line?.trim());
        writeln!(out, "{{\"seconds\": {}, \"found\": {}}}", start.elapsed().as_secs_f64(), found.unwrap_or(f64::NAN))?;
        out.flush()?;
    }
    Ok(())
}
