//! A small writer of SVG: shapes with classes that `style.css` colours, so that one drawing serves light, dark and print.

use maud::{Markup, PreEscaped};
use std::fmt::Write as _;

/// A drawing in progress. Coordinates are CSS pixels at natural size, y downward.
pub struct Svg {
    width: f64,
    height: f64,
    body: String,
}

#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        let (x1, y1, x2, y2) = (coordinate(from.0), coordinate(from.1), coordinate(to.0), coordinate(to.1));
        let _ = write!(self.body, r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{}"/>"#, escape(class));
    }

    pub fn polyline(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", coordinate(*x), coordinate(*y))).collect();
        let _ = write!(self.body, r#"<polyline points="{}" class="{}"/>"#, points.join(" "), escape(class));
    }

    /// A closed area.
    pub fn polygon(&mut self, points: &[(f64, f64)], class: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", coordinate(*x), coordinate(*y))).collect();
        let _ = write!(self.body, r#"<polygon points="{}" class="{}"/>"#, points.join(" "), escape(class));
    }

    /// A curve from one point to the next, leaving and arriving horizontally.
    pub fn flow(&mut self, points: &[(f64, f64)], class: &str) {
        let mut path = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            match index.checked_sub(1).and_then(|before| points.get(before)) {
                None => {
                    let _ = write!(path, "M{} {}", coordinate(*x), coordinate(*y));
                }
                Some((before_x, before_y)) => {
                    let middle = coordinate((before_x + x) / 2.0);
                    let (y0, x1, y1) = (coordinate(*before_y), coordinate(*x), coordinate(*y));
                    let _ = write!(path, "C{middle} {y0} {middle} {y1} {x1} {y1}");
                }
            }
        }
        let _ = write!(self.body, r#"<path d="{path}" class="{}"/>"#, escape(class));
    }

    pub fn rectangle(&mut self, corner: (f64, f64), size: (f64, f64), radius: f64, class: &str) {
        let (x, y, width, height) = (coordinate(corner.0), coordinate(corner.1), coordinate(size.0), coordinate(size.1));
        let (radius, class) = (coordinate(radius), escape(class));
        let _ = write!(self.body, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" class="{class}"/>"#);
    }

    pub fn circle(&mut self, centre: (f64, f64), radius: f64, class: &str) {
        let (x, y, radius) = (coordinate(centre.0), coordinate(centre.1), coordinate(radius));
        let _ = write!(self.body, r#"<circle cx="{x}" cy="{y}" r="{radius}" class="{}"/>"#, escape(class));
    }

    /// A square on its corner, with as much reach as a circle of this radius has.
    pub fn diamond(&mut self, centre: (f64, f64), radius: f64, class: &str) {
        let (x, y) = centre;
        let [left, right, top, bottom] = [x - radius, x + radius, y - radius, y + radius].map(coordinate);
        let (x, y, class) = (coordinate(x), coordinate(y), escape(class));
        let _ = write!(self.body, r#"<path d="M{left} {y}L{x} {top}L{right} {y}L{x} {bottom}Z" class="{class}"/>"#);
    }

    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y) = (coordinate(at.0), coordinate(at.1));
        let (class, text) = (escape(class), escape(text));
        let _ = write!(self.body, r#"<text x="{x}" y="{y}" text-anchor="{anchor}" class="{class}">{text}</text>"#);
    }

    /// Everything that `draw` adds gets a description that browsers show under the pointer.
    pub fn described(&mut self, description: &str, draw: impl FnOnce(&mut Self)) {
        let _ = write!(self.body, "<g><title>{}</title>", escape(description));
        draw(self);
        self.body.push_str("</g>");
    }

    /// The drawing at its natural size, smaller where the page is narrower. `label` is what a screen reader says.
    pub fn finish(self, class: &str, label: &str) -> Markup {
        self.element(class, &format!(r#"role="img" aria-label="{}""#, escape(label)))
    }

    /// A file that stands alone, with a white ground and a style of its own.
    pub fn finish_as_file(self, class: &str, label: &str, style: &str) -> String {
        let (width, height, class) = (coordinate(self.width), coordinate(self.height), escape(class));
        let label = escape(label);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             class=\"{class}\" role=\"img\" aria-label=\"{label}\"><style>{}</style>\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>{}</svg>\n",
            escape_style(style),
            self.body
        )
    }

    /// The drawing where the text around it already says everything it shows.
    pub fn finish_as_decoration(self, class: &str) -> Markup {
        self.element(class, r#"aria-hidden="true""#)
    }

    fn element(self, class: &str, role: &str) -> Markup {
        let (width, height, class) = (coordinate(self.width), coordinate(self.height), escape(class));
        PreEscaped(format!(
            r#"<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" class="{class}" {role}>{}</svg>"#,
            self.body
        ))
    }
}

/// One decimal is a tenth of a pixel: enough for the eye, and short.
fn coordinate(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// In a style only what would end or begin an element matters.
fn escape_style(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The width of a text in a sans-serif of this size, on the safe side: layouts are made before a font is known.
pub fn text_width(text: &str, size: f64) -> f64 {
    let ems: f64 = text
        .chars()
        .map(|character| match character {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | '|' | '\'' => 0.30,
            'f' | 't' | 'r' | '-' | ' ' | '(' | ')' => 0.38,
            'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.90,
            'A'..='Z' => 0.70,
            _ => 0.58,
        })
        .sum();
    ems * size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_text_and_labels() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.text((1.0, 2.05), Anchor::Start, "a", "<b>&\"");
        svg.described("<i>", |svg| svg.circle((f64::NAN, -0.01), 2.5, "a"));
        let text = svg.finish("c", "\"><script>").into_string();
        assert!(text.contains(">&lt;b&gt;&amp;&quot;</text>"), "{text}");
        assert!(text.contains("<title>&lt;i&gt;</title>"), "{text}");
        assert!(text.contains(r#"cx="0" cy="0" r="2.5""#), "{text}");
        assert!(!text.contains("<script"), "{text}");
    }

    #[test]
    fn a_flow_leaves_and_arrives_horizontally() {
        let mut svg = Svg::new(10.0, 10.0);
        svg.flow(&[(0.0, 0.0), (10.0, 4.0)], "edge");
        assert!(svg.body.contains("M0 0C5 0 5 4 10 4"), "{}", svg.body);
    }
}
