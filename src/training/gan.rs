//! Training of a generator against a discriminator. One step: the discriminator on a batch of real images and as many
//! generated ones (with the penalty at every so many steps), then the generator, then its running average.
//!
//! Everything random is keyed by the seed, its purpose and the number of the step, so that a training that was interrupted
//! goes on to the same bytes.

use super::bound::{BoundExecutable, defect};
use super::checkpoint::Checkpoint;
use super::divergence::{Divergence, Failure, check_losses, check_statistics};
use super::feeds;
use super::gan_graphs::{FEEDS, GanGraphs, StepGraph};
use super::losses::GanLoss;
use super::model::Model;
use super::optimisers::{Optimiser, OptimiserState};
use super::penalties::Penalty;
use super::randomness::Randomness;
use super::weights::Weights;
use crate::data::batch::Batches;
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::network::NetworkProgram;
use crate::network::graph::NodeId;
use crate::random::Key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Images between two lines of the history. Not a setting: a history must not depend on how training was cut into runs.
const HISTORY_INTERVAL: u64 = 512;

/// What the `gan` block says, apart from the networks and the data.
#[derive(Clone, Debug)]
pub struct GanSettings {
    pub loss: GanLoss,
    pub penalty: Penalty,
    pub generator_optimiser: Arc<dyn Optimiser>,
    pub discriminator_optimiser: Arc<dyn Optimiser>,
    /// Images in a step.
    pub batch: usize,
    /// Half-life of the generator's running average, in images.
    pub averaging: f64,
    pub seed: u64,
}

/// One line of the history: means since the line before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GanRecord {
    /// Thousands of real images shown so far.
    pub kimg: f64,
    pub discriminator_loss: f64,
    pub generator_loss: f64,
    /// Mean over the steps that had one; absent without a penalty.
    pub penalty: Option<f64>,
}

/// Where the training stands, besides weights and moments.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct GanFacts {
    step: u64,
    history: Vec<GanRecord>,
    sums: Sums,
}

/// Sums since the last line of the history.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Sums {
    steps: u64,
    discriminator_loss: f64,
    generator_loss: f64,
    penalties: u64,
    penalty: f64,
}

pub struct GanTrainer<'a> {
    settings: GanSettings,
    data: &'a Shard,
    generator_network: &'a NetworkProgram,
    generator: Weights,
    average: Weights,
    discriminator: Weights,
    generator_optimiser: OptimiserState,
    discriminator_optimiser: OptimiserState,
    discriminator_step: TrainingStep,
    penalised_step: Option<TrainingStep>,
    generator_step: TrainingStep,
    /// The buffers behind [`FEEDS`].
    feeds: Vec<Vec<f32>>,
    random: BTreeMap<&'static str, Key>,
    order: Batches,
    facts: GanFacts,
}

/// An executable that gives losses, then the gradient of every learned tensor, then new running statistics.
struct TrainingStep {
    executable: BoundExecutable,
    /// Whose it is.
    network: &'static str,
    losses: usize,
    gradients: usize,
    /// The running statistics that the step moves, by position in the weights.
    updates: Vec<usize>,
    randomness: Randomness,
}

