//! The gradient by the weight.
//!
//! Tiles of 6×6 pixels of the input and of 4×4 of the gradient by the output are transformed, multiplied and summed at each
//! point, and the sums are transformed to 3×3 gradients: the forward algorithm, transposed. Here the sum runs over tiles, so
//! a vector of the input is eight channels of one tile. The tiles are cut into chunks that depend on the sizes alone; the
//! sums of a chunk are added to those before it.

use std::marker::PhantomData;

use super::super::geometry::ConvolutionGeometry;
use super::super::pass::Pass;
use super::super::tasks::{Shared, share_out};
use super::super::vector::{InstructionSet, Kernel, LANES, Vector, run_kernel};
use super::images::{Gather, Layout, Planes, rows, spread};
use super::pass::ALL_POINTS;
use super::product::{PANEL, Product};
use super::transform::{RESULTS, ResultGradients, Source};
use super::weights::{Collect, KERNEL};

/// Most vectors of tiles in a chunk.
const CHUNK: usize = 32;
/// Output and input channels of a task; the sums of both at all points should stay in the second-level cache.
const OUTPUTS: usize = 24;
const INPUTS: usize = 64;
/// Tiles' vectors transformed at once, before lanes are exchanged.
const TURNED: usize = 4;

/// Numbers of a point of theirs, of eight channels.
const TURNED_POINT: usize = rows(LANES, TURNED).point_len;

/// How the gradient by the weight is cut.
#[derive(Clone, Copy, Debug)]
pub struct WinogradWeight {
    geometry: ConvolutionGeometry,
    input: Planes,
    gradient: Planes,
    /// Vectors of tiles in a chunk.
    vectors: usize,
    /// Output and input channels of a task.
    outputs: usize,
    inputs: usize,
}

impl WinogradWeight {
    /// The cut for a geometry when the algorithm fits it and is the faster way.
    pub fn plan(g: &ConvolutionGeometry) -> Option<WinogradWeight> {
        let pass = Pass::forward(g);
        let plan = super::fits(&pass).then(|| WinogradWeight::new(g))?;
        super::pays(&pass, plan.gradient.vectors()).then_some(plan)
    }

    /// The cut for a geometry whose kernel has 3×3 places and stride 1.
    pub fn new(g: &ConvolutionGeometry) -> WinogradWeight {
        let planes = |channels, height, width| Planes { batch: g.batch, height, width, image_len: channels * height * width };
        let input = planes(g.input_channels, g.height, g.width);
        let gradient = planes(g.output_channels, g.output_height(), g.output_width());
        let vectors = CHUNK.min(gradient.vectors());
        let outputs = OUTPUTS.min(g.group_outputs());
        let inputs = INPUTS.min(g.group_inputs());
        WinogradWeight { geometry: *g, input, gradient, vectors, outputs, inputs }
    }

    fn chunks(&self) -> usize {
        self.gradient.vectors().div_ceil(self.vectors)
    }

    /// Blocks of output channels, and of input channels.
    fn blocks(&self) -> (usize, usize) {
        (self.geometry.group_outputs().div_ceil(self.outputs), self.geometry.group_inputs().div_ceil(self.inputs))
    }

    /// Numbers of a point of the input's tiles: `[panel of channels][tile][16]`.
    fn input_point(&self) -> usize {
        spread(self.geometry.group_inputs().div_ceil(PANEL) * self.panel_len())
    }

    fn panel_len(&self) -> usize {
        self.vectors * LANES * PANEL
    }

    fn gradient_layout(&self) -> Layout {
        rows(self.geometry.group_outputs(), self.vectors)
    }

    fn sums_row(&self) -> usize {
        spread(self.inputs)
    }

    fn sums_point(&self) -> usize {
        spread(self.outputs * self.sums_row())
    }

    fn sums_len(&self) -> usize {
        ALL_POINTS * self.sums_point()
    }

