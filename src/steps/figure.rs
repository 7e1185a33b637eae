//! `figure`: one result of a sweep, drawn. Outputs: `figure` (SVG), `data` (CSV), `points` with what both are made from.

use super::results::{measured, told_of_differences};
use super::table::{at, count, names, pairs, title};
use super::{StepContext, StepError, StepKind, write_output};
use crate::language::{Axis, Crossing};
use crate::metrics::statistic::Statistic;
use crate::metrics::sweep::{Cell, combinations, place};
use crate::report::figure::{self, Series, numbers};
use crate::training::defect;

pub struct Figure;

impl StepKind for Figure {
    fn name(&self) -> &'static str {
        "figure"
    }

    fn sources(&self) -> &'static [&'static str] {
        &["steps/figure.rs", "steps/table.rs", "steps/results.rs", "report", "metrics/statistic.rs", "metrics/sweep.rs"]
    }

    fn shows_cosmetics(&self) -> bool {
        true
    }

    fn pages(&self) -> &'static [(&'static str, &'static str)] {
        &[("figure", "svg"), ("data", "csv")]
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let step = context.step;
        let shown = Crossing::of(step).and_then(|crossing| Some((*crossing.shown_by("x").first()?, crossing)));
        let Some((x, crossing)) = shown else {
            return Err(defect(format!("`{}` has no axis across", step.name)).into());
        };
        let inputs = context.inputs.get("y").map(Vec::as_slice).unwrap_or_default();
        let instances = measured(crossing.results, inputs);
        let apart = crossing.shown_by("series");
        let axes: Vec<&Axis> = apart.iter().copied().chain([x]).collect();
        // Where nothing falls together, an instance is shown with its own interval.
        let is_alone = crossing.together().iter().all(|axis| axis.labels.len() == 1);
        let statistic = if is_alone { Statistic::Single } else { Statistic::MeanInterval };
        let series: Vec<Series> = combinations(&pairs(&apart))
            .into_iter()
            .map(|labels| {
                let cell = |label: &String| {
                    let labels: Vec<&String> = labels.iter().chain([label]).collect();
                    Cell::of(statistic, at(&instances, &axes, &labels))
                };
                let name = place(apart.iter().map(|axis| axis.name.as_str()).zip(labels.iter().map(String::as_str)));
                Series { name, cells: x.labels.iter().map(cell).collect() }
            })
            .collect();
        let cells: Vec<&Cell> = series.iter().flat_map(|series| &series.cells).collect();
        let together = names(&crossing.together());
        let has_interval = cells.iter().any(|cell| cell.estimate.is_some_and(|estimate| estimate.low.is_some()));
        let conditions = match statistic {
            Statistic::Single => format!(
                "Every mark is one instance of the sweep ({} in all){}.",
                instances.len(),
                if has_interval { ", with the 95 % interval that its block computed" } else { "" }
            ),
            _ => format!(
                "Faint points are instances of the sweep; marks are means over {} (n = {} at each) with 95 % intervals by Student's t \
                 over the instances.",
                together.join(" and "),
                count(&cells)
            ),
        };
        let differing = told_of_differences(crossing.results, inputs);
        let conditions = [Some(conditions), differing].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let shown: Vec<&Axis> = [x].into_iter().chain(apart.iter().copied()).collect();
        let figure = figure::Figure {
            title: title(step, &crossing.results.written, &shown),
            value: crossing.results.written.clone(),
            documentation: crossing.results.documentation.clone(),
            conditions,
            x: x.name.clone(),
            numbers: numbers(&x.name, &x.labels),
            labels: x.labels.clone(),
            series,
        };
        let text = serde_json::to_vec_pretty(&figure).map_err(|error| defect(format!("a figure cannot be written: {error}")))?;
        write_output(context, "points", &text)?;
        write_output(context, "data", &figure.csv()?)?;
        write_output(context, "figure", figure.svg().as_bytes())
    }
}
