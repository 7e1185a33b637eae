//! What the forward pass and the gradient by the input have in common: each writes images from images and a weight.

use super::geometry::{ConvolutionGeometry, ConvolutionSettings};
use super::tasks::{Shared, share_out};
use super::tile::{ChannelTiles, Tap};

/// Packed weights of more numbers than this are packed by several threads.
const WEIGHTS_WORTH_A_THREAD: usize = 64 * 1024;

/// A convolution that writes destination images from source images: forward (`transposed` false) or by the input. Channels
/// are those of one group; pairs are for rows and columns.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub batch: usize,
    pub groups: usize,
    pub source_channels: usize,
    pub source_height: usize,
    pub source_width: usize,
    pub destination_channels: usize,
    pub destination_height: usize,
    pub destination_width: usize,
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub dilation: [usize; 2],
    pub transposed: bool,
}

impl Pass {
    /// From the input to the output.
    pub fn forward(g: &ConvolutionGeometry) -> Pass {
        let ConvolutionSettings { stride, padding, dilation, groups } = g.settings;
        Pass {
            batch: g.batch,
            groups,
            source_channels: g.group_inputs(),
            source_height: g.height,
            source_width: g.width,
            destination_channels: g.group_outputs(),
            destination_height: g.output_height(),
            destination_width: g.output_width(),
            kernel: g.kernel,
            stride,
            padding,
            dilation,
            transposed: false,
        }
    }

    /// From the gradient by the output to the gradient by the input.
    pub fn input_gradient(g: &ConvolutionGeometry) -> Pass {
        let forward = Pass::forward(g);
        Pass {
            source_channels: forward.destination_channels,
            source_height: forward.destination_height,
            source_width: forward.destination_width,
            destination_channels: forward.source_channels,
            destination_height: forward.source_height,
            destination_width: forward.source_width,
            transposed: true,
            ..forward
        }
    }

    /// Numbers of a source image's channel.
    pub fn source_plane(&self) -> usize {
        self.source_height * self.source_width
    }

    /// Numbers of a destination image's channel.
    pub fn destination_plane(&self) -> usize {
        self.destination_height * self.destination_width
    }

    /// Places of the kernel.
    pub fn places(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Numbers of one group's weight.
    pub fn group_weight_len(&self) -> usize {
        self.destination_channels * self.source_channels * self.places()
    }

    /// Numbers of the weight.
    pub fn weight_len(&self) -> usize {
        self.groups * self.group_weight_len()
    }

    /// Calls `tap` for each place of the kernel that contributes to the destination's pixel (`y`, `x`), with source
    /// offsets counted in pixels times `unit`.
    pub fn taps_at(&self, y: usize, x: usize, unit: usize, mut tap: impl FnMut(Tap)) {
        for ky in 0..self.kernel[0] {
            let Some(source_y) = self.source_index(0, y, ky, self.source_height) else { continue };
            for kx in 0..self.kernel[1] {
                if let Some(source_x) = self.source_index(1, x, kx, self.source_width) {
                    let source = (source_y * self.source_width + source_x) * unit;
                    tap(Tap { source, weight: ky * self.kernel[1] + kx });
                }
            }
        }
    }

    /// How many pairs of a destination's row (column) and a place of the kernel meet the source, along each direction.
    pub fn products(&self) -> (usize, usize) {
        let along = |direction: usize, indices: usize, length: usize| {
            let pairs = (0..indices).flat_map(|index| (0..self.kernel[direction]).map(move |k| (index, k)));
            pairs.filter(|(index, k)| self.source_index(direction, *index, *k, length).is_some()).count()
        };
        (along(0, self.destination_height, self.source_height), along(1, self.destination_width, self.source_width))
    }

    /// Where, along one direction, the kernel's place `k` finds the source of destination index `index`; none in the padding.
    fn source_index(&self, direction: usize, index: usize, k: usize, length: usize) -> Option<usize> {
        let (stride, padding, k) = (self.stride[direction], self.padding[direction], k * self.dilation[direction]);
        let found = if self.transposed {
            let shifted = (index + padding).checked_sub(k)?;
            if !shifted.is_multiple_of(stride) {
                return None;
            }
            shifted / stride
        } else {
            (index * stride + k).checked_sub(padding)?
        };
        (found < length).then_some(found)
    }

    /// Reorders `weight` `[o, c / groups, kh, kw]` to `packed` `[group][tile][tap][source channel][channel in the tile]`.
    pub fn pack_weights(&self, weight: &[f32], packed: &mut [f32], workers: usize) {
        let tiles = ChannelTiles::new(self.destination_channels);
        let (taps, group_len) = (self.places(), self.group_weight_len());
        let (between_source, between_destination) =
            if self.transposed { (self.destination_channels * taps, taps) } else { (taps, self.source_channels * taps) };
        let shared = Shared::new(packed);
        let workers = if self.weight_len() < WEIGHTS_WORTH_A_THREAD { 1 } else { workers };
        share_out(self.groups * tiles.count(), workers, |_, index| {
            let (group, (first, size)) = (index / tiles.count(), tiles.tile(index % tiles.count()));
            let start = group * group_len + first * self.source_channels * taps;
            // SAFETY: a tile alone has the channels from `first` on of its group, and only this task has that tile.
            let part = unsafe { shared.part(start, size * self.source_channels * taps) };
            let from = &weight[group * group_len + first * between_destination..];
            let last = (size - 1) * between_destination + (self.source_channels - 1) * between_source + taps - 1;
            assert!(last < from.len(), "a tile's weights must lie inside the weight");
            for tap in 0..taps {
                for source in 0..self.source_channels {
                    let to = &mut part[(tap * self.source_channels + source) * size..][..size];
                    for (m, to) in to.iter_mut().enumerate() {
                        // SAFETY: no index is greater than the last, which lies inside, as just checked.
                        *to = unsafe { *from.get_unchecked(source * between_source + tap + m * between_destination) };
                    }
                }
            }
        });
    }
}
