//! Training of a classifier: binary cross-entropy for each finding over the labels that are known, and after every epoch the
//! macro AUROC on the validation images, which decides what weights are kept, how the learning rate falls and when it ends.

use super::augmentation::{Augmentation, augment};
use super::bound::{BoundExecutable, defect};
use super::checkpoint::Checkpoint;
use super::class_weights::{self, ClassWeights};
use super::divergence::{Divergence, Failure, check_losses, check_statistics};
use super::feeds;
use super::gan_graphs::{gradients, unfit};
use super::losses::weighted_cross_entropy;
use super::model::Model;
use super::optimisers::{Optimiser, OptimiserState};
use super::predict::Predictor;
use super::randomness::Randomness;
use super::schedule::{Course, RateSchedule};
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
    pub schedule: RateSchedule,
    pub class_weights: ClassWeights,
    pub augment: Vec<Augmentation>,
    /// Images in a step; a smaller training set is one batch.
    pub batch: usize,
    /// Images in an epoch, where there are more than these.
    pub epoch: usize,
    /// Epochs without a better validation AUROC after which training ends.
    pub patience: u64,
    /// What the authors of Schütte et al. 2021 did: class weights do not count, validation images behind the last whole batch
    /// are left out, and an undefined AUROC counts as 0.
    pub as_published: bool,
    pub seed: u64,
}

/// One line of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// From 1.
    pub epoch: u64,
    /// Mean over the steps of the epoch.
    pub training_loss: f64,
    /// Macro AUROC on the validation images, over the findings that have one.
    pub validation_auroc: f64,
    /// The findings that have none: all validation images whose label is known have it, or none has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undefined: Vec<String>,
    /// The learning rate of the epoch.
    pub rate: f64,
    /// Whether this epoch's weights are the ones that are kept.
    pub kept: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ClassifierFacts {
    steps: u64,
    /// Steps of the epoch that has begun, and the sum of their losses.
    steps_of_epoch: u64,
    loss_of_epoch: f64,
    course: Course,
    history: Vec<EpochRecord>,
}

/// The names of what each step is fed with.
const FEEDS: [&str; 3] = ["image", "labels", "label weights"];

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
    /// What a negative and a positive image count, by finding.
    classes: Vec<[f64; 2]>,
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
        let label_weights = graph.input("label weights", &[batch, train.label_names.len()]);
        let loss = weighted_cross_entropy(&mut graph, logits, labels, label_weights);
        let gradients = gradients(&mut graph, loss, &table);
        let outputs: Vec<NodeId> =
            std::iter::once(loss).chain(gradients.iter().copied()).chain(table.updates.iter().map(|(_, node)| *node)).collect();
        let weights = Weights::begin(network, &table, &key.with("weights"))?;
        let names: Vec<String> = FEEDS.iter().map(ToString::to_string).collect();
        let randomness = Randomness::new(&table.randomness);
        let executable = BoundExecutable::new(&graph, &outputs, &[&names, &weights.bindings, &randomness.bindings()])?;
        let labelled = batch * train.label_names.len();
        let feeds = [batch * train.image_size(), labelled, labelled].map(|length| vec![0.0; length]).into();
        let classes = match settings.as_published {
            true => ClassWeights::Unweighted.of(train)?,
            false => settings.class_weights.of(train)?,
        };
        let model = Model { network: network.clone(), weights: weights.clone(), label_names: train.label_names.clone() };
        Ok(Self {
            optimiser: OptimiserState::new(settings.optimiser.clone(), &weights),
            predictor: Predictor::new(&model, VALIDATION_BATCH)?,
            order: Batches::new(&key.with("order"), train.len(), batch),
            updates: table.updates.iter().filter_map(|(name, _)| weights.position(name)).collect(),
            randomness,
            gradients: gradients.len(),
            best: weights.clone(),
            facts: ClassifierFacts {
                steps: 0,
                steps_of_epoch: 0,
                loss_of_epoch: 0.0,
                course: Course::new(settings.optimiser.rate()),
                history: Vec::new(),
            },
            batch,
            classes,
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
        self.facts.course.is_finished(self.settings.patience)
    }

    /// The images of one epoch: as many whole batches as fit.
    pub fn images_of_epoch(&self) -> u64 {
        self.steps_of_epoch() * self.batch as u64
    }

    fn steps_of_epoch(&self) -> u64 {
        (self.train.len().min(self.settings.epoch) / self.batch).max(1) as u64
    }

    /// The rest of the epoch that has begun, or a whole one; `each` is told of the epoch's images so far after every step and may
    /// end it by returning false, after which a checkpoint holds the part that is done.
    /// Where a loss, a gradient or a running statistic is not finite, it ends with an error before it writes a number of that kind.
    pub fn epoch(&mut self, each: &mut dyn FnMut(u64, f64) -> bool) -> Result<bool, Failure> {
        let steps = self.steps_of_epoch();
        let rate = self.facts.course.rate;
        self.optimiser.set_rate(rate);
        while self.facts.steps_of_epoch < steps {
            let loss = self.step()?;
            self.facts.steps_of_epoch += 1;
            self.facts.loss_of_epoch += loss;
            if !each(self.facts.steps_of_epoch * self.batch as u64, loss) {
                return Ok(false);
            }
        }
        let training_loss = std::mem::take(&mut self.facts.loss_of_epoch) / steps as f64;
        self.facts.steps_of_epoch = 0;
        let (validation_auroc, undefined) = self.validate()?;
        let kept = self.facts.course.judge(validation_auroc, self.settings.schedule);
        if kept {
            self.best = self.weights.clone();
        }
        let epoch = self.epochs() + 1;
        self.facts.history.push(EpochRecord { epoch, training_loss, validation_auroc, undefined, rate, kept });
        Ok(true)
    }

    fn step(&mut self) -> Result<f64, Failure> {
        let step = self.facts.steps;
        let indices = self.order.indices(step);
        if let [images, labels, label_weights] = self.feeds.as_mut_slice() {
            feeds::fill_images(self.train, &indices, images);
            class_weights::fill(self.train, &indices, &self.classes, labels, label_weights);
            let shape = [self.train.channels, self.train.height, self.train.width];
            let first = step * self.batch as u64;
            augment(&self.settings.augment, &self.key.with("augment"), first, shape, images);
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

    /// The macro AUROC on the validation images, and the findings that have none.
    fn validate(&mut self) -> Result<(f64, Vec<String>), Diagnostic> {
        self.predictor.replace_weights(&self.weights.values);
        let mut scores = self.predictor.scores(self.valid)?;
        let names = &self.valid.label_names;
        if self.settings.as_published {
            let whole = self.valid.len() / self.batch * self.batch;
            scores.truncate(whole * names.len());
        }
        let labels = self.valid.labels.get(..scores.len()).unwrap_or_default();
        let found = auroc::per_finding(&scores, labels, names.len());
        let undefined: Vec<String> =
            names.iter().zip(&found).filter(|(_, auroc)| auroc.is_none()).map(|(name, _)| name.clone()).collect();
        let counted = |auroc: &Option<f64>| if self.settings.as_published { Some(auroc.unwrap_or(0.0)) } else { *auroc };
        match auroc::mean(found.iter().filter_map(counted)) {
            Some(mean) if undefined.len() < names.len() => Ok((mean, undefined)),
            _ => Err(Diagnostic::error(
                "E0656",
                "the validation images have no finding with both positive and negative cases, so that no epoch can be chosen"
                    .to_owned(),
            )
            .help("give `valid` a larger share of the data, or choose findings that are more frequent")),
        }
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
