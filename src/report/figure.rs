//! One result of a sweep, drawn: what a `figure` step keeps, and its drawing for the page and as a file of its own.

use super::axes::Axes;
use super::scale::Scale;
use super::style;
use super::svg::{Anchor, Svg, text_width};
use super::table::{csv, decimals, plain};
use crate::diagnostic::Diagnostic;
use crate::metrics::sweep::Cell;
use crate::metrics::utility::Estimate;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

/// A finished figure: its `points` output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub title: String,
    /// `gap.auroc_gap`.
    pub value: String,
    /// What that is.
    pub documentation: String,
    /// What the points and bars are.
    pub conditions: String,
    /// The axis that goes across, and its labels.
    pub x: String,
    pub labels: Vec<String>,
    /// Where the labels stand, if all are numbers of one kind.
    pub numbers: Option<Vec<f64>>,
    /// What stands behind the series.
    #[serde(default)]
    pub reference: Option<Reference>,
    pub series: Vec<Series>,
}

/// A result that is drawn as one line with its interval as a band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// `gap.auroc_real`.
    pub value: String,
    pub documentation: String,
    /// For every label.
    pub cells: Vec<Cell>,
}

/// One line or group of marks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// `gan = cpd`; empty where there is only one.
    pub name: String,
    /// A mean with its interval for every label, with the instances.
    pub cells: Vec<Cell>,
}

const WIDTH: f64 = 640.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 18.0;
const PLOT: f64 = 260.0;
const BELOW: f64 = 46.0;
const TITLE: f64 = 26.0;
const LEGEND_LINE: f64 = 20.0;
const TEXT: f64 = 12.0;
/// As many colours as `style.css` has for series.
const COLOURS: usize = 6;
/// A range of so many times its smallest value is drawn on a logarithmic scale.
const WIDE_RANGE: f64 = 50.0;

impl Figure {
    /// The figure with its title and conditions.
    pub fn section(&self, step: &str) -> Markup {
        let notes = self.notes();
        html! {
            figure.sweep {
                h3 { (self.title) }
                div.wide role="region" tabindex="0" aria-label=(self.title) { (self.draw().finish("chart sweep", &self.description())) }
                figcaption.caption {
                    "Figure " code { (step) } ". " (self.conditions)
                    @for (value, documentation) in self.drawn() {
                        @if !documentation.is_empty() { " " code { (value) } ": " (documentation.trim_end_matches('.')) "." }
                    }
                    @if !notes.is_empty() { " Missing: " (notes.join("; ")) "." }
                }
            }
        }
    }

    /// What goes up and what stands behind it, each with what it is.
    fn drawn(&self) -> impl Iterator<Item = (&str, &str)> {
        let reference = self.reference.as_ref().map(|reference| (reference.value.as_str(), reference.documentation.as_str()));
        [(self.value.as_str(), self.documentation.as_str())].into_iter().chain(reference)
    }

    /// The means and intervals that are drawn.
    fn cells(&self) -> impl Iterator<Item = &Cell> {
        let reference = self.reference.iter().flat_map(|reference| &reference.cells);
        self.series.iter().flat_map(|series| &series.cells).chain(reference)
    }

    /// A file that stands alone.
    pub fn svg(&self) -> String {
        let style =
            style::of_file(style::rules("Curves").filter(|rule| rule.starts_with("svg .") || rule.starts_with("svg text")));
        self.draw().finish_as_file("chart", &self.description(), &style)
    }

