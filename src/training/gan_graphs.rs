//! The steps of a GAN training as graphs: the discriminator's with and without its penalty, and the generator's.

use super::bound::defect;
use super::losses::GanLoss;
use super::penalties::{Penalty, PenaltyImages};
use crate::autodiff;
use crate::diagnostic::Diagnostic;
use crate::network::graph::{Graph, NodeId};
use crate::network::{self, Mode, NetworkProgram, RandomInput, ShapeError, WeightTable};

/// The names of what the steps are fed with. A step reads some of them.
pub const FEEDS: [&str; 5] = ["real", "labels", "latent", "mixture", "generator labels"];

/// The graph of a step before it is compiled.
pub struct StepGraph {
    pub graph: Graph,
    /// The generated images, `[batch, c, h, w]`.
    pub images: NodeId,
    /// The loss, and behind it the penalty where there is one.
    pub losses: Vec<NodeId>,
    /// The gradient of every learned tensor of the network that moves, in the order of its table.
    pub gradients: Vec<NodeId>,
    /// Its new running statistics by name.
    pub updates: Vec<(String, NodeId)>,
    pub randomness: Vec<RandomInput>,
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
        (batch, image, labels): (usize, [usize; 3], usize),
        loss: GanLoss,
        penalty: Penalty,
    ) -> Result<Self, Diagnostic> {
        let latent = match generator.inputs.as_slice() {
            [(_, latent), _] => latent.iter().product(),
            _ => return Err(defect("a generator takes latent numbers and labels".into())),
        };
        let sizes = Sizes { batch, image, labels, latent };
        let plain_step = discriminator_step(generator, discriminator, &sizes, loss, Penalty::None)?;
        let penalised_step = match penalty {
            Penalty::None => None,
            penalty => Some(discriminator_step(generator, discriminator, &sizes, loss, penalty)?),
        };
        let (generator_step, generator, discriminator) = generator_step(generator, discriminator, &sizes, loss)?;
        Ok(Self { generator, discriminator, latent, discriminator_step: plain_step, penalised_step, generator_step })
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

fn discriminator_step(
    generator: &NetworkProgram,
    discriminator: &NetworkProgram,
    sizes: &Sizes,
    loss: GanLoss,
    penalty: Penalty,
) -> Result<StepGraph, Diagnostic> {
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
    Ok(StepGraph { graph, images: fake, losses, gradients, updates, randomness })
}

fn generator_step(
    generator: &NetworkProgram,
    discriminator: &NetworkProgram,
    sizes: &Sizes,
    loss: GanLoss,
) -> Result<(StepGraph, WeightTable, WeightTable), Diagnostic> {
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
    let step = StepGraph { graph, images: fake, losses: vec![loss], gradients, updates, randomness };
    Ok((step, table, discriminator_table))
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
