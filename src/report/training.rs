//! Training curves: the losses of every generative network over the images it has seen, and loss and validation AUROC of
//! the classifiers by epoch.

use super::curve::{Panel, Series};
use super::number;
use super::reading;
use super::study::{MOST_OPEN, Origin, Study, by_sweep, field, folded};
use crate::diagnostic::Diagnostic;
use crate::steps::Artefact;
use maud::{Markup, html};
use serde::Deserialize;

/// A line of a `gan`'s history. A number that JSON cannot hold stands there as null.
#[derive(Deserialize)]
struct GanRecord {
    kimg: f64,
    discriminator_loss: Option<f64>,
    generator_loss: Option<f64>,
    /// Absent where no penalty was computed.
    #[serde(default)]
    penalty: Option<f64>,
    /// Cross-entropy of labels, of the discriminator and the generator.
    #[serde(default)]
    labels: Option<[f64; 2]>,
    /// Pixels on each side, where the networks grow.
    #[serde(default)]
    resolution: Option<u32>,
    /// In a line of the stop rule, which has nothing else but this and whether the generator was kept.
    #[serde(default)]
    distance: Option<f64>,
    #[serde(default)]
    kept: bool,
}

/// What a `gan`'s results say of its stop rule.
#[derive(Deserialize)]
struct GanResults {
    measured: Option<Measured>,
    #[serde(default)]
    stopped: bool,
}

/// How the distance was measured.
#[derive(Deserialize)]
struct Measured {
    name: String,
    n: u64,
    real: Option<String>,
    digest: String,
}

/// A line of a `classifier`'s history.
#[derive(Deserialize)]
struct ClassifierRecord {
    epoch: u64,
    training_loss: Option<f64>,
    validation_auroc: Option<f64>,
    #[serde(default)]
    kept: bool,
}

/// The section; `None` where nothing was trained.
pub fn section(study: &Study<'_>) -> Result<Option<Markup>, Diagnostic> {
    let mut figures = Vec::new();
    let gans: Vec<&Artefact> = study.of_kind("gan").collect();
    for (sweep, members) in by_sweep(&gans, |gan| &gan.step) {
        let parts: Vec<Option<Markup>> = members.iter().map(|gan| of_gan(gan)).collect::<Result<_, _>>()?;
        let parts: Vec<Markup> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            figures.push(folded(sweep.as_deref(), "Generative networks", &parts));
        }
    }
    let classifiers: Vec<&Artefact> = study.of_kind("classifier").collect();
    for (sweep, members) in by_sweep(&classifiers, |classifier| &classifier.step) {
        figures.extend(of_classifiers(study, sweep.as_deref(), &members)?);
    }
    if figures.is_empty() {
        return Ok(None);
    }
    Ok(Some(html! {
        section #training {
            h2 { "Training" }
            @for figure in &figures { (figure) }
        }
    }))
}

fn of_gan(gan: &Artefact) -> Result<Option<Markup>, Diagnostic> {
    let lines: Vec<GanRecord> = reading::lines(gan, "history")?;
    let results: Option<GanResults> = reading::document(gan, "results")?;
    let (looks, history): (Vec<GanRecord>, Vec<GanRecord>) = lines.into_iter().partition(|line| line.distance.is_some());
    let series = |name: &str, class, value: fn(&GanRecord) -> Option<f64>| Series {
        name: name.to_owned(),
        class,
        points: history.iter().map(|record| (record.kimg, value(record).unwrap_or(f64::NAN))).collect(),
        ..Series::default()
    };
    let penalties = history.iter().filter_map(|record| record.penalty.map(|penalty| (record.kimg, penalty))).collect();
    let horizontal = "thousand real images shown (kimg)";
    let losses = Panel {
        title: "Loss".to_owned(),
        horizontal,
        series: vec![
            series("discriminator", "discriminator", |record| record.discriminator_loss),
            series("generator", "generator", |record| record.generator_loss),
        ],
        ..Panel::default()
    };
    let penalty = Series { name: "penalty".to_owned(), class: "penalty", points: penalties, ..Series::default() };
    let penalty =
        Panel { title: "Penalty on the discriminator".to_owned(), horizontal, series: vec![penalty], ..Panel::default() };
    let of_labels = |name: &str, class, index: usize| Series {
        name: name.to_owned(),
        class,
        points: history.iter().filter_map(|record| Some((record.kimg, *record.labels?.get(index)?))).collect(),
        ..Series::default()
    };
    let labels = Panel {
        title: "Cross-entropy of labels".to_owned(),
        horizontal,
        series: vec![of_labels("discriminator", "discriminator", 0), of_labels("generator", "generator", 1)],
        ..Panel::default()
    };
    let measured = results.as_ref().and_then(|results| results.measured.as_ref());
    let point = |look: &GanRecord| (look.kimg, look.distance.unwrap_or(f64::NAN));
    let distances = Panel {
        title: measured.map_or("Distance", |measured| measured.name.as_str()).to_owned(),
        horizontal,
        series: vec![Series {
            name: "generated and real images".to_owned(),
            class: "generator",
            points: looks.iter().map(point).collect(),
            rings: looks.iter().rev().find(|look| look.kept).map(point).into_iter().collect(),
            ..Series::default()
        }],
        ..Panel::default()
    };
    let panels: Vec<Markup> = [losses, penalty, labels, distances].iter().filter_map(Panel::figure).collect();
    if panels.is_empty() {
        return Ok(None);
    }
    let facts: Vec<(&str, &str)> =
        ["loss", "penalty", "seed"].into_iter().filter_map(|name| Some((name, field(gan, name)?))).collect();
    let has_facts = !facts.is_empty();
    Ok(Some(html! {
        h3 { "Generative network " code { (gan.step) } }
        p.caption {
            "Every point is the mean since the point before it."
            @for (index, (name, value)) in facts.into_iter().enumerate() {
                @if index == 0 { " Trained with " } @else { ", " }
                (name) " " code { (value) }
            }
            @if has_facts { "." }
            @if let Some(grown) = grown(&history) { " " (grown) }
            @if let (Some(measured), Some(results)) = (measured, &results) {
                " The stop rule compared " (number::counted(measured.n as usize, "image", "images"))
                @if let Some(real) = &measured.real { " of " code { (real) } }
                " with as many generated ones (features " code { (measured.digest.chars().take(8).collect::<String>()) } ")"
                @if results.stopped { " and ended the training" }
                "; a ring marks its best look."
            }
        }
        div.panels { @for panel in &panels { (panel) } }
    }))
}