    /// A line for every instance, with all digits; behind it the mean that is drawn where it stands, and the reference there.
    pub fn csv(&self) -> Result<Vec<u8>, Diagnostic> {
        let instances = || self.series.iter().flat_map(|series| &series.cells).flat_map(|cell| &cell.instances);
        let axes: Vec<String> = instances().next().map(|first| first.at.keys().cloned().collect()).unwrap_or_default();
        let columns = |of: &str| [of.to_owned(), format!("low of {of}"), format!("high of {of}")];
        let reference = self.reference.as_ref().map(|reference| columns(&format!("mean of {}", reference.value)));
        let head = axes.iter().cloned().chain([self.value.clone(), "low".into(), "high".into(), "missing".into()]);
        let head = head.chain(columns(&format!("mean of {}", self.value))).chain(reference.into_iter().flatten());
        let mut lines: Vec<Vec<String>> = vec![head.collect()];
        let numbers = |found: Option<Estimate>| {
            let text = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            [found.map(|found| found.value), found.and_then(|found| found.low), found.and_then(|found| found.high)].map(text)
        };
        for series in &self.series {
            for (place, cell) in series.cells.iter().enumerate() {
                let behind =
                    self.reference.as_ref().map(|reference| numbers(reference.cells.get(place).and_then(|cell| cell.estimate)));
                for instance in &cell.instances {
                    let labels = axes.iter().map(|axis| instance.at.get(axis).cloned().unwrap_or_default());
                    let own = labels.chain(numbers(instance.found)).chain([instance.missing.clone().unwrap_or_default()]);
                    lines.push(own.chain(numbers(cell.estimate)).chain(behind.iter().flatten().cloned()).collect());
                }
            }
        }
        csv(&lines)
    }

    /// Instances without a number, with the reason.
    fn notes(&self) -> Vec<String> {
        let instances = self.cells().flat_map(|cell| &cell.instances);
        instances.filter_map(|instance| Some(format!("{} {}", instance.place(), instance.missing.as_deref()?))).collect()
    }

    /// What a screen reader says: the mean at every place.
    fn description(&self) -> String {
        let decimals = decimals(self.cells().filter_map(|cell| cell.estimate));
        let told = |(name, cells): (&str, &[Cell])| {
            let at = |(label, cell): (&String, &Cell)| format!("{label}: {}", plain(cell, decimals));
            let means: Vec<String> = self.labels.iter().zip(cells).map(at).collect();
            if name.is_empty() { means.join(", ") } else { format!("{name}: {}", means.join(", ")) }
        };
        let reference = self.reference.iter().map(|reference| (reference.value.as_str(), reference.cells.as_slice()));
        let series = self.series.iter().map(|series| (series.name.as_str(), series.cells.as_slice()));
        let told: Vec<String> = series.chain(reference).map(told).collect();
        format!("{}: {} over {}. {}", self.title, self.value, self.x, told.join("; "))
    }

    fn draw(&self) -> Svg {
        let legend = self.legend();
        let legend_height = legend.last().map_or(0.0, |(_, (_, y))| y + LEGEND_LINE);
        let top = TITLE + legend_height + 6.0;
        let height = top + PLOT + BELOW;
        let axes = Axes { left: LEFT, right: WIDTH - RIGHT, top, bottom: top + PLOT, vertical: self.vertical() };
        let places = self.places(&axes);
        let mut svg = Svg::new(WIDTH, height);
        svg.text((2.0, 15.0), Anchor::Start, "label", &shortened(&self.vertical_title(), WIDTH - 8.0));
        for ((entry, name), (x, y)) in &legend {
            let at = (x + 8.0, TITLE + y + 8.0);
            match entry {
                Some(series) => mark(&mut svg, at, *series),
                None => {
                    svg.rectangle((x + 1.0, at.1 - 5.0), (14.0, 10.0), 0.0, "band");
                    svg.line((x + 1.0, at.1), (x + 15.0, at.1), "curve reference");
                }
            }
            svg.text((x + 18.0, at.1 + 4.0), Anchor::Start, "tick", name);
        }
        axes.draw(&mut svg);
        self.draw_reference(&mut svg, &axes, &places);
        self.draw_labels(&mut svg, &axes, &places);
        let count = self.series.len() as f64;
        let gap = if self.numbers.is_some() { 14.0 } else { 20.0 };
        let gap = (places.windows(2).filter_map(|pair| Some((pair.get(1)? - pair.first()?).abs())).fold(f64::INFINITY, f64::min)
            / (count + 1.0))
            .min(gap);
        for (index, series) in self.series.iter().enumerate() {
            let aside = if count > 1.0 { (index as f64 - (count - 1.0) / 2.0) * gap } else { 0.0 };
            self.draw_series(&mut svg, &axes, &places, (index, series), aside);
        }
        svg
    }

