//! What the forward pass and the gradient by the input have in common: each writes images from images and a weight.

use super::geometry::ConvolutionGeometry;
use super::tasks::{Shared, share_out};
use super::tile::{ChannelTiles, Tap};

/// Packed weights of more numbers than this are packed by several threads.
const WEIGHTS_WORTH_A_THREAD: usize = 64 * 1024;

/// A convolution that writes destination images from source images: forward (`transposed` false) or by the input.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    pub batch: usize,
    pub source_channels: usize,
    pub source_height: usize,
    pub source_width: usize,
    pub destination_channels: usize,
    pub destination_height: usize,
    pub destination_width: usize,
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    pub transposed: bool,
}

impl Pass {
    /// From the input to the output.
    pub fn forward(g: &ConvolutionGeometry) -> Pass {
        Pass {
            batch: g.batch,
            source_channels: g.input_channels,
            source_height: g.height,
            source_width: g.width,
            destination_channels: g.output_channels,
            destination_height: g.output_height(),
            destination_width: g.output_width(),
            kernel: g.kernel,
            stride: g.stride,
            padding: g.padding,
            transposed: false,
        }
    }

    /// From the gradient by the output to the gradient by the input.
    pub fn input_gradient(g: &ConvolutionGeometry) -> Pass {
        Pass {
            batch: g.batch,
            source_channels: g.output_channels,
            source_height: g.output_height(),
            source_width: g.output_width(),
            destination_channels: g.input_channels,
            destination_height: g.height,
            destination_width: g.width,
            kernel: g.kernel,
            stride: g.stride,
            padding: g.padding,
            transposed: true,
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

    /// Numbers of the weight.
    pub fn weight_len(&self) -> usize {
        self.destination_channels * self.source_channels * self.kernel * self.kernel
    }

    /// Calls `tap` for each place of the kernel that contributes to the destination's pixel (`y`, `x`), with source
    /// offsets counted in pixels times `unit`.
    pub fn taps_at(&self, y: usize, x: usize, unit: usize, mut tap: impl FnMut(Tap)) {
        for ky in 0..self.kernel {
            let Some(source_y) = self.source_index(y, ky, self.source_height) else { continue };
            for kx in 0..self.kernel {
                if let Some(source_x) = self.source_index(x, kx, self.source_width) {
                    let source = (source_y * self.source_width + source_x) * unit;
                    tap(Tap { source, weight: ky * self.kernel + kx });
                }
            }
        }
    }

    /// Where, along one side, the kernel's place `k` finds the source of destination index `index`; none in the padding.
    fn source_index(&self, index: usize, k: usize, length: usize) -> Option<usize> {
        let found = if self.transposed {
            let shifted = (index + self.padding).checked_sub(k)?;
            if !shifted.is_multiple_of(self.stride) {
                return None;
            }
            shifted / self.stride
        } else {
            (index * self.stride + k).checked_sub(self.padding)?
        };
        (found < length).then_some(found)
    }

    /// Reorders `weight` `[o, c, k, k]` to `packed` `[tile][tap][source channel][channel in the tile]`.
    pub fn pack_weights(&self, weight: &[f32], packed: &mut [f32], workers: usize) {
        let tiles = ChannelTiles::new(self.destination_channels);
        let taps = self.kernel * self.kernel;
        let (between_source, between_destination) =
            if self.transposed { (self.destination_channels * taps, taps) } else { (taps, self.source_channels * taps) };
        let shared = Shared::new(packed);
        let workers = if self.weight_len() < WEIGHTS_WORTH_A_THREAD { 1 } else { workers };
        share_out(tiles.count(), workers, |_, index| {
            let (first, size) = tiles.tile(index);
            // SAFETY: tile `index` alone has the channels from `first` on, and only this task has that index.
            let part = unsafe { shared.part(first * self.source_channels * taps, size * self.source_channels * taps) };
            for source in 0..self.source_channels {
                for m in 0..size {
                    let start = source * between_source + (first + m) * between_destination;
                    let to = part[source * size + m..].iter_mut().step_by(self.source_channels * size);
                    for (to, from) in to.zip(&weight[start..start + taps]) {
                        *to = *from;
                    }
                }
            }
        });
    }
}
