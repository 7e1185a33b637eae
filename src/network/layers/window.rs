//! Windows that move over feature maps: how many places they have.

use super::super::program::ShapeError;

/// How many places a window of `extent` pixels has on `size` pixels with `padding` on both sides, `stride` apart.
fn along(size: usize, extent: usize, stride: usize, padding: usize) -> Option<usize> {
    (size + 2 * padding).checked_sub(extent).map(|room| room / stride + 1)
}

/// Height and width of what a window of `extent` × `extent` pixels makes of `height` × `width` pixels.
pub fn places([height, width]: [usize; 2], extent: usize, stride: usize, padding: usize) -> Result<[usize; 2], ShapeError> {
    match (along(height, extent, stride, padding), along(width, extent, stride, padding)) {
        (Some(height), Some(width)) => Ok([height, width]),
        _ => Err(ShapeError::new(format!("a {extent}×{extent} window does not fit into {height}×{width} pixels"))),
    }
}
