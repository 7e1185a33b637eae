//! Any file is read as weights to an end: tensors with all their numbers, or a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Write;
use synth::training::weight_file::WeightFile;

/// Numbers of the largest tensor that is read.
const LARGEST: usize = 100_000;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a place for the file");
    file.write_all(bytes).expect("room for the file");
    let Ok(mut weights) = WeightFile::open(file.path(), "") else { return };
    let names: Vec<String> = weights.tensors.keys().cloned().collect();
    for name in names {
        // A tensor may repeat its numbers, so that a small file can hold a large one: those fit no network, and are not read.
        let count = weights.tensors[&name].shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
        let Some(count) = count.filter(|count| *count < LARGEST) else { continue };
        if let Ok(numbers) = weights.read(&name) {
            assert_eq!(numbers.len(), count, "numbers of `{name}`");
        }
    }
});
