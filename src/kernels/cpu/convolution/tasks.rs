//! Sharing out tasks over threads, and letting each write its own part of one result.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

/// Calls `task(worker, index)` once for every index below `count`, on at most `workers` threads; a thread takes the next
/// index when it is done with one, so a busy neighbour delays nothing. `worker` is below `workers` and never runs twice
/// at the same time, so it may stand for a piece of workspace.
pub fn share_out(count: usize, workers: usize, task: impl Fn(usize, usize) + Sync) {
    let workers = workers.min(count);
    if workers <= 1 {
        (0..count).for_each(|index| task(0, index));
        return;
    }
    let next = AtomicUsize::new(0);
    (0..workers).into_par_iter().with_max_len(1).for_each(|worker| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return;
            }
            task(worker, index);
        }
    });
}

/// A slice that several tasks write, each its own elements.
#[derive(Clone, Copy)]
pub struct Shared {
    start: *mut f32,
    length: usize,
}

// SAFETY: a `Shared` is only a start and a length; whoever takes a pointer out of it promises that no two tasks touch
// the same element at the same time.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Shares out `slice`, which nobody else may touch while the value is used.
    pub fn new(slice: &mut [f32]) -> Shared {
        Shared { start: slice.as_mut_ptr(), length: slice.len() }
    }

    /// A pointer to the element at `offset`.
    ///
    /// # Panics
    /// When the offset is beyond the end.
    pub fn at(&self, offset: usize) -> *mut f32 {
        assert!(offset <= self.length, "offset {offset} is beyond the {} shared elements", self.length);
        // SAFETY: the offset is inside the slice or at its end, as just checked.
        unsafe { self.start.add(offset) }
    }

    /// The elements from `offset` on.
    ///
    /// # Panics
    /// When the offset is beyond the end.
    pub fn from(&self, offset: usize) -> Shared {
        Shared { start: self.at(offset), length: self.length - offset }
    }

    /// The `length` elements from `offset` on.
    ///
    /// # Safety
    /// Nobody else touches these elements while the result lives.
    ///
    /// # Panics
    /// When they are not inside the slice.
    #[expect(clippy::mut_from_ref, reason = "tasks take different parts, as the contract says")]
    pub unsafe fn part(&self, offset: usize, length: usize) -> &mut [f32] {
        assert!(offset.checked_add(length).is_some_and(|end| end <= self.length), "a task's part must lie inside the slice");
        // SAFETY: inside the slice as just checked; the caller vouches that it is nobody else's.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(offset), length) }
    }
}
