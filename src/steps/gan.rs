//! `gan`: trains a generator against a discriminator. Outputs: `generator` (the averaged weights with their network), `history` (a line
//! of JSON for every 512 images, and one for every look of the stop rule) and `results`.

use super::divergence::failed;
use super::fields::{count, network, quantity, unfit_batches, value};
use super::selection::Selection;
use super::{StepContext, StepError, StepKind, history, write_output};
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::language::{Step, Value};
use crate::random::Key;
use crate::training::{
    Auxiliary, Averaging, Checkpoint, Compat, Evaluation, GanLoss, GanRecord, GanRules, GanSettings, GanTrainer, Growth, Penalty,
    Plateau, defect, gan_levels, optimiser,
};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

pub struct Gan;

impl StepKind for Gan {
    fn name(&self) -> &'static str {
        "gan"
    }

    fn check(&self, step: &Step) -> Vec<Diagnostic> {
        unfit_batches(step)
            .into_iter()
            .chain(unfit_judgement(step))
            .chain(unfit_growth(step))
            .chain(unfit_selection(step))
            .collect()
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/gan.rs",
            "steps/divergence.rs",
            "steps/selection.rs",
            "features",
            "metrics/frechet.rs",
            "training",
            "network",
            "autodiff",
            "kernels",
            "data/batch.rs",
            "data/pixels.rs",
            "data/shard.rs",
            "random.rs",
        ]
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let step = context.step;
        let data = Shard::read(context.input_file("data")?)?;
        data.require_images("data")?;
        let generator = network(step, "generator")?;
        let discriminator = network(step, "discriminator")?;
        let budget = quantity(step, "budget")?.round() as u64;
        let interval = quantity(step, "checkpoint")?.round().max(1.0) as u64;
        let settings = settings(step)?;
        let mut selection = match settings.stop {
            None => None,
            Some(stop) => {
                let key = Key::new(settings.seed).with("gan").with("selection");
                Some(match settings.compat {
                    Compat::Paper => Selection::new(context, "data", &data, stop.images, &key)?,
                    Compat::None => {
                        let valid = Shard::read(context.input_file("valid")?)?;
                        valid.require_images("valid")?;
                        Selection::new(context, "valid", &valid, stop.images, &key)?
                    }
                })
            }
        };
        let mut trainer = GanTrainer::new(&generator, &discriminator, &data, settings)?;
        if let Some((_, path)) = context.checkpoints.latest(budget) {
            trainer.restore(Checkpoint::read(&path)?)?;
        }
        let mut saved = trainer.images();
        loop {
            if let Some(selection) = selection.as_mut().filter(|_| trainer.is_evaluation_due()) {
                let Some(distance) = selection.distance(context, &trainer.average())? else {
                    save(context, &trainer)?;
                    return Err(StepError::Interrupted);
                };
                trainer.evaluated(distance);
                saved = saved.min(trainer.images().saturating_sub(1));
            }
            if trainer.images() >= budget || trainer.has_stopped() {
                break;
            }
            if context.interrupted.load(Ordering::Relaxed) {
                save(context, &trainer)?;
                return Err(StepError::Interrupted);
            }
            trainer.step().map_err(|failure| failed(context, failure, "img", saved))?;
            let images = trainer.images();
            if images / interval > saved / interval && !trainer.is_evaluation_due() {
                save(context, &trainer)?;
                saved = images;
            }
            let (discriminator_loss, generator_loss) = trainer.figures();
            let distance = trainer.evaluations().last().map(|evaluation| ("distance", evaluation.distance));
            let figures = [("discriminator", discriminator_loss), ("generator", generator_loss)].into_iter().chain(distance);
            context.progress.update(images.min(budget), budget, "img", &figures.collect::<Vec<_>>());
        }
        if trainer.images() > saved {
            save(context, &trainer)?;
        }
        trainer.model().write(&context.outputs.join("generator"))?;
        write_output(context, "history", &lines(&trainer)?)?;
        write_output(context, "results", &results(context, &trainer, selection.as_ref())?)
    }
}

