//! How fast images are read: decodes every file of a folder and brings it to `gray(size)`, on all threads, as `dataset` does.
//! `benches/pytorch/image_loading.py` makes the folder, starts this, does the same with torchvision, and tells the ratio.
//!
//!     cargo bench --bench image_loading -- FOLDER SIZE ROUNDS
//!
//! prints the seconds of each round as a JSON list.
#![allow(clippy::print_stdout)] // a benchmark prints

use rayon::prelude::*;
use std::path::PathBuf;
use std::time::Instant;
use synth::data::image::{Fit, ImageFormat};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [folder, size, rounds] = arguments.as_slice() else { return Err("FOLDER SIZE ROUNDS".into()) };
    let format = ImageFormat { fit: Fit::Stretch, ..ImageFormat::gray(size.parse()?) };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.sort();
    let read = |path: &PathBuf| -> Result<u64, String> {
        let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
        let pixels = format.decode(&bytes).map_err(|fault| fault.text)?;
        Ok(pixels.iter().map(|value| u64::from(*value)).sum())
    };
    let mut seconds = Vec::new();
    for _ in 0..rounds.parse::<usize>()? {
        let begin = Instant::now();
        let sum: Result<u64, String> = files.par_iter().map(read).sum();
        sum?;
        seconds.push(begin.elapsed().as_secs_f64());
    }
    println!("{}", serde_json::to_string(&seconds)?);
    Ok(())
}