impl<'a> GanTrainer<'a> {
    /// Compiles the steps and draws the initial weights.
    pub fn new(
        generator: &'a NetworkProgram,
        discriminator: &'a NetworkProgram,
        data: &'a Shard,
        settings: GanSettings,
    ) -> Result<Self, Diagnostic> {
        let sizes = (settings.batch, [data.channels, data.height, data.width], data.label_names.len());
        let graphs = GanGraphs::new(generator, discriminator, sizes, settings.loss, settings.penalty)?;
        let key = Key::new(settings.seed).with("gan");
        let generator_weights = Weights::begin(generator, &graphs.generator, &key.with("generator"))?;
        let discriminator_weights = Weights::begin(discriminator, &graphs.discriminator, &key.with("discriminator"))?;
        let names: Vec<String> = FEEDS.iter().map(ToString::to_string).collect();
        let bind = |step: &StepGraph, network: &'static str, weights: &Weights| -> Result<TrainingStep, Diagnostic> {
            let outputs: Vec<NodeId> =
                step.losses.iter().chain(&step.gradients).chain(step.updates.iter().map(|(_, node)| node)).copied().collect();
            let randomness = Randomness::new(&step.randomness);
            let groups: [&[String]; 4] =
                [&names, &generator_weights.bindings, &discriminator_weights.bindings, &randomness.bindings()];
            Ok(TrainingStep {
                executable: BoundExecutable::new(&step.graph, &outputs, &groups)?,
                network,
                losses: step.losses.len(),
                gradients: step.gradients.len(),
                updates: step.updates.iter().filter_map(|(name, _)| weights.position(name)).collect(),
                randomness,
            })
        };
        let batch = settings.batch;
        let labels = data.label_names.len();
        let latent = graphs.latent;
        let feeds =
            [batch * data.image_size(), batch * labels, batch * latent, batch, batch * labels].map(|length| vec![0.0; length]);
        let purposes =
            ["order", "latent", "mixture", "generator latent", "generator labels", "randomness", "generator randomness"];
        Ok(Self {
            discriminator_step: bind(&graphs.discriminator_step, "discriminator", &discriminator_weights)?,
            penalised_step: graphs
                .penalised_step
                .as_ref()
                .map(|step| bind(step, "discriminator", &discriminator_weights))
                .transpose()?,
            generator_step: bind(&graphs.generator_step, "generator", &generator_weights)?,
            generator_optimiser: OptimiserState::new(settings.generator_optimiser.clone(), &generator_weights),
            discriminator_optimiser: OptimiserState::new(settings.discriminator_optimiser.clone(), &discriminator_weights),
            average: generator_weights.clone(),
            generator: generator_weights,
            discriminator: discriminator_weights,
            order: Batches::new(&key.with("order"), data.len(), batch),
            random: purposes.into_iter().map(|purpose| (purpose, key.with(purpose))).collect(),
            feeds: feeds.into(),
            facts: GanFacts::default(),
            generator_network: generator,
            settings,
            data,
        })
    }

    /// Real images shown so far.
    pub fn images(&self) -> u64 {
        self.facts.step * self.settings.batch as u64
    }

    pub fn history(&self) -> &[GanRecord] {
        &self.facts.history
    }

    /// One step of both networks. Where a loss, a gradient or a running statistic is not finite, it ends with an error before it
    /// writes a number of that kind, and the training is not to be gone on with.
    pub fn step(&mut self) -> Result<(), Failure> {
        let step = self.facts.step;
        let indices = self.order.indices(step);
        let [real, labels, latent, mixture, generator_labels] = self.feeds.as_mut_slice() else {
            return Err(defect("the feeds of a training step are not complete".into()).into());
        };
        feeds::fill_images(self.data, &indices, real);
        feeds::fill_labels(self.data, &indices, labels);
        key(&self.random, "latent")?.with_index(step).fill_normal(latent);
        key(&self.random, "mixture")?.with_index(step).fill_uniform(mixture);
        let rows = key(&self.random, "generator labels")?.with_index(step);
        let rows: Vec<usize> = (0..self.settings.batch).map(|i| rows.below(i as u64, self.data.len() as u64) as usize).collect();
        feeds::fill_labels(self.data, &rows, generator_labels);

        let due = self.settings.penalty.is_due(step);
        let chosen = match &mut self.penalised_step {
            Some(penalised) if due => penalised,
            _ => &mut self.discriminator_step,
        };
        chosen.randomness.fill_step(key(&self.random, "randomness")?, step);
        let diverged = |network: &'static str| {
            let images = step * self.settings.batch as u64;
            move |what: String| Failure::Diverged(Divergence { network, what, step: step + 1, images })
        };
        chosen.run(&self.feeds, &self.generator, &self.discriminator)?;
        self.facts.sums.discriminator_loss += chosen.executable.scalar(0);
        if chosen.losses > 1 {
            self.facts.sums.penalty += chosen.executable.scalar(1);
            self.facts.sums.penalties += 1;
        }
        chosen.apply(&mut self.discriminator_optimiser, &mut self.discriminator, None).map_err(diverged("discriminator"))?;

        if let Some(latent) = self.feeds.get_mut(2) {
            key(&self.random, "generator latent")?.with_index(step).fill_normal(latent);
        }
        self.generator_step.randomness.fill_step(key(&self.random, "generator randomness")?, step);
        self.generator_step.run(&self.feeds, &self.generator, &self.discriminator)?;
        self.facts.sums.generator_loss += self.generator_step.executable.scalar(0);
        let decay = match self.settings.averaging {
            half_life if half_life > 0.0 => 0.5f64.powf(self.settings.batch as f64 / half_life),
            _ => 0.0,
        };
        let average = Some((&mut self.average, decay as f32));
        self.generator_step.apply(&mut self.generator_optimiser, &mut self.generator, average).map_err(diverged("generator"))?;

        self.facts.sums.steps += 1;
        self.facts.step += 1;
        self.record();
        Ok(())
    }

    /// The latest line of the history, or the sums so far where there is none yet.
    pub fn figures(&self) -> (f64, f64) {
        let sums = &self.facts.sums;
        match self.facts.history.last() {
            Some(record) => (record.discriminator_loss, record.generator_loss),
            None => (sums.discriminator_loss / sums.steps.max(1) as f64, sums.generator_loss / sums.steps.max(1) as f64),
        }
    }

    /// Writes a line of the history where one is due.
    fn record(&mut self) {
        let images = self.images();
        let batch = self.settings.batch as u64;
        if images / HISTORY_INTERVAL == (images - batch) / HISTORY_INTERVAL {
            return;
        }
        let sums = std::mem::take(&mut self.facts.sums);
        let steps = sums.steps.max(1) as f64;
        let record = GanRecord {
            kimg: images as f64 / 1000.0,
            discriminator_loss: sums.discriminator_loss / steps,
            generator_loss: sums.generator_loss / steps,
            penalty: (sums.penalties > 0).then(|| sums.penalty / sums.penalties as f64),
        };
        self.facts.history.push(record);
    }

    /// The averaged generator, which is what images are drawn from.
    pub fn model(&self) -> Model {
        Model {
            network: self.generator_network.clone(),
            weights: self.average.clone(),
            label_names: self.data.label_names.clone(),
        }
    }

    /// Everything that the next step depends on.
    pub fn checkpoint(&self) -> Result<Checkpoint<serde_json::Value>, Diagnostic> {
        let mut tensors = BTreeMap::new();
        self.generator.write_tensors("generator/", &mut tensors)?;
        self.average.write_tensors("average/", &mut tensors)?;
        self.discriminator.write_tensors("discriminator/", &mut tensors)?;
        self.generator_optimiser.write_tensors("generator moments/", &self.generator, &mut tensors)?;
        self.discriminator_optimiser.write_tensors("discriminator moments/", &self.discriminator, &mut tensors)?;
        let facts =
            serde_json::to_value(&self.facts).map_err(|error| defect(format!("a checkpoint cannot be written: {error}")))?;
        Ok(Checkpoint { tensors, facts })
    }

    /// Goes on from a checkpoint.
    pub fn restore(&mut self, checkpoint: Checkpoint<serde_json::Value>) -> Result<(), Diagnostic> {
        let Checkpoint { tensors, facts } = checkpoint;
        self.generator.read_tensors("generator/", &tensors)?;
        self.average.read_tensors("average/", &tensors)?;
        self.discriminator.read_tensors("discriminator/", &tensors)?;
        let facts: GanFacts = serde_json::from_value(facts)
            .map_err(|error| defect(format!("a checkpoint does not say where it stands: {error}")))?;
        self.generator_optimiser.read_tensors("generator moments/", &self.generator, &tensors, facts.step)?;
        self.discriminator_optimiser.read_tensors("discriminator moments/", &self.discriminator, &tensors, facts.step)?;
        self.facts = facts;
        Ok(())
    }
}

