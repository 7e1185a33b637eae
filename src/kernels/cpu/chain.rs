//! A fused chain: a short list of elementwise instructions, run block by block so that values in between stay in the
//! first-level cache, with sums of its values taken on the way. Chunks of blocks are what threads share; their borders
//! depend on the shape alone, and a sum is a tree over lanes, blocks and chunks that is always the same.

use super::Element;
use super::fusion::Pattern;
use super::memory::{Memory, Place};
use crate::network::primitives::{BinaryFunction, UnaryFunction};
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Elements of a block.
const BLOCK: usize = 512;
/// Elements of a chunk, about.
const CHUNK: usize = 16 * 1024;
/// Fewer chunks than this are not worth another thread.
const WORTH_A_THREAD: usize = 2;
/// Values of a block that a chain can name.
pub(super) const SLOTS: usize = 96;
/// Blocks of scratch memory that a chain can use.
pub(super) const REGISTERS: usize = super::fusion::MAXIMUM_VALUES + 2;

/// The name of a value within a block.
pub(super) type Slot = usize;

/// Where a slot's elements are.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Scratch memory of this number.
    Register(usize),
    /// The same elements of a value in memory.
    Read(Place),
    /// The same elements of a place that only this chain touches, written by an instruction.
    Written(usize),
}

/// What fills a register without an instruction.
#[derive(Clone, Debug)]
pub(super) enum Fill {
    /// Once for all blocks.
    Number(f64),
    /// A value of one element, once for all blocks.
    Scalar(Place),
    /// A value repeated along some dimensions: `(size, stride)`, neighbours joined, outermost first; strides of 0 repeat.
    Repeated(Place, Vec<(usize, usize)>),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Unary(UnaryFunction, Slot),
    Binary(BinaryFunction, Slot, Slot),
    Select(Slot, Slot, Slot),
    Copy(Slot),
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Instruction {
    pub operation: Operation,
    pub output: Slot,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    Fill(Fill, Slot),
    Run(Instruction),
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub elements: usize,
    pub sources: Vec<Source>,
    /// Fills that hold for all blocks.
    pub constants: Vec<(Fill, Slot)>,
    pub steps: Vec<Step>,
    /// Written when a block is done, over the memory of a value that was read: `(slot, place)`.
    pub stores: Vec<(Slot, usize)>,
    /// Sums of slots: `(slot, place of the result)`.
    pub sums: Vec<(Slot, usize)>,
    pub pattern: Pattern,
    /// The same as rows.
    pub sum_rows: SumRows,
    /// Whether loops compiled for AVX2 are used. Results are the same bits without.
    pub avx2: bool,
}

/// Whether the processor has AVX2 and FMA.
pub(super) fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

impl Chain {
    /// Elements behind one place of the first dimension of the sums, whether it is summed, and its size.
    fn leading(&self) -> (usize, bool, usize) {
        match self.pattern.first() {
            Some((size, summed)) if !self.sums.is_empty() => (self.elements / size, *summed, *size),
            _ => (1, false, self.elements),
        }
    }

    /// Places of the first dimension in a chunk.
    fn rows_in_chunk(&self) -> usize {
        CHUNK.div_ceil(self.leading().0.max(1)).max(1)
    }

    fn chunks(&self) -> usize {
        self.leading().2.div_ceil(self.rows_in_chunk())
    }

    /// Elements of one sum.
    fn sum_elements(&self) -> usize {
        self.pattern.iter().filter(|(_, summed)| !summed).map(|(size, _)| size).product()
    }

    /// Elements of memory that a run needs for parts of sums.
    pub fn workspace(&self) -> usize {
        if self.leading().1 { self.chunks() * self.sums.len() * self.sum_elements() } else { 0 }
    }