/// Where a growing network came to each resolution: "Worked at 8 pixels from 0.5 kimg, …".
fn grown(history: &[GanRecord]) -> Option<String> {
    let mut reached: Vec<(u32, f64)> = Vec::new();
    for record in history {
        let resolution = record.resolution?;
        if reached.last().is_none_or(|(last, _)| *last != resolution) {
            reached.push((resolution, record.kimg));
        }
    }
    let told: Vec<String> = reached
        .iter()
        .enumerate()
        .map(|(index, (resolution, kimg))| match index {
            0 => format!("{resolution} pixels"),
            _ => format!("{resolution} from {} kimg on", number::decimal(*kimg, 1)),
        })
        .collect();
    (!told.is_empty()).then(|| format!("The networks worked at {}.", told.join(", ")))
}

/// The epoch whose weights are the result: of all that were the best when they were reached, the last.
fn last_kept(history: &[ClassifierRecord]) -> Option<&ClassifierRecord> {
    history.iter().rev().find(|record| record.kept)
}

/// The classifiers of the file, or of a sweep, in two panels, so that they are compared at a glance.
fn of_classifiers(study: &Study<'_>, sweep: Option<&str>, classifiers: &[&&Artefact]) -> Result<Option<Markup>, Diagnostic> {
    let mut losses = Panel { title: "Training loss".to_owned(), horizontal: "epoch", whole_steps: true, ..Panel::default() };
    let mut scores =
        Panel { title: "Validation macro AUROC".to_owned(), horizontal: "epoch", whole_steps: true, ..Panel::default() };
    let mut kept: Vec<Kept<'_>> = Vec::new();
    let (mut real, mut synthetic) = (0, 0);
    for classifier in classifiers {
        let history: Vec<ClassifierRecord> = reading::lines(classifier, "history")?;
        let origin = study.origin(classifier);
        let dashes = if origin == Origin::Real { &mut real } else { &mut synthetic };
        let dash = *dashes;
        *dashes += 1;
        let series = |value: fn(&ClassifierRecord) -> Option<f64>| {
            let point = |record: &ClassifierRecord| (record.epoch as f64, value(record).unwrap_or(f64::NAN));
            Series {
                name: classifier.step.clone(),
                class: origin.class(),
                dash,
                points: history.iter().map(point).collect(),
                rings: last_kept(&history).map(point).into_iter().collect(),
            }
        };
        losses.series.push(series(|record| record.training_loss));
        scores.series.push(series(|record| record.validation_auroc));
        if let Some(record) = last_kept(&history) {
            kept.push((classifier, record.epoch, history.len(), record.validation_auroc));
        }
    }
    let panels: Vec<Markup> = [losses, scores].iter().filter_map(Panel::figure).collect();
    if panels.is_empty() {
        return Ok(None);
    }
    Ok(Some(html! {
        h3 { "Classifiers" @if let Some(sweep) = sweep { " of " code { (sweep) } } }
        p.caption {
            "A ring marks the epoch whose weights are kept: the best macro AUROC on the classifier's own validation images."
            @if kept.len() <= 2 * MOST_OPEN { " " (all_kept(&kept)) }
        }
        @if kept.len() > 2 * MOST_OPEN {
            details.instances { summary { "The kept epochs of " (kept.len()) " classifiers" } p.caption { (all_kept(&kept)) } }
        }
        div.panels { @for panel in &panels { (panel) } }
    }))
}

/// A classifier, the epoch that is kept, all epochs, and the validation AUROC of the one that is kept.
type Kept<'a> = (&'a Artefact, u64, usize, Option<f64>);

fn all_kept(kept: &[Kept<'_>]) -> Markup {
    html! {
        @for (index, (classifier, epoch, epochs, auroc)) in kept.iter().enumerate() {
            @if index > 0 { "; " }
            code { (classifier.step) } ": epoch " (epoch) " of " (epochs)
            @if let Some(auroc) = auroc { ", AUROC " (number::decimal(*auroc, 3)) }
            @if let Some(valid) = field(classifier, "valid") { " on " code { (valid) } }
        }
        "."
    }
}
