//! What `table` and `figure` make of the axes of their sweep: which they show, and over which they put numbers together.

use super::program::{Family, Program, Step, StepField};
use super::value::{Axis, Results, Value};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// The results that a table or figure shows, and how.
#[derive(Clone, Debug)]
pub struct Crossing<'s> {
    pub results: &'s Results,
    /// The result that a figure draws behind all others.
    pub reference: Option<&'s Results>,
    /// The function of the statistic: `mean_ci`. A figure draws the mean with its interval.
    pub statistic: &'s str,
    /// The fields that show axes, with these.
    shown: Vec<(&'static str, &'s [String])>,
    /// The axes written behind `over`.
    over: &'s [String],
}

impl<'s> Crossing<'s> {
    /// `None` for a step that is neither a table nor a figure.
    pub fn of(step: &'s Step) -> Option<Self> {
        let axes = |name: &'static str| (name, axes(step.field(name)));
        match step.kind.as_str() {
            "table" => {
                let Value::Construction(statistic) = &step.field("value")?.value else { return None };
                let argument = |wanted: &str| statistic.arguments.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
                let Some(Value::Results(results)) = argument("value") else { return None };
                let over = match argument("over") {
                    Some(Value::Axes(over)) => over.as_slice(),
                    _ => &[],
                };
                Some(Self {
                    results,
                    reference: None,
                    statistic: &statistic.function,
                    shown: vec![axes("rows"), axes("columns")],
                    over,
                })
            }
            "figure" => {
                let Value::Results(results) = &step.field("y")?.value else { return None };
                let reference = match step.field("reference").map(|field| &field.value) {
                    Some(Value::Results(reference)) => Some(reference),
                    _ => None,
                };
                Some(Self { results, reference, statistic: "mean_ci", shown: vec![axes("x"), axes("series")], over: &[] })
            }
            _ => None,
        }
    }

    /// The axes that a field shows.
    pub fn shown_by(&self, field: &str) -> Vec<&'s Axis> {
        let names = self.shown.iter().find(|(known, _)| *known == field).map(|(_, axes)| *axes).unwrap_or_default();
        names.iter().filter_map(|name| self.axis(name)).collect()
    }

    /// The axes whose values are put together: those behind `over`, else all that are not shown.
    pub fn together(&self) -> Vec<&'s Axis> {
        match self.over {
            [] => self.results.axes.iter().filter(|axis| !self.shows(&axis.name)).collect(),
            over => over.iter().filter_map(|name| self.axis(name)).collect(),
        }
    }

    fn axis(&self, name: &str) -> Option<&'s Axis> {
        self.results.axes.iter().find(|axis| axis.name == name)
    }

    fn shows(&self, name: &str) -> bool {
        self.shown.iter().any(|(_, axes)| axes.iter().any(|axis| axis == name))
    }
}

fn axes(field: Option<&StepField>) -> &[String] {
    match field.map(|field| &field.value) {
        Some(Value::Axes(names)) => names,
        _ => &[],
    }
}

/// E0411: tables and figures whose axes do not come out even.
pub(super) fn mistakes(program: &Program) -> Vec<Diagnostic> {
    program.steps.iter().filter_map(|step| mistake(program, step)).collect()
}

fn mistake(program: &Program, step: &Step) -> Option<Diagnostic> {
    let crossing = Crossing::of(step)?;
    let span = |field: &str| step.field(field).map_or(step.span, |field| field.span);
    let value = if step.kind == "table" { "value" } else { "y" };
    let Value::Family(name) = &step.field("from")?.value else { return None };
    let family = program.families.iter().find(|family| family.name == *name)?;
    let error = |message: String| Diagnostic::error("E0411", message);
    let drawn = [(value, Some(crossing.results)), ("reference", crossing.reference)];
    let foreign =
        drawn.into_iter().find_map(|(field, results)| Some((field, results.filter(|results| !is_of(results, family))?)));
    if let Some((field, results)) = foreign {
        return Some(
            error(format!("`{}` shows `{}`, which is not of `{name}`", step.name, results.written))
                .label(span(field), "a result of another block")
                .label(span("from"), "the sweep that is read")
                .help("name a result as it is called within the sweep: `gap.auroc_gap`"),
        );
    }
    if let Some(x) = step.field("x").filter(|field| axes(Some(field)).len() != 1) {
        let count = axes(Some(x)).len();
        return Some(
            error(format!("a figure has one axis across, not {count}"))
                .label(x.span, "exactly one axis is due")
                .help("the others can be told apart by `series`; those that neither names are averaged"),
        );
    }
    let mut seen: Vec<(&str, Span)> = Vec::new();
    for (field, axes) in &crossing.shown {
        for axis in *axes {
            if let Some((_, before)) = seen.iter().find(|(known, _)| known == axis) {
                return Some(
                    error(format!("`{}` shows the axis `{axis}` twice", step.name))
                        .label(span(field), "the second time here")
                        .label(*before, "the first time here")
                        .help("leave it out of one of them"),
                );
            }
            seen.push((axis, span(field)));
        }
    }
    if let Some((axis, shown)) = seen.iter().find(|(axis, _)| crossing.over.iter().any(|over| over == axis)) {
        return Some(
            error(format!("`{}` shows the axis `{axis}` and puts its values together", step.name))
                .label(span(value), format!("`{axis}` stands behind `over`"))
                .label(*shown, "and is shown here")
                .help("take it out of `over`, or show another axis"),
        );
    }
    let left_over = |axis: &&Axis| axis.labels.len() > 1 && !crossing.shows(&axis.name);
    let mut open = crossing.results.axes.iter().filter(left_over);
    let axis = match crossing.statistic {
        "single" | "holm" => open.next(),
        _ if crossing.over.is_empty() => None,
        _ => open.find(|axis| !crossing.over.contains(&axis.name)),
    }?;
    let count = axis.labels.len();
    let diagnostic = error(format!("`{}` does not say what becomes of the axis `{}`", step.name, axis.name))
        .label(span(value), format!("{count} values of `{}` fall into each cell", axis.name));
    Some(match crossing.statistic {
        "single" | "holm" => diagnostic.help(format!(
            "show `{0}` in `rows` or `columns`, or put its values together: `mean_ci({1})`",
            axis.name, crossing.results.written
        )),
        _ => diagnostic.help(format!("add `{}` to `over`, or show it in `rows` or `columns`", axis.name)),
    })
}