    /// Runs the chain. The caller sees to it that nobody else touches the places that it writes to.
    pub fn run<T: Element>(&self, memory: &Memory<'_, T>, workspace: &mut [T]) {
        if self.elements == 0 {
            return;
        }
        let (row, summed, rows) = self.leading();
        let together = self.rows_in_chunk();
        let chunk = |index: usize, parts: Option<&mut [T]>| {
            let range = index * together * row..((index + 1) * together).min(rows) * row;
            run_chunk(self, memory, range, index * together, parts);
        };
        let chunks = self.chunks();
        let part = self.sums.len() * self.sum_elements();
        if !summed {
            match chunks {
                1 => chunk(0, None),
                _ => (0..chunks).into_par_iter().with_min_len(WORTH_A_THREAD).for_each(|index| chunk(index, None)),
            }
            return;
        }
        let parts = &mut workspace[..chunks * part];
        match chunks {
            1 => chunk(0, Some(parts)),
            _ => {
                let parts = parts.par_chunks_mut(part).enumerate().with_min_len(WORTH_A_THREAD);
                parts.for_each(|(index, parts)| chunk(index, Some(parts)));
            }
        }
        let length = self.sum_elements();
        for (number, (_, place)) in self.sums.iter().enumerate() {
            // SAFETY: the place is this chain's alone, and its chunks are done.
            let output = unsafe { memory.write(*place, length) };
            output.copy_from_slice(&parts[number * length..][..length]);
            for other in parts[number * length..].chunks(part).skip(1) {
                add_each(other, output);
            }
        }
    }
}

/// Scratch memory of one chunk.
#[repr(align(64))]
struct Scratch<T>(MaybeUninit<[[T; BLOCK]; REGISTERS]>);

fn run_chunk<T: Element>(
    chain: &Chain,
    memory: &Memory<'_, T>,
    range: std::ops::Range<usize>,
    first_row: usize,
    parts: Option<&mut [T]>,
) {
    #[cfg(target_arch = "x86_64")]
    if chain.avx2 {
        // SAFETY: the processor has the instructions: the plan asked for them.
        unsafe { run_chunk_avx2(chain, memory, range, first_row, parts) };
        return;
    }
    run_chunk_anywhere(chain, memory, range, first_row, parts);
}

/// The same with loops compiled for AVX2. Products and sums are not contracted, so results are the same bits.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_chunk_avx2<T: Element>(
    chain: &Chain,
    memory: &Memory<'_, T>,
    range: std::ops::Range<usize>,
    first_row: usize,
    parts: Option<&mut [T]>,
) {
    run_chunk_anywhere(chain, memory, range, first_row, parts);
}

#[inline(always)]
fn run_chunk_anywhere<T: Element>(
    chain: &Chain,
    memory: &Memory<'_, T>,
    range: std::ops::Range<usize>,
    first_row: usize,
    parts: Option<&mut [T]>,
) {
    let mut scratch = Scratch::<T>(MaybeUninit::uninit());
    let scratch = scratch.0.as_mut_ptr().cast::<T>();
    let slots = Slots::new(chain, memory, scratch);
    let (row, summed, _) = chain.leading();
    let kept = chain.sum_elements();
    let mut direct = [std::ptr::null_mut::<T>(); REGISTERS];
    let (sums, length, base): (&mut [*mut T], usize, usize) = if chain.sums.is_empty() {
        (&mut [], 0, 0)
    } else if summed {
        let parts = parts.unwrap_or_default();
        assert!(parts.len() == chain.sums.len() * kept, "memory for parts of sums");
        for (number, part) in parts.chunks_mut(kept).enumerate() {
            part.fill(T::ZERO);
            direct[number] = part.as_mut_ptr();
        }
        (&mut direct[..chain.sums.len()], kept, 0)
    } else {
        // The first dimension is kept: this chunk owns a range of the results.
        let each = kept / chain.pattern[0].0;
        let length = range.len() / row * each;
        for (number, (_, place)) in chain.sums.iter().enumerate() {
            // SAFETY: the range of the results that belongs to the rows of this chunk.
            unsafe { memory.write(place + first_row * each, length) }.fill(T::ZERO);
            direct[number] = memory.pointer_mut(place + first_row * each);
        }
        (&mut direct[..chain.sums.len()], length, first_row * each)
    };
    for (fill, slot) in &chain.constants {
        let value = match fill {
            Fill::Number(number) => T::from_f64(*number),
            // SAFETY: values that are read are written to by nobody meanwhile.
            Fill::Scalar(place) | Fill::Repeated(place, _) => unsafe { *memory.pointer(*place) },
        };
        // SAFETY: see `Slots`; nothing is read from it meanwhile.
        unsafe { slots.write(*slot, 0, BLOCK) }.fill(value);
    }
    let mut start = range.start;
    while start < range.end {
        let count = BLOCK.min(range.end - start);
        for step in &chain.steps {
            match step {
                Step::Fill(Fill::Repeated(place, dimensions), slot) => {
                    // SAFETY: see `Slots`; nothing is read from it meanwhile.
                    let block = unsafe { slots.write(*slot, start, count) };
                    repeat(memory.pointer(*place), dimensions, start, block);
                }
                Step::Fill(..) => {}
                // SAFETY: see `Slots`; the output's memory is none of its operands'.
                Step::Run(instruction) => unsafe { instruction.run(&slots, start, count) },
            }
        }
        for (pointer, (slot, _)) in sums.iter().zip(&chain.sums) {
            // SAFETY: memory of this chunk's results, see where the pointers are set.
            let results = unsafe { std::slice::from_raw_parts_mut(*pointer, length) };
            // SAFETY: see `Slots`; nobody writes to it meanwhile.
            accumulate(&chain.sum_rows, unsafe { slots.read(*slot, start, count) }, start, base, results);
        }
        for (slot, place) in &chain.stores {
            // SAFETY: see `Slots`; a register.
            let block = unsafe { slots.read(*slot, start, count) };
            // SAFETY: the place of a value that only this chain still reads, at the same elements, which are done with.
            unsafe { std::ptr::copy_nonoverlapping(block.as_ptr(), memory.pointer_mut(place + start), count) };
        }
        start += count;
    }
}

