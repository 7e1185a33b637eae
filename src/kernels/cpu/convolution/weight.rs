//! The gradient by the weight: dot products of shifted inputs with the gradient by the output.
//!
//! A vector is eight pixels, or eight images, as for the other two; a tile holds up to six output channels times two
//! inputs (a channel at a place of the kernel), and the lanes of its sums are added up at its end. The batch is cut into
//! chunks that depend on the sizes alone; each chunk's sums are added in order, so the number of threads changes no bit.

use super::across::{self, BLOCK, record_len};
use super::geometry::{ConvolutionGeometry, ConvolutionSettings};
use super::pass::Pass;
use super::plain::inside;
use super::rows::Rows;
use super::tasks::{Shared, share_out};
use super::tile::{ChannelTiles, DotTile, TILE_CHANNELS, TILE_COLUMNS, columns_for, dot_function};
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
    /// The bands of the forward pass, when vectors are pixels; none when they are images.
    rows: Option<Rows>,
    /// Images (or blocks of images) in the batch, and in a chunk.
    units: usize,
    chunk_units: usize,
}

impl WeightPlan {
    /// The plan for a geometry.
    pub fn new(geometry: &ConvolutionGeometry) -> WeightPlan {
        let rows = Rows::plan(&Pass::forward(geometry));
        let images = if rows.is_some() { 1 } else { BLOCK };
        let units = geometry.batch.div_ceil(images);
        let unit_pixels = (images * geometry.output_height() * geometry.output_width()).max(1);
        let chunk_units = CHUNK_PIXELS.div_ceil(unit_pixels).max(units.div_ceil(CHUNKS)).max(1);
        WeightPlan { geometry: *geometry, rows, units, chunk_units }
    }

    fn chunks(&self) -> usize {
        self.units.div_ceil(self.chunk_units)
    }

    /// Numbers of the copies of the input and of the gradient, and of the chunks' sums.
    fn lengths(&self) -> [usize; 3] {
        let g = &self.geometry;
        let (input, gradient) = match self.rows {
            Some(rows) if rows.is_direct() => (0, 0),
            Some(rows) => (g.batch * g.input_channels * rows.image_plane(), 0),
            None => (
                across::copy_len(g.batch, g.input_channels, g.height * g.width),
                across::copy_len(g.batch, g.output_channels, g.output_height() * g.output_width()),
            ),
        };
        [input, gradient, if self.chunks() > 1 { self.chunks() * g.weight_len() } else { 0 }]
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
        let [input_len, gradient_len, sums_len] = self.lengths();
        let (input_copy, workspace) = workspace.split_at_mut(input_len);
        let (gradient_copy, workspace) = workspace.split_at_mut(gradient_len);
        let sums = &mut workspace[..sums_len];
        let plane = g.output_height() * g.output_width();
        let (input, output_gradient) = match self.rows {
            Some(rows) if rows.is_direct() => (input, output_gradient),
            Some(rows) => {
                copy_padded(g, rows, input, input_copy, workers);
                (&*input_copy, output_gradient)
            }
            None => {
                let sizes = (g.batch, g.input_channels, g.height * g.width);
                across::copy_images(instructions, input, sizes, input_copy, workers);
                let sizes = (g.batch, g.output_channels, plane);
                across::copy_images(instructions, output_gradient, sizes, gradient_copy, workers);
                (&*input_copy, &*gradient_copy)
            }
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
            let units = chunk * self.chunk_units..((chunk + 1) * self.chunk_units).min(self.units);
            match self.rows {
                Some(rows) => block.sum_pixels(rows, units),
                None => block.sum_images(units),
            }
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

/// Copies whole images with their padding.
fn copy_padded(g: &ConvolutionGeometry, rows: Rows, input: &[f32], copy: &mut [f32], workers: usize) {
    let pass = Pass::forward(g);
    let (image_len, copy_len) = (g.input_channels * g.height * g.width, g.input_channels * rows.image_plane());
    let copy = Shared::new(copy);
    share_out(g.batch, workers, |_, image| {
        // SAFETY: this task alone has this image.
        let to = unsafe { copy.part(image * copy_len, copy_len) };
        rows.copy_band(&pass, &input[image * image_len..(image + 1) * image_len], 0, g.output_height(), to);
    });
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
    /// Vectors are pixels: all places of the kernel have the same steps.
    fn sum_pixels(&self, rows: Rows, images: std::ops::Range<usize>) {
        let g = &self.plan.geometry;
        let plane = g.output_height() * g.output_width();
        let input_plane = if rows.is_direct() { plane } else { rows.image_plane() };
        let (pass, taps) = (Pass::forward(g), g.places());
        let columns = self.channels.len() * taps;
        let mut steps = Steps::new(self, self.row * plane, plane);
        let flush = |inputs: &[usize], gradients: &[f32]| {
            self.sum_columns(inputs, gradients, columns, |column| {
                let (channel, tap) = (self.channels.start + column / taps, column % taps);
                ((self.first + channel) * input_plane + rows.shift(&pass, tap), channel * taps + tap)
            });
        };
        for image in images {
            for vector in 0..plane / LANES {
                let input = image * g.input_channels * input_plane + rows.vector_offset(vector);
                let gradient = image * g.output_channels * plane + vector * LANES;
                steps.push(input, gradient, flush);
            }
        }
        steps.finish(flush);
    }

    /// Vectors are images: each place of the kernel has its own pixels.
    fn sum_images(&self, blocks: std::ops::Range<usize>) {
        let g = &self.plan.geometry;
        let (height, width) = (g.output_height(), g.output_width());
        let ConvolutionSettings { stride, padding, dilation, .. } = g.settings;
        let taps = g.places();
        let mut steps = Steps::new(self, self.row * BLOCK, BLOCK);
        for tap in 0..taps {
            let (ky, kx) = (tap / g.kernel[1] * dilation[0], tap % g.kernel[1] * dilation[1]);
            let flush = |inputs: &[usize], gradients: &[f32]| {
                self.sum_columns(inputs, gradients, self.channels.len(), |column| {
                    let channel = self.channels.start + column;
                    ((self.first + channel) * BLOCK, channel * taps + tap)
                });
            };
            for (block, y) in blocks.clone().flat_map(|block| (0..height).map(move |y| (block, y))) {
                let Some(input_y) = inside(y * stride[0] + ky, padding[0], g.height) else { continue };
                for x in 0..width {
                    let Some(input_x) = inside(x * stride[1] + kx, padding[1], g.width) else { continue };
                    let input = ((block * g.height + input_y) * g.width + input_x) * record_len(g.input_channels);
                    let gradient = ((block * height + y) * width + x) * record_len(g.output_channels);
                    for half in [0, LANES] {
                        steps.push(input + half, gradient + half, flush);
                    }
                }
            }
            steps.finish(flush);
        }
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
            // SAFETY: the processor has these instructions. Each input is a pixel (or a pixel of a block) of the copy, so
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

    fn push(&mut self, input: usize, gradient: usize, flush: impl FnOnce(&[usize], &[f32])) {
        self.inputs[self.count] = input;
        let start = self.count * self.size * LANES;
        let (packed, _) = self.gradients[start..start + self.size * LANES].as_chunks_mut::<LANES>();
        for (m, packed) in packed.iter_mut().enumerate() {
            packed.copy_from_slice(&self.output_gradient[gradient + m * self.stride..][..LANES]);
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
