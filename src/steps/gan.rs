//! `gan`: trains a generator against a discriminator. Outputs: `generator` (the averaged weights with their network) and
//! `history` (a line of JSON for every 512 images).

use super::divergence::failed;
use super::fields::{count, network, quantity, unfit_batches, value};
use super::{StepContext, StepError, StepKind, history, write_output};
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::language::Step;
use crate::training::{Checkpoint, GanLoss, GanSettings, GanTrainer, Penalty, optimiser};
use std::sync::atomic::Ordering;

pub struct Gan;

impl StepKind for Gan {
    fn name(&self) -> &'static str {
        "gan"
    }

    fn check(&self, step: &Step) -> Vec<Diagnostic> {
        unfit_batches(step)
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/gan.rs",
            "steps/divergence.rs",
            "training",
            "network",
            "autodiff",
            "kernels",
            "data/batch.rs",
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
        let mut trainer = GanTrainer::new(&generator, &discriminator, &data, settings(step)?)?;
        if let Some((_, path)) = context.checkpoints.latest(budget) {
            trainer.restore(Checkpoint::read(&path)?)?;
        }
        let mut saved = trainer.images();
        while trainer.images() < budget {
            if context.interrupted.load(Ordering::Relaxed) {
                save(context, &trainer)?;
                return Err(StepError::Interrupted);
            }
            trainer.step().map_err(|failure| failed(context, failure, "img", saved))?;
            let images = trainer.images();
            if images / interval > saved / interval {
                save(context, &trainer)?;
                saved = images;
            }
            let (discriminator_loss, generator_loss) = trainer.figures();
            let figures = [("discriminator", discriminator_loss), ("generator", generator_loss)];
            context.progress.update(images.min(budget), budget, "img", &figures);
        }
        if trainer.images() > saved {
            save(context, &trainer)?;
        }
        trainer.model().write(&context.outputs.join("generator"))?;
        write_output(context, "history", &history(trainer.history())?)
    }
}

/// What a `gan` block says, apart from the networks and the data.
pub fn settings(step: &Step) -> Result<GanSettings, Diagnostic> {
    Ok(GanSettings {
        loss: GanLoss::from_value(value(step, "loss")?)?,
        penalty: Penalty::from_value(value(step, "penalty")?)?,
        generator_optimiser: optimiser(value(step, "generator_optimiser")?)?,
        discriminator_optimiser: optimiser(value(step, "discriminator_optimiser")?)?,
        batch: count(step, "batch")? as usize,
        averaging: quantity(step, "averaging")?,
        seed: count(step, "seed")?,
    })
}

fn save(context: &StepContext<'_>, trainer: &GanTrainer<'_>) -> Result<(), StepError> {
    let checkpoint = trainer.checkpoint()?;
    context.save_checkpoint(trainer.images(), &mut |path| checkpoint.write(path))
}
