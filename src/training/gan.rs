//! Training of a generator against a discriminator. One step: the discriminator on a batch of real images and as many
//! generated ones (with the penalty at every so many steps), then the generator, then its running average.
//!
//! Where the networks grow, both work at the resolution of the moment: the stages above it count for nothing yet, and the numbers
//! are those of the whole networks on images that were enlarged to full size. At each boundary between phases the optimisers
//! forget. Images are shown in the same endless order whatever batches they come in.
//!
//! Everything random is keyed by the seed, its purpose and the number of the step, so that a training that was interrupted
//! goes on to the same bytes.

use super::averaging::Averaging;
use super::bound::defect;
use super::checkpoint::Checkpoint;
use super::divergence::{Divergence, Failure};
use super::feeds;
use super::gan_graphs::{GanGraphs, GanRules, GanSizes, Loss};
use super::gan_record::{GanRecord, Sums};
use super::gan_stage::{GanWeights, Stage};
use super::growth::{Detail, Growth};
use super::model::Model;
use super::optimisers::{Optimiser, OptimiserState};
use super::plateau::{Evaluation, Evaluations, Plateau};
use super::real_images;
use super::weights::Weights;
use crate::data::batch::Batches;
use crate::data::shard::Shard;
use crate::diagnostic::Diagnostic;
use crate::network::NetworkProgram;
use crate::network::growth::{Level, discriminator_levels, generator_levels};
use crate::random::Key;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the `gan` block says, apart from the networks and the data.
#[derive(Clone, Debug)]
pub struct GanSettings {
    pub rules: GanRules,
    pub generator_optimiser: Arc<dyn Optimiser>,
    pub discriminator_optimiser: Arc<dyn Optimiser>,
    /// Images in a step at full size.
    pub batch: usize,
    pub growth: Option<Growth>,
    pub averaging: Averaging,
    pub stop: Option<Plateau>,
    pub compat: Compat,
    pub seed: u64,
}

/// Whether quirks of the authors are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    #[default]
    None,
    /// The average takes the generator in before its step, not behind it; where the budget ends before the stop rule does, the
    /// last generator is the result, not the best; the stop rule looks at training images.
    Paper,
}

/// Where the training stands, besides weights and moments.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct GanFacts {
    step: u64,
    /// Real images shown.
    images: u64,
    /// Images shown when the schedule of growth was looked at last.
    scheduled: u64,
    /// Steps of the optimisers since they forgot.
    optimiser_steps: u64,
    history: Vec<GanRecord>,
    sums: Sums,
    evaluations: Evaluations,
    /// Whether an evaluation is due that has not been made.
    due: bool,
}

pub struct GanTrainer<'a> {
    settings: GanSettings,
    data: &'a Shard,
    generator_network: &'a NetworkProgram,
    /// The networks by how often their resolution is halved.
    levels: Vec<[Level; 2]>,
    weights: GanWeights,
    /// The average of the best evaluation.
    best: Option<Weights>,
    generator_optimiser: OptimiserState,
    discriminator_optimiser: OptimiserState,
    stage: Stage,
    detail: Detail,
    random: BTreeMap<&'static str, Key>,
    order: Batches,
    facts: GanFacts,
}

/// What random numbers are drawn for.
const PURPOSES: [&str; 7] =
    ["order", "latent", "mixture", "generator latent", "generator labels", "randomness", "generator randomness"];

impl<'a> GanTrainer<'a> {
    /// Compiles the first steps and draws the initial weights.
    ///
    /// # Errors
    /// Where the networks cannot be trained in such batches, or cannot grow as they should.
    pub fn new(
        generator: &'a NetworkProgram,
        discriminator: &'a NetworkProgram,
        data: &'a Shard,
        settings: GanSettings,
    ) -> Result<Self, Diagnostic> {
        let levels = levels(generator, discriminator, data.height, settings.growth)?;
        let full = graphs(&levels, data, &settings, 0)?;
        let key = Key::new(settings.seed).with("gan");
        let generator_weights = Weights::begin(generator, &full.generator, &key.with("generator"))?;
        let weights = GanWeights {
            average: generator_weights.clone(),
            generator: generator_weights,
            discriminator: Weights::begin(discriminator, &full.discriminator, &key.with("discriminator"))?,
        };
        let detail = detail(&settings, levels.len(), 0);
        let mut trainer = Self {
            stage: stage(&levels, data, &settings, detail.halvings, &weights)?,
            generator_optimiser: OptimiserState::new(settings.generator_optimiser.clone(), &weights.generator),
            discriminator_optimiser: OptimiserState::new(settings.discriminator_optimiser.clone(), &weights.discriminator),
            order: Batches::new(&key.with("order"), data.len(), settings.batch),
            random: PURPOSES.into_iter().map(|purpose| (purpose, key.with(purpose))).collect(),
            facts: GanFacts::default(),
            generator_network: generator,
            best: None,
            detail,
            levels,
            weights,
            settings,
            data,
        };
        trainer.show_progress();
        Ok(trainer)
    }

