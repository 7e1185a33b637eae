//! The gradient by the weight: dot products of shifted inputs with the gradient by the output.
//!
//! A vector is eight pixels of a row; a tile holds up to six output channels times two inputs (a channel at a place of the
//! kernel), and the lanes of its sums are added up at its end. This is the way for few output channels; `outer` is that for
//! more. The batch is cut into chunks that depend on the sizes alone; each chunk's sums are added in order, so the number of
//! threads changes no bit.

use super::geometry::ConvolutionGeometry;
use super::layout::{Layout, MOST_TAPS};
use super::pass::Pass;
use super::tasks::{Shared, share_out};
use super::tile::{ChannelTiles, DotTile, TILE_CHANNELS, TILE_COLUMNS, Tap, columns_for, dot_function};
use super::vector::{InstructionSet, LANES};

/// Steps summed at once: the gradients of a tile and an input then stay in the first-level cache.
const STEPS: usize = 64;
/// A chunk of the batch has at least so many pixels, and the batch at most so many chunks.
const CHUNK_PIXELS: usize = 4096;
const CHUNKS: usize = 8;
/// Input channels that one task handles.
const TASK_CHANNELS: usize = 16;

/// How the operands lie in memory, and where to find a pixel of them.
#[derive(Clone, Copy)]
pub struct WeightPlan {
    geometry: ConvolutionGeometry,
    /// How the input is copied.
    layout: Layout,
    /// Whether the input is read where it is, all pixels of a channel in one row.
    direct: bool,
    /// Images in a chunk.
    chunk_images: usize,
}

impl WeightPlan {
    /// The plan for a geometry; none for kernels of too many places.
    pub fn plan(geometry: &ConvolutionGeometry) -> Option<WeightPlan> {
        let pass = Pass::forward(geometry);
        let (layout, plane) = (Layout::new(&pass)?, pass.destination_plane());
        let direct = layout.is_identity(&pass) && pass.places() == 1 && plane >= LANES;
        let chunk_images = CHUNK_PIXELS.div_ceil(plane).max(geometry.batch.div_ceil(CHUNKS)).max(1);
        Some(WeightPlan { geometry: *geometry, layout, direct, chunk_images })
    }

    fn chunks(&self) -> usize {
        self.geometry.batch.div_ceil(self.chunk_images)
    }

    /// Numbers of the copy of the input, and of the chunks' sums.
    fn lengths(&self) -> [usize; 2] {
        let g = &self.geometry;
        let input = if self.direct { 0 } else { g.batch * self.layout.copy_len(g.input_channels, self.layout.height) };
        [input, if self.chunks() > 1 { self.chunks() * g.weight_len() } else { 0 }]
    }

    /// Numbers of workspace needed.
    pub fn workspace_len(&self) -> usize {
        self.lengths().iter().sum()
    }

    /// Writes the gradient by the weight.
    pub fn run(
        &self,
        instructions: InstructionSet,
        input: &[f32],
        output_gradient: &[f32],
        weight_gradient: &mut [f32],
        workspace: &mut [f32],
        workers: usize,
    ) {
        let g = &self.geometry;
        let [input_len, sums_len] = self.lengths();
        let (copy, workspace) = workspace.split_at_mut(input_len);
        let sums = &mut workspace[..sums_len];
        let input = if self.direct {
            input
        } else {
            self.layout.copy_images(&Pass::forward(g), input, copy, workers);
            &*copy
        };
        let chunks = self.chunks();
        let target = if chunks > 1 { &mut *sums } else { &mut *weight_gradient };
        target.fill(0.0);
        let target = Shared::new(target);
        let tiles = ChannelTiles::new(g.group_outputs());
        let parts = g.group_inputs().div_ceil(TASK_CHANNELS);
        share_out(chunks * g.settings.groups * tiles.count() * parts, workers, |_, index| {
            let (index, part) = (index / parts, index % parts);
            let (index, (row, size)) = (index / tiles.count(), tiles.tile(index % tiles.count()));
            let (chunk, group) = (index / g.settings.groups, index % g.settings.groups);
            let channel = part * TASK_CHANNELS;
            let block = Block {
                plan: self,
                instructions,
                input,
                output_gradient,
                row: group * g.group_outputs() + row,
                size,
                first: group * g.group_inputs(),
                channels: channel..(channel + TASK_CHANNELS).min(g.group_inputs()),
                target,
                start: if chunks > 1 { chunk * g.weight_len() } else { 0 },
            };
            block.sum_pixels(chunk * self.chunk_images..((chunk + 1) * self.chunk_images).min(g.batch));
        });
        if chunks > 1 {
            let (first, others) = sums.split_at(g.weight_len());
            weight_gradient.copy_from_slice(first);
            for sums in others.chunks_exact(g.weight_len().max(1)) {
                for (total, sum) in weight_gradient.iter_mut().zip(sums) {
                    *total += sum;
                }
            }
        }
    }
}

/// What one task sums: a tile of output channels times some input channels of the same group, over a chunk of the batch.
struct Block<'a> {
    plan: &'a WeightPlan,
    instructions: InstructionSet,
    input: &'a [f32],
    output_gradient: &'a [f32],
    /// The tile's first output channel, and how many it has.
    row: usize,
    size: usize,
    /// The group's first input channel, and the channels within the group.
    first: usize,
    channels: std::ops::Range<usize>,
    target: Shared,
    start: usize,
}

