//! The steps of a GAN training as graphs: the discriminator's with and without its penalty, and the generator's.

use super::auxiliary::Auxiliary;
use super::bound::defect;
use super::losses::GanLoss;
use super::penalties::{Penalty, PenaltyImages};
use crate::autodiff;
use crate::diagnostic::Diagnostic;
use crate::network::graph::{Graph, NodeId};
use crate::network::{self, Mode, NetworkProgram, RandomInput, ShapeError, WeightTable};

/// The names of what the steps are fed with. A step reads some of them. `known labels` are 1 where a label is known, 0 elsewhere.
pub const FEEDS: [&str; 7] =
    ["real", "labels", "known labels", "latent", "mixture", "generator labels", "generator known labels"];

/// The graph of a step before it is compiled.
pub struct StepGraph {
    pub graph: Graph,
    /// The generated images, `[batch, c, h, w]`.
    pub images: NodeId,
    /// The loss, and behind it the penalty where there is one, and the loss of labels where there is one. The loss of the
    /// discriminator has neither of them in it.
    pub losses: Vec<(Loss, NodeId)>,
    /// The gradient of every learned tensor of the network that moves, in the order of its table.
    pub gradients: Vec<NodeId>,
    /// Its new running statistics by name.
    pub updates: Vec<(String, NodeId)>,
    pub randomness: Vec<RandomInput>,
}

/// What a number of a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// What the networks play for.
    Score,
    Penalty,
    /// The cross-entropy of labels.
    Labels,
}

/// What the networks are trained with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GanRules {
    pub loss: GanLoss,
    pub penalty: Penalty,
    /// Of a discriminator with logits beside its score.
    pub auxiliary: Option<Auxiliary>,
}

/// The sizes that the feeds of a step have.
#[derive(Clone, Copy, Debug)]
pub struct GanSizes {
    pub batch: usize,
    /// Channels, height and width at which the networks work.
    pub image: [usize; 3],
    pub labels: usize,
    /// See [`PenaltyImages::enlargement`].
    pub enlargement: usize,
}

/// The three steps, and the weights that they have.
pub struct GanGraphs {
    pub generator: WeightTable,
    pub discriminator: WeightTable,
    /// How many latent numbers the generator takes.
    pub latent: usize,
    pub discriminator_step: StepGraph,
    /// The discriminator's step with its penalty.
    pub penalised_step: Option<StepGraph>,
    pub generator_step: StepGraph,
}

impl GanGraphs {
    /// The graphs for images of this shape under so many labels. Weights are inputs called `generator:…` and `discriminator:…`.
    ///
    /// # Errors
    /// When a network cannot be trained in such batches.
    pub fn new(
        generator: &NetworkProgram,
        discriminator: &NetworkProgram,
        sizes: GanSizes,
        rules: GanRules,
    ) -> Result<Self, Diagnostic> {
        let latent = match generator.inputs.as_slice() {
            [(_, latent), _] => latent.iter().product(),
            _ => return Err(defect("a generator takes latent numbers and labels".into())),
        };
        let pair = Pair { generator, discriminator, sizes, latent };
        let plain_step = pair.discriminator_step(GanRules { penalty: Penalty::None, ..rules })?;
        let penalised_step = match rules.penalty {
            Penalty::None => None,
            _ => Some(pair.discriminator_step(rules)?),
        };
        let (generator_step, generator, discriminator) = pair.generator_step(rules)?;
        Ok(Self { generator, discriminator, latent, discriminator_step: plain_step, penalised_step, generator_step })
    }
}

/// Two networks and the sizes of what they are fed with.
struct Pair<'a> {
    generator: &'a NetworkProgram,
    discriminator: &'a NetworkProgram,
    sizes: GanSizes,
    latent: usize,
}

/// What a discriminator says of images: `[batch, 1]`, and `[batch, labels]` where it has a classifier beside its score.
struct Judgement {
    score: NodeId,
    logits: Option<NodeId>,
}

fn tables() -> (WeightTable, WeightTable) {
    (WeightTable::new("generator:"), WeightTable::new("discriminator:"))
}

