//! `classifier`: trains a network to tell findings. Outputs: `classifier` (the weights of the best epoch with their network)
//! and `history` (a line of JSON for every epoch).

use super::divergence::failed;
use super::fields::{as_published, count, network, quantity, unfit_batches, value};
use super::{StepContext, StepError, StepKind, history, write_output};
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::language::Step;
use crate::training::{Augmentation, Checkpoint, ClassWeights, ClassifierSettings, ClassifierTrainer, RateSchedule, optimiser};
use std::sync::atomic::Ordering;

pub struct Classifier;

impl StepKind for Classifier {
    fn name(&self) -> &'static str {
        "classifier"
    }

    fn check(&self, step: &Step) -> Vec<Diagnostic> {
        unfit_batches(step)
    }

    fn sources(&self) -> &'static [&'static str] {
        &[
            "steps/classifier.rs",
            "training",
            "network",
            "autodiff",
            "kernels",
            "data/batch.rs",
            "data/pixels.rs",
            "data/shard.rs",
            "metrics/auroc.rs",
            "random.rs",
        ]
    }

    fn run(&self, context: &mut StepContext<'_>) -> Result<(), StepError> {
        let step = context.step;
        let train = Shard::read(context.input_file("train")?)?;
        train.require_images("train")?;
        let valid = Shard::read(context.input_file("valid")?)?;
        valid.require_images("valid")?;
        let program = network(step, "network")?;
        let epochs = count(step, "epochs")?;
        let mut trainer = ClassifierTrainer::new(&program, &train, &valid, settings(step)?)?;
        if let Some((_, path)) = context.checkpoints.latest(epochs) {
            trainer.restore(Checkpoint::read(&path)?)?;
        }
        let images = trainer.images_of_epoch();
        while trainer.epochs() < epochs && !trainer.is_finished() {
            let before = trainer.epochs() * images;
            let last = trainer.history().last().map(|record| ("validation AUROC", record.validation_auroc));
            let finished = trainer.epochs();
            let whole = trainer.epoch(&mut |shown, loss| {
                let figures: Vec<(&str, f64)> = [("loss", loss)].into_iter().chain(last).collect();
                context.progress.update(before + shown, epochs * images, "img", &figures);
                !context.interrupted.load(Ordering::Relaxed)
            });
            let whole = whole.map_err(|failure| failed(context, failure, "epochs", finished))?;
            // Within an epoch, its state takes the place of the last epoch's.
            let checkpoint = trainer.checkpoint()?;
            context.save_checkpoint(trainer.epochs(), &mut |path| checkpoint.write(path))?;
            if !whole {
                return Err(StepError::Interrupted);
            }
        }
        trainer.model().write(&context.outputs.join("classifier"))?;
        write_output(context, "history", &history(trainer.history())?)
    }
}

/// What a `classifier` block says, apart from the network and the data.
pub fn settings(step: &Step) -> Result<ClassifierSettings, Diagnostic> {
    Ok(ClassifierSettings {
        optimiser: optimiser(value(step, "optimiser")?)?,
        schedule: RateSchedule::from_value(value(step, "schedule")?)?,
        class_weights: ClassWeights::from_value(value(step, "class_weights")?)?,
        augment: Augmentation::list(value(step, "augment")?)?,
        batch: count(step, "batch")? as usize,
        epoch: quantity(step, "epoch")? as usize,
        patience: count(step, "patience")?,
        as_published: as_published(step)?,
        seed: count(step, "seed")?,
    })
}