    /// Numbers of the tiles of a chunk, and of the sums: a worker's when there is one chunk, else those of all blocks.
    fn lengths(&self, workers: usize) -> [usize; 3] {
        let (rows, columns) = self.blocks();
        let sums = if self.chunks() > 1 { rows * columns } else { workers.max(1) };
        [ALL_POINTS * self.input_point(), ALL_POINTS * self.gradient_layout().point_len, sums * self.sums_len()]
    }

    /// Numbers of workspace that `workers` threads need.
    pub fn workspace_len(&self, workers: usize) -> usize {
        self.lengths(workers).iter().sum()
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
        let [input_len, gradient_len, _] = self.lengths(1);
        let (input_tiles, workspace) = workspace.split_at_mut(input_len);
        let (gradient_tiles, sums) = workspace.split_at_mut(gradient_len);
        let workers = if self.chunks() > 1 { workers } else { workers.min(sums.len() / self.sums_len()) };
        let (input_tiles, gradient_tiles) = (Shared::new(input_tiles), Shared::new(gradient_tiles));
        let (sums, weight_gradient) = (Shared::new(sums), Shared::new(weight_gradient));
        for group in 0..g.settings.groups {
            let task = Task {
                cut: self,
                instructions,
                input: &input[group * g.group_inputs() * g.height * g.width..],
                output_gradient: &output_gradient[group * g.group_outputs() * g.output_height() * g.output_width()..],
                input_tiles,
                gradient_tiles,
                weight_gradient: weight_gradient.from(group * g.group_outputs() * g.group_inputs() * KERNEL),
            };
            self.run_group(&task, sums, workers);
        }
    }

    /// Writes one group's gradient.
    fn run_group(&self, task: &Task, sums: Shared, workers: usize) {
        let g = &self.geometry;
        let input_groups = g.group_inputs().div_ceil(LANES);
        let groups = input_groups + g.group_outputs().div_ceil(LANES);
        let (rows, columns) = self.blocks();
        for chunk in 0..self.chunks() {
            share_out(groups, workers, |_, index| match index.checked_sub(input_groups) {
                None => task.gather_input(chunk, index * LANES),
                Some(group) => task.gather_gradient(chunk, group * LANES),
            });
            share_out(rows * columns, workers, |worker, block| {
                let place = if self.chunks() > 1 { block } else { worker };
                // SAFETY: this task alone has this block, and each worker its own part.
                let sums = unsafe { sums.part(place * self.sums_len(), self.sums_len()) };
                task.multiply(chunk, block / columns, block % columns, sums);
            });
        }
    }
}

/// The operands of one call.
struct Task<'a> {
    cut: &'a WinogradWeight,
    instructions: InstructionSet,
    input: &'a [f32],
    output_gradient: &'a [f32],
    input_tiles: Shared,
    gradient_tiles: Shared,
    weight_gradient: Shared,
}

