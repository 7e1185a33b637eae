//! Training of a classifier: binary cross-entropy for each finding, and after every epoch the macro AUROC on the validation
//! images, by which the weights that are kept are chosen.

use super::bound::{BoundExecutable, defect};
use super::checkpoint::Checkpoint;
use super::divergence::{Divergence, Failure, check_losses, check_statistics};
use super::feeds;
use super::gan_graphs::{gradients, unfit};
use super::losses::binary_cross_entropy;
use super::model::Model;
use super::optimisers::{Optimiser, OptimiserState};
use super::predict::Predictor;
use super::randomness::Randomness;
use super::weights::Weights;
use crate::data::batch::Batches;
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::metrics::auroc;
use crate::network::graph::{Graph, NodeId};
use crate::network::{self, Mode, NetworkProgram, WeightTable};
use crate::random::Key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the `classifier` block says, apart from the network and the data.
#[derive(Clone, Debug)]
pub struct ClassifierSettings {
    pub optimiser: Arc<dyn Optimiser>,
    /// Images in a step; a smaller training set is one batch.
    pub batch: usize,
    /// Epochs without a better validation AUROC after which training ends.
    pub patience: u64,
    pub seed: u64,
}

/// One line of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// From 1.
    pub epoch: u64,
    /// Mean over the steps of the epoch.
    pub training_loss: f64,
    /// Macro AUROC on the validation images.
    pub validation_auroc: f64,
    /// Whether this epoch's weights are the ones that are kept.
    pub kept: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct ClassifierFacts {
    steps: u64,
    history: Vec<EpochRecord>,
}

/// The names of what each step is fed with.
const FEEDS: [&str; 2] = ["image", "labels"];

pub struct ClassifierTrainer<'a> {
    settings: ClassifierSettings,
    network: &'a NetworkProgram,
    train: &'a Shard,
    valid: &'a Shard,
    weights: Weights,
    best: Weights,
    optimiser: OptimiserState,
    executable: BoundExecutable,
    /// How many gradients stand behind the loss, before the running statistics.
    gradients: usize,
    updates: Vec<usize>,
    randomness: Randomness,
    feeds: Vec<Vec<f32>>,
    predictor: Predictor,
    order: Batches,
    /// Images in a step: the setting, or all training images where there are fewer.
    batch: usize,
    key: Key,
    facts: ClassifierFacts,
}

impl<'a> ClassifierTrainer<'a> {
    pub fn new(
        network: &'a NetworkProgram,
        train: &'a Shard,
        valid: &'a Shard,
        settings: ClassifierSettings,
    ) -> Result<Self, Diagnostic> {
        let batch = settings.batch.min(train.len()).max(1);
        let key = Key::new(settings.seed).with("classifier");
        let mut graph = Graph::default();
        let mut table = WeightTable::new("weights:");
        let image = graph.input("image", &[batch, train.channels, train.height, train.width]);
        let labels = graph.input("labels", &[batch, train.label_names.len()]);
        let logits = network::lower(network, &mut graph, batch, Mode::Training, &[image], &mut table)
            .map_err(|error| unfit("classifier", &error))?;
        let loss = binary_cross_entropy(&mut graph, logits, labels);
        let gradients = gradients(&mut graph, loss, &table);
        let outputs: Vec<NodeId> =
            std::iter::once(loss).chain(gradients.iter().copied()).chain(table.updates.iter().map(|(_, node)| *node)).collect();
        let weights = Weights::begin(network, &table, &key.with("weights"))?;
        let names: Vec<String> = FEEDS.iter().map(ToString::to_string).collect();
        let randomness = Randomness::new(&table.randomness);
        let executable = BoundExecutable::new(&graph, &outputs, &[&names, &weights.bindings, &randomness.bindings()])?;
        let feeds = vec![vec![0.0; batch * train.image_size()], vec![0.0; batch * train.label_names.len()]];
        let model = Model { network: network.clone(), weights: weights.clone(), label_names: train.label_names.clone() };
        Ok(Self {
            optimiser: OptimiserState::new(settings.optimiser.clone(), &weights),
            predictor: Predictor::new(&model, VALIDATION_BATCH)?,
            order: Batches::new(&key.with("order"), train.len(), batch),
            updates: table.updates.iter().filter_map(|(name, _)| weights.position(name)).collect(),
            randomness,
            gradients: gradients.len(),
            best: weights.clone(),
            facts: ClassifierFacts::default(),
            batch,
            key,
            executable,
            feeds,
            weights,
            network,
            settings,
            train,
            valid,
        })
    }

    /// Epochs finished so far.
    pub fn epochs(&self) -> u64 {
        self.facts.history.len() as u64
    }

    pub fn history(&self) -> &[EpochRecord] {
        &self.facts.history
    }

    /// Whether the validation AUROC has not risen for as many epochs as the patience allows.
    pub fn is_finished(&self) -> bool {
        let kept = self.facts.history.iter().rposition(|record| record.kept).map_or(0, |index| index as u64 + 1);
        self.epochs().saturating_sub(kept) >= self.settings.patience
    }

