//! What a kernel is given: its inputs, their shapes, and where to write.

use super::Element;
use rayon::prelude::*;

/// The inputs of one call, looked up in place so that running a graph allocates nothing.
#[derive(Clone, Copy)]
pub struct Arguments<'a, T> {
    /// The memory of each input: all of a value's elements.
    pub(super) values: &'a (dyn Fn(usize) -> &'a [T] + Sync),
    pub(super) shapes: &'a [Vec<usize>],
}

impl<'a, T> Arguments<'a, T> {
    pub fn len(&self) -> usize {
        self.shapes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.shapes.is_empty()
    }

    pub fn input(&self, index: usize) -> &'a [T] {
        (self.values)(index)
    }

    pub fn shape(&self, index: usize) -> &'a [usize] {
        &self.shapes[index]
    }
}

/// One call of a kernel.
pub struct Call<'a, T> {
    pub arguments: Arguments<'a, T>,
    /// What is to be filled; its content before is arbitrary.
    pub output: &'a mut [T],
    pub output_shape: &'a [usize],
    /// Memory that is kept from call to call; grown where too small, its content is arbitrary.
    pub workspace: &'a mut Vec<T>,
}

impl<'a, T> Call<'a, T> {
    pub fn input(&self, index: usize) -> &'a [T] {
        self.arguments.input(index)
    }

    pub fn shape(&self, index: usize) -> &'a [usize] {
        self.arguments.shape(index)
    }
}

/// Fewer elements than this are not worth another thread.
const WORTH_A_THREAD: usize = 16 * 1024;

/// Calls `work` with the index and the memory of each chunk of `size` elements, on all threads. Chunks are independent.
pub fn for_each_chunk<T: Element>(output: &mut [T], size: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if output.is_empty() {
        return;
    }
    let size = size.max(1);
    if output.len() < WORTH_A_THREAD {
        output.chunks_mut(size).enumerate().for_each(|(index, chunk)| work(index, chunk));
    } else {
        let together = (WORTH_A_THREAD / 2).div_ceil(size);
        output.par_chunks_mut(size * together).enumerate().for_each(|(group, chunks)| {
            for (index, chunk) in chunks.chunks_mut(size).enumerate() {
                work(group * together + index, chunk);
            }
        });
    }
}