    /// Real images shown so far.
    pub fn images(&self) -> u64 {
        self.facts.images
    }

    pub fn history(&self) -> &[GanRecord] {
        &self.facts.history
    }

    pub fn evaluations(&self) -> &[Evaluation] {
        &self.facts.evaluations.0
    }

    /// Whether the stop rule asks for a distance before the next step: see [`GanTrainer::evaluated`].
    pub fn is_evaluation_due(&self) -> bool {
        self.facts.due
    }

    /// Whether the stop rule has ended the training.
    pub fn has_stopped(&self) -> bool {
        self.settings.stop.is_some_and(|stop| self.facts.evaluations.have_stopped(stop.patience))
    }

    /// Takes the distance of the averaged generator in, and keeps it where it is the best.
    pub fn evaluated(&mut self, distance: f64) {
        self.facts.due = false;
        if self.facts.evaluations.add(self.facts.images, distance) {
            self.best = Some(self.weights.average.clone());
        }
    }

    /// One step of both networks. Where a loss, a gradient or a running statistic is not finite, it ends with an error before it
    /// writes a number of that kind, and the training is not to be gone on with.
    pub fn step(&mut self) -> Result<(), Failure> {
        self.follow_schedule()?;
        let step = self.facts.step;
        let batch = self.stage.batch;
        self.feed()?;

        let due = self.settings.rules.penalty.is_due(step);
        let chosen = match &mut self.stage.penalised {
            Some(penalised) if due => penalised,
            _ => &mut self.stage.discriminator,
        };
        chosen.randomness.fill_step(key(&self.random, "randomness")?, step);
        let images = self.facts.images;
        let diverged =
            |network: &'static str| move |what: String| Failure::Diverged(Divergence { network, what, step: step + 1, images });
        chosen.run(&self.stage.feeds, &self.weights)?;
        self.facts.sums.discriminator(chosen.loss(Loss::Score), chosen.loss(Loss::Penalty), chosen.loss(Loss::Labels));
        chosen
            .apply(&mut self.discriminator_optimiser, &mut self.weights.discriminator, None)
            .map_err(diverged("discriminator"))?;

        let decay = self.settings.averaging.decay(batch);
        if self.settings.compat == Compat::Paper {
            self.weights.average.approach(&self.weights.generator, decay);
        }
        key(&self.random, "generator latent")?.with_index(step).fill_normal(self.stage.feeds.of("latent")?);
        self.stage.generator.randomness.fill_step(key(&self.random, "generator randomness")?, step);
        self.stage.generator.run(&self.stage.feeds, &self.weights)?;
        self.facts.sums.generator(self.stage.generator.loss(Loss::Score), self.stage.generator.loss(Loss::Labels));
        let average = (self.settings.compat == Compat::None).then_some((&mut self.weights.average, decay));
        self.stage
            .generator
            .apply(&mut self.generator_optimiser, &mut self.weights.generator, average)
            .map_err(diverged("generator"))?;

        self.facts.step += 1;
        self.facts.optimiser_steps += 1;
        self.facts.images += batch as u64;
        self.facts.due = self.settings.stop.is_some_and(|stop| stop.is_due(images, self.facts.images));
        let resolution = self.settings.growth.map(|_| self.data.height >> self.detail.halvings);
        self.facts.history.extend(self.facts.sums.record(images, self.facts.images, resolution));
        Ok(())
    }