impl TrainingStep {
    fn run(&mut self, feeds: &[Vec<f32>], generator: &Weights, discriminator: &Weights) -> Result<(), Diagnostic> {
        self.executable.run(&[feeds, &generator.values, &discriminator.values, &self.randomness.buffers])
    }

    /// Moves the weights along the gradients of the last run, and the running statistics to their new values. Says what is not
    /// finite instead of writing it.
    fn apply(
        &self,
        optimiser: &mut OptimiserState,
        weights: &mut Weights,
        mut average: Option<(&mut Weights, f32)>,
    ) -> Result<(), String> {
        let names = [format!("{}'s loss", self.network), "penalty".to_owned()];
        let losses = names.iter().zip(0..self.losses);
        check_losses(losses.map(|(name, index)| (name.as_str(), self.executable.scalar(index))))?;
        let statistics = || {
            let first = self.losses + self.gradients;
            self.updates.iter().enumerate().map(move |(index, position)| (*position, self.executable.output(first + index)))
        };
        let name = |position: usize| weights.specifications.get(position).map_or("", |weight| weight.name.as_str());
        check_statistics(statistics().map(|(position, values)| (name(position), values)))?;
        let gradient = |index: usize| self.executable.output(self.losses + index);
        optimiser.step(weights, &gradient, average.as_mut().map(|(average, decay)| (&mut **average, *decay)))?;
        for (position, values) in statistics() {
            for target in [Some(&mut *weights), average.as_mut().map(|(average, _)| &mut **average)].into_iter().flatten() {
                if let Some(old) = target.values.get_mut(position) {
                    old.copy_from_slice(values);
                }
            }
        }
        Ok(())
    }
}

fn key<'k>(keys: &'k BTreeMap<&'static str, Key>, purpose: &str) -> Result<&'k Key, Diagnostic> {
    keys.get(purpose).ok_or_else(|| defect(format!("there is no random key for `{purpose}`")))
}