impl Pair<'_> {
    fn judge(&self, graph: &mut Graph, images: NodeId, labels: NodeId, table: &mut WeightTable) -> Result<Judgement, Diagnostic> {
        let batch = self.sizes.batch;
        let output = network::lower(self.discriminator, graph, batch, Mode::Training, &[images, labels], table)
            .map_err(|error| unfit("discriminator", &error))?;
        let count = graph.shape(output).iter().skip(1).product::<usize>();
        match count.checked_sub(1) {
            Some(0) => Ok(Judgement { score: output, logits: None }),
            Some(logits) if logits == self.sizes.labels => {
                Ok(Judgement { score: graph.slice(output, 1, 0, 1), logits: Some(graph.slice(output, 1, 1, logits)) })
            }
            _ => Err(defect(format!("a discriminator makes {count} numbers for {} labels", self.sizes.labels))),
        }
    }

    fn generate(&self, graph: &mut Graph, latent: NodeId, labels: NodeId, table: &mut WeightTable) -> Result<NodeId, Diagnostic> {
        network::lower(self.generator, graph, self.sizes.batch, Mode::Training, &[latent, labels], table)
            .map_err(|error| unfit("generator", &error))
    }

    fn discriminator_step(&self, rules: GanRules) -> Result<StepGraph, Diagnostic> {
        let mut graph = Graph::default();
        let (mut generator_table, mut table) = tables();
        let GanSizes { batch, image: [channels, height, width], labels: count, enlargement } = self.sizes;
        let real = graph.input("real", &[batch, channels, height, width]);
        let labels = graph.input("labels", &[batch, count]);
        let latent = graph.input("latent", &[batch, self.latent]);
        let fake = self.generate(&mut graph, latent, labels, &mut generator_table)?;
        let on_real = self.judge(&mut graph, real, labels, &mut table)?;
        let on_fake = self.judge(&mut graph, fake, labels, &mut table)?;
        let mut losses = vec![(Loss::Score, rules.loss.discriminator(&mut graph, on_real.score, on_fake.score))];
        let mixture = graph.input("mixture", &[batch, 1, 1, 1]);
        let images = PenaltyImages { real, fake, mixture, enlargement };
        let penalty = rules
            .penalty
            .node(&mut graph, &images, &mut |graph, images| Ok(self.judge(graph, images, labels, &mut table)?.score))?;
        losses.extend(penalty.map(|penalty| (Loss::Penalty, penalty)));
        if let (Some(auxiliary), Some(on_real), Some(on_fake)) = (rules.auxiliary, on_real.logits, on_fake.logits) {
            let known = graph.input("known labels", &[batch, count]);
            let [real, fake] = [on_real, on_fake].map(|logits| auxiliary.node(&mut graph, logits, labels, known));
            losses.push((Loss::Labels, graph.add(real, fake)));
        }
        let randomness = generator_table.randomness;
        Ok(step(graph, fake, losses, &table, &randomness))
    }

    fn generator_step(&self, rules: GanRules) -> Result<(StepGraph, WeightTable, WeightTable), Diagnostic> {
        let mut graph = Graph::default();
        let (mut table, mut discriminator_table) = tables();
        let GanSizes { batch, labels: count, .. } = self.sizes;
        let labels = graph.input("generator labels", &[batch, count]);
        let latent = graph.input("latent", &[batch, self.latent]);
        let fake = self.generate(&mut graph, latent, labels, &mut table)?;
        let judgement = self.judge(&mut graph, fake, labels, &mut discriminator_table)?;
        let mut losses = vec![(Loss::Score, rules.loss.generator(&mut graph, judgement.score))];
        if let (Some(auxiliary), Some(logits)) = (rules.auxiliary, judgement.logits) {
            let known = graph.input("generator known labels", &[batch, count]);
            losses.push((Loss::Labels, auxiliary.node(&mut graph, logits, labels, known)));
        }
        let step = step(graph, fake, losses, &table, &discriminator_table.randomness);
        Ok((step, table, discriminator_table))
    }
}

/// The step along the gradient of the sum of all losses; `table` has what is learned.
fn step(
    mut graph: Graph,
    images: NodeId,
    losses: Vec<(Loss, NodeId)>,
    table: &WeightTable,
    of_the_other: &[RandomInput],
) -> StepGraph {
    let total = losses.iter().map(|(_, loss)| *loss).reduce(|sum, loss| graph.add(sum, loss));
    let gradients = total.map(|total| gradients(&mut graph, total, table)).unwrap_or_default();
    let updates = table.updates.clone();
    let randomness = [of_the_other, table.randomness.as_slice()].concat();
    StepGraph { graph, images, losses, gradients, updates, randomness }
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

/// A network that passed the check but cannot be trained with this batch.
pub(super) fn unfit(what: &str, error: &ShapeError) -> Diagnostic {
    let diagnostic = Diagnostic::error("E0655", format!("the {what} cannot be trained: {}", error.message));
    match &error.help {
        Some(help) => diagnostic.help(help.clone()),
        None => diagnostic,
    }
}