    /// Fills the buffers of the next step of the discriminator.
    fn feed(&mut self) -> Result<(), Diagnostic> {
        let step = self.facts.step;
        let batch = self.stage.batch;
        let indices = self.order.shown(self.facts.images, batch);
        let rows = key(&self.random, "generator labels")?.with_index(step);
        let rows: Vec<usize> = (0..batch).map(|i| rows.below(i as u64, self.data.len() as u64) as usize).collect();
        let feeds = &mut self.stage.feeds;
        real_images::fill(self.data, &indices, self.detail, feeds.of("real")?);
        feeds::fill_labels(self.data, &indices, feeds.of("labels")?);
        feeds::fill_known(self.data, &indices, feeds.of("known labels")?);
        feeds::fill_labels(self.data, &rows, feeds.of("generator labels")?);
        feeds::fill_known(self.data, &rows, feeds.of("generator known labels")?);
        key(&self.random, "latent")?.with_index(step).fill_normal(feeds.of("latent")?);
        key(&self.random, "mixture")?.with_index(step).fill_uniform(feeds.of("mixture")?);
        Ok(())
    }

    /// Looks at the schedule of growth where that is due.
    fn follow_schedule(&mut self) -> Result<(), Diagnostic> {
        let Some(growth) = self.settings.growth else { return Ok(()) };
        if self.facts.step.is_multiple_of(growth.repeat) {
            self.facts.scheduled = self.facts.images;
            let before = self.detail;
            self.take_detail()?;
            if !self.detail.is_of_phase(before) {
                self.generator_optimiser.forget();
                self.discriminator_optimiser.forget();
                self.facts.optimiser_steps = 0;
            }
        }
        Ok(())
    }

    /// Works at the resolution that the schedule says.
    fn take_detail(&mut self) -> Result<(), Diagnostic> {
        let before = self.detail;
        self.detail = detail(&self.settings, self.levels.len(), self.facts.scheduled);
        if self.detail.halvings != before.halvings {
            self.stage = stage(&self.levels, self.data, &self.settings, self.detail.halvings, &self.weights)?;
        }
        if self.detail != before {
            self.show_progress();
        }
        Ok(())
    }

    /// Tells the `fade` layers of the networks how much of each stage counts.
    fn show_progress(&mut self) {
        for (halvings, [generator, discriminator]) in self.levels.iter().enumerate() {
            let progress = self.detail.progress_of(halvings);
            if let Some(fade) = &generator.fade {
                self.weights.generator.set_progress(fade, progress);
                self.weights.average.set_progress(fade, progress);
            }
            if let Some(fade) = &discriminator.fade {
                self.weights.discriminator.set_progress(fade, progress);
            }
        }
    }

    /// The losses of the discriminator and the generator in the latest line of the history, or so far where there is none yet.
    pub fn figures(&self) -> (f64, f64) {
        match self.facts.history.last() {
            Some(record) => (record.discriminator_loss, record.generator_loss),
            None => self.facts.sums.means(),
        }
    }

    /// The averaged generator as it stands.
    pub fn average(&self) -> Model {
        self.with_weights(&self.weights.average)
    }

    /// The averaged generator that is the result: the best where a stop rule has looked for it, else the last.
    pub fn model(&self) -> Model {
        let best = self.best.as_ref().filter(|_| self.keeps_best());
        self.with_weights(best.unwrap_or(&self.weights.average))
    }

    /// The evaluation of the generator that is the result, if there was one.
    pub fn kept(&self) -> Option<&Evaluation> {
        let last = || self.facts.evaluations.0.last().filter(|last| last.kimg * 1000.0 == self.facts.images as f64);
        if self.keeps_best() { self.facts.evaluations.best() } else { last() }
    }

    /// The authors keep the last generator where the budget ends before the stop rule does.
    fn keeps_best(&self) -> bool {
        self.settings.compat == Compat::None || self.has_stopped()
    }

    pub fn compat(&self) -> Compat {
        self.settings.compat
    }

    fn with_weights(&self, weights: &Weights) -> Model {
        let (network, label_names) = (self.generator_network.clone(), self.data.label_names.clone());
        Model { network, weights: weights.clone(), label_names }
    }

    /// Everything that the next step depends on.
    pub fn checkpoint(&self) -> Result<Checkpoint<serde_json::Value>, Diagnostic> {
        let mut tensors = BTreeMap::new();
        let GanWeights { generator, average, discriminator } = &self.weights;
        generator.write_tensors("generator/", &mut tensors)?;
        average.write_tensors("average/", &mut tensors)?;
        discriminator.write_tensors("discriminator/", &mut tensors)?;
        if let Some(best) = &self.best {
            best.write_tensors("best/", &mut tensors)?;
        }
        self.generator_optimiser.write_tensors("generator moments/", generator, &mut tensors)?;
        self.discriminator_optimiser.write_tensors("discriminator moments/", discriminator, &mut tensors)?;
        let facts =
            serde_json::to_value(&self.facts).map_err(|error| defect(format!("a checkpoint cannot be written: {error}")))?;
        Ok(Checkpoint { tensors, facts })
    }

