//! Training of classifiers: interrupted within an epoch, with labels that are not known, with every setting.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::{Augmentation, ClassWeights, ClassifierSettings, ClassifierTrainer, RateSchedule, optimiser};
use crate::data::shard::Shard;
use crate::language::{CheckOptions, Construction, Value, check};
use crate::network::NetworkProgram;
use crate::random::Key;
use crate::source::Sources;
use std::path::PathBuf;
use std::sync::Arc;

const STUDY: &str = "edition 2026
use std.data.phantom
dataset chest {
  source = phantom.chest(patients = 100, findings = 2)
  image = gray(8)
}
classifier reader {
  network = tells
  train = chest.train
  valid = chest.valid
}
network tells(image: tensor[1, h, w], labels: int) -> tensor[labels] {
  return image |> conv(4, 3) |> batch_norm |> relu |> dropout(20%) |> global_average_pool |> dense(labels) |> bias
}
";

fn network() -> Arc<NetworkProgram> {
    let mut sources = Sources::default();
    let file = sources.add("test.synth", None, STUDY);
    let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: PathBuf::new() };
    let checked = check(&mut sources, file, &options);
    let program = checked.program.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
    match &program.step("reader").unwrap().field("network").unwrap().value {
        Value::Network(network) => network.clone(),
        other => panic!("{other:?} is no network"),
    }
}

/// Bright images have the first finding; the second is known of every other image only.
fn images(count: usize, seed: u64) -> Shard {
    let key = Key::new(seed);
    let labels: Vec<u8> =
        (0..count).flat_map(|image| [u8::from(key.uniform(image as u64) < 0.4), 2 * (image % 2) as u8]).collect();
    let pixel = |at: usize| 100.0 + 60.0 * f64::from(labels[at / 64 * 2]) + 20.0 * key.with("pixel").normal(at as u64);
    Shard {
        images: (0..count * 64).map(|at| pixel(at).clamp(0.0, 255.0) as u8).collect(),
        patients: (0..count as u32).collect(),
        patient_names: (0..count).map(|patient| patient.to_string()).collect(),
        label_names: vec!["Bright".into(), "Never".into()],
        channels: 1,
        height: 8,
        width: 8,
        labels,
        ..Shard::default()
    }
}

fn settings() -> ClassifierSettings {
    let adam = [("rate", 0.01), ("beta1", 0.9), ("beta2", 0.99), ("epsilon", 1e-8), ("weight_decay", 0.0)];
    let arguments = adam.map(|(name, value)| (name.to_owned(), Value::Number(value))).into();
    ClassifierSettings {
        optimiser: optimiser(&Value::Construction(Construction { function: "adam".to_owned(), arguments })).unwrap(),
        schedule: RateSchedule::Plateau { factor: 0.5, patience: 1, floor: 1e-4 },
        class_weights: ClassWeights::Balanced,
        augment: vec![Augmentation::Flip { share: 0.5 }, Augmentation::Rotate { up_to: 10.0 }],
        batch: 8,
        epoch: 40,
        patience: 10,
        as_published: false,
        seed: 1,
    }
}

#[test]
fn interrupted_within_an_epoch_it_goes_on_to_the_same_bytes() {
    let (network, train, valid) = (network(), images(60, 1), images(40, 2));
    let trainer = || ClassifierTrainer::new(&network, &train, &valid, settings()).unwrap();
    let mut whole = trainer();
    assert_eq!(whole.images_of_epoch(), 40);
    for _ in 0..3 {
        assert!(whole.epoch(&mut |_, _| true).unwrap());
    }
    // Stopped after each number of steps in turn, and gone on with from a checkpoint.
    let mut state = trainer().checkpoint().unwrap();
    let mut stops = 0;
    loop {
        let mut part = trainer();
        part.restore(state).unwrap();
        if part.epochs() == 3 {
            assert_eq!(part.history(), whole.history());
            assert!(part.model().weights.values == whole.model().weights.values, "the weights are not the same to the last bit");
            break;
        }
        stops += 1;
        let mut left = 1 + stops % 3;
        part.epoch(&mut |_, _| {
            left -= 1;
            left > 0
        })
        .unwrap();
        state = part.checkpoint().unwrap();
    }
    assert!(stops > 6, "{stops}");
    let last = whole.history().last().unwrap();
    assert_eq!(last.undefined, ["Never"], "no image is known to have it");
    // Fifteen steps are too few to read well with running statistics, but enough to learn.
    let losses: Vec<f64> = whole.history().iter().map(|record| record.training_loss).collect();
    assert!(losses[2] < 0.9 * losses[0], "{losses:?}");
}

#[test]
fn as_published_an_undefined_auroc_counts_as_nothing() {
    let (network, train, valid) = (network(), images(60, 1), images(40, 2));
    let auroc = |as_published| {
        let settings = ClassifierSettings { as_published, class_weights: ClassWeights::Unweighted, ..settings() };
        let mut trainer = ClassifierTrainer::new(&network, &train, &valid, settings).unwrap();
        trainer.epoch(&mut |_, _| true).unwrap();
        trainer.history()[0].validation_auroc
    };
    // 40 images are five whole batches of 8: nothing is left out.
    assert!((auroc(true) - auroc(false) / 2.0).abs() < 1e-12);
}
