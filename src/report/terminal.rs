//! The results as aligned text, for the end of `synth run`.

use super::line::{Line, interval, notes, p_value, told_of_margin};
use crate::metrics::utility::{Estimate, UtilityResults};
use crate::steps::Verdict;

const HEAD: [&str; 6] = ["AUROC, trained on", "pos/neg", "real images", "synthetic images", "gap", "p"];

/// The table of findings of one utility, with the conditions of its numbers below. Every line ends in a line break.
pub fn terminal_table(results: &UtilityResults) -> String {
    let mut lines: Vec<Vec<String>> = vec![HEAD.map(str::to_owned).to_vec()];
    let rows: Vec<Line<'_>> = results.findings.iter().map(Line::of_finding).chain([Line::of_mean(results)]).collect();
    lines.extend(rows.iter().map(|row| cells(row).to_vec()));
    let mut text = aligned(&lines, &[1, lines.len() - 1]);
    text.push_str(&format!(
        "95 % intervals by {}bootstrap over patients: {} images of {} patients, {} resamples\n",
        if results.corrected { "corrected " } else { "" },
        results.images,
        results.patients,
        results.resamples
    ));
    if let Some(told) = told_of_margin(results) {
        text.push_str("p of gaps: DeLong's test by patient, adjusted by Holm; of the mean by the bootstrap\n");
        text.push_str(&format!("mean gap: {told}\n"));
    }
    for note in notes(&rows) {
        text.push_str(&note);
        text.push('\n');
    }
    text
}

/// More lines than this are not read on a terminal; the report has all.
const MOST_LINES: usize = 40;

/// The means over findings of the same utility in every instance of a sweep. Every line ends in a line break.
pub fn comparison(instances: &[(String, UtilityResults)]) -> String {
    let head = ["macro AUROC, trained on", "real images", "synthetic images", "gap"];
    let line = |(place, results): &(String, UtilityResults)| {
        let [_, _, real, synthetic, gap, _] = cells(&Line::of_mean(results));
        vec![place.clone(), real, synthetic, gap]
    };
    let lines: Vec<Vec<String>> =
        [head.map(str::to_owned).to_vec()].into_iter().chain(instances.iter().take(MOST_LINES).map(line)).collect();
    let mut text = aligned(&lines, &[1]);
    if instances.len() > MOST_LINES {
        text += &format!("and {} more, in the report\n", instances.len() - MOST_LINES);
    }
    text
}

/// Lines of cells under each other, the first to the left and the others to the right, with a rule before some lines. Every line
/// ends in a line break.
pub fn aligned(lines: &[Vec<String>], rules: &[usize]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1));
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        if rules.contains(&index) {
            text.push_str(&rule);
            text.push('\n');
        }
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            let padding = " ".repeat(width - cell.chars().count().min(*width));
            match column {
                0 => text.extend([cell.as_str(), &padding]),
                _ => text.extend(["  ", &padding, cell.as_str()]),
            }
        }
        text.push('\n');
    }
    text
}

/// `✓ useful holds: gap.auroc_gap < 0.1 (gap.auroc_gap = 0.070)`, without a line break.
pub fn claim_line(name: &str, verdict: &Verdict) -> String {
    let (sign, word) = if verdict.holds { ('✓', "holds") } else { ('✗', "fails") };
    format!("{sign} {name} {word}: {} ({})", verdict.condition, verdict.found)
}

fn cells(row: &Line<'_>) -> [String; 6] {
    let counts = row.counts.map(|(positives, negatives)| format!("{positives}/{negatives}")).unwrap_or_default();
    let [real, synthetic] = [row.real, row.synthetic].map(|estimate| text(estimate, |value| format!("{value:.3}")));
    let p = row.p.map_or("–".to_owned(), p_value);
    [row.name.to_owned(), counts, real, synthetic, text(row.gap, |value| format!("{value:.3}")), p]
}

fn text(estimate: Option<Estimate>, format: fn(f64) -> String) -> String {
    let Some(estimate) = estimate else { return "n/a".to_owned() };
    match interval(&estimate) {
        None => format!("{} no interval", format(estimate.value)),
        Some((low, high)) => format!("{} [{}, {}]", format(estimate.value), format(low), format(high)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let results = super::super::tests::utility_results(0.0);
        let text = terminal_table(&results);
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        let table = &widths[..8];
        assert!(table.iter().all(|width| *width == table[0]), "{text}");
        assert!(text.contains("0.958 [0.936, 0.973]"), "{text}");
        assert!(
            text.ends_with(
                "Consolidation: no test image has this finding\nmacro: the mean over 3 of 4 findings, those with an AUROC\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_claim_is_one_line() {
        let verdict = Verdict { holds: true, condition: "gap.auroc_gap < 0.1".into(), found: "gap.auroc_gap = 0.070".into() };
        assert_eq!(claim_line("useful", &verdict), "✓ useful holds: gap.auroc_gap < 0.1 (gap.auroc_gap = 0.070)");
    }
}
