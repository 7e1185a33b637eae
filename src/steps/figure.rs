//! `figure`: one result of a sweep, drawn. Outputs: `figure` (SVG), `data` (CSV), `points` with what both are made from.

use super::fields;
use super::results::{measured, told_of_differences};
use super::scores::ScoredResults;
use super::table::{at, count, names, pairs, title};
use super::{StepContext, StepError, StepKind, write_output};
use crate::diagnostic::Diagnostic;
use crate::language::{Axis, Crossing, Results};
use crate::metrics::statistic::{Part, Statistic};
use crate::metrics::sweep::{Cell, Measured, combinations, place};
use crate::report::figure::{self, Reference, Series, numbers};
use crate::training::defect;

pub struct Figure;

impl StepKind for Figure {
    fn name(&self) -> &'static str {
        "figure"
    }

    fn sources(&self) -> &'static [&'static str] {
        &["steps/figure.rs", "steps/table.rs", "steps/results.rs", "steps/scores.rs", "report", "metrics", "random.rs"]
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
        let apart = crossing.shown_by("series");
        let axes: Vec<&Axis> = apart.iter().copied().chain([x]).collect();
        let instances = measured(crossing.results, inputs(context, "y"));
        // Where nothing falls together, an instance is shown with its own interval.
        let is_alone = crossing.together().iter().all(|axis| axis.labels.len() == 1);
        let drawn = Drawn::of(context, "y", crossing.results, is_alone)?;
        let series: Vec<Series> = combinations(&pairs(&apart))
            .into_iter()
            .map(|labels| {
                let cell = |label: &String| drawn.cell(at(&instances, &axes, &labels.iter().chain([label]).collect::<Vec<_>>()));
                let name = place(apart.iter().map(|axis| axis.name.as_str()).zip(labels.iter().map(String::as_str)));
                Series { name, cells: x.labels.iter().map(cell).collect() }
            })
            .collect();
        let cells: Vec<&Cell> = series.iter().flat_map(|series| &series.cells).collect();
        let has_interval = cells.iter().any(|cell| cell.estimate.is_some_and(|estimate| estimate.low.is_some()));
        let told = match is_alone {
            true => format!(
                "Every mark is one instance of the sweep ({} in all){}.",
                instances.len(),
                if has_interval { ", with the 95 % interval that its block computed" } else { "" }
            ),
            false => format!(
                "Faint points are instances of the sweep; marks are means over {} (n = {} at each) with 95 % intervals {}.",
                names(&crossing.together()).join(" and "),
                count(&cells),
                drawn.how(context)?
            ),
        };
        let reference = crossing.reference.map(|results| reference(context, results, x)).transpose()?;
        let (reference, told_of_reference) = reference.unzip();
        let read = [("y", Some(crossing.results)), ("reference", crossing.reference)];
        let mut differing: Vec<String> =
            read.into_iter().filter_map(|(field, results)| told_of_differences(results?, inputs(context, field))).collect();
        differing.dedup();
        let conditions = [Some(told), told_of_reference].into_iter().flatten().chain(differing).collect::<Vec<_>>().join(" ");
        let shown: Vec<&Axis> = [x].into_iter().chain(apart.iter().copied()).collect();
        let figure = figure::Figure {
            title: title(step, &crossing.results.written, &shown),
            value: crossing.results.written.clone(),
            documentation: crossing.results.documentation.clone(),
            conditions,
            x: x.name.clone(),
            numbers: numbers(&x.name, &x.labels),
            labels: x.labels.clone(),
            reference,
            series,
        };
        let text = serde_json::to_vec_pretty(&figure).map_err(|error| defect(format!("a figure cannot be written: {error}")))?;
        write_output(context, "points", &text)?;
        write_output(context, "data", &figure.csv()?)?;
        write_output(context, "figure", figure.svg().as_bytes())
    }
}

fn inputs<'c>(context: &'c StepContext<'_>, field: &str) -> &'c [super::Artefact] {
    context.inputs.get(field).map(Vec::as_slice).unwrap_or_default()
}

/// How the numbers that fall together become one with its interval.
enum Drawn {
    /// There is one, with the interval of its block.
    Single,
    /// Over instances and patients, from the scores.
    Bootstrap(ScoredResults),
    /// Over the instances alone.
    Student,
}

impl Drawn {
    fn of(context: &StepContext<'_>, field: &str, results: &Results, is_alone: bool) -> Result<Self, Diagnostic> {
        if is_alone {
            return Ok(Self::Single);
        }
        if !results.scores {
            return Ok(Self::Student);
        }
        let (resamples, seed) = (fields::count(context.step, "resamples")?, fields::count(context.step, "seed")?);
        Ok(Self::Bootstrap(ScoredResults::new(results, resamples as usize, seed, inputs(context, field))?))
    }

    fn cell(&self, instances: Vec<Measured>) -> Cell {
        match self {
            Drawn::Single => Cell::of(Statistic::Single, instances),
            Drawn::Student => Cell::of(Statistic::MeanInterval, instances),
            Drawn::Bootstrap(scored) => {
                let redrawn = scored.estimate(&instances);
                Cell::redrawn(Part::Whole, instances, redrawn)
            }
        }
    }

    /// How the interval is made: `by Student's t over the instances`.
    fn how(&self, context: &StepContext<'_>) -> Result<String, Diagnostic> {
        Ok(match self {
            Drawn::Single => "as its block computed it".to_owned(),
            Drawn::Student => "by Student's t over the instances".to_owned(),
            Drawn::Bootstrap(_) => format!(
                "by bootstrap over instances and patients together ({} resamples, seed {})",
                fields::count(context.step, "resamples")?,
                fields::count(context.step, "seed")?
            ),
        })
    }
}

/// What stands behind all series, and a sentence on it.
fn reference(context: &StepContext<'_>, results: &Results, x: &Axis) -> Result<(Reference, String), Diagnostic> {
    let instances = measured(results, inputs(context, "reference"));
    let is_alone = results.axes.iter().all(|axis| axis.name == x.name || axis.labels.len() == 1);
    let drawn = Drawn::of(context, "reference", results, is_alone)?;
    let cells: Vec<Cell> = x.labels.iter().map(|label| drawn.cell(at(&instances, &[x], &[label]))).collect();
    let told = format!(
        "The grey line is {} (n = {} at each), the band its 95 % interval, {}.",
        results.written,
        count(&cells.iter().collect::<Vec<_>>()),
        drawn.how(context)?
    );
    let reference = Reference { value: results.written.clone(), documentation: results.documentation.clone(), cells };
    Ok((reference, told))
}
