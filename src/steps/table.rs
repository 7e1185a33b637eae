//! `table`: numbers of a sweep in rows and columns. Outputs: `table` with every number, `csv`, `markdown`.

use super::results::{measured, told_of_differences};
use super::scores::ScoredResults;
use super::{StepContext, StepError, StepKind, write_output};
use crate::language::{Axis, Crossing, Step, Value};
use crate::metrics::holm;
use crate::metrics::statistic::{Part, Statistic};
use crate::metrics::sweep::{Cell, Measured, combinations};
use crate::report::table;
use crate::training::defect;

pub struct Table;

impl StepKind for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/table.rs",
            "steps/results.rs",
            "report/table.rs",
            "report/terminal.rs",
            "steps/scores.rs",
            "metrics",
            "random.rs",
        ]
    }

    fn shows_cosmetics(&self) -> bool {
        true
    }

    fn pages(&self) -> &'static [(&'static str, &'static str)] {
        &[("markdown", "md"), ("csv", "csv"), ("table", "json")]
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let step = context.step;
        let (Some(crossing), Some(statistic)) = (Crossing::of(step), statistic(step)) else {
            return Err(defect(format!("`{}` has no statistic of results", step.name)).into());
        };
        let inputs = context.inputs.get("value").map(Vec::as_slice).unwrap_or_default();
        let instances = measured(crossing.results, inputs);
        let (rows, columns) = (crossing.shown_by("rows"), crossing.shown_by("columns"));
        let (row_labels, column_labels) = (combinations(&pairs(&rows)), combinations(&pairs(&columns)));
        let axes: Vec<&Axis> = rows.iter().chain(&columns).copied().collect();
        let scored = match &step.field("value").map(|field| &field.value) {
            Some(Value::Construction(made)) if statistic.needs_scores() => ScoredResults::of(made, inputs)?,
            _ => None,
        };
        let mut cells: Vec<Vec<Cell>> = row_labels
            .iter()
            .map(|down| {
                let cell = |across: &Vec<String>| {
                    let labels: Vec<&String> = down.iter().chain(across).collect();
                    let together = at(&instances, &axes, &labels);
                    match (statistic, &scored) {
                        (Statistic::Bootstrap(part), Some(scored)) => {
                            let redrawn = scored.estimate(&together);
                            Cell::redrawn(part, together, redrawn)
                        }
                        _ => Cell::of(statistic, together),
                    }
                };
                column_labels.iter().map(cell).collect()
            })
            .collect();
        if statistic == Statistic::Holm {
            adjust(&mut cells);
        }
        let mut told = told(statistic, &crossing.together(), &cells.iter().flatten().collect::<Vec<_>>());
        told.extend(told_of_differences(crossing.results, inputs).into_iter().flat_map(|told| [" ".to_owned(), told]));
        let table = table::Table {
            title: title(step, &format!("{} of {}", word(statistic), crossing.results.written), &axes),
            statistic: crossing.statistic.to_owned(),
            value: crossing.results.written.clone(),
            documentation: crossing.results.documentation.clone(),
            conditions: told,
            rows: names(&rows),
            row_labels,
            columns: names(&columns),
            column_labels,
            cells,
        };
        let text = serde_json::to_vec_pretty(&table).map_err(|error| defect(format!("a table cannot be written: {error}")))?;
        write_output(context, "table", &text)?;
        write_output(context, "csv", &table.csv()?)?;
        write_output(context, "markdown", table.markdown().as_bytes())
    }
}

/// Puts the p values of all cells in place, adjusted for each other.
fn adjust(cells: &mut [Vec<Cell>]) {
    let tests: Vec<Option<f64>> = cells.iter().flatten().map(|cell| cell.estimate.map(|estimate| estimate.value)).collect();
    for (cell, adjusted) in cells.iter_mut().flatten().zip(holm::adjusted(&tests)) {
        if let (Some(estimate), Some(adjusted)) = (&mut cell.estimate, adjusted) {
            estimate.value = adjusted;
        }
    }
}

