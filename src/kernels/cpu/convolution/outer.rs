//! The gradient by the weight as a sum of outer products: a vector is eight output channels.
//!
//! The gradient by the output is turned to `[pixel][16 channels]` once. Then a tile holds the sums of sixteen output channels
//! and up to six inputs (a channel at a place of the kernel) in registers, and each pixel adds its products: no lane is lost
//! whatever the width and the stride, and no sum is added up across lanes. Where there are few tasks the batch is cut into
//! chunks, which depend on the sizes alone; their sums are added in order, so the number of threads changes no bit.

use super::across::{self, BLOCK};
use super::geometry::ConvolutionGeometry;
use super::layout::{Layout, MOST_TAPS};
use super::pass::Pass;
use super::tasks::{Shared, share_out};
use super::tile::{OUTER_COLUMNS, OuterTile, Tap, outer_function};
use super::vector::{InstructionSet, LANES};

/// With so many output channels, or fewer, too many lanes would be empty.
const FEW_OUTPUTS: usize = LANES;
/// Pixels summed at once: their gradients stay in the first-level cache.
const PIXELS: usize = 256;
/// Columns of a task, and sixteens of output channels: its inputs, gradients and sums stay in the second-level cache.
const TASK_COLUMNS: usize = 24 * OUTER_COLUMNS;
const TASK_TILES: usize = 8;
/// There should be at least so many tasks, but at most so many chunks, and each of so many pixels that adding up the chunks' sums
/// is little beside them.
const LEAST_TASKS: usize = 16;
const CHUNKS: usize = 8;
const CHUNK_PIXELS: usize = 512;

/// How the operands lie in memory, and how the work is cut.
#[derive(Clone, Copy)]
pub struct OuterPlan {
    geometry: ConvolutionGeometry,
    layout: Layout,
    /// Whether the input is read where it is.
    direct: bool,
    /// Sixteens of output channels of a group.
    tiles: usize,
    /// Inputs of a group: channels times places of the kernel.
    columns: usize,
    /// Sixteens of a task, tasks that share those of a group, and tasks that share the columns.
    together: usize,
    shares: usize,
    parts: usize,
    chunks: usize,
}

impl OuterPlan {
    /// The plan for a geometry; none where another way is better.
    pub fn plan(g: &ConvolutionGeometry) -> Option<OuterPlan> {
        if g.group_outputs() <= FEW_OUTPUTS {
            return None;
        }
        let pass = Pass::forward(g);
        let layout = Layout::new(&pass)?;
        let direct = layout.is_identity(&pass) && g.places() == 1;
        let (tiles, columns) = (g.group_outputs().div_ceil(BLOCK), g.group_inputs() * g.places());
        let parts = columns.div_ceil(TASK_COLUMNS);
        // Chunks of the batch before parts of the outputs: each task reads its chunk of the input, which is the larger.
        let tasks = |together: usize| (g.settings.groups * tiles.div_ceil(together) * parts).max(1);
        let most = (g.batch * pass.destination_plane() / CHUNK_PIXELS).min(g.batch).clamp(1, CHUNKS);
        let chunks = LEAST_TASKS.div_ceil(tasks(TASK_TILES)).clamp(1, most);
        let together = (1..=TASK_TILES).rev().find(|together| chunks * tasks(*together) >= LEAST_TASKS).unwrap_or(1);
        let shares = tiles.div_ceil(together);
        Some(OuterPlan { geometry: *g, layout, direct, tiles, columns, together, shares, parts, chunks })
    }

    fn plane(&self) -> usize {
        self.geometry.output_height() * self.geometry.output_width()
    }

    /// Numbers from an image of the input, or of its copy, to the next.
    fn image_len(&self) -> usize {
        let g = &self.geometry;
        if self.direct { g.input_channels * self.plane() } else { self.layout.copy_len(g.input_channels, self.layout.height) }
    }

    /// Numbers of the copy of the input, of the turned gradient, and of the sums.
    fn lengths(&self) -> [usize; 3] {
        let g = &self.geometry;
        let input = if self.direct { 0 } else { g.batch * self.image_len() };
        let blocks = g.settings.groups * self.tiles;
        [input, blocks * g.batch * self.plane() * BLOCK, self.chunks * blocks * self.columns * BLOCK]
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
        let (copy, workspace) = workspace.split_at_mut(input_len);
        let (turned, workspace) = workspace.split_at_mut(gradient_len);
        let sums = &mut workspace[..sums_len];
        let input = if self.direct {
            input
        } else {
            self.layout.copy_images(&Pass::forward(g), input, copy, workers);
            &*copy
        };
        self.turn(instructions, output_gradient, turned, workers);
        let shared = Shared::new(sums);
        share_out(self.chunks * g.settings.groups * self.shares * self.parts, workers, |_, index| {
            let (index, part) = (index / self.parts, index % self.parts);
            let (index, share) = (index / self.shares, index % self.shares);
            let (chunk, group) = (index / g.settings.groups, index % g.settings.groups);
            let tiles = share * self.together..((share + 1) * self.together).min(self.tiles);
            let columns = part * TASK_COLUMNS..((part + 1) * TASK_COLUMNS).min(self.columns);
            self.sum(instructions, input, turned, chunk, group, tiles, columns, &shared);
        });
        self.take_out(sums, weight_gradient, workers);
    }