    /// A line over all numbers, or a piece of one over every name; its interval as a band behind it.
    fn draw_reference(&self, svg: &mut Svg, axes: &Axes, places: &[f64]) {
        let Some(reference) = &self.reference else { return };
        let decimals = decimals(reference.cells.iter().filter_map(|cell| cell.estimate));
        let half = (axes.right - axes.left) / places.len().max(1) as f64 * 0.42;
        let mut found: Vec<(f64, &String, &Cell, Estimate)> = places
            .iter()
            .zip(&self.labels)
            .zip(&reference.cells)
            .filter_map(|((place, label), cell)| Some((*place, label, cell, cell.estimate?)))
            .collect();
        found.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
        let pieces: Vec<Vec<(f64, Estimate)>> = match self.numbers.is_some() && found.len() > 1 {
            true => vec![found.iter().map(|(place, .., estimate)| (*place, *estimate)).collect()],
            false => {
                found.iter().map(|(place, .., estimate)| [-half, half].map(|side| (place + side, *estimate)).into()).collect()
            }
        };
        for piece in &pieces {
            let ends =
                |end: fn(&Estimate) -> Option<f64>| piece.iter().map(move |(x, estimate)| Some((*x, axes.y(end(estimate)?))));
            let outline: Option<Vec<(f64, f64)>> =
                ends(|estimate| estimate.low).chain(ends(|estimate| estimate.high).rev()).collect();
            if let Some(outline) = outline {
                svg.polygon(&outline, "band");
            }
            let line: Vec<(f64, f64)> = piece.iter().map(|(x, estimate)| (*x, axes.y(estimate.value))).collect();
            svg.polyline(&line, "curve reference");
        }
        for (place, label, cell, estimate) in found {
            let told = format!("{}, {} = {label}: {}, n = {}", reference.value, self.x, plain(cell, decimals), cell.n);
            svg.described(&told, |svg| svg.circle((place, axes.y(estimate.value)), 2.4, "mark reference"));
        }
    }

    fn draw_series(&self, svg: &mut Svg, axes: &Axes, places: &[f64], (index, series): (usize, &Series), aside: f64) {
        let class = format!("series-{}", index % COLOURS);
        let x = |place: f64| place + aside;
        // A line joins numbers, not names.
        if self.numbers.is_some() {
            let mut line: Vec<(f64, f64)> = places
                .iter()
                .zip(&series.cells)
                .filter_map(|(place, cell)| Some((x(*place), axes.y(cell.estimate?.value))))
                .collect();
            line.sort_by(|a, b| a.0.total_cmp(&b.0));
            svg.polyline(&line, &format!("curve {class} dash-{}", (index / COLOURS) % 4));
        }
        let decimals = decimals(series.cells.iter().filter_map(|cell| cell.estimate));
        for ((place, label), cell) in places.iter().zip(&self.labels).zip(&series.cells) {
            let told =
                [series.name.as_str(), &format!("{} = {label}", self.x)].join(if series.name.is_empty() { "" } else { ", " });
            // Where one instance stands alone, it is the mean.
            for instance in cell.instances.iter().filter(|_| cell.instances.len() > 1) {
                let Some(found) = instance.found else { continue };
                svg.described(&format!("{}: {:.decimals$}", instance.place(), found.value), |svg| {
                    // Beside the interval, not behind it.
                    svg.circle((x(*place) - 6.0, axes.y(found.value)), 2.4, &format!("point {class}"));
                });
            }
            let Some(estimate) = cell.estimate else { continue };
            svg.described(&format!("{told}: {}, n = {}", plain(cell, decimals), cell.n), |svg| {
                if let Some((low, high)) = super::line::interval(&estimate) {
                    let (low, high) = (axes.y(low), axes.y(high));
                    svg.line((x(*place), low), (x(*place), high), &format!("interval {class}"));
                    for end in [low, high] {
                        svg.line((x(*place) - 4.0, end), (x(*place) + 4.0, end), &format!("interval {class}"));
                    }
                }
                mark(svg, (x(*place), axes.y(estimate.value)), index);
            });
        }
    }