/// The history with the evaluations in their places.
fn lines(trainer: &GanTrainer<'_>) -> Result<Vec<u8>, StepError> {
    #[derive(serde::Serialize)]
    #[serde(untagged)]
    enum Line<'t> {
        Losses(&'t GanRecord),
        Evaluation(&'t Evaluation),
    }
    let losses = trainer.history().iter().map(|record| (record.kimg, Line::Losses(record)));
    let evaluations = trainer.evaluations().iter().map(|evaluation| (evaluation.kimg, Line::Evaluation(evaluation)));
    let mut lines: Vec<(f64, Line<'_>)> = losses.chain(evaluations).collect();
    lines.sort_by(|a, b| a.0.total_cmp(&b.0));
    history(&lines.into_iter().map(|(_, line)| line).collect::<Vec<_>>())
}

/// Which generator is kept, and how far from real images it is.
fn results(context: &StepContext<'_>, trainer: &GanTrainer<'_>, selection: Option<&Selection>) -> Result<Vec<u8>, StepError> {
    let kept = trainer.kept();
    let why = match selection {
        None => "no stop rule looked at the generator",
        Some(_) if trainer.evaluations().is_empty() => "training ended before the stop rule looked at the generator",
        Some(_) => "the last generator is kept, which the stop rule did not look at",
    };
    let distance = kept.map(|kept| kept.distance);
    let shown = kept.map_or(trainer.images() as f64 / 1000.0, |kept| kept.kimg);
    let missing: BTreeMap<&str, &str> = distance.is_none().then_some(("distance", why)).into_iter().collect();
    let field = if trainer.compat() == Compat::Paper { "data" } else { "valid" };
    let real = context.inputs.get(field).and_then(|artefacts| artefacts.first());
    let real = real.map(|real| format!("{}.{}", real.step, real.files.keys().next().map_or("", String::as_str)));
    let measured = selection.map(|selection| selection.described(real.as_deref()));
    let results = json!({
        "values": { "distance": distance, "kimg": shown },
        "missing": missing,
        "conditions": selection.map_or_else(|| json!({}), |selection| json!({ "distance": selection.conditions() })),
        "measured": measured,
        "stopped": trainer.has_stopped(),
    });
    let text = serde_json::to_vec_pretty(&results).map_err(|error| defect(format!("results cannot be written: {error}")))?;
    Ok(text)
}

/// What a `gan` block says, apart from the networks and the data.
pub fn settings(step: &Step) -> Result<GanSettings, Diagnostic> {
    Ok(GanSettings {
        rules: GanRules {
            loss: GanLoss::from_value(value(step, "loss")?)?,
            penalty: Penalty::from_value(value(step, "penalty")?)?,
            auxiliary: Auxiliary::from_value(value(step, "auxiliary")?)?,
        },
        generator_optimiser: optimiser(value(step, "generator_optimiser")?)?,
        discriminator_optimiser: optimiser(value(step, "discriminator_optimiser")?)?,
        batch: count(step, "batch")? as usize,
        growth: Growth::from_value(value(step, "growth")?)?,
        averaging: Averaging::from_value(value(step, "averaging")?)?,
        stop: Plateau::from_value(value(step, "stop")?)?,
        compat: compat(step),
        seed: count(step, "seed")?,
    })
}

/// What a discriminator makes: one score, or a logit for each label behind it.
fn unfit_judgement(step: &Step) -> Option<Diagnostic> {
    let [generator, discriminator] = ["generator", "discriminator"].map(|field| network(step, field).ok());
    let labels: usize = generator?.inputs.get(1)?.1.iter().product();
    let made = discriminator?.output_shape()?.clone();
    let [field, auxiliary] = [step.field("discriminator")?, step.field("auxiliary")?];
    let learns = Auxiliary::from_value(&auxiliary.value).ok()?.is_some();
    match made.as_slice() {
        [1] if !learns => None,
        [1] => Some(
            Diagnostic::error("E0681", "`auxiliary` is for a discriminator that makes logits of labels")
                .label(auxiliary.span, "nothing learns by this")
                .label(field.span, "makes a score alone")
                .help(format!("leave `auxiliary` out, or take a discriminator that makes 1 + {labels} numbers")),
        ),
        [numbers] if *numbers == 1 + labels && learns => None,
        [numbers] if *numbers == 1 + labels => Some(
            Diagnostic::error("E0681", "nothing says what the discriminator's logits of labels learn")
                .label(field.span, format!("makes a score and {labels} logits"))
                .help("add `auxiliary = sigmoid_labels()`"),
        ),
        shape => Some(
            Diagnostic::error("E0312", format!("the discriminator makes {shape:?}, but a score is due"))
                .label(field.span, format!("{shape:?} here"))
                .help(format!(
                    "let it return one number (`dense(x, 1)`), or a score with a logit for each label behind it ({} numbers)",
                    1 + labels
                )),
        ),
    }
}

/// A stop rule and what it looks at belong together.
fn unfit_selection(step: &Step) -> Option<Diagnostic> {
    let stop = Plateau::from_value(value(step, "stop").ok()?).ok()?;
    let [field, valid, budget] = [step.field("stop")?, step.field("valid")?, step.field("budget")?];
    let is_given = !valid.value.references().is_empty();
    match stop {
        None if is_given => Some(
            Diagnostic::error("E0684", "nothing looks at the images in `valid`")
                .label(valid.span, "for a stop rule")
                .help("add one: `stop = plateau(from = 20kimg, every = 5kimg)`; or leave `valid` out"),
        ),
        Some(_) if !is_given && compat(step) == Compat::None => Some(
            Diagnostic::error("E0684", "the stop rule has no images to look at")
                .label(field.span, "compares generated images with real ones")
                .help("add `valid = …`, a part that is not trained on, such as `chest.valid`"),
        ),
        Some(stop) if quantity(step, "budget").is_ok_and(|budget| budget < stop.from) => Some(
            Diagnostic::warning("E0685", "training ends before the stop rule looks at the generator")
                .label(field.span, "begins later")
                .label(budget.span, "ends here")
                .help("let the stop rule begin earlier (`from`), or give training a larger budget"),
        ),
        _ => None,
    }
}

fn compat(step: &Step) -> Compat {
    match step.field("compat").map(|field| &field.value) {
        Some(Value::Choice(word)) if word == "paper" => Compat::Paper,
        _ => Compat::None,
    }
}

/// Whether both networks can grow as the block says.
fn unfit_growth(step: &Step) -> Option<Diagnostic> {
    let [generator, discriminator] = ["generator", "discriminator"].map(|field| network(step, field).ok());
    let (generator, discriminator) = (generator?, discriminator?);
    let growth = Growth::from_value(value(step, "growth").ok()?).ok()?;
    let [_, height, width] = *generator.output_shape()?.as_slice() else { return None };
    let place = step.field("growth").map_or(step.span, |field| field.span);
    if growth.is_some() && height != width {
        return Some(
            Diagnostic::error("E0680", format!("images of {height}×{width} pixels cannot grow"))
                .label(place, "growth is for square images")
                .help("make the images square: `image = gray(64)`"),
        );
    }
    gan_levels(&generator, &discriminator, height, growth).err().map(|problem| problem.label(place, "should grow like this"))
}

fn save(context: &StepContext<'_>, trainer: &GanTrainer<'_>) -> Result<(), StepError> {
    let checkpoint = trainer.checkpoint()?;
    context.save_checkpoint(trainer.images(), &mut |path| checkpoint.write(path))
}
