//! Forward and by the input: images from images.
//!
//! Two orders, for what is small should be kept and what is large made only once. By tiles: the weights are transformed
//! before, and a task carries a block of tiles from the images through the products back to images, all inside its
//! second-level cache. By channels: all tiles are transformed before, and a task transforms the weights of a block of
//! destination channels; that is for many channels and small planes, where the transformed weights would be larger than
//! everything else.

use std::marker::PhantomData;

use super::super::pass::Pass;
use super::super::tasks::{Shared, share_out};
use super::super::vector::{InstructionSet, LANES, run_kernel};
use super::images::{Gather, Planes, PutBack, panels, rows, spread};
use super::product::Product;
use super::transform::{PLACES, POINTS, RESULTS, Source};
use super::weights::{KERNEL, Spread};

/// Points of the interpolation in two dimensions.
pub const ALL_POINTS: usize = POINTS * POINTS;

/// By tiles, most vectors in a block of them: the transformed weights are read once for each block. And how many destination
/// channels are worked out at once, so that their sums at all points stay in the second-level cache.
const TILES_VECTORS: usize = 8;
const TILES_CHANNELS: usize = 24;
/// By channels, vectors in a block of tiles; and how many destination channels' transformed weights stay in that cache.
const CHANNELS_VECTORS: usize = 4;
const CHANNELS_CHANNELS: usize = 12;
/// By tiles, there should be at least so many blocks, so that every thread has some.
const LEAST_BLOCKS: usize = 8;

/// How a pass is cut.
#[derive(Clone, Copy, Debug)]
pub struct WinogradPass {
    pass: Pass,
    source: Planes,
    results: Planes,
    padding: [usize; 2],
    /// Vectors in a block of tiles, and channels in a block of them.
    vectors: usize,
    channels: usize,
    by_channels: bool,
}

impl WinogradPass {
    /// The cut of `pass` when the algorithm fits it and is the faster way.
    pub fn plan(pass: &Pass) -> Option<WinogradPass> {
        let plan = super::fits(pass).then(|| WinogradPass::new(pass))?;
        super::pays(pass, plan.results.vectors()).then_some(plan)
    }

    /// The cut of `pass`, whose kernel has 3×3 places and stride 1.
    pub fn new(pass: &Pass) -> WinogradPass {
        let planes = |channels: usize, height, width| {
            let image_len = pass.groups * channels * height * width;
            Planes { batch: pass.batch, height, width, image_len }
        };
        let source = planes(pass.source_channels, pass.source_height, pass.source_width);
        let results = planes(pass.destination_channels, pass.destination_height, pass.destination_width);
        let padding = pass.padding.map(|padding| if pass.transposed { PLACES - 1 - padding } else { padding });
        let by_channels = pass.destination_channels > results.vectors() * LANES;
        let (vectors, channels) = if by_channels {
            (CHANNELS_VECTORS.min(results.vectors()), CHANNELS_CHANNELS)
        } else {
            let most = results.vectors().div_ceil(LEAST_BLOCKS);
            (most.clamp(1, TILES_VECTORS), TILES_CHANNELS)
        };
        let channels = channels.min(pass.destination_channels);
        WinogradPass { pass: *pass, source, results, padding, vectors, channels, by_channels }
    }

    fn blocks(&self) -> usize {
        self.results.vectors().div_ceil(self.vectors)
    }

    fn tiles_len(&self) -> usize {
        ALL_POINTS * panels(self.pass.source_channels, self.vectors).point_len
    }

    fn sums_len(&self) -> usize {
        ALL_POINTS * rows(self.channels, self.vectors).point_len
    }

    fn weights_len(&self, channels: usize) -> usize {
        ALL_POINTS * self.weights_point(channels)
    }

    fn weights_point(&self, channels: usize) -> usize {
        spread(channels * spread(self.pass.source_channels))
    }

    /// Numbers that all workers share, and that each needs.
    fn lengths(&self) -> (usize, usize) {
        if self.by_channels {
            (self.blocks() * self.tiles_len(), self.weights_len(self.channels) + self.sums_len())
        } else {
            (self.weights_len(self.pass.destination_channels), self.tiles_len() + self.sums_len())
        }
    }

    /// Numbers of workspace that `workers` threads need.
    pub fn workspace_len(&self, workers: usize) -> usize {
        let (shared, own) = self.lengths();
        shared + own * workers.max(1)
    }

    /// Carries out the pass.
    pub fn run(
        &self,
        instructions: InstructionSet,
        source: &[f32],
        weight: &[f32],
        destination: &mut [f32],
        workspace: &mut [f32],
        workers: usize,
    ) {
        let (shared_len, own_len) = self.lengths();
        let workers = workers.min((workspace.len() - shared_len).checked_div(own_len).unwrap_or(workers));
        let (all, own) = workspace.split_at_mut(shared_len);
        let (all, own, destination) = (Shared::new(all), Shared::new(own), Shared::new(destination));
        for group in 0..self.pass.groups {
            let task = Task {
                cut: self,
                instructions,
                source: &source[group * self.pass.source_channels * self.pass.source_plane()..],
                weight: &weight[group * self.pass.group_weight_len()..],
                destination: destination.from(group * self.pass.destination_channels * self.pass.destination_plane()),
            };
            self.run_group(&task, all, own, workers);
        }
    }

