//! What drawings are made of: soft borders, spots and lines. Coordinates run from −1 to 1 over the image, x to the right and y
//! down.

use crate::random::Key;
use std::f64::consts::TAU;

/// Beyond so many times its softness no byte could tell a border from what is well inside or outside of it.
const SOFT: f64 = 14.0;
/// The same of a ridge and its width.
const WIDE: f64 = 5.0;
/// What squares of distances are compared with lies this far outside, so that rounding never decides.
const MARGIN: f64 = 1e-6;

/// 1 well inside a border, 0 well outside, by the signed distance and the border's softness.
pub fn inside(distance: f64, softness: f64) -> f64 {
    let far = (SOFT + MARGIN) * softness;
    if distance > far {
        return 1.0;
    }
    if distance < -far {
        return 0.0;
    }
    let steps = distance / softness;
    if steps.abs() > SOFT { f64::from(u8::from(steps > 0.0)) } else { 1.0 / (1.0 + (-steps).exp()) }
}

/// 1 at a ridge, falling off like a normal distribution of this width.
pub fn ridge(distance: f64, width: f64) -> f64 {
    if distance.abs() > (WIDE + MARGIN) * width {
        return 0.0;
    }
    let steps = distance / width;
    if steps.abs() > WIDE { 0.0 } else { (-0.5 * steps * steps).exp() }
}

/// [`ridge`] of the distance of a point whose coordinates are given from the ridge's middle.
pub fn round_ridge(x: f64, y: f64, width: f64) -> f64 {
    let (squared, out) = (x * x + y * y, (WIDE + MARGIN) * width);
    if squared > out * out { 0.0 } else { ridge(squared.sqrt(), width) }
}

/// The square of what a cosine of so many turns has above 0.
pub fn crest(turns: f64) -> f64 {
    let part = (turns - (turns as i64) as f64).abs();
    let is_below = part > 0.25 + MARGIN && part < 0.75 - MARGIN;
    if is_below { 0.0 } else { (TAU * turns).cos().max(0.0).powi(2) }
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
}

/// An ellipse that is looked at from many points.
#[derive(Clone, Copy, Debug)]
pub struct Oval {
    ellipse: Ellipse,
    sin: f64,
    cos: f64,
}

impl Oval {
    pub fn new(ellipse: Ellipse) -> Self {
        let (sin, cos) = ellipse.turn.sin_cos();
        Self { ellipse, sin, cos }
    }

    /// The square of the distance from the middle in half axes.
    fn squared(&self, x: f64, y: f64) -> f64 {
        let Self { ellipse, sin, cos } = self;
        let (dx, dy) = (x - ellipse.x, y - ellipse.y);
        ((cos * dx + sin * dy) / ellipse.width).powi(2) + ((cos * dy - sin * dx) / ellipse.height).powi(2)
    }

    /// [`inside`] of the ellipse's depth.
    pub fn inside(&self, x: f64, y: f64, softness: f64) -> f64 {
        let (squared, out) = (self.squared(x, y), 1.0 + (SOFT + MARGIN) * softness);
        if squared > out * out { 0.0 } else { inside(1.0 - squared.sqrt(), softness) }
    }

    /// A spot that falls off like a normal distribution with the half axes as its widths.
    pub fn spot(&self, x: f64, y: f64) -> f64 {
        let (squared, out) = (self.squared(x, y), WIDE + MARGIN);
        if squared > out * out { 0.0 } else { ridge(squared.sqrt(), 1.0) }
    }
}

/// A line that is looked at from many points.
#[derive(Clone, Copy, Debug)]
pub struct Stroke {
    line: Line,
    dx: f64,
    dy: f64,
    /// The square of its length.
    squared: f64,
    /// How far it is seen from, and the box of all these places.
    reach: f64,
    low: Point,
    high: Point,
}

impl Stroke {
    /// A line of which only what lies within `reach` counts.
    pub fn new(line: Line, reach: f64) -> Self {
        let Line { from, to } = line;
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let out = reach + MARGIN;
        Self {
            line,
            dx,
            dy,
            squared: (dx * dx + dy * dy).max(1e-12),
            reach,
            low: Point { x: from.x.min(to.x) - out, y: from.y.min(to.y) - out },
            high: Point { x: from.x.max(to.x) + out, y: from.y.max(to.y) + out },
        }
    }

    /// As [`Line::distance`]; `None` beyond the reach.
    pub fn distance(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        if x < self.low.x || x > self.high.x || y < self.low.y || y > self.high.y {
            return None;
        }
        let (px, py) = (x - self.line.from.x, y - self.line.from.y);
        let along = ((px * self.dx + py * self.dy) / self.squared).clamp(0.0, 1.0);
        let (across, down) = (px - along * self.dx, py - along * self.dy);
        let distance = (across * across + down * down).sqrt();
        (distance <= self.reach).then_some((distance, along))
    }
}

/// A line of some width with soft borders that is looked at from many points.
#[derive(Clone, Copy, Debug)]
pub struct Band {
    stroke: Stroke,
    width: f64,
    softness: f64,
}

impl Band {
    pub fn new(line: Line, width: f64, softness: f64) -> Self {
        Self { stroke: Stroke::new(line, width + (SOFT + MARGIN) * softness), width, softness }
    }

    /// [`inside`] of the width less the distance.
    pub fn inside(&self, x: f64, y: f64) -> f64 {
        self.stroke.distance(x, y).map_or(0.0, |(distance, _)| inside(self.width - distance, self.softness))
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