impl Block<'_> {
    /// Sums over some images: all places of the kernel have the same steps.
    fn sum_pixels(&self, images: std::ops::Range<usize>) {
        let (g, layout) = (&self.plan.geometry, &self.plan.layout);
        let plane = g.output_height() * g.output_width();
        let (height, width, segment) =
            if self.plan.direct { (1, plane, plane) } else { (layout.height, layout.width, layout.segment) };
        let (channel_len, image_len) = if self.plan.direct {
            (plane, g.input_channels * plane)
        } else {
            (layout.channel_len(height), layout.copy_len(g.input_channels, height))
        };
        let mut taps = [Tap::default(); MOST_TAPS];
        let count = layout.taps([0, 0], layout.height, &mut taps);
        let taps = &taps[..count];
        let columns = self.channels.len() * count;
        let mut steps = Steps::new(self, self.row * plane, plane);
        let flush = |inputs: &[usize], gradients: &[f32]| {
            self.sum_columns(inputs, gradients, columns, |column| {
                let (channel, tap) = (self.channels.start + column / count, taps[column % count]);
                ((self.first + channel) * channel_len + tap.source, channel * count + tap.weight)
            });
        };
        for (image, y) in images.flat_map(|image| (0..height).map(move |y| (image, y))) {
            let (input, gradient) = (image * image_len + y * segment, image * g.output_channels * plane + y * width);
            for x in (0..width).step_by(LANES) {
                // The last vector of a row begins earlier, or has fewer pixels; what it has beyond is left out of the sum.
                let start = x.min(width.saturating_sub(LANES));
                steps.push(input + start, gradient + start, x - start..LANES.min(width - start), flush);
            }
        }
        steps.finish(flush);
    }

    /// Adds the dot products of `columns` columns with the packed `gradients`; `place` says where a column's input begins,
    /// and which element of an output channel's weights it is.
    fn sum_columns(&self, inputs: &[usize], gradients: &[f32], columns: usize, place: impl Fn(usize) -> (usize, usize)) {
        let g = &self.plan.geometry;
        let row_len = g.group_inputs() * g.places();
        let wide = columns_for(self.size);
        let mut column = 0;
        while column < columns {
            let count = if columns - column >= wide { wide } else { 1 };
            let mut tile = DotTile {
                inputs,
                gradient: gradients.as_ptr(),
                columns: [self.input.as_ptr(); TILE_COLUMNS],
                destinations: [self.target.at(self.start); TILE_COLUMNS],
                destination_stride: row_len,
            };
            for n in 0..count {
                let (input, element) = place(column + n);
                tile.columns[n] = self.input[input..].as_ptr();
                tile.destinations[n] = self.target.at(self.start + self.row * row_len + element);
            }
            // SAFETY: the processor has these instructions. Each input is a pixel of the copy, so
            // that with a column's offset it is another channel's or a place of the kernel beside it, inside the copy;
            // the gradients are packed for as many steps and for `size` rows; the target's elements of these output and input channels in this chunk are this task's alone.
            unsafe { dot_function(self.instructions, self.size, count)(&tile) };
            column += count;
        }
    }
}

/// Collects steps of the dot products and hands them on in portions, the gradients of a tile's rows packed together.
#[repr(align(64))]
struct Steps<'a> {
    gradients: [f32; STEPS * TILE_CHANNELS * LANES],
    output_gradient: &'a [f32],
    size: usize,
    stride: usize,
    inputs: [usize; STEPS],
    count: usize,
}

impl<'a> Steps<'a> {
    /// For the rows that begin at `first` of the block's gradient and are `stride` apart.
    fn new(block: &Block<'a>, first: usize, stride: usize) -> Steps<'a> {
        let output_gradient = &block.output_gradient[first..];
        let gradients = [0.0; STEPS * TILE_CHANNELS * LANES];
        Steps { output_gradient, size: block.size, stride, inputs: [0; STEPS], gradients, count: 0 }
    }

    /// Adds a step of which `lanes` count.
    fn push(&mut self, input: usize, gradient: usize, lanes: std::ops::Range<usize>, flush: impl FnOnce(&[usize], &[f32])) {
        self.inputs[self.count] = input;
        let start = self.count * self.size * LANES;
        let (packed, _) = self.gradients[start..start + self.size * LANES].as_chunks_mut::<LANES>();
        for (m, packed) in packed.iter_mut().enumerate() {
            let from = &self.output_gradient[gradient + m * self.stride..];
            match from.first_chunk::<LANES>() {
                Some(from) if lanes == (0..LANES) => *packed = *from,
                _ => {
                    *packed = [0.0; LANES];
                    packed[lanes.clone()].copy_from_slice(&from[lanes.clone()]);
                }
            }
        }
        self.count += 1;
        if self.count == STEPS {
            self.finish(flush);
        }
    }

    /// Hands on what is collected.
    fn finish(&mut self, flush: impl FnOnce(&[usize], &[f32])) {
        if self.count > 0 {
            flush(&self.inputs[..self.count], &self.gradients);
            self.count = 0;
        }
    }
}
