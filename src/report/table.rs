//! The numbers of a sweep in rows and columns: what a `table` step keeps, and how it is set for pages, terminals, Markdown and
//! spreadsheets.

use super::number;
use super::terminal::aligned;
use crate::diagnostic::Diagnostic;
use crate::metrics::sweep::{Cell, place};
use crate::metrics::utility::Estimate;
use crate::training::defect;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

/// A finished table: its `table` output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub title: String,
    /// `mean_ci`.
    pub statistic: String,
    /// `gap.auroc_gap`.
    pub value: String,
    /// What that is.
    pub documentation: String,
    /// What the numbers are of, and how intervals were made.
    pub conditions: String,
    /// The axes that go down, and the labels of every row on them.
    pub rows: Vec<String>,
    pub row_labels: Vec<Vec<String>>,
    /// The axes that go across, and the labels of every column.
    pub columns: Vec<String>,
    pub column_labels: Vec<Vec<String>>,
    /// Row by row.
    pub cells: Vec<Vec<Cell>>,
}

/// The sign on a cell that has a note.
const NOTED: &str = "*";

impl Table {
    /// As many decimals as show three significant digits of the greatest number, at most three.
    fn decimals(&self) -> usize {
        decimals(self.cells.iter().flatten().filter_map(|cell| cell.estimate))
    }

    fn row_heads(&self) -> Vec<String> {
        if self.rows.is_empty() { vec!["all".to_owned()] } else { self.rows.clone() }
    }

    fn row_names(&self, labels: &[String]) -> Vec<String> {
        if self.rows.is_empty() { vec![self.value.clone()] } else { labels.to_vec() }
    }

    fn column_heads(&self) -> Vec<String> {
        let head = |labels: &Vec<String>| place(self.columns.iter().map(String::as_str).zip(labels.iter().map(String::as_str)));
        if self.columns.is_empty() { vec![self.value.clone()] } else { self.column_labels.iter().map(head).collect() }
    }

    /// What stands below: the conditions, and a line for every note.
    fn footnotes(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for (labels, cells) in self.row_labels.iter().zip(&self.cells) {
            for (across, cell) in self.column_labels.iter().zip(cells) {
                let Some(note) = &cell.note else { continue };
                let axes = self.rows.iter().chain(&self.columns).map(String::as_str);
                let place = place(axes.zip(labels.iter().chain(across).map(String::as_str)));
                lines.push(if place.is_empty() { note.clone() } else { format!("{place}: {note}") });
            }
        }
        lines
    }

    /// The page's section of one table.
    pub fn section(&self, step: &str) -> Markup {
        let about = format!("about-{step}");
        let decimals = self.decimals();
        let noted = self.footnotes();
        html! {
            p.caption id=(about) {
                b { (self.title) "." } " Table " code { (step) } ". " (self.conditions)
                @if !self.documentation.is_empty() { " " code { (self.value) } ": " (self.documentation.trim_end_matches('.')) "." }
            }
            div.wide role="region" tabindex="0" aria-labelledby=(about) {
                table.sweep aria-labelledby=(about) {
                    thead { tr {
                        @for head in self.row_heads() { th scope="col" { (head) } }
                        @for head in self.column_heads() { th.number scope="col" { (head) } }
                    } }
                    tbody {
                        @for (labels, cells) in self.row_labels.iter().zip(&self.cells) {
                            tr {
                                @for name in self.row_names(labels) { th scope="row" { (name) } }
                                @for cell in cells { td.number { (set(cell, decimals)) } }
                            }
                        }
                    }
                }
            }
            @if !noted.is_empty() { p.footnote { (NOTED) " " (noted.join("; ")) "." } }
        }
    }

    /// As aligned text, every line with its end.
    pub fn text(&self) -> String {
        let decimals = self.decimals();
        let mut lines = vec![[self.row_heads(), self.column_heads()].concat()];
        for (labels, cells) in self.row_labels.iter().zip(&self.cells) {
            lines.push(self.row_names(labels).into_iter().chain(cells.iter().map(|cell| plain(cell, decimals))).collect());
        }
        let mut text = aligned(&lines, &[1]);
        text += &format!("{}\n", self.conditions);
        self.footnotes().iter().for_each(|note| text += &format!("{NOTED} {note}\n"));
        text
    }

    /// As Markdown, with the conditions below.
    pub fn markdown(&self) -> String {
        let decimals = self.decimals();
        let line = |cells: &[String]| {
            format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
        };
        let (heads, columns) = (self.row_heads(), self.column_heads());
        let rule: Vec<String> = heads.iter().map(|_| "---".to_owned()).chain(columns.iter().map(|_| "---:".to_owned())).collect();
        let mut text = format!("**{}**\n\n{}{}", self.title, line(&[heads, columns].concat()), line(&rule));
        for (labels, cells) in self.row_labels.iter().zip(&self.cells) {
            let cells = cells.iter().map(|cell| plain(cell, decimals).replace(NOTED, "\\*"));
            text += &line(&self.row_names(labels).into_iter().chain(cells).collect::<Vec<_>>());
        }
        text += &format!("\n{}\n", self.conditions);
        self.footnotes().iter().for_each(|note| text += &format!("\\* {note}\n"));
        text
    }

    /// A line for every cell with all digits, for spreadsheets and statistics programs.
    pub fn csv(&self) -> Result<Vec<u8>, Diagnostic> {
        let axes = || self.rows.iter().chain(&self.columns).cloned();
        let head = axes().chain([self.statistic.clone(), "low".into(), "high".into(), "n".into(), "note".into()]);
        let mut lines: Vec<Vec<String>> = vec![head.collect()];
        for (labels, cells) in self.row_labels.iter().zip(&self.cells) {
            for (across, cell) in self.column_labels.iter().zip(cells) {
                lines.push(labels.iter().chain(across).cloned().chain(exact(cell)).collect());
            }
        }
        csv(&lines)
    }
}