    /// Ticks with their labels, as many as have room, and the name of the axis.
    fn draw_labels(&self, svg: &mut Svg, axes: &Axes, places: &[f64]) {
        let mut order: Vec<(f64, &String)> = places.iter().copied().zip(&self.labels).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let room = (axes.right - axes.left) / places.len().max(1) as f64 - 6.0;
        let mut free = 0.0;
        for (place, label) in order {
            svg.line((place, axes.bottom), (place, axes.bottom + 4.0), "axis");
            let label = if self.numbers.is_some() { label.clone() } else { shortened(label, room.max(24.0)) };
            let half = text_width(&label, TEXT) / 2.0;
            if place - half >= free {
                svg.text((place, axes.bottom + 17.0), Anchor::Middle, "tick", &label);
                free = place + half + 4.0;
            }
        }
        let title = if self.is_logarithmic() { format!("{}, logarithmic scale", self.x) } else { self.x.clone() };
        svg.text((axes.right, axes.bottom + 36.0), Anchor::End, "label", &title);
    }

    /// Where every label stands across.
    fn places(&self, axes: &Axes) -> Vec<f64> {
        const INSET: f64 = 28.0;
        let (left, right) = (axes.left + INSET, axes.right - INSET);
        match &self.numbers {
            Some(numbers) => {
                let scaled = |number: f64| if self.is_logarithmic() { number.ln() } else { number };
                let low = numbers.iter().copied().map(scaled).fold(f64::INFINITY, f64::min);
                let high = numbers.iter().copied().map(scaled).fold(f64::NEG_INFINITY, f64::max);
                let at = |number: &f64| match high > low {
                    true => left + (scaled(*number) - low) / (high - low) * (right - left),
                    false => (left + right) / 2.0,
                };
                numbers.iter().map(at).collect()
            }
            None => {
                let count = self.labels.len().max(1) as f64;
                let step = (axes.right - axes.left) / count;
                (0..self.labels.len()).map(|index| axes.left + step * (index as f64 + 0.5)).collect()
            }
        }
    }

    fn is_logarithmic(&self) -> bool {
        let numbers = self.numbers.as_deref().unwrap_or_default();
        let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let high = numbers.iter().copied().fold(0.0, f64::max);
        numbers.len() > 2 && low > 0.0 && high / low >= WIDE_RANGE
    }

    /// All points, means and intervals lie on it.
    fn vertical(&self) -> Scale {
        let means = self.cells().filter_map(|cell| cell.estimate).flat_map(|it| [Some(it.value), it.low, it.high]).flatten();
        let points = self
            .series
            .iter()
            .flat_map(|series| &series.cells)
            .flat_map(|cell| &cell.instances)
            .filter_map(|instance| Some(instance.found?.value));
        Scale::around(means.chain(points), 5)
    }

    /// The first sentence on the result, with its name.
    fn vertical_title(&self) -> String {
        told(&self.value, &self.documentation)
    }

    /// The entries, each with the corner where it stands, in lines that fit the width: every series where there are several, and the
    /// reference.
    fn legend(&self) -> Vec<(Entry, (f64, f64))> {
        let (mut x, mut y) = (0.0, 0.0);
        let series = self.series.iter().enumerate().filter(|_| self.series.len() > 1);
        let series = series.map(|(index, series)| (Some(index), series.name.clone()));
        let reference = self.reference.iter().map(|reference| (None, told(&reference.value, &reference.documentation)));
        let mut entries = Vec::new();
        for (entry, name) in series.chain(reference) {
            let name = shortened(&name, WIDTH - 32.0);
            let width = text_width(&name, TEXT) + 32.0;
            if x > 0.0 && x + width > WIDTH {
                (x, y) = (0.0, y + LEGEND_LINE);
            }
            entries.push(((entry, name), (x, y)));
            x += width;
        }
        entries
    }
}