fn statistic(step: &Step) -> Option<Statistic> {
    match &step.field("value")?.value {
        Value::Construction(statistic) => Statistic::named(&statistic.function),
        _ => None,
    }
}

/// The title that is given, or one from what is shown.
pub(super) fn title(step: &Step, of: &str, axes: &[&Axis]) -> String {
    match step.field("title").map(|field| &field.value) {
        Some(Value::Text(title)) if !title.trim().is_empty() => title.clone(),
        _ if axes.is_empty() => of.to_owned(),
        _ => format!("{of} by {}", axes.iter().map(|axis| axis.name.as_str()).collect::<Vec<_>>().join(" and ")),
    }
}

pub(super) fn names(axes: &[&Axis]) -> Vec<String> {
    axes.iter().map(|axis| axis.name.clone()).collect()
}

pub(super) fn pairs<'a>(axes: &[&'a Axis]) -> Vec<(&'a str, &'a [String])> {
    axes.iter().map(|axis| (axis.name.as_str(), axis.labels.as_slice())).collect()
}

/// The instances with these labels on these axes.
pub(super) fn at(instances: &[Measured], axes: &[&Axis], labels: &[&String]) -> Vec<Measured> {
    let place = || axes.iter().map(|axis| axis.name.as_str()).zip(labels.iter().map(|label| label.as_str()));
    instances.iter().filter(|instance| instance.is_at(place())).cloned().collect()
}

fn word(statistic: Statistic) -> &'static str {
    match statistic {
        Statistic::Single => "Value",
        Statistic::Mean | Statistic::MeanInterval => "Mean",
        Statistic::Median => "Median",
        Statistic::Minimum => "Smallest value",
        Statistic::Maximum => "Largest value",
        Statistic::Deviation => "Standard deviation",
        Statistic::Bootstrap(Part::Whole) => "Mean",
        Statistic::Bootstrap(Part::Lower) => "Lower end of the interval of the mean",
        Statistic::Bootstrap(Part::Upper) => "Upper end of the interval of the mean",
        Statistic::Holm => "Adjusted p value",
    }
}

/// What the numbers are of, how many there are in a cell, and how intervals were made.
pub(super) fn told(statistic: Statistic, together: &[&Axis], cells: &[&Cell]) -> String {
    let count = count(cells);
    if statistic == Statistic::Single {
        let has_interval = cells.iter().any(|cell| cell.estimate.is_some_and(|estimate| estimate.low.is_some()));
        let interval = if has_interval { "; in brackets the 95 % interval that its block computed" } else { "" };
        return format!("One instance of the sweep in each cell (n = {count}){interval}.");
    }
    if statistic == Statistic::Holm {
        return format!("p values, adjusted by Holm for all cells of this table (n = {count} in each cell).");
    }
    let over = match names(together).as_slice() {
        [] => "one instance".to_owned(),
        names => names.join(" and "),
    };
    let interval = match statistic {
        Statistic::MeanInterval => ", with its 95 % interval by Student's t over the instances",
        Statistic::Deviation => ", with n − 1 in the denominator",
        Statistic::Bootstrap(Part::Whole) => ", with its 95 % interval by bootstrap over instances and patients together",
        Statistic::Bootstrap(_) => ", of 95 % by bootstrap over instances and patients together",
        _ => "",
    };
    format!("{} over {over} (n = {count} in each cell){interval}.", word(statistic))
}

/// How many numbers are in each cell: `3`, or `2 to 3`.
pub(super) fn count(cells: &[&Cell]) -> String {
    let counts = || cells.iter().map(|cell| cell.n);
    match (counts().min(), counts().max()) {
        (Some(low), Some(high)) if low < high => format!("{low} to {high}"),
        (_, high) => high.unwrap_or(0).to_string(),
    }
}