fn is_of(results: &Results, family: &Family) -> bool {
    results.axes == family.axes
        && results.cells.iter().all(|cell| family.instances.iter().any(|instance| instance.holds(&cell.step)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check_with, places};
    use super::Crossing;

    /// A sweep over two axes, and what stands in a block that reads it.
    fn study(block: &str) -> String {
        format!(
            "edition 2026
use std.data.phantom
use std.classify.densenet
dataset chest {{
  source = phantom.chest(patients = 200)
  image  = gray(32)
}}
classifier reader {{
  network = densenet.small()
  train   = chest.train
  valid   = chest.valid
}}
sweep other of utility {{
  real = reader
  synthetic = reader
  test = chest.test
  seed = each(1, 2)
}}
sweep both of utility {{
  real      = reader
  synthetic = reader
  test      = chest.test
  resamples = each(100, 200)
  seed      = each(1..4)
}}
{block}
"
        )
    }

    #[test]
    fn axes_that_are_not_shown_are_put_together() {
        let text = study("table t { from = both, rows = resamples, value = mean_ci(auroc_gap) }");
        let (checked, _, _) = check_with(&text, &[]);
        let program = checked.program.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
        let crossing = Crossing::of(program.step("t").unwrap()).unwrap();
        let names = |axes: Vec<&super::Axis>| axes.into_iter().map(|axis| axis.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(crossing.shown_by("rows")), ["resamples"]);
        assert_eq!(names(crossing.together()), ["seed"]);
        assert!(crossing.results.documentation.contains("auroc_real"), "{:?}", crossing.results);
        assert_eq!(crossing.results.cells.len(), 6);
    }

    #[test]
    fn axes_come_out_even() {
        for good in [
            "table t { from = both, rows = [], value = mean(auroc_gap) }",
            "table t { from = both, rows = [resamples, seed], value = single(auroc_gap) }",
            "table t { from = both, rows = seed, columns = resamples, value = single(auroc_gap) }",
            "table t { from = both, rows = [], value = mean(auroc_gap, over = [seed, resamples]) }",
            "figure f { from = both, x = resamples, y = auroc_gap }",
            "figure f { from = both, x = resamples, y = auroc_gap, series = seed }",
            "figure f { from = both, x = resamples, y = auroc_synthetic, reference = auroc_real }",
            "figure f { from = both, x = resamples, y = gap_p, reference = nothing }",
        ] {
            assert_eq!(places(&study(good)), [""; 0], "{good}");
        }
        for wrong in [
            "table t { from = both, rows = seed, value = single(auroc_gap) }",
            "table t { from = both, rows = [seed, seed], value = mean(auroc_gap) }",
            "table t { from = both, rows = seed, columns = seed, value = mean(auroc_gap) }",
            "table t { from = both, rows = seed, value = mean(auroc_gap, over = seed) }",
            "table t { from = both, rows = [], value = mean(auroc_gap, over = seed) }",
            "table t { from = both, rows = [], value = mean(other.auroc_gap) }",
            "figure f { from = both, x = [], y = auroc_gap }",
            "figure f { from = both, x = [seed, resamples], y = auroc_gap }",
            "figure f { from = both, x = seed, y = auroc_gap, series = seed }",
            "figure f { from = both, x = seed, y = auroc_gap, reference = other.auroc_real }",
        ] {
            let found = places(&study(wrong));
            assert!(found.len() == 1 && found[0].starts_with("E0411 26:"), "{wrong}: {found:?}");
        }
    }
}
