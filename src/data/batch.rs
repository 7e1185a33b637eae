//! The order in which images are shown to a network, and their bytes as numbers. Images are shown epoch by epoch, each
//! epoch in its own random order; batches run on over the borders of epochs, so every image is shown equally often and
//! every batch is full. Which images step `s` shows is a function of the key and `s` alone: a resumed run needs no state.

use crate::random::Key;

/// Batches of one part.
#[derive(Clone, Debug)]
pub struct Batches {
    key: Key,
    images: usize,
    batch: usize,
    /// Orders of the epochs used last: one, or as many as a batch spans.
    orders: Vec<(u64, Vec<usize>)>,
}

impl Batches {
    /// Batches of `batch` out of `images` images. A part without images gives empty batches.
    pub fn new(key: &Key, images: usize, batch: usize) -> Self {
        Self { key: key.with("epoch"), images, batch, orders: Vec::new() }
    }

    /// The images of batch number `step`, in the order in which they stand in the batch.
    pub fn indices(&mut self, step: u64) -> Vec<usize> {
        self.shown(step.wrapping_mul(self.batch as u64), self.batch)
    }

    /// The images that are shown when `first` have been shown, whatever batches those came in.
    pub fn shown(&mut self, first: u64, count: usize) -> Vec<usize> {
        if self.images == 0 {
            return Vec::new();
        }
        let images = self.images as u64;
        let epochs = first / images..=first.wrapping_add(count as u64).saturating_sub(1) / images;
        self.orders.retain(|(epoch, _)| epochs.contains(epoch));
        (first..first.wrapping_add(count as u64))
            .map(|position| self.in_epoch(position / images, (position % images) as usize))
            .collect()
    }

    fn in_epoch(&mut self, epoch: u64, position: usize) -> usize {
        if let Some((_, order)) = self.orders.iter().find(|(known, _)| *known == epoch) {
            return order.get(position).copied().unwrap_or(0);
        }
        let order = self.key.with_index(epoch).permutation(self.images);
        let index = order.get(position).copied().unwrap_or(0);
        self.orders.push((epoch, order));
        index
    }
}

/// Bytes 0 … 255 as numbers −1 … 1.
pub fn bytes_to_numbers(bytes: &[u8], numbers: &mut [f32]) {
    for (number, byte) in numbers.iter_mut().zip(bytes) {
        *number = f32::from(*byte) / 127.5 - 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_shows_every_image_once_in_its_own_order() {
        let mut batches = Batches::new(&Key::new(3), 10, 4);
        let shown: Vec<usize> = (0..15).flat_map(|step| batches.indices(step)).collect();
        assert_eq!(shown.len(), 60);
        let epochs: Vec<&[usize]> = shown.chunks(10).collect();
        for epoch in &epochs {
            let mut sorted = epoch.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(epochs[0], epochs[1]);
    }

    #[test]
    fn a_step_is_the_same_without_the_steps_before_it() {
        let key = Key::new(3);
        let alone = |key: &Key, images, batch, step| Batches::new(key, images, batch).indices(step);
        let mut batches = Batches::new(&key, 7, 5);
        for step in [0, 1, 2, 9, 3, 1_000_000] {
            assert_eq!(batches.indices(step), alone(&key, 7, 5, step), "step {step}");
        }
        assert_eq!([batches.shown(10, 3), batches.shown(13, 2)].concat(), batches.indices(2));
        assert_eq!(alone(&key, 3, 8, 0).len(), 8);
        assert!(alone(&key, 0, 8, 5).is_empty());
        assert_ne!(alone(&key, 100, 8, 0), alone(&Key::new(4), 100, 8, 0));
    }

    #[test]
    fn bytes_are_numbers_between_minus_one_and_one() {
        let mut numbers = [0.0; 3];
        bytes_to_numbers(&[0, 51, 255], &mut numbers);
        assert_eq!(numbers, [-1.0, -0.6, 1.0]);
    }
}
