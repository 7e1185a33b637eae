//! `classifier`: trains a network to tell findings. Outputs: `classifier` (the weights of the best epoch with their network)
//! and `history` (a line of JSON for every epoch).

use super::divergence::failed;
use super::fields::{count, network, unfit_batches, value};
use super::{StepContext, StepError, StepKind, history, write_output};
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::language::Step;
use crate::training::{Checkpoint, ClassifierSettings, ClassifierTrainer, optimiser};
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
        let total = epochs * train.len() as u64;
        while trainer.epochs() < epochs && !trainer.is_finished() {
            let before = trainer.epochs() * train.len() as u64;
            let last = trainer.history().last().map(|record| ("validation AUROC", record.validation_auroc));
            let finished = trainer.epochs();
            let whole = trainer.epoch(&mut |images, loss| {
                let figures: Vec<(&str, f64)> = [("loss", loss)].into_iter().chain(last).collect();
                context.progress.update(before + images, total, "img", &figures);
                !context.interrupted.load(Ordering::Relaxed)
            });
            let whole = whole.map_err(|failure| failed(context, failure, "epochs", finished))?;
            if !whole {
                return Err(StepError::Interrupted);
            }
            let checkpoint = trainer.checkpoint()?;
            context.save_checkpoint(trainer.epochs(), &mut |path| checkpoint.write(path))?;
        }
        trainer.model().write(&context.outputs.join("classifier"))?;
        write_output(context, "history", &history(trainer.history())?)
    }
}

/// What a `classifier` block says, apart from the network and the data.
pub fn settings(step: &Step) -> Result<ClassifierSettings, Diagnostic> {
    Ok(ClassifierSettings {
        optimiser: optimiser(value(step, "optimiser")?)?,
        batch: count(step, "batch")? as usize,
        patience: count(step, "patience")?,
        seed: count(step, "seed")?,
    })
}