/// Where the slots of a chain begin, for one chunk.
///
/// Why its slices are sound: a register's block lies inside the scratch memory (the compiler of the chain numbers at most
/// [`REGISTERS`]); a value in memory has all of the chain's elements, and a chunk's range lies within them. A slot is read
/// after it was written. An instruction's output is a register that is not in use, or a place that no value read by the
/// chain has, so it is none of its operands. Chunks write to disjoint ranges.
struct Slots<T> {
    pointers: [*mut T; SLOTS],
    /// Whether it is a register, which holds the block at hand only.
    fixed: [bool; SLOTS],
}

impl<T: Element> Slots<T> {
    #[inline(always)]
    fn new(chain: &Chain, memory: &Memory<'_, T>, scratch: *mut T) -> Self {
        let mut slots = Self { pointers: [std::ptr::null_mut(); SLOTS], fixed: [false; SLOTS] };
        for (slot, source) in chain.sources.iter().enumerate() {
            slots.pointers[slot] = match source {
                Source::Register(number) => scratch.wrapping_add(number * BLOCK),
                Source::Read(place) => memory.pointer(*place).cast_mut(),
                Source::Written(start) => memory.pointer_mut(*start),
            };
            slots.fixed[slot] = matches!(source, Source::Register(_));
        }
        slots
    }

    /// # Safety
    /// Nobody writes to the slot while the slice lives.
    #[inline(always)]
    unsafe fn read<'a>(&self, slot: Slot, start: usize, count: usize) -> &'a [T] {
        let offset = if self.fixed[slot] { 0 } else { start };
        // SAFETY: see the type, and the caller's promise.
        unsafe { std::slice::from_raw_parts(self.pointers[slot].add(offset), count) }
    }

    /// # Safety
    /// Nobody reads or writes the slot otherwise while the slice lives.
    #[inline(always)]
    unsafe fn write<'a>(&self, slot: Slot, start: usize, count: usize) -> &'a mut [T] {
        let offset = if self.fixed[slot] { 0 } else { start };
        // SAFETY: see the type, and the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.pointers[slot].add(offset), count) }
    }
}

impl Instruction {
    /// # Safety
    /// Operands have been written; the output's memory is none of theirs.
    #[inline(always)]
    unsafe fn run<T: Element>(&self, slots: &Slots<T>, start: usize, count: usize) {
        // SAFETY: the caller's promise, here and below.
        let read = |slot: Slot| -> &[T] { unsafe { slots.read(slot, start, count) } };
        // SAFETY: as above.
        let out = unsafe { slots.write(self.output, start, count) };
        match self.operation {
            Operation::Unary(function, a) => function.apply_to_block(read(a), out),
            Operation::Binary(function, a, b) => function.apply_to_block(read(a), read(b), out),
            Operation::Select(condition, a, b) => {
                let (condition, a, b) = (&read(condition)[..count], &read(a)[..count], &read(b)[..count]);
                for index in 0..count {
                    out[index] = if condition[index] != T::ZERO { a[index] } else { b[index] };
                }
            }
            Operation::Copy(a) => out.copy_from_slice(read(a)),
        }
    }
}

