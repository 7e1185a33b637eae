//! Training of a generator against a discriminator. One step: the discriminator on a batch of real images and as many
//! generated ones (with the penalty at every so many steps), then the generator, then its running average.
//!
//! Everything random is keyed by the seed, its purpose and the number of the step, so that a training that was interrupted
//! goes on to the same bytes.

use super::bound::{BoundExecutable, defect};
use super::checkpoint::Checkpoint;
use super::feeds;
use super::losses::GanLoss;
use super::model::Model;
use super::optimiser::OptimiserState;
use super::penalties::{Penalty, PenaltyImages};
use super::randomness::Randomness;
use super::weights::Weights;
use crate::autodiff;
use crate::data::batch::Batches;
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::kernels::cpu::adam::AdamSettings;
use crate::network::graph::{Graph, NodeId};
use crate::network::{self, Mode, NetworkProgram, RandomInput, ShapeError, WeightTable};
use crate::random::Key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Images between two lines of the history. Not a setting: a history must not depend on how training was cut into runs.
const HISTORY_INTERVAL: u64 = 512;

/// What the `gan` block says, apart from the networks and the data.
#[derive(Clone, Debug)]
pub struct GanSettings {
    pub loss: GanLoss,
    pub penalty: Penalty,
    pub generator_optimiser: AdamSettings,
    pub discriminator_optimiser: AdamSettings,
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

/// The names of what each step is fed with; the order is that of [`GanTrainer::feeds`].
const FEEDS: [&str; 5] = ["real", "labels", "latent", "mixture", "generator labels"];

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
        let compiled = Compiled::new(generator, discriminator, data, &settings)?;
        let key = Key::new(settings.seed).with("gan");
        let generator_weights = Weights::begin(generator, &compiled.generator, &key.with("generator"))?;
        let discriminator_weights = Weights::begin(discriminator, &compiled.discriminator, &key.with("discriminator"))?;
        let names: Vec<String> = FEEDS.iter().map(ToString::to_string).collect();
        let bind = |step: &StepNodes, weights: &Weights| -> Result<TrainingStep, Diagnostic> {
            let outputs: Vec<NodeId> =
                step.losses.iter().chain(&step.gradients).chain(step.updates.iter().map(|(_, node)| node)).copied().collect();
            let randomness = Randomness::new(&step.randomness);
            let groups: [&[String]; 4] =
                [&names, &generator_weights.bindings, &discriminator_weights.bindings, &randomness.bindings()];
            Ok(TrainingStep {
                executable: BoundExecutable::new(&step.graph, &outputs, &groups)?,
                losses: step.losses.len(),
                gradients: step.gradients.len(),
                updates: step.updates.iter().filter_map(|(name, _)| weights.position(name)).collect(),
                randomness,
            })
        };
        let batch = settings.batch;
        let labels = data.label_names.len();
        let latent = compiled.latent;
        let feeds =
            [batch * data.image_size(), batch * labels, batch * latent, batch, batch * labels].map(|length| vec![0.0; length]);
        let purposes =
            ["order", "latent", "mixture", "generator latent", "generator labels", "randomness", "generator randomness"];
        Ok(Self {
            discriminator_step: bind(&compiled.discriminator_step, &discriminator_weights)?,
            penalised_step: compiled.penalised_step.as_ref().map(|step| bind(step, &discriminator_weights)).transpose()?,
            generator_step: bind(&compiled.generator_step, &generator_weights)?,
            generator_optimiser: OptimiserState::new(settings.generator_optimiser, &generator_weights),
            discriminator_optimiser: OptimiserState::new(settings.discriminator_optimiser, &discriminator_weights),
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

    /// One step of both networks. A loss that is no number ends the training with an error.
    pub fn step(&mut self) -> Result<(), Diagnostic> {
        let step = self.facts.step;
        let indices = self.order.indices(step);
        let [real, labels, latent, mixture, generator_labels] = self.feeds.as_mut_slice() else {
            return Err(defect("the feeds of a training step are not complete".into()));
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
        chosen.run(&self.feeds, &self.generator, &self.discriminator)?;
        self.facts.sums.discriminator_loss += chosen.executable.scalar(0);
        if chosen.losses > 1 {
            self.facts.sums.penalty += chosen.executable.scalar(1);
            self.facts.sums.penalties += 1;
        }
        chosen.apply(&mut self.discriminator_optimiser, &mut self.discriminator, None);

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
        self.generator_step.apply(&mut self.generator_optimiser, &mut self.generator, Some((&mut self.average, decay as f32)));

        self.facts.sums.steps += 1;
        self.facts.step += 1;
        self.require_numbers()?;
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

    /// An error where the sums since the last line are no numbers.
    fn require_numbers(&self) -> Result<(), Diagnostic> {
        let sums = &self.facts.sums;
        if (sums.discriminator_loss + sums.generator_loss + sums.penalty).is_finite() {
            return Ok(());
        }
        Err(diverged(&format!(
            "before {:.1} kimg: the losses sum up to {} (discriminator), {} (generator) and {} (penalty)",
            self.images() as f64 / 1000.0,
            sums.discriminator_loss,
            sums.generator_loss,
            sums.penalty
        )))
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

    /// The averaged generator, which is what images are drawn from. Weights that are no numbers are an error.
    pub fn model(&self) -> Result<Model, Diagnostic> {
        if self.average.values.iter().flatten().any(|value| !value.is_finite()) {
            return Err(diverged("in its last steps: the generator has weights that are no numbers"));
        }
        Ok(Model {
            network: self.generator_network.clone(),
            weights: self.average.clone(),
            label_names: self.data.label_names.clone(),
        })
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

    /// Moves the weights along the gradients of the last run, and the running statistics to their new values.
    fn apply(&self, optimiser: &mut OptimiserState, weights: &mut Weights, average: Option<(&mut Weights, f32)>) {
        let mut average = average;
        optimiser.step(
            weights,
            |index| self.executable.output(self.losses + index),
            average.as_mut().map(|(average, decay)| (&mut **average, *decay)),
        );
        for (index, position) in self.updates.iter().enumerate() {
            let value = self.executable.output(self.losses + self.gradients + index);
            for target in [Some(&mut *weights), average.as_mut().map(|(average, _)| &mut **average)].into_iter().flatten() {
                if let Some(old) = target.values.get_mut(*position) {
                    old.copy_from_slice(value);
                }
            }
        }
    }
}

fn key<'k>(keys: &'k BTreeMap<&'static str, Key>, purpose: &str) -> Result<&'k Key, Diagnostic> {
    keys.get(purpose).ok_or_else(|| defect(format!("there is no random key for `{purpose}`")))
}

/// The graph of a step before it is compiled.
struct StepNodes {
    graph: Graph,
    losses: Vec<NodeId>,
    gradients: Vec<NodeId>,
    updates: Vec<(String, NodeId)>,
    randomness: Vec<RandomInput>,
}

/// The three steps as graphs, and the weights that they have.
struct Compiled {
    generator: WeightTable,
    discriminator: WeightTable,
    latent: usize,
    discriminator_step: StepNodes,
    penalised_step: Option<StepNodes>,
    generator_step: StepNodes,
}

impl Compiled {
    fn new(
        generator: &NetworkProgram,
        discriminator: &NetworkProgram,
        data: &Shard,
        settings: &GanSettings,
    ) -> Result<Self, Diagnostic> {
        let latent = match generator.inputs.as_slice() {
            [(_, latent), _] => latent.iter().product(),
            _ => return Err(defect("a generator takes latent numbers and labels".into())),
        };
        let sizes = Sizes {
            batch: settings.batch,
            image: [data.channels, data.height, data.width],
            labels: data.label_names.len(),
            latent,
        };
        let (discriminator_step, _) = discriminator_nodes(generator, discriminator, &sizes, settings.loss, Penalty::None)?;
        let penalised_step = match settings.penalty {
            Penalty::None => None,
            penalty => Some(discriminator_nodes(generator, discriminator, &sizes, settings.loss, penalty)?.0),
        };
        let (generator_step, generator_table, discriminator_table) =
            generator_nodes(generator, discriminator, &sizes, settings.loss)?;
        Ok(Self {
            generator: generator_table,
            discriminator: discriminator_table,
            latent,
            discriminator_step,
            penalised_step,
            generator_step,
        })
    }
}

/// The sizes that the feeds of a step have.
struct Sizes {
    batch: usize,
    image: [usize; 3],
    labels: usize,
    latent: usize,
}

fn tables() -> (WeightTable, WeightTable) {
    (WeightTable::new("generator:"), WeightTable::new("discriminator:"))
}

fn discriminator_nodes(
    generator: &NetworkProgram,
    discriminator: &NetworkProgram,
    sizes: &Sizes,
    loss: GanLoss,
    penalty: Penalty,
) -> Result<(StepNodes, WeightTable), Diagnostic> {
    let mut graph = Graph::default();
    let (mut generator_table, mut table) = tables();
    let batch = sizes.batch;
    let [channels, height, width] = sizes.image;
    let real = graph.input("real", &[batch, channels, height, width]);
    let labels = graph.input("labels", &[batch, sizes.labels]);
    let latent = graph.input("latent", &[batch, sizes.latent]);
    let fake = network::lower(generator, &mut graph, batch, Mode::Training, &[latent, labels], &mut generator_table)
        .map_err(|error| unfit("generator", &error))?;
    let score = |graph: &mut Graph, images: NodeId, table: &mut WeightTable| {
        network::lower(discriminator, graph, batch, Mode::Training, &[images, labels], table)
            .map_err(|error| unfit("discriminator", &error))
    };
    let on_real = score(&mut graph, real, &mut table)?;
    let on_fake = score(&mut graph, fake, &mut table)?;
    let loss = loss.discriminator(&mut graph, on_real, on_fake);
    let mixture = graph.input("mixture", &[batch, 1, 1, 1]);
    let images = PenaltyImages { real, fake, mixture };
    let penalty = penalty.node(&mut graph, &images, &mut |graph, images| score(graph, images, &mut table))?;
    let total = match penalty {
        Some(penalty) => graph.add(loss, penalty),
        None => loss,
    };
    let losses: Vec<NodeId> = [loss].into_iter().chain(penalty).collect();
    let gradients = gradients(&mut graph, total, &table);
    let updates = table.updates.clone();
    let randomness = [generator_table.randomness.as_slice(), &table.randomness].concat();
    Ok((StepNodes { graph, losses, gradients, updates, randomness }, table))
}

fn generator_nodes(
    generator: &NetworkProgram,
    discriminator: &NetworkProgram,
    sizes: &Sizes,
    loss: GanLoss,
) -> Result<(StepNodes, WeightTable, WeightTable), Diagnostic> {
    let mut graph = Graph::default();
    let (mut table, mut discriminator_table) = tables();
    let labels = graph.input("generator labels", &[sizes.batch, sizes.labels]);
    let latent = graph.input("latent", &[sizes.batch, sizes.latent]);
    let fake = network::lower(generator, &mut graph, sizes.batch, Mode::Training, &[latent, labels], &mut table)
        .map_err(|error| unfit("generator", &error))?;
    let score = network::lower(discriminator, &mut graph, sizes.batch, Mode::Training, &[fake, labels], &mut discriminator_table)
        .map_err(|error| unfit("discriminator", &error))?;
    let loss = loss.generator(&mut graph, score);
    let gradients = gradients(&mut graph, loss, &table);
    let updates = table.updates.clone();
    let randomness = [table.randomness.as_slice(), &discriminator_table.randomness].concat();
    Ok((StepNodes { graph, losses: vec![loss], gradients, updates, randomness }, table, discriminator_table))
}

/// The gradients of a loss with respect to every learned tensor, in the order of the table.
pub(super) fn gradients(graph: &mut Graph, loss: NodeId, table: &WeightTable) -> Vec<NodeId> {
    let learned: Vec<NodeId> = table
        .specifications
        .iter()
        .filter(|specification| specification.trainable)
        .filter_map(|specification| table.node(&specification.name))
        .collect();
    autodiff::gradient(graph, loss, &learned)
}

fn diverged(how: &str) -> Diagnostic {
    Diagnostic::error("E0651", format!("training diverged {how}"))
        .help("use smaller learning rates, or another weight of the penalty")
}

/// A network that passed the check but cannot be trained with this batch.
pub(super) fn unfit(what: &str, error: &ShapeError) -> Diagnostic {
    let diagnostic = Diagnostic::error("E0655", format!("the {what} cannot be trained: {}", error.message));
    match &error.help {
        Some(help) => diagnostic.help(help.clone()),
        None => diagnostic,
    }
}