    /// Goes on from a checkpoint.
    pub fn restore(&mut self, checkpoint: Checkpoint<serde_json::Value>) -> Result<(), Diagnostic> {
        let Checkpoint { tensors, facts } = checkpoint;
        self.facts = serde_json::from_value(facts)
            .map_err(|error| defect(format!("a checkpoint does not say where it stands: {error}")))?;
        self.weights.generator.read_tensors("generator/", &tensors)?;
        self.weights.average.read_tensors("average/", &tensors)?;
        self.weights.discriminator.read_tensors("discriminator/", &tensors)?;
        self.best = match self.facts.evaluations.best() {
            None => None,
            Some(_) => {
                let mut best = self.weights.average.clone();
                best.read_tensors("best/", &tensors)?;
                Some(best)
            }
        };
        let steps = self.facts.optimiser_steps;
        self.generator_optimiser.read_tensors("generator moments/", &self.weights.generator, &tensors, steps)?;
        self.discriminator_optimiser.read_tensors("discriminator moments/", &self.weights.discriminator, &tensors, steps)?;
        self.take_detail()
    }
}

/// Both networks at each resolution of their growth, the full one first.
pub fn levels(
    generator: &NetworkProgram,
    discriminator: &NetworkProgram,
    resolution: usize,
    growth: Option<Growth>,
) -> Result<Vec<[Level; 2]>, Diagnostic> {
    let halvings = match growth {
        None => 0,
        Some(growth) => growth.halvings(resolution).ok_or_else(|| {
            Diagnostic::error("E0680", format!("images of {resolution} pixels cannot grow from {} pixels", growth.start))
                .help("the resolution doubles from `start` on: images of 32 pixels can grow from 8, or from 16")
        })?,
    };
    let cannot = |which: &str| {
        let which = which.to_owned();
        move |error: crate::network::ShapeError| {
            let diagnostic = Diagnostic::error("E0680", format!("the {which} does not grow: {}", error.message));
            match error.help {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            }
        }
    };
    let generators = generator_levels(generator, halvings).map_err(cannot("generator"))?;
    let discriminators = discriminator_levels(discriminator, halvings).map_err(cannot("discriminator"))?;
    Ok(generators.into_iter().zip(discriminators).map(Into::into).collect())
}

fn detail(settings: &GanSettings, levels: usize, images: u64) -> Detail {
    match settings.growth {
        None => Detail::FULL,
        Some(growth) => Detail::of(growth.level_of_detail(levels.saturating_sub(1), images)),
    }
}

/// The graphs of the steps at so many halvings.
fn graphs(levels: &[[Level; 2]], data: &Shard, settings: &GanSettings, halvings: usize) -> Result<GanGraphs, Diagnostic> {
    let [generator, discriminator] =
        levels.get(halvings).ok_or_else(|| defect(format!("there is no network that is halved {halvings} times")))?;
    let sizes = GanSizes {
        batch: batch(settings, halvings),
        image: [data.channels, data.height >> halvings, data.width >> halvings],
        labels: data.label_names.len(),
        enlargement: 1 << halvings,
    };
    GanGraphs::new(&generator.network, &discriminator.network, sizes, settings.rules)
}

fn stage(
    levels: &[[Level; 2]],
    data: &Shard,
    settings: &GanSettings,
    halvings: usize,
    weights: &GanWeights,
) -> Result<Stage, Diagnostic> {
    let graphs = graphs(levels, data, settings, halvings)?;
    let image = data.channels * (data.height >> halvings) * (data.width >> halvings);
    Stage::new(&graphs, batch(settings, halvings), image, data.label_names.len(), weights)
}

fn batch(settings: &GanSettings, halvings: usize) -> usize {
    settings.growth.map_or(settings.batch, |growth| growth.batch(settings.batch, halvings))
}

fn key<'k>(keys: &'k BTreeMap<&'static str, Key>, purpose: &str) -> Result<&'k Key, Diagnostic> {
    keys.get(purpose).ok_or_else(|| defect(format!("there is no random key for `{purpose}`")))
}
