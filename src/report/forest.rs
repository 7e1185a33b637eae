//! The dot-and-interval plot beside a table: one small drawing a row, all on one scale, so that every row lines up with its
//! numbers, and one axis below.

use super::scale::Scale;
use super::study::Origin;
use super::svg::{Anchor, Svg};
use maud::Markup;

/// Width of the plot and height of a row, in CSS pixels.
const WIDTH: f64 = 220.0;
const HEIGHT: f64 = 36.0;
const MARGIN: f64 = 14.0;

/// The AUROC of guessing.
const CHANCE: f64 = 0.5;

/// A value with its interval, where there are such.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    pub origin: Origin,
    pub value: Option<f64>,
    pub interval: Option<(f64, f64)>,
}

/// A scale on which all marks of a table lie. AUROC: the right end is never beyond 1.
pub fn scale<'a>(marks: impl IntoIterator<Item = &'a Mark>) -> Scale {
    let values = marks.into_iter().flat_map(|mark| {
        let (low, high) = mark.interval.unzip();
        [mark.value, low, high].into_iter().flatten()
    });
    Scale::around(values.chain([1.0]), 4)
}

/// The plot of one row. What it shows stands in the row as numbers.
pub fn row(scale: &Scale, marks: &[Mark]) -> Markup {
    let mut svg = Svg::new(WIDTH, HEIGHT);
    let at = |value: f64| scale.position(value, MARGIN, WIDTH - MARGIN);
    for tick in &scale.ticks {
        svg.line((at(*tick), 0.0), (at(*tick), HEIGHT), "grid");
    }
    if scale.low <= CHANCE {
        svg.line((at(CHANCE), 0.0), (at(CHANCE), HEIGHT), "chance");
    }
    let step = HEIGHT / (marks.len() + 1) as f64;
    for (index, mark) in marks.iter().enumerate() {
        let y = step * (index + 1) as f64;
        if let Some((low, high)) = mark.interval {
            svg.line((at(low), y), (at(high), y), &format!("interval {}", mark.origin.class()));
        }
        match (mark.value, mark.origin) {
            (None, _) => {}
            (Some(value), Origin::Real) => svg.circle((at(value), y), 4.0, "mark real"),
            (Some(value), Origin::Synthetic) => svg.diamond((at(value), y), 4.8, "mark synthetic"),
        }
    }
    svg.finish_as_decoration("forest")
}

/// Ticks and numbers below the last row.
pub fn axis(scale: &Scale) -> Markup {
    let mut svg = Svg::new(WIDTH, 26.0);
    let at = |value: f64| scale.position(value, MARGIN, WIDTH - MARGIN);
    svg.line((at(scale.low), 0.5), (at(scale.high), 0.5), "axis");
    for tick in &scale.ticks {
        svg.line((at(*tick), 0.0), (at(*tick), 5.0), "axis");
        svg.text((at(*tick), 18.0), Anchor::Middle, "tick", &format!("{tick:.*}", scale.decimals));
    }
    svg.finish_as_decoration("forest")
}

/// The key to the two marks: what the classifier was trained on.
pub fn key() -> Markup {
    let mut svg = Svg::new(14.0, 12.0);
    svg.circle((7.0, 6.0), 4.0, "mark real");
    let real = svg.finish_as_decoration("swatch");
    let mut svg = Svg::new(14.0, 12.0);
    svg.diamond((7.0, 6.0), 4.8, "mark synthetic");
    let synthetic = svg.finish_as_decoration("swatch");
    maud::html! {
        span.key { (real) " real" }
        span.key { (synthetic) " synthetic" }
    }
}