impl Task<'_> {
    /// The first vector of a chunk, and how many it has.
    fn vectors(&self, chunk: usize) -> (usize, usize) {
        let first = chunk * self.cut.vectors;
        (first, self.cut.vectors.min(self.cut.gradient.vectors() - first))
    }

    /// Transforms a chunk's tiles of up to eight channels of the gradient by the output.
    fn gather_gradient(&self, chunk: usize, channel: usize) {
        let (vector, vectors) = self.vectors(chunk);
        let layout = self.cut.gradient_layout();
        let gather = Gather::<_, RESULTS> {
            images: self.output_gradient,
            planes: self.cut.gradient,
            results: self.cut.gradient,
            padding: [0; 2],
            channel,
            channels: LANES.min(self.cut.geometry.group_outputs() - channel),
            vector,
            vectors,
            to: self.gradient_tiles.at(channel * layout.channel_len),
            layout,
            transform: PhantomData::<ResultGradients>,
        };
        // SAFETY: the layout is that of the gradient's tiles; these channels are this task's alone.
        unsafe { run_kernel(self.instructions, &gather) };
    }

    /// Transforms a chunk's tiles of up to eight channels of the input, and makes channels the lanes.
    fn gather_input(&self, chunk: usize, channel: usize) {
        let (first, vectors) = self.vectors(chunk);
        let g = &self.cut.geometry;
        let layout = rows(LANES, TURNED);
        let mut tiles = [0.0; ALL_POINTS * TURNED_POINT];
        for vector in (0..vectors).step_by(TURNED) {
            let count = TURNED.min(vectors - vector);
            let gather = Gather::<_, { RESULTS + 2 }> {
                images: self.input,
                planes: self.cut.input,
                results: self.cut.gradient,
                padding: g.settings.padding,
                channel,
                channels: LANES.min(g.group_inputs() - channel),
                vector: first + vector,
                vectors: count,
                to: tiles.as_mut_ptr(),
                layout,
                transform: PhantomData::<Source>,
            };
            let place = channel / PANEL * self.cut.panel_len() + vector * LANES * PANEL + channel % PANEL;
            let turn = Turn {
                from: tiles.as_ptr(),
                layout,
                vectors: count,
                to: self.input_tiles.at(place),
                point_len: self.cut.input_point(),
            };
            // SAFETY: `tiles` has room for this layout; these channels of the input's tiles are this task's alone.
            unsafe {
                run_kernel(self.instructions, &gather);
                run_kernel(self.instructions, &turn);
            }
        }
    }

    /// Adds a chunk's products of a block of output and input channels to `sums`; after the last chunk, writes the gradient.
    fn multiply(&self, chunk: usize, row: usize, column: usize, sums: &mut [f32]) {
        let (cut, g) = (self.cut, &self.cut.geometry);
        let (output, input) = (row * cut.outputs, column * cut.inputs);
        let (outputs, inputs) = (cut.outputs.min(g.group_outputs() - output), cut.inputs.min(g.group_inputs() - input));
        let left = cut.gradient_layout();
        for point in 0..ALL_POINTS {
            let product = Product {
                rows: outputs,
                depth: self.vectors(chunk).1 * LANES,
                vectors: inputs.div_ceil(LANES),
                left: self.gradient_tiles.at(point * left.point_len + output * left.channel_len),
                left_row: left.channel_len,
                right: self.input_tiles.at(point * cut.input_point() + input / PANEL * cut.panel_len()),
                right_panel: cut.panel_len(),
                result: sums[point * cut.sums_point()..].as_mut_ptr(),
                result_row: cut.sums_row(),
                accumulate: chunk > 0,
            };
            // SAFETY: the chunk's tiles are finished and lie as their layouts say; so do the sums.
            unsafe { run_kernel(self.instructions, &product) };
        }
        if chunk + 1 == cut.chunks() {
            let collect = Collect {
                from: sums.as_ptr(),
                point_len: cut.sums_point(),
                row_len: cut.sums_row(),
                rows: outputs,
                columns: inputs,
                to: self.weight_gradient.at((output * g.group_inputs() + input) * KERNEL),
                to_row: g.group_inputs() * KERNEL,
            };
            // SAFETY: this block of the gradient is this task's alone.
            unsafe { run_kernel(self.instructions, &collect) };
        }
    }
}

/// Makes channels the lanes: from eight channels' tiles as `layout` says to `to + point · point_len + tile · 16 + channel`.
///
/// Both pointers are valid for all these numbers.
struct Turn {
    from: *const f32,
    layout: Layout,
    vectors: usize,
    to: *mut f32,
    point_len: usize,
}

impl Kernel for Turn {
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        for point in 0..ALL_POINTS {
            for vector in 0..self.vectors {
                // SAFETY: the maker's.
                unsafe {
                    let from = self.from.add(point * self.layout.point_len + vector * LANES);
                    let mut channels = [V::zero(); LANES];
                    for channel in 0..LANES {
                        channels[channel] = V::load(from.add(channel * self.layout.channel_len));
                    }
                    let images = V::transpose(channels);
                    let to = self.to.add(point * self.point_len + vector * LANES * PANEL);
                    for image in 0..LANES {
                        images[image].store(to.add(image * PANEL));
                    }
                }
            }
        }
    }
}
