//! Windows that move over feature maps: how many places they have, or why they have none.

use super::super::primitives::Window;
use super::super::program::{LayerArguments, ShapeError};
use crate::kernels::cpu::ConvolutionSettings;

/// From one end of a kernel to the other.
pub fn of_kernel(kernel: [usize; 2], settings: &ConvolutionSettings) -> Window {
    let along = |kernel: usize, dilation: usize| (kernel.max(1) - 1) * dilation + 1;
    let ([rows, columns], [down, right]) = (kernel, settings.dilation);
    Window { size: [along(rows, down), along(columns, right)], stride: settings.stride, padding: settings.padding }
}

/// The window of a pooling layer.
pub fn of_pool(arguments: &LayerArguments) -> Result<Window, ShapeError> {
    let (size, padding) = (arguments.pair("size")?, arguments.pair("padding")?);
    for (size, padding) in size.into_iter().zip(padding) {
        if padding * 2 > size {
            return Err(ShapeError::new(format!("a padding of {padding} is more than half of the window of {size}")));
        }
    }
    Ok(Window { size, stride: arguments.pair("stride")?.map(|stride| stride.max(1)), padding })
}

/// Height and width of what a window makes of `height` × `width` pixels.
pub fn places(window: &Window, [height, width]: [usize; 2]) -> Result<[usize; 2], ShapeError> {
    let [rows, columns] = window.size;
    window
        .places([height, width])
        .ok_or_else(|| ShapeError::new(format!("a {rows}×{columns} window does not fit into {height}×{width} pixels")))
}
