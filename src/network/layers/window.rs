//! Windows that move over feature maps: how many places they have.

use super::super::program::ShapeError;
use crate::kernels::cpu::ConvolutionSettings;

/// A window of `extent` pixels that moves by `stride` over maps with `padding` on both sides; rows, then columns.
pub struct Window {
    pub extent: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
}

impl Window {
    /// From one end of a kernel to the other.
    pub fn of_kernel(kernel: [usize; 2], settings: &ConvolutionSettings) -> Window {
        let extent = [0, 1].map(|direction| match (kernel.get(direction), settings.dilation.get(direction)) {
            (Some(kernel), Some(dilation)) => (kernel.max(&1) - 1) * dilation + 1,
            _ => 1,
        });
        Window { extent, stride: settings.stride, padding: settings.padding }
    }

    /// Height and width of what the window makes of `height` × `width` pixels.
    pub fn places(&self, [height, width]: [usize; 2]) -> Result<[usize; 2], ShapeError> {
        let ([rows, columns], [down, right], [above, beside]) = (self.extent, self.stride, self.padding);
        match (along(height, rows, down, above), along(width, columns, right, beside)) {
            (Some(height), Some(width)) => Ok([height, width]),
            _ => Err(ShapeError::new(format!("a {rows}×{columns} window does not fit into {height}×{width} pixels"))),
        }
    }
}

/// How many places a window of `extent` pixels has on `size` pixels with `padding` on both sides, `stride` apart.
fn along(size: usize, extent: usize, stride: usize, padding: usize) -> Option<usize> {
    (size + 2 * padding).checked_sub(extent).map(|room| room / stride.max(1) + 1)
}