/// The number of a series, or `None` for the reference; and its name.
type Entry = (Option<usize>, String);

/// The first sentence on a result, with its name.
fn told(value: &str, documentation: &str) -> String {
    let sentence = documentation.lines().collect::<Vec<_>>().join(" ");
    let sentence = sentence.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned();
    if sentence.is_empty() { value.to_owned() } else { format!("{sentence} ({value})") }
}

/// The mark of a mean: colours and shapes take turns.
fn mark(svg: &mut Svg, at: (f64, f64), series: usize) {
    let class = format!("mark series-{}", series % COLOURS);
    if series.is_multiple_of(2) { svg.circle(at, 4.2, &class) } else { svg.diamond(at, 5.2, &class) }
}

/// Cut where it is wider than the room.
fn shortened(text: &str, room: f64) -> String {
    if text_width(text, TEXT) <= room {
        return text.to_owned();
    }
    let mut kept = text.to_owned();
    while !kept.is_empty() && text_width(&kept, TEXT) + TEXT > room {
        kept.pop();
    }
    format!("{}…", kept.trim_end())
}

/// The numbers that labels are, where all are numbers with the same unit or without one: 20, 30kimg, 80%. A seed is a name: no seed
/// lies between two others.
pub fn numbers(axis: &str, labels: &[String]) -> Option<Vec<f64>> {
    if axis == "seed" || axis.ends_with("_seed") {
        return None;
    }
    let number = |label: &String| {
        let split = label.find(|character: char| character.is_alphabetic() && character != 'e' || character == '%');
        let (number, unit) = label.split_at_checked(split.unwrap_or(label.len()))?;
        let (factor, dimension) = match unit {
            "" => (1.0, ""),
            "img" => (1.0, "images"),
            "kimg" => (1e3, "images"),
            "Mimg" => (1e6, "images"),
            "s" => (1.0, "duration"),
            "min" => (60.0, "duration"),
            "h" => (3_600.0, "duration"),
            other => (1.0, other),
        };
        let value: f64 = number.replace('_', "").parse().ok()?;
        Some((value * factor, dimension.to_owned()))
    };
    let found: Vec<(f64, String)> = labels.iter().map(number).collect::<Option<_>>()?;
    let (_, first) = found.first()?;
    let fit = found.iter().all(|(value, dimension)| value.is_finite() && dimension == first);
    fit.then(|| found.iter().map(|(value, _)| *value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::statistic::Statistic;
    use crate::metrics::sweep::Measured;
    use std::collections::BTreeMap;

    fn cell(gan: &str, classes: &str, values: &[Option<f64>]) -> Cell {
        let instance = |(seed, value): (usize, &Option<f64>)| Measured {
            at: BTreeMap::from([
                ("gan".into(), gan.into()),
                ("classes".into(), classes.into()),
                ("seed".into(), seed.to_string()),
            ]),
            found: value.map(|value| Estimate { value, low: None, high: None }),
            missing: value.is_none().then(|| "has no value".to_owned()),
        };
        Cell::of(Statistic::MeanInterval, values.iter().enumerate().map(instance).collect())
    }

    fn figure() -> Figure {
        let labels = ["20", "10", "4"].map(str::to_owned);
        let series = |name: &str, worse: f64| Series {
            name: format!("gan = {name}"),
            cells: labels
                .iter()
                .enumerate()
                .map(|(at, label)| {
                    let base = 0.8 + 0.05 * at as f64 - worse;
                    cell(name, label, &[Some(base), Some(base + 0.02), (at > 0).then_some(base - 0.01)])
                })
                .collect(),
        };
        Figure {
            title: "AUROC <b>".into(),
            value: "gap.auroc".into(),
            documentation: "Macro AUROC. And more.".into(),
            conditions: "Points are instances.".into(),
            x: "classes".into(),
            numbers: numbers("classes", &labels),
            labels: labels.to_vec(),
            reference: None,
            series: vec![series("cpd", 0.0), series("prog", 0.1)],
        }
    }

    fn with_reference() -> Figure {
        let cells = ["20", "10", "4"].map(|label| cell("cpd", label, &[Some(0.94), Some(0.96), Some(0.95)]));
        let (value, documentation) = ("gap.auroc_real".to_owned(), "Macro AUROC, trained on real. And more.".to_owned());
        Figure { reference: Some(Reference { value, documentation, cells: cells.into() }), ..figure() }
    }

    #[test]
    fn a_reference_is_a_line_in_its_band_behind_the_series() {
        let svg = with_reference().svg();
        assert_eq!((svg.matches("<polygon").count(), svg.matches("<polyline").count()), (1, 3), "{svg}");
        assert_eq!(svg.matches("class=\"mark reference").count(), 3);
        assert!(svg.find("<polygon") < svg.find("class=\"point"), "{svg}");
        assert!(svg.contains("Macro AUROC, trained on real (gap.auroc_real)") && svg.contains(".band{"), "{svg}");
        let names = Figure { numbers: None, ..with_reference() }.svg();
        assert_eq!((names.matches("<polygon").count(), names.matches("<polyline").count()), (3, 3), "{names}");
        let csv = String::from_utf8(with_reference().csv().unwrap()).unwrap();
        assert!(
            csv.lines()
                .next()
                .unwrap()
                .ends_with("mean of gap.auroc_real,low of mean of gap.auroc_real,high of mean of gap.auroc_real")
        );
        assert!(csv.lines().nth(1).unwrap().contains(",0.9499"), "{csv}");
    }

    #[test]
    fn every_instance_is_a_point_and_every_place_has_its_interval() {
        let svg = figure().svg();
        assert_eq!(svg.matches("class=\"point").count(), 16, "{svg}");
        assert_eq!(svg.matches("class=\"mark series-").count(), 6 + 2);
        assert_eq!(svg.matches("class=\"interval").count(), 6 * 3);
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains("Macro AUROC (gap.auroc)") && !svg.contains("<b>") && !svg.contains("var("), "{svg}");
        assert!(svg.contains(".mark.series-0, .point.series-0{fill:#"), "{svg}");
    }

    #[test]
    fn names_have_no_line_between_them() {
        let figure = Figure { numbers: None, ..figure() };
        assert!(!figure.svg().contains("<polyline"));
    }

    #[test]
    fn missing_instances_are_told() {
        let page = figure().section("f").into_string();
        assert!(page.contains("Missing: classes = 20, gan = cpd, seed = 2 has no value"), "{page}");
        let csv = String::from_utf8(figure().csv().unwrap()).unwrap();
        assert_eq!(csv.lines().count(), 1 + 18);
        assert!(
            csv.starts_with("classes,gan,seed,gap.auroc,low,high,missing,mean of gap.auroc,low of mean of gap.auroc,"),
            "{csv}"
        );
        assert!(csv.contains("\n20,cpd,0,0.8,,,,0.81,") && csv.contains("\n20,cpd,2,,,,has no value,0.81,"), "{csv}");
    }

    #[test]
    fn labels_are_numbers_where_all_are() {
        let of = |axis: &str, labels: &[&str]| numbers(axis, &labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>());
        assert_eq!(of("classes", &["20", "4"]), Some(vec![20.0, 4.0]));
        assert_eq!(of("budget", &["500img", "1kimg"]), Some(vec![500.0, 1_000.0]));
        assert_eq!(of("share", &["10%", "80%"]), Some(vec![10.0, 80.0]));
        assert_eq!(of("rate", &["1e-3", "0.01"]), Some(vec![0.001, 0.01]));
        assert_eq!(of("mixed", &["1kimg", "2h"]), None);
        assert_eq!(of("gan", &["cpd", "4"]), None);
        assert_eq!(of("seed", &["1", "2"]), None);
        assert_eq!(of("odd", &["NaN", "inf"]), None);
    }
}
