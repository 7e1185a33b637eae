//! Line charts of training: one panel, several series over one quantity.

use super::axes::Axes;
use super::number;
use super::scale::Scale;
use super::svg::{Anchor, Svg};
use maud::{Markup, html};

const WIDTH: f64 = 470.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 40.0;

/// More points than this are no longer told apart at the panel's width.
const MOST_POINTS: usize = 480;

/// More lines than this have no key.
const MOST_NAMED: usize = 12;

/// One line of a panel.
#[derive(Clone, Debug, Default)]
pub struct Series {
    pub name: String,
    /// The class of its colour: `real`, `synthetic`, `discriminator`.
    pub class: &'static str,
    /// Tells lines of one colour apart: 0 is solid, 1 dashed, and so on.
    pub dash: usize,
    pub points: Vec<(f64, f64)>,
    /// Points with a ring around them.
    pub rings: Vec<(f64, f64)>,
}

/// A chart.
#[derive(Clone, Debug, Default)]
pub struct Panel {
    pub title: String,
    pub horizontal: &'static str,
    pub series: Vec<Series>,
    /// Whether the horizontal axis counts in whole steps.
    pub whole_steps: bool,
}

impl Panel {
    /// The panel as a figure with title, drawing and key; nothing where no series has a finite point.
    pub fn figure(&self) -> Option<Markup> {
        let finite = |points: &[(f64, f64)]| points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        let lines: Vec<(&Series, Vec<(f64, f64)>)> = self
            .series
            .iter()
            .map(|series| (series, finite(&series.points)))
            .filter(|(_, points): &(_, Vec<(f64, f64)>)| !points.is_empty())
            .collect();
        if lines.is_empty() {
            return None;
        }
        let dropped: usize = self.series.iter().map(|series| series.points.len()).sum::<usize>()
            - lines.iter().map(|(_, points)| points.len()).sum::<usize>();
        Some(html! {
            figure.panel {
                h4 { (self.title) }
                (self.draw(&lines))
                figcaption {
                    @if lines.len() > MOST_NAMED {
                        span.note { (lines.len()) " lines; the name of each is shown under the pointer" }
                    } @else {
                        @for (series, _) in &lines { span.key { (sample(series)) " " (series.name) } }
                    }
                    @if dropped > 0 {
                        span.note { (number::counted(dropped, "value is", "values are")) " not a number and left out" }
                    }
                }
            }
        })
    }

    fn draw(&self, lines: &[(&Series, Vec<(f64, f64)>)]) -> Markup {
        let all = || lines.iter().flat_map(|(_, points)| points.iter());
        let vertical = Scale::around(all().map(|(_, y)| *y), 5);
        let horizontal = self.horizontal_scale(all().map(|(x, _)| *x));
        let x = |value: f64| horizontal.position(value, LEFT, WIDTH - RIGHT);
        let axes = Axes { left: LEFT, right: WIDTH - RIGHT, top: TOP, bottom: HEIGHT - BOTTOM, vertical };
        let y = |value: f64| axes.y(value);
        let mut svg = Svg::new(WIDTH, HEIGHT);
        axes.draw(&mut svg);
        for tick in &horizontal.ticks {
            svg.line((x(*tick), HEIGHT - BOTTOM), (x(*tick), HEIGHT - BOTTOM + 4.0), "axis");
            let label = number::decimal(*tick, horizontal.decimals);
            svg.text((x(*tick), HEIGHT - BOTTOM + 17.0), Anchor::Middle, "tick", &label);
        }
        svg.text((WIDTH - RIGHT, HEIGHT - 6.0), Anchor::End, "tick", self.horizontal);
        for (series, points) in lines {
            let drawn: Vec<(f64, f64)> = thinned(points).into_iter().map(|(px, py)| (x(px), y(py))).collect();
            svg.described(&series.name, |svg| {
                svg.polyline(&drawn, &format!("curve {} dash-{}", series.class, series.dash % 4));
                if let [(px, py)] = drawn.as_slice() {
                    svg.circle((*px, *py), 3.0, &format!("mark {}", series.class));
                }
            });
        }
        for (series, _) in lines {
            for (px, py) in series.rings.iter().filter(|(px, py)| px.is_finite() && py.is_finite()) {
                svg.circle((x(*px), y(*py)), 5.0, &format!("ring {}", series.class));
            }
        }
        svg.finish("chart", &self.description(lines))
    }

    /// The line fills the frame from the first step, or from nothing, to its end; ticks are round numbers between.
    fn horizontal_scale(&self, values: impl Iterator<Item = f64>) -> Scale {
        let (low, high) = values.fold((f64::INFINITY, 0f64), |(low, high), value| (low.min(value), high.max(value)));
        if !self.whole_steps {
            let low = low.min(0.0);
            let mut scale = Scale::around([low, high], 6);
            if high > low {
                (scale.low, scale.high) = (low, high);
            }
            scale.ticks.retain(|tick| *tick <= scale.high + 1e-9);
            return scale;
        }
        let (low, high) = if high > low { (low, high) } else { (low - 1.0, low + 1.0) };
        let step = (0..12).flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10f64.powi(power)));
        let step = step.into_iter().find(|step| (high - low) / step <= 10.0).unwrap_or(high - low);
        let first = (low / step).ceil();
        let count = ((high / step).floor() - first).max(0.0) as usize;
        let ticks = (0..=count).map(|index| (first + index as f64) * step).collect();
        Scale { low, high, ticks, decimals: 0 }
    }

    /// What a screen reader says: where every line begins and ends.
    fn description(&self, lines: &[(&Series, Vec<(f64, f64)>)]) -> String {
        let told: Vec<String> = lines
            .iter()
            .filter_map(|(series, points)| {
                let ((_, first), (_, last)) = (points.first()?, points.last()?);
                Some(format!("{} from {} to {}", series.name, number::decimal(*first, 3), number::decimal(*last, 3)))
            })
            .collect();
        format!("{} over {}: {}", self.title, self.horizontal, told.join("; "))
    }
}

/// A stretch of the line as the key shows it.
fn sample(series: &Series) -> Markup {
    let mut svg = Svg::new(26.0, 12.0);
    svg.line((1.0, 6.0), (25.0, 6.0), &format!("curve {} dash-{}", series.class, series.dash % 4));
    if !series.rings.is_empty() {
        svg.circle((13.0, 6.0), 4.0, &format!("ring {}", series.class));
    }
    svg.finish_as_decoration("swatch")
}

/// The lowest and the highest point of every stretch, so that no spike is lost.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let stretch = points.len().div_ceil(MOST_POINTS / 2);
    let extremes = |part: &[(f64, f64)]| {
        let lowest = part.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1));
        let highest = part.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
        let mut kept: Vec<(f64, f64)> = [lowest, highest].into_iter().flatten().collect();
        kept.sort_by(|a, b| a.0.total_cmp(&b.0));
        kept
    };
    points.chunks(stretch).flat_map(extremes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_spikes_and_order() {
        let mut points: Vec<(f64, f64)> = (0..10_000).map(|index| (f64::from(index), 1.0)).collect();
        points[4_321].1 = 50.0;
        let kept = thinned(&points);
        assert!(kept.len() <= MOST_POINTS, "{}", kept.len());
        assert!(kept.contains(&(4_321.0, 50.0)));
        assert!(kept.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }

    #[test]
    fn a_panel_without_numbers_is_no_panel() {
        let series = Series { points: vec![(1.0, f64::NAN)], ..Series::default() };
        assert!(Panel { series: vec![series], ..Panel::default() }.figure().is_none());
    }
}