    /// One epoch; `each` is told of every step's images and may end it early by returning false (then nothing is kept of it).
    /// Where a loss, a gradient or a running statistic is not finite, it ends with an error before it writes a number of that kind.
    pub fn epoch(&mut self, each: &mut dyn FnMut(u64, f64) -> bool) -> Result<bool, Failure> {
        let steps = (self.train.len() / self.batch).max(1) as u64;
        let mut sum = 0.0;
        for index in 0..steps {
            let loss = self.step()?;
            sum += loss;
            if !each((index + 1) * self.batch as u64, loss) {
                return Ok(false);
            }
        }
        let training_loss = sum / steps.max(1) as f64;
        let epoch = self.epochs() + 1;
        let validation_auroc = self.validate()?;
        let best = self.facts.history.iter().map(|record| record.validation_auroc).fold(f64::NEG_INFINITY, f64::max);
        let kept = validation_auroc > best;
        if kept {
            self.best = self.weights.clone();
        }
        self.facts.history.push(EpochRecord { epoch, training_loss, validation_auroc, kept });
        Ok(true)
    }

    fn step(&mut self) -> Result<f64, Failure> {
        let step = self.facts.steps;
        let indices = self.order.indices(step);
        if let [images, labels] = self.feeds.as_mut_slice() {
            feeds::fill_images(self.train, &indices, images);
            feeds::fill_labels(self.train, &indices, labels);
        }
        self.randomness.fill_step(&self.key.with("randomness"), step);
        self.executable.run(&[&self.feeds, &self.weights.values, &self.randomness.buffers])?;
        self.apply().map_err(|what| {
            Failure::Diverged(Divergence { network: "classifier", what, step: step + 1, images: step * self.batch as u64 })
        })?;
        self.facts.steps += 1;
        Ok(self.executable.scalar(0))
    }

    /// Moves the weights along the gradients of the last run, and the running statistics to their new values. Says what is not
    /// finite instead of writing it.
    fn apply(&mut self) -> Result<(), String> {
        let (executable, first) = (&self.executable, 1 + self.gradients);
        check_losses([("loss", executable.scalar(0))])?;
        let statistics =
            || self.updates.iter().enumerate().map(move |(index, position)| (*position, executable.output(first + index)));
        let specifications = &self.weights.specifications;
        let name = |position: usize| specifications.get(position).map_or("", |weight| weight.name.as_str());
        check_statistics(statistics().map(|(position, values)| (name(position), values)))?;
        self.optimiser.step(&mut self.weights, &|index| executable.output(1 + index), None)?;
        for (position, values) in statistics() {
            if let Some(old) = self.weights.values.get_mut(position) {
                old.copy_from_slice(values);
            }
        }
        Ok(())
    }

    fn validate(&mut self) -> Result<f64, Diagnostic> {
        self.predictor.replace_weights(&self.weights.values);
        let scores = self.predictor.scores(self.valid)?;
        auroc::macro_auroc(&scores, &self.valid.labels, self.valid.label_names.len()).ok_or_else(|| {
            Diagnostic::error(
                "E0656",
                "the validation images have no finding with both positive and negative cases, so that no epoch can be chosen"
                    .to_owned(),
            )
            .help("give `valid` a larger share of the data, or choose findings that are more frequent")
        })
    }

    /// The network with the weights of the best epoch.
    pub fn model(&self) -> Model {
        Model { network: self.network.clone(), weights: self.best.clone(), label_names: self.train.label_names.clone() }
    }

    /// Everything that the next epoch depends on.
    pub fn checkpoint(&self) -> Result<Checkpoint<serde_json::Value>, Diagnostic> {
        let mut tensors = BTreeMap::new();
        self.weights.write_tensors("weights/", &mut tensors)?;
        self.best.write_tensors("best/", &mut tensors)?;
        self.optimiser.write_tensors("moments/", &self.weights, &mut tensors)?;
        let facts =
            serde_json::to_value(&self.facts).map_err(|error| defect(format!("a checkpoint cannot be written: {error}")))?;
        Ok(Checkpoint { tensors, facts })
    }

    /// Goes on from a checkpoint.
    pub fn restore(&mut self, checkpoint: Checkpoint<serde_json::Value>) -> Result<(), Diagnostic> {
        let Checkpoint { tensors, facts } = checkpoint;
        let facts: ClassifierFacts = serde_json::from_value(facts)
            .map_err(|error| defect(format!("a checkpoint does not say where it stands: {error}")))?;
        self.weights.read_tensors("weights/", &tensors)?;
        self.best.read_tensors("best/", &tensors)?;
        self.optimiser.read_tensors("moments/", &self.weights, &tensors, facts.steps)?;
        self.facts = facts;
        Ok(())
    }
}

/// Images that are scored at a time.
const VALIDATION_BATCH: usize = 64;