/// Rows of equal length that a block of elements lies in, and the steps from one to the next in another value: those of the dimension
/// around a row stand by themselves, so that divisions are due only where it begins again.
struct Walk<'a> {
    /// Elements of a row, and those of the block's first row that lie before it.
    length: usize,
    column: usize,
    /// The dimension around a row: its size, the steps, and where the block begins in it.
    size: usize,
    stride: usize,
    index: usize,
    /// The dimensions around that, `(size, stride)`, and the place among them.
    outer: &'a [(usize, usize)],
    place: usize,
}

impl<'a> Walk<'a> {
    /// The rows from element `start` on.
    #[inline(always)]
    fn new(length: usize, around: &'a [(usize, usize)], start: usize) -> Walk<'a> {
        let (row, column) = (start / length, start % length);
        let ((size, stride), outer) = around.split_last().map_or(((1, 0), around), |(last, outer)| (*last, outer));
        Walk { length, column, size, stride, index: row % size, outer, place: row / size }
    }

    /// Where the dimension around the rows begins at the place at hand.
    #[inline(always)]
    fn offset(&self) -> usize {
        let (mut place, mut offset) = (self.place, 0);
        for (size, stride) in self.outer.iter().rev() {
            offset += place % size * stride;
            place /= size;
        }
        offset
    }

    /// Goes to the next place among the outer dimensions.
    #[inline(always)]
    fn wrap(&mut self) {
        (self.index, self.place) = (0, self.place + 1);
    }

    /// How many whole rows come now, of at most so many elements, before the dimension around them begins again.
    #[inline(always)]
    fn whole(&self, elements: usize) -> usize {
        if self.column > 0 { 0 } else { (elements / self.length).min(self.size - self.index) }
    }
}

/// Fills a block with the elements from `start` on of a value repeated as `dimensions` say.
#[inline(always)]
fn repeat<T: Element>(value: *const T, dimensions: &[(usize, usize)], start: usize, block: &mut [T]) {
    let Some(((length, stride), around)) = dimensions.split_last() else { return };
    let mut walk = Walk::new(*length, around, start);
    let mut done = 0;
    while done < block.len() {
        let base = walk.offset();
        while walk.index < walk.size && done < block.len() {
            let rest = &mut block[done..];
            let from = value.wrapping_add(base + walk.index * walk.stride);
            let whole = if *stride == 0 { walk.whole(rest.len()) } else { 0 };
            if whole > 0 {
                // SAFETY: the offsets are those of elements of the value, as the dimensions were made from its shape.
                unsafe { fill_rows(from, walk.stride, *length, &mut rest[..whole * *length]) };
                (walk.index, done) = (walk.index + whole, done + whole * *length);
                continue;
            }
            let count = (*length - walk.column).min(rest.len());
            // SAFETY: as above; the innermost dimension of a value that is not repeated is dense.
            let from =
                unsafe { std::slice::from_raw_parts(from.add(walk.column * *stride), if *stride == 0 { 1 } else { count }) };
            match *stride {
                0 => rest[..count].fill(from[0]),
                _ => rest[..count].copy_from_slice(from),
            }
            (walk.index, walk.column, done) = (walk.index + 1, 0, done + count);
        }
        walk.wrap();
    }
}

/// Fills rows of `length` elements, each with one number; the numbers are `stride` apart. Most planes of maps are powers of two.
///
/// # Safety
/// There is a number for each row.
#[inline(always)]
unsafe fn fill_rows<T: Element>(from: *const T, stride: usize, length: usize, rows: &mut [T]) {
    #[inline(always)]
    unsafe fn each<T: Element, const LENGTH: usize>(from: *const T, stride: usize, rows: &mut [T]) {
        for (index, row) in rows.as_chunks_mut::<LENGTH>().0.iter_mut().enumerate() {
            // SAFETY: the caller's.
            *row = [unsafe { *from.add(index * stride) }; LENGTH];
        }
    }
    // SAFETY: the caller's, in all of these.
    unsafe {
        match length {
            1 => each::<T, 1>(from, stride, rows),
            4 => each::<T, 4>(from, stride, rows),
            16 => each::<T, 16>(from, stride, rows),
            64 => each::<T, 64>(from, stride, rows),
            _ => {
                for (index, row) in rows.chunks_exact_mut(length).enumerate() {
                    row.fill(*from.add(index * stride));
                }
            }
        }
    }
}

/// The pattern of a sum as rows of its input.
#[derive(Clone, Debug)]
pub(super) struct SumRows {
    length: usize,
    /// Whether a row is summed, or added to the results element by element.
    summed: bool,
    /// The dimensions around the rows, `(size, stride)`, with the steps that they make among the results.
    around: Vec<(usize, usize)>,
}

impl SumRows {
    pub(super) fn new(pattern: &Pattern) -> SumRows {
        let ((length, summed), outer) = pattern.split_last().map_or(((1, true), &[][..]), |(last, outer)| (*last, outer));
        let mut stride = if summed { 1 } else { length };
        let mut around: Vec<(usize, usize)> = Vec::with_capacity(outer.len());
        for (size, summed) in outer.iter().rev() {
            around.push((*size, if *summed { 0 } else { stride }));
            stride *= if *summed { 1 } else { *size };
        }
        around.reverse();
        SumRows { length, summed, around }
    }
}

/// Adds a block's elements, which begin at `start` of the whole, to the results from number `base` on.
#[inline(always)]
fn accumulate<T: Element>(rows: &SumRows, block: &[T], start: usize, base: usize, results: &mut [T]) {
    let SumRows { length, summed, around } = rows;
    let mut walk = Walk::new(*length, around, start);
    let mut done = 0;
    while done < block.len() {
        let first = walk.offset();
        while walk.index < walk.size && done < block.len() {
            let rest = &block[done..];
            let results = &mut results[first + walk.index * walk.stride - base..];
            let whole = if *summed && walk.stride == 1 { walk.whole(rest.len()) } else { 0 };
            if whole > 0 {
                add_totals(&rest[..whole * *length], *length, &mut results[..whole]);
                (walk.index, done) = (walk.index + whole, done + whole * *length);
                continue;
            }
            let run = &rest[..(*length - walk.column).min(rest.len())];
            if *summed {
                results[0] += total(run);
            } else {
                add_each(run, &mut results[walk.column..][..run.len()]);
            }
            (walk.index, walk.column, done) = (walk.index + 1, 0, done + run.len());
        }
        walk.wrap();
    }
}

/// Adds numbers to results one by one. (An index instead of iterators side by side, here and below: those are calls, where the compiler
/// does not see them together.)
#[inline(always)]
fn add_each<T: Element>(values: &[T], results: &mut [T]) {
    for index in 0..results.len().min(values.len()) {
        results[index] += values[index];
    }
}

/// Adds the sum of each row of `length` elements to its result.
#[inline(always)]
fn add_totals<T: Element>(rows: &[T], length: usize, results: &mut [T]) {
    #[inline(always)]
    fn each<T: Element, const LENGTH: usize>(rows: &[T], results: &mut [T]) {
        let rows = rows.as_chunks::<LENGTH>().0;
        for index in 0..results.len().min(rows.len()) {
            results[index] += total(&rows[index]);
        }
    }
    match length {
        1 => add_each(rows, results),
        4 => each::<T, 4>(rows, results),
        16 => each::<T, 16>(rows, results),
        64 => each::<T, 64>(rows, results),
        _ => {
            for (index, row) in rows.chunks_exact(length).enumerate() {
                results[index] += total(row);
            }
        }
    }
}

/// The sum of a run: sixteen lanes, then a tree.
#[inline(always)]
fn total<T: Element>(run: &[T]) -> T {
    const LANES: usize = 16;
    let (groups, rest) = run.as_chunks::<LANES>();
    let mut lanes = [T::ZERO; LANES];
    for group in groups {
        for lane in 0..LANES {
            lanes[lane] += group[lane];
        }
    }
    for lane in 0..rest.len() {
        lanes[lane] += rest[lane];
    }
    for half in [8, 4, 2, 1] {
        if half < run.len() {
            for lane in 0..half {
                lanes[lane] += lanes[lane + half];
            }
        }
    }
    lanes[0]
}
