//! The frame of a chart: the vertical scale with its grid, and the line below.

use super::number;
use super::scale::Scale;
use super::svg::{Anchor, Svg};

/// The plot's edges in the drawing, and what its height means.
pub struct Axes {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub vertical: Scale,
}

impl Axes {
    /// The height of a value.
    pub fn y(&self, value: f64) -> f64 {
        self.vertical.position(value, self.bottom, self.top)
    }

    /// Grid lines with their numbers, and the line at the bottom.
    pub fn draw(&self, svg: &mut Svg) {
        for tick in &self.vertical.ticks {
            let y = self.y(*tick);
            svg.line((self.left, y), (self.right, y), if *tick == 0.0 { "axis" } else { "grid" });
            svg.text((self.left - 8.0, y + 4.0), Anchor::End, "tick", &number::decimal(*tick, self.vertical.decimals));
        }
        svg.line((self.left, self.bottom), (self.right, self.bottom), "axis");
    }
}
