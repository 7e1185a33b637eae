//! The steps of a GAN training at one resolution and batch, compiled.

use super::bound::{BoundExecutable, defect};
use super::divergence::{check_losses, check_statistics};
use super::gan_graphs::{FEEDS, GanGraphs, Loss, StepGraph};
use super::optimisers::OptimiserState;
use super::randomness::Randomness;
use super::weights::Weights;
use crate::diagnostic::Diagnostic;
use crate::network::WeightTable;
use crate::network::graph::NodeId;

/// The two networks while they are trained.
pub struct GanWeights {
    pub generator: Weights,
    /// The running average of the generator.
    pub average: Weights,
    pub discriminator: Weights,
}

/// All steps.
pub struct Stage {
    pub batch: usize,
    pub discriminator: TrainingStep,
    pub penalised: Option<TrainingStep>,
    pub generator: TrainingStep,
    /// The buffers behind [`FEEDS`].
    pub feeds: Feeds,
}

/// What the steps are fed with, each with the batch first.
pub struct Feeds(Vec<Vec<f32>>);

impl Feeds {
    fn new(batch: usize, image: usize, labels: usize, latent: usize) -> Self {
        Self([image, labels, labels, latent, 1, labels, labels].map(|length| vec![0.0; batch * length]).into())
    }

    /// The buffer of a name of [`FEEDS`].
    pub fn of(&mut self, name: &str) -> Result<&mut [f32], Diagnostic> {
        let place = FEEDS.iter().position(|known| *known == name);
        let buffer = place.and_then(|place| self.0.get_mut(place));
        buffer.map(Vec::as_mut_slice).ok_or_else(|| defect(format!("a training step is fed with no `{name}`")))
    }
}

impl Stage {
    /// Compiles the steps of networks with these weights.
    pub fn new(graphs: &GanGraphs, batch: usize, image: usize, labels: usize, weights: &GanWeights) -> Result<Self, Diagnostic> {
        let names: Vec<String> = FEEDS.iter().map(ToString::to_string).collect();
        let bind = |step: &StepGraph, network: &'static str, table: &WeightTable, own: &Weights| {
            TrainingStep::new(step, network, table, own, &[&names, &weights.generator.bindings, &weights.discriminator.bindings])
        };
        let of_discriminator = |step| bind(step, "discriminator", &graphs.discriminator, &weights.discriminator);
        Ok(Self {
            batch,
            discriminator: of_discriminator(&graphs.discriminator_step)?,
            penalised: graphs.penalised_step.as_ref().map(of_discriminator).transpose()?,
            generator: bind(&graphs.generator_step, "generator", &graphs.generator, &weights.generator)?,
            feeds: Feeds::new(batch, image, labels, graphs.latent),
        })
    }
}

/// An executable that gives losses, then the gradient of every learned tensor, then new running statistics.
pub struct TrainingStep {
    executable: BoundExecutable,
    /// Whose it is.
    network: &'static str,
    losses: Vec<Loss>,
    gradients: usize,
    /// For each learned tensor of the whole network, which gradient is its own.
    learned: Vec<Option<usize>>,
    /// The running statistics that the step moves, by position in the weights.
    updates: Vec<usize>,
    pub randomness: Randomness,
}

impl TrainingStep {
    /// `table` has the weights that the step's network uses, `weights` those of the whole network.
    fn new(
        step: &StepGraph,
        network: &'static str,
        table: &WeightTable,
        weights: &Weights,
        groups: &[&[String]; 3],
    ) -> Result<Self, Diagnostic> {
        let losses = step.losses.iter().map(|(_, node)| node);
        let outputs: Vec<NodeId> =
            losses.chain(&step.gradients).chain(step.updates.iter().map(|(_, node)| node)).copied().collect();
        let randomness = Randomness::new(&step.randomness);
        let random = randomness.bindings();
        let groups: Vec<&[String]> = groups.iter().copied().chain([random.as_slice()]).collect();
        let used: Vec<&str> = learned_names(&table.specifications).collect();
        Ok(Self {
            executable: BoundExecutable::new(&step.graph, &outputs, &groups)?,
            network,
            losses: step.losses.iter().map(|(loss, _)| *loss).collect(),
            gradients: step.gradients.len(),
            learned: learned_names(&weights.specifications).map(|name| used.iter().position(|used| *used == name)).collect(),
            updates: step.updates.iter().filter_map(|(name, _)| weights.position(name)).collect(),
            randomness,
        })
    }

    pub fn run(&mut self, feeds: &Feeds, weights: &GanWeights) -> Result<(), Diagnostic> {
        let groups = [&feeds.0, &weights.generator.values, &weights.discriminator.values, &self.randomness.buffers];
        self.executable.run(&groups.map(Vec::as_slice))
    }

    /// A loss of the last run.
    pub fn loss(&self, wanted: Loss) -> Option<f64> {
        self.losses.iter().position(|loss| *loss == wanted).map(|index| self.executable.scalar(index))
    }

    /// Moves the weights along the gradients of the last run, and the running statistics to their new values. Says what is not
    /// finite instead of writing it.
    pub fn apply(
        &self,
        optimiser: &mut OptimiserState,
        weights: &mut Weights,
        mut average: Option<(&mut Weights, f32)>,
    ) -> Result<(), String> {
        let name = |loss: &Loss| match loss {
            Loss::Score => format!("{}'s loss", self.network),
            Loss::Penalty => "penalty".to_owned(),
            Loss::Labels => format!("{}'s loss of labels", self.network),
        };
        let names: Vec<String> = self.losses.iter().map(name).collect();
        check_losses(names.iter().enumerate().map(|(index, name)| (name.as_str(), self.executable.scalar(index))))?;
        let statistics = || {
            let first = self.losses.len() + self.gradients;
            self.updates.iter().enumerate().map(move |(index, position)| (*position, self.executable.output(first + index)))
        };
        let name = |position: usize| weights.specifications.get(position).map_or("", |weight| weight.name.as_str());
        check_statistics(statistics().map(|(position, values)| (name(position), values)))?;
        let gradient = |index: usize| match self.learned.get(index).copied().flatten() {
            Some(gradient) => self.executable.output(self.losses.len() + gradient),
            None => &[][..],
        };
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

fn learned_names(specifications: &[crate::network::WeightSpecification]) -> impl Iterator<Item = &str> {
    specifications.iter().filter(|weight| weight.trainable).map(|weight| weight.name.as_str())
}
