//! Training of networks with layers that draw at random.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::{
    Averaging, Compat, Failure, GanLoss, GanRules, GanSettings, GanTrainer, Model, Optimiser, Penalty, Predictor, optimiser,
};
use crate::data::shard::Shard;
use crate::language::{CheckOptions, Construction, Value, check};
use crate::network::NetworkProgram;
use crate::random::Key;
use crate::source::Sources;
use std::path::PathBuf;
use std::sync::Arc;

const NETWORKS: &str = "edition 2026
use std.data.phantom
use std.layers.sagan
dataset chest {
  source = phantom.chest(patients = 100, findings = 2)
  image = gray(8)
}
gan model {
  data = chest.train
  generator = makes
  discriminator = tells
  budget = 1kimg
}
network makes(z: tensor[latent], y: tensor[labels], latent: int = 4, labels: int, resolution: int) -> tensor[1, resolution, resolution] {
  x = concat(z, y) |> dense(4 * 16) |> reshape([4, 4, 4])
  x = x |> conv_transpose(3, 4) |> noise |> leaky_relu |> dropout(25%)
  x = x |> sagan.self_attention |> conv(1, 3) |> bias |> noise
  return fade(x * 0 + 0.5, x)
}
network tells(image: tensor[1, h, w], y: tensor[labels], labels: int) -> tensor[1] {
  x = image |> conv(4, 4, stride = 2, weights = spectral()) |> leaky_relu |> dropout(25%) |> flatten
  return dense(x, 1) + total(dense(x, 3) * embed(y, 3, weights = spectral()))
}
";

fn networks() -> [Arc<NetworkProgram>; 2] {
    let mut sources = Sources::default();
    let file = sources.add("test.synth", None, NETWORKS);
    let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: PathBuf::new() };
    let checked = check(&mut sources, file, &options);
    let program = checked.program.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    ["generator", "discriminator"].map(|field| match &program.step("model").unwrap().field(field).unwrap().value {
        Value::Network(network) => network.clone(),
        other => panic!("{other:?} is no network"),
    })
}

fn images() -> Shard {
    let count = 24;
    Shard {
        images: (0..count * 64).map(|index| (index * 7919 % 256) as u8).collect(),
        labels: (0..count * 2).map(|index| u8::from(index % 3 == 0)).collect(),
        patients: (0..count as u32).collect(),
        patient_names: (0..count).map(|index| index.to_string()).collect(),
        label_names: vec!["a".into(), "b".into()],
        channels: 1,
        height: 8,
        width: 8,
        source: "test".into(),
    }
}

fn adam(rate: f64) -> Arc<dyn Optimiser> {
    let settings = [("rate", rate), ("beta1", 0.0), ("beta2", 0.99), ("epsilon", 1e-8), ("weight_decay", 0.0)];
    let arguments = settings.map(|(name, value)| (name.to_owned(), Value::Number(value))).into();
    optimiser(&Value::Construction(Construction { function: "adam".to_owned(), arguments })).unwrap()
}

fn trainer<'a>(networks: &'a [Arc<NetworkProgram>; 2], data: &'a Shard, seed: u64) -> GanTrainer<'a> {
    trainer_with(networks, data, seed, adam(0.01))
}

fn trainer_with<'a>(
    [generator, discriminator]: &'a [Arc<NetworkProgram>; 2],
    data: &'a Shard,
    seed: u64,
    adam: Arc<dyn Optimiser>,
) -> GanTrainer<'a> {
    let settings = GanSettings {
        rules: GanRules { loss: GanLoss::NonSaturating, penalty: Penalty::R1 { weight: 1.0, every: 2 }, auxiliary: None },
        generator_optimiser: adam.clone(),
        discriminator_optimiser: adam,
        batch: 6,
        growth: None,
        averaging: Averaging::HalfLife { images: 10.0 },
        stop: None,
        compat: Compat::None,
        seed,
    };
    GanTrainer::new(generator, discriminator, data, settings).unwrap()
}

fn sampled(model: &Model, batch: usize, seed: u64) -> Vec<f32> {
    let mut images = Vec::new();
    let mut fill = |_: std::ops::Range<usize>, _: usize, numbers: &mut [f32]| numbers.fill(0.5);
    let mut each = |_: usize, output: &[f32]| {
        images.extend_from_slice(output);
        Ok(())
    };
    Predictor::new(model, batch).unwrap().run(10, &Key::new(seed), &mut fill, &mut each).unwrap();
    images
}

#[test]
fn a_gan_with_dropout_and_noise_goes_on_to_the_same_weights_after_an_interruption() {
    let (networks, data) = (networks(), images());
    let mut whole = trainer(&networks, &data, 1);
    for _ in 0..5 {
        whole.step().unwrap();
    }
    let mut first = trainer(&networks, &data, 1);
    first.step().unwrap();
    first.step().unwrap();
    let mut second = trainer(&networks, &data, 1);
    second.restore(first.checkpoint().unwrap()).unwrap();
    for _ in 0..3 {
        second.step().unwrap();
    }
    let (whole, resumed) = (whole.model(), second.model());
    assert!(whole.weights.values == resumed.weights.values, "the weights are not the same to the last bit");
    let strength = whole.weights.position("makes/noise_0/strength").unwrap();
    assert_ne!(whole.weights.values[strength], [0.0], "the strength of the noise is learned");
    let mut other = trainer(&networks, &data, 2);
    other.step().unwrap();
    assert!(other.model().weights.values != whole.weights.values, "the seed changes nothing");
}

#[test]
fn a_training_that_diverges_says_where_and_keeps_finite_weights() {
    let (networks, data) = (networks(), images());
    let mut trainer = trainer_with(&networks, &data, 1, adam(1e30));
    let failure = (0..10).find_map(|_| trainer.step().err()).unwrap();
    let Failure::Diverged(divergence) = failure else { panic!("{failure:?}") };
    assert!(divergence.step <= 2 && divergence.images == 6 * (divergence.step - 1), "{divergence:?}");
    assert!(divergence.what.contains("loss is") || divergence.what.contains("the gradient of `"), "{divergence:?}");
    assert!(trainer.model().weights.values.iter().flatten().all(|weight| weight.is_finite()));
}

#[test]
fn sampled_noise_depends_on_the_seed_and_the_number_of_the_image_only() {
    let (networks, data) = (networks(), images());
    let mut trainer = trainer(&networks, &data, 1);
    for _ in 0..3 {
        trainer.step().unwrap();
    }
    let model = trainer.model();
    let found = sampled(&model, 4, 1);
    assert!(found == sampled(&model, 4, 1), "the same seed gives other images");
    assert!(found != sampled(&model, 4, 2), "the seed changes nothing");
    for (found, expected) in found.iter().zip(sampled(&model, 7, 1)) {
        assert!((found - expected).abs() < 1e-5, "{found} in a batch of 4, {expected} in a batch of 7");
    }
    assert_ne!(found[..64], found[64..128], "images of equal codes differ by their noise");
}

#[test]
fn a_network_that_does_not_grow_is_its_newest_branch() {
    let (networks, data) = (networks(), images());
    let mut model = trainer(&networks, &data, 1).model();
    let grown = sampled(&model, 4, 1);
    model.weights.set_progress("makes/fade_0", 0.0);
    let before = sampled(&model, 4, 1);
    assert!(grown != before, "the branch that is faded in changes nothing");
    assert!(before[..64].iter().all(|pixel| *pixel == 0.5), "without the new branch the image is the old branch's");
    model.weights.set_progress("makes/fade_0", 1.0);
    assert!(grown == sampled(&model, 4, 1));
}