    /// Turns the gradient `[n, o, h', w']` to `[group][tile][n][pixel][16]`.
    fn turn(&self, instructions: InstructionSet, gradient: &[f32], turned: &mut [f32], workers: usize) {
        let g = &self.geometry;
        let plane = self.plane();
        let turned = Shared::new(turned);
        share_out(g.settings.groups * self.tiles * g.batch, workers, |_, index| {
            let (block, image) = (index / g.batch, index % g.batch);
            let (group, tile) = (block / self.tiles, block % self.tiles);
            let outputs = BLOCK.min(g.group_outputs() - tile * BLOCK);
            let first = image * g.output_channels + group * g.group_outputs() + tile * BLOCK;
            // SAFETY: this task alone has this image of this tile.
            let to = unsafe { turned.part(index * plane * BLOCK, plane * BLOCK) };
            let from = &gradient[first * plane..(first + outputs) * plane];
            across::copy_images(instructions, from, (outputs, 1, plane), to, 1);
        });
    }

    /// Sums the products of some tiles' outputs with some columns over a chunk of the images.
    #[expect(clippy::too_many_arguments, reason = "one call, from `run`")]
    fn sum(
        &self,
        instructions: InstructionSet,
        input: &[f32],
        turned: &[f32],
        chunk: usize,
        group: usize,
        tiles: std::ops::Range<usize>,
        columns: std::ops::Range<usize>,
        sums: &Shared,
    ) {
        let g = &self.geometry;
        let (plane, image_len) = (self.plane(), self.image_len());
        let (width, segment, channel_len) = if self.direct {
            (plane, plane, plane)
        } else {
            (self.layout.width, self.layout.segment, self.layout.channel_len(self.layout.height))
        };
        let mut taps = [Tap::default(); MOST_TAPS];
        let count = self.layout.taps([0, 0], self.layout.height, &mut taps);
        let (begin, end) = (chunk * g.batch / self.chunks * plane, (chunk + 1) * g.batch / self.chunks * plane);
        let mut pixels = [0; PIXELS];
        for first in (begin..end).step_by(PIXELS) {
            let pixels = &mut pixels[..PIXELS.min(end - first)];
            let (mut image, mut y, mut x) = (first / plane, first % plane / width, first % plane % width);
            for offset in pixels.iter_mut() {
                *offset = image * image_len + y * segment + x;
                x += 1;
                if x == width {
                    (x, y) = (0, y + 1);
                }
                if y * width == plane {
                    (y, image) = (0, image + 1);
                }
            }
            for tile in tiles.clone() {
                let block = group * self.tiles + tile;
                let vectors = (g.group_outputs() - tile * BLOCK).min(BLOCK).div_ceil(LANES);
                let gradient = turned[(block * g.batch * plane + first) * BLOCK..].as_ptr();
                let start = (chunk * g.settings.groups * self.tiles + block) * self.columns;
                let (mut channel, mut place) = (columns.start / count, columns.start % count);
                for column in columns.clone().step_by(OUTER_COLUMNS) {
                    let here = OUTER_COLUMNS.min(columns.end - column);
                    let mut tile = OuterTile {
                        pixels,
                        gradient,
                        gradient_stride: BLOCK,
                        columns: [input.as_ptr(); OUTER_COLUMNS],
                        sums: sums.at((start + column) * BLOCK),
                        accumulate: first > begin,
                    };
                    for pointer in &mut tile.columns[..here] {
                        *pointer = input[(group * g.group_inputs() + channel) * channel_len + taps[place].source..].as_ptr();
                        place += 1;
                        if place == count {
                            (channel, place) = (channel + 1, 0);
                        }
                    }
                    // SAFETY: the processor has these instructions. Each pixel, from where a column begins, is a pixel of that
                    // channel's copy shifted by a place of the kernel; the turned gradient has sixteen numbers for each pixel
                    // from `first` on; the sums of these columns of this tile and chunk are this task's alone.
                    unsafe { outer_function(instructions, here, vectors)(&tile) };
                }
            }
        }
    }

    /// Adds up the chunks' sums `[chunk][group][tile][column][16]` and puts them in order.
    fn take_out(&self, sums: &[f32], weight_gradient: &mut [f32], workers: usize) {
        let g = &self.geometry;
        let block_len = self.columns * BLOCK;
        let chunk_len = g.settings.groups * self.tiles * block_len;
        let weights = Shared::new(weight_gradient);
        share_out(g.settings.groups * self.tiles, workers, |_, block| {
            let (group, tile) = (block / self.tiles, block % self.tiles);
            let outputs = BLOCK.min(g.group_outputs() - tile * BLOCK);
            let first = group * g.group_outputs() + tile * BLOCK;
            // SAFETY: this task alone has these outputs.
            let to = unsafe { weights.part(first * self.columns, outputs * self.columns) };
            for chunk in 0..self.chunks {
                let from = &sums[chunk * chunk_len + block * block_len..][..block_len];
                // Sixteen columns at once, so that whole lines are written.
                for (columns, from) in from.chunks(BLOCK * BLOCK).enumerate() {
                    for m in 0..outputs {
                        let to = &mut to[m * self.columns + columns * BLOCK..][..from.len() / BLOCK];
                        for (weight, sum) in to.iter_mut().zip(from[m..].iter().step_by(BLOCK)) {
                            *weight = if chunk == 0 { *sum } else { *weight + *sum };
                        }
                    }
                }
            }
        });
    }
}