    /// Carries out the pass for one group of channels.
    fn run_group(&self, task: &Task, all: Shared, own: Shared, workers: usize) {
        let (shared_len, own_len) = self.lengths();
        let channels = self.pass.destination_channels;
        if self.by_channels {
            share_out(self.blocks(), workers, |_, block| {
                // SAFETY: this task alone has this block.
                task.gather(block, unsafe { all.part(block * self.tiles_len(), self.tiles_len()) });
            });
            share_out(channels.div_ceil(self.channels), workers, |worker, index| {
                let (first, count) = (index * self.channels, self.channels.min(channels - index * self.channels));
                // SAFETY: each worker has its own part.
                let (weights, sums) =
                    unsafe { own.part(worker * own_len, own_len) }.split_at_mut(self.weights_len(self.channels));
                task.spread(first, count, weights.as_mut_ptr(), self.weights_point(self.channels));
                for block in 0..self.blocks() {
                    // SAFETY: the blocks are finished and nobody writes to them.
                    let tiles = unsafe { all.part(block * self.tiles_len(), self.tiles_len()) };
                    task.multiply(block, tiles, weights, self.weights_point(self.channels), first, count, sums);
                }
            });
        } else {
            let point_len = self.weights_point(channels);
            let row_len = spread(self.pass.source_channels);
            share_out(channels.div_ceil(self.channels), workers, |_, index| {
                let (first, count) = (index * self.channels, self.channels.min(channels - index * self.channels));
                task.spread(first, count, all.at(first * row_len), point_len);
            });
            share_out(self.blocks(), workers, |worker, block| {
                // SAFETY: each worker has its own part.
                let (tiles, sums) = unsafe { own.part(worker * own_len, own_len) }.split_at_mut(self.tiles_len());
                task.gather(block, tiles);
                for first in (0..channels).step_by(self.channels) {
                    let count = self.channels.min(channels - first);
                    // SAFETY: the weights are finished and nobody writes to them.
                    let weights = unsafe { all.part(first * row_len, shared_len - first * row_len) };
                    task.multiply(block, tiles, weights, point_len, first, count, sums);
                }
            });
        }
    }
}

/// The operands of one call.
struct Task<'a> {
    cut: &'a WinogradPass,
    instructions: InstructionSet,
    source: &'a [f32],
    weight: &'a [f32],
    destination: Shared,
}

impl Task<'_> {
    /// The first vector of a block, and how many it has.
    fn vectors(&self, block: usize) -> (usize, usize) {
        let first = block * self.cut.vectors;
        (first, self.cut.vectors.min(self.cut.results.vectors() - first))
    }

    /// Transforms a block of tiles.
    fn gather(&self, block: usize, tiles: &mut [f32]) {
        let (vector, vectors) = self.vectors(block);
        let channels = self.cut.pass.source_channels;
        let gather = Gather::<_, { RESULTS + 2 }> {
            images: self.source,
            planes: self.cut.source,
            results: self.cut.results,
            padding: self.cut.padding,
            channel: 0,
            channels,
            vector,
            vectors,
            to: tiles.as_mut_ptr(),
            layout: panels(channels, self.cut.vectors),
            transform: PhantomData::<Source>,
        };
        // SAFETY: `tiles` has room for a block in this layout.
        unsafe { run_kernel(self.instructions, &gather) };
    }

    /// Transforms the weights of `channels` destination channels.
    fn spread(&self, channel: usize, channels: usize, to: *mut f32, point_len: usize) {
        let pass = &self.cut.pass;
        let (by_source, by_channel) =
            if pass.transposed { (pass.destination_channels * KERNEL, KERNEL) } else { (KERNEL, pass.source_channels * KERNEL) };
        let spread = Spread {
            weight: self.weight,
            between_sources: by_source,
            between_channels: by_channel,
            turned: pass.transposed,
            sources: pass.source_channels,
            channel,
            channels,
            to,
            point_len,
            row_len: spread(pass.source_channels),
        };
        // SAFETY: the caller's.
        unsafe { run_kernel(self.instructions, &spread) };
    }

    /// Multiplies a block of tiles with the weights of `channels` destination channels, and puts the results back.
    #[expect(clippy::too_many_arguments, reason = "one call, from `run`")]
    fn multiply(
        &self,
        block: usize,
        tiles: &[f32],
        weights: &[f32],
        weights_point: usize,
        channel: usize,
        channels: usize,
        sums: &mut [f32],
    ) {
        let (vector, vectors) = self.vectors(block);
        let depth = self.cut.pass.source_channels;
        let (right, result) = (panels(depth, self.cut.vectors), rows(self.cut.channels, self.cut.vectors));
        for point in 0..ALL_POINTS {
            let product = Product {
                rows: channels,
                depth,
                vectors,
                left: weights[point * weights_point..].as_ptr(),
                left_row: spread(depth),
                right: tiles[point * right.point_len..].as_ptr(),
                right_panel: right.pair_len,
                result: sums[point * result.point_len..].as_mut_ptr(),
                result_row: result.channel_len,
                accumulate: false,
            };
            // SAFETY: a block's tiles, the weights of these channels and their sums lie as their layouts say.
            unsafe { run_kernel(self.instructions, &product) };
        }
        let put = PutBack {
            from: sums.as_ptr(),
            layout: result,
            results: self.cut.results,
            to: self.destination.at(0),
            channel,
            channels,
            vector,
            vectors,
        };
        // SAFETY: a block's results of these channels are this task's alone.
        unsafe { run_kernel(self.instructions, &put) };
    }
}
