//! Where values live: in the slices that were fed, or in one arena whose places are planned before anything runs.

/// The place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The fed slice of this number.
    Fed(usize),
    /// Elements of the arena from here.
    Arena(usize),
}

/// Elements that fill a cache line of 64 bytes in single precision: places begin at multiples of it.
const ALIGNMENT: usize = 16;

/// Gives out ranges of an arena that grows as needed: best fit among the free ranges, neighbours joined.
#[derive(Default)]
pub(super) struct Allocator {
    /// Free ranges `(start, length)` by start, none touching another.
    free: Vec<(usize, usize)>,
    size: usize,
}

impl Allocator {
    pub fn size(&self) -> usize {
        self.size
    }

    pub fn take(&mut self, elements: usize) -> usize {
        let length = elements.next_multiple_of(ALIGNMENT).max(ALIGNMENT);
        let best = (0..self.free.len()).filter(|index| self.free[*index].1 >= length).min_by_key(|index| self.free[*index].1);
        if let Some(index) = best {
            let (start, available) = self.free[index];
            if available == length {
                self.free.remove(index);
            } else {
                self.free[index] = (start + length, available - length);
            }
            return start;
        }
        // A free range at the end grows, otherwise the arena does.
        let start = match self.free.last() {
            Some((start, available)) if start + available == self.size => {
                let start = *start;
                self.free.pop();
                start
            }
            _ => self.size,
        };
        self.size = start + length;
        start
    }

    pub fn give_back(&mut self, start: usize, elements: usize) {
        let length = elements.next_multiple_of(ALIGNMENT).max(ALIGNMENT);
        let index = self.free.partition_point(|(other, _)| *other < start);
        self.free.insert(index, (start, length));
        if index + 1 < self.free.len() && start + length == self.free[index + 1].0 {
            self.free[index].1 += self.free[index + 1].1;
            self.free.remove(index + 1);
        }
        if index > 0 && self.free[index - 1].0 + self.free[index - 1].1 == start {
            self.free[index - 1].1 += self.free[index].1;
            self.free.remove(index);
        }
    }
}

/// The memory of one run, shared by its threads. The plan sees to it that what is written is not read by others.
#[derive(Clone, Copy)]
pub(super) struct Memory<'a, T> {
    base: *mut T,
    size: usize,
    fed: &'a [&'a [T]],
}

// SAFETY: access through a shared `Memory` is by the unsafe functions below, whose callers keep writes apart.
unsafe impl<T: Send + Sync> Sync for Memory<'_, T> {}
// SAFETY: as above; the elements may be sent and shared.
unsafe impl<T: Send + Sync> Send for Memory<'_, T> {}

impl<'a, T> Memory<'a, T> {
    /// The arena begins at the first multiple of 64 bytes of the slice.
    pub fn new(arena: &'a mut [T], fed: &'a [&'a [T]]) -> Self {
        let skipped = arena_start(arena);
        let arena = &mut arena[skipped..];
        Self { base: arena.as_mut_ptr(), size: arena.len(), fed }
    }

    /// Where a value's elements begin, for reading.
    pub fn pointer(&self, place: Place) -> *const T {
        match place {
            Place::Fed(index) => self.fed[index].as_ptr(),
            Place::Arena(start) => self.base.wrapping_add(start),
        }
    }

    /// Where elements of the arena begin, for writing.
    pub fn pointer_mut(&self, start: usize) -> *mut T {
        self.base.wrapping_add(start)
    }

    /// # Safety
    /// Nobody writes to the value while the slice lives.
    pub unsafe fn read(&self, place: Place, length: usize) -> &'a [T] {
        match place {
            Place::Fed(index) => &self.fed[index][..length],
            Place::Arena(start) => {
                assert!(start + length <= self.size);
                // SAFETY: inside the arena by the assertion; not written to, by the caller's promise.
                unsafe { std::slice::from_raw_parts(self.base.add(start), length) }
            }
        }
    }

    /// # Safety
    /// Nobody else reads or writes these elements while the slice lives.
    pub unsafe fn write(&self, start: usize, length: usize) -> &'a mut [T] {
        assert!(start + length <= self.size);
        // SAFETY: inside the arena by the assertion; used by nobody else, by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.base.add(start), length) }
    }
}

/// How many elements of a slice lie before the first multiple of 64 bytes; the arena has room for it.
pub(super) fn arena_start<T>(arena: &[T]) -> usize {
    let offset = arena.as_ptr().align_offset(64);
    if offset < ALIGNMENT { offset.min(arena.len()) } else { 0 }
}

/// The length of a slice that holds an arena of this size wherever it begins.
pub(super) fn arena_length(size: usize) -> usize {
    size + ALIGNMENT
}

#[cfg(test)]
mod tests {
    use super::Allocator;

    #[test]
    fn ranges_in_use_never_overlap_and_free_ones_are_used_again() {
        let key = crate::random::Key::new(3);
        let mut allocator = Allocator::default();
        let mut used: Vec<(usize, usize)> = Vec::new();
        for step in 0..2000 {
            if key.uniform(step) < 0.5 || used.is_empty() {
                let length = 1 + key.below(step + 10_000, 300) as usize;
                let start = allocator.take(length);
                assert!(start % 16 == 0 && start + length <= allocator.size());
                assert!(used.iter().all(|(other, size)| start + length <= *other || other + size <= start));
                used.push((start, length));
            } else {
                let (start, length) = used.swap_remove(key.below(step + 20_000, used.len() as u64) as usize);
                allocator.give_back(start, length);
            }
        }
        let needed = allocator.size();
        for (start, length) in used {
            allocator.give_back(start, length);
        }
        assert_eq!(allocator.take(needed), 0);
        assert_eq!(allocator.size(), needed);
    }
}