/// Value, ends of the interval, n and note with all digits; empty where there are none.
fn exact(cell: &Cell) -> [String; 5] {
    let text = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let estimate = cell.estimate;
    [
        text(estimate.map(|estimate| estimate.value)),
        text(estimate.and_then(|estimate| estimate.low)),
        text(estimate.and_then(|estimate| estimate.high)),
        cell.n.to_string(),
        cell.note.clone().unwrap_or_default(),
    ]
}

/// Comma-separated values.
pub fn csv(lines: &[Vec<String>]) -> Result<Vec<u8>, Diagnostic> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in lines {
        writer.write_record(line).map_err(|error| defect(format!("a table cannot be written: {error}")))?;
    }
    writer.into_inner().map_err(|error| defect(format!("a table cannot be written: {error}")))
}

/// Three decimals for numbers below 10, fewer for greater ones.
pub fn decimals(estimates: impl IntoIterator<Item = Estimate>) -> usize {
    let greatest = estimates.into_iter().map(|estimate| estimate.value.abs()).fold(0.0, f64::max);
    [10.0, 100.0, 1_000.0].iter().filter(|limit| greatest < **limit).count()
}

fn set(cell: &Cell, decimals: usize) -> Markup {
    html! {
        @match cell.estimate {
            Some(estimate) => {
                (number::decimal(estimate.value, decimals))
                @if let Some((low, high)) = super::line::interval(&estimate) {
                    span.ci { " [" (number::decimal(low, decimals)) ", " (number::decimal(high, decimals)) "]" }
                }
            },
            None => { span.ci { "no value" } },
        }
        @if cell.note.is_some() { sup { (NOTED) } }
    }
}

/// `0.105 [0.091, 0.118]`.
pub fn plain(cell: &Cell, decimals: usize) -> String {
    let mut text = match cell.estimate {
        Some(estimate) => match super::line::interval(&estimate) {
            Some((low, high)) => format!("{:.decimals$} [{low:.decimals$}, {high:.decimals$}]", estimate.value),
            None => format!("{:.decimals$}", estimate.value),
        },
        None => "no value".to_owned(),
    };
    if cell.note.is_some() {
        text += NOTED;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::statistic::Statistic;
    use crate::metrics::sweep::Measured;
    use std::collections::BTreeMap;

    fn cell(gan: &str, classes: &str, numbers: &[Option<f64>]) -> Cell {
        let instance = |(seed, value): (usize, &Option<f64>)| Measured {
            at: BTreeMap::from([
                ("gan".into(), gan.into()),
                ("classes".into(), classes.into()),
                ("seed".into(), seed.to_string()),
            ]),
            found: value.map(|value| Estimate { value, low: None, high: None }),
            missing: value.is_none().then(|| "has no value: no image has <b>".to_owned()),
        };
        Cell::of(Statistic::MeanInterval, numbers.iter().enumerate().map(instance).collect())
    }

    fn table() -> Table {
        Table {
            title: "Gap".into(),
            statistic: "mean_ci".into(),
            value: "gap.auroc_gap".into(),
            documentation: "auroc_real − auroc_synthetic.".into(),
            conditions: "Mean over seed.".into(),
            rows: vec!["classes".into()],
            row_labels: vec![vec!["20".into()], vec!["4".into()]],
            columns: vec!["gan".into()],
            column_labels: vec![vec!["cpd".into()], vec!["a|b".into()]],
            cells: vec![
                vec![cell("cpd", "20", &[Some(0.1), Some(0.2)]), cell("a|b", "20", &[Some(0.25)])],
                vec![cell("cpd", "4", &[None]), cell("a|b", "4", &[Some(-0.05), None, Some(0.05)])],
            ],
        }
    }

    #[test]
    fn a_table_is_set_for_terminals_and_markdown() {
        let text = table().text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>().join(" "), "classes gan = cpd gan = a|b");
        assert!(lines[2].starts_with("20") && lines[2].contains("0.150 [-0.485, 0.785]"), "{text}");
        assert!(lines[3].contains("no value*"), "{text}");
        assert!(text.contains("* classes = 4, gan = cpd: has no value: no image has <b>\n"), "{text}");
        let markdown = table().markdown();
        assert!(markdown.contains("| classes | gan = cpd | gan = a\\|b |\n| --- | ---: | ---: |\n"), "{markdown}");
    }

    #[test]
    fn every_digit_is_in_the_spreadsheet() {
        let text = String::from_utf8(table().csv().unwrap()).unwrap();
        assert!(text.starts_with("classes,gan,mean_ci,low,high,n,note\n20,cpd,0.15000000000000002,-0.485"), "{text}");
        assert!(text.contains("\n4,cpd,,,,0,"), "{text}");
    }

    #[test]
    fn names_cannot_break_out_of_the_page() {
        let mut table = table();
        table.title = "<script>".into();
        let page = table.section("t").into_string();
        assert!(!page.contains("<script>") && !page.contains("<b>\""), "{page}");
        assert!(page.contains("no value</span><sup>*</sup>"), "{page}");
    }

    #[test]
    fn a_table_reads_back() {
        let text = serde_json::to_string(&table()).unwrap();
        assert_eq!(serde_json::from_str::<Table>(&text).unwrap(), table());
    }
}
