//! Fills the buffers of a training step from the rows of a shard.

use crate::data::batch::bytes_to_numbers;
use crate::data::shard::{Shard, UNKNOWN};

/// The images of some rows as numbers from −1 to 1, `[n, c, h, w]`.
pub fn fill_images(shard: &Shard, rows: &[usize], numbers: &mut [f32]) {
    for (row, part) in rows.iter().zip(numbers.chunks_mut(shard.image_size().max(1))) {
        bytes_to_numbers(shard.image(*row), part);
    }
}

/// The labels of some rows as 0 and 1, `[n, labels]`. What is unknown is 0: a generator is not asked for it.
pub fn fill_labels(shard: &Shard, rows: &[usize], numbers: &mut [f32]) {
    for (row, part) in rows.iter().zip(numbers.chunks_mut(shard.label_names.len().max(1))) {
        for (number, label) in part.iter_mut().zip(shard.label_row(*row)) {
            *number = if *label == UNKNOWN { 0.0 } else { f32::from(*label) };
        }
    }
}

/// 1 where a label of some rows is known and 0 elsewhere, `[n, labels]`.
pub fn fill_known(shard: &Shard, rows: &[usize], numbers: &mut [f32]) {
    for (row, part) in rows.iter().zip(numbers.chunks_mut(shard.label_names.len().max(1))) {
        for (number, label) in part.iter_mut().zip(shard.label_row(*row)) {
            *number = f32::from(u8::from(*label != UNKNOWN));
        }
    }
}
