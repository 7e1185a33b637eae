//! What drawings are made of: soft borders, spots and lines. Coordinates run from −1 to 1 over the image, x to the right and y
//! down.

use crate::random::Key;

/// 1 well inside a border, 0 well outside, by the signed distance and the border's softness.
pub fn inside(distance: f64, softness: f64) -> f64 {
    let steps = distance / softness;
    // Beyond that no byte could tell the difference.
    if steps.abs() > 14.0 { f64::from(u8::from(steps > 0.0)) } else { 1.0 / (1.0 + (-steps).exp()) }
}

/// 1 at a ridge, falling off like a normal distribution of this width.
pub fn ridge(distance: f64, width: f64) -> f64 {
    let steps = distance / width;
    if steps.abs() > 5.0 { 0.0 } else { (-0.5 * steps * steps).exp() }
}

/// A point of the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// A stretch between two points.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub from: Point,
    pub to: Point,
}

impl Line {
    pub fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        Self { from: Point { x: from.0, y: from.1 }, to: Point { x: to.0, y: to.1 } }
    }

    /// The distance of a point, and where along the line it is nearest: 0 at its beginning, 1 at its end.
    pub fn distance(&self, x: f64, y: f64) -> (f64, f64) {
        let (dx, dy) = (self.to.x - self.from.x, self.to.y - self.from.y);
        let along = (((x - self.from.x) * dx + (y - self.from.y) * dy) / (dx * dx + dy * dy).max(1e-12)).clamp(0.0, 1.0);
        ((x - self.from.x - along * dx).hypot(y - self.from.y - along * dy), along)
    }
}

/// An ellipse: its middle, half axes, and how far it is turned.
#[derive(Clone, Copy, Debug)]
pub struct Ellipse {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    pub turn: f64,
}

impl Ellipse {
    /// 1 − the distance from the middle in half axes: 1 in the middle, 0 at the border, negative outside.
    pub fn depth(&self, x: f64, y: f64) -> f64 {
        let (sin, cos) = self.turn.sin_cos();
        let (dx, dy) = (x - self.x, y - self.y);
        1.0 - ((cos * dx + sin * dy) / self.width).hypot((cos * dy - sin * dx) / self.height)
    }

    /// A spot that falls off like a normal distribution with the half axes as its widths.
    pub fn spot(&self, x: f64, y: f64) -> f64 {
        ridge(1.0 - self.depth(x, y), 1.0)
    }
}

/// Draws that are told apart by their names.
#[derive(Clone, Copy, Debug)]
pub struct Draws<'k>(pub &'k Key);

impl Draws<'_> {
    pub fn between(&self, name: &str, low: f64, high: f64) -> f64 {
        low + (high - low) * self.0.with(name).uniform(0)
    }

    pub fn normal(&self, name: &str, deviation: f64) -> f64 {
        deviation * self.0.with(name).normal(0)
    }

    pub fn chance(&self, name: &str, probability: f64) -> bool {
        self.0.with(name).uniform(0) < probability
    }

    /// −1 (left in the image) or 1 (right).
    pub fn side(&self, name: &str) -> f64 {
        if self.chance(name, 0.5) { 1.0 } else { -1.0 }
    }
}
