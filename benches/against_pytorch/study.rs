//! Whole steps, through what the steps of a study run through: the text under `studies/` is checked, and its block gives networks
//! and settings. Only the data are made here. What lives as long as the process is leaked.

use super::{Outcome, Row, Work};
use std::path::Path;
use synth::data::shard::Shard;
use synth::diagnostic::Diagnostic;
use synth::language::{self, CheckOptions, Step, Value};
use synth::network::{self, NetworkProgram};
use synth::random::Key;
use synth::source::Sources;
use synth::steps::{classifier_settings, gan_settings};
use synth::training::{ClassifierTrainer, GanTrainer, Model, OptimiserState, Predictor, Weights, fill_labels};

/// Images in the data set that is trained on.
const IMAGES: usize = 2_048;

fn told(diagnostic: &Diagnostic) -> String {
    [Some(&diagnostic.message), diagnostic.help.as_ref()].into_iter().flatten().cloned().collect::<Vec<_>>().join("; ")
}

/// The block called `model` of a study.
fn model(row: &Row) -> Outcome<&'static Step> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("benches/against_pytorch/studies/{}.synth", row.study));
    let mut sources = Sources::default();
    let file = sources.add(&row.study, Some(&path), std::fs::read_to_string(&path)?);
    let params = row.params.iter().map(|(name, value)| (name.clone(), value.to_string())).collect();
    let options = CheckOptions { params, environment: &|_| None, base: Default::default() };
    let checked = language::check(&mut sources, file, &options);
    let mistakes = || checked.diagnostics.iter().map(told).collect::<Vec<_>>().join("\n");
    let program = checked.program.as_ref().ok_or_else(mistakes)?;
    let step = program.step("model").ok_or_else(|| format!("{} has no block `model`", path.display()))?;
    Ok(Box::leak(Box::new(step.clone())))
}

fn network(step: &'static Step, field: &str) -> Outcome<&'static NetworkProgram> {
    match step.field(field).map(|field| &field.value) {
        Some(Value::Network(network)) => Ok(network),
        other => Err(format!("`{field}` is no network, but {other:?}").into()),
    }
}

/// Random images of the network's size, each with the first label and random others.
fn data(shape: &[usize], labels: usize) -> Outcome<Shard> {
    let &[channels, height, width] = shape else { return Err(format!("{shape:?} is no image").into()) };
    let key = Key::new(1).with("data");
    let byte = |index: usize| key.below(index as u64, 256) as u8;
    let label = |index: usize| u8::from(index.is_multiple_of(labels.max(1)) || byte(index) < 77);
    Ok(Shard {
        images: (0..IMAGES * channels * height * width).map(byte).collect(),
        labels: (0..IMAGES * labels).map(label).collect(),
        patients: (0..IMAGES as u32).collect(),
        patient_names: (0..IMAGES).map(|index| index.to_string()).collect(),
        label_names: (0..labels).map(|index| index.to_string()).collect(),
        channels,
        height,
        width,
        source: "made here".into(),
    })
}

fn parameters(network: &NetworkProgram) -> Outcome<usize> {
    Ok(network::weights(network).map_err(|error| error.message)?.parameter_count())
}

/// The shape of a network's input.
fn input(network: &NetworkProgram, index: usize) -> Outcome<&[usize]> {
    network
        .inputs
        .get(index)
        .map(|(_, shape)| shape.as_slice())
        .ok_or_else(|| format!("`{}` has no such input", network.name).into())
}

/// A step of a `gan` block.
pub fn gan(row: &Row) -> Outcome<Work> {
    let step = model(row)?;
    let (generator, discriminator) = (network(step, "generator")?, network(step, "discriminator")?);
    let labels = input(discriminator, 1)?.iter().product();
    let data = Box::leak(Box::new(data(input(discriminator, 0)?, labels)?));
    let settings = gan_settings(step).map_err(|error| told(&error))?;
    let mut trainer = GanTrainer::new(generator, discriminator, data, settings).map_err(|error| told(&error))?;
    let step = Box::new(move || Ok(trainer.step().map_err(|failure| told(&failure.into()))?));
    Ok(Work { step, parameters: vec![parameters(generator)?, parameters(discriminator)?] })
}

/// A step of a `classifier` block.
pub fn classifier(row: &Row) -> Outcome<Work> {
    let step = model(row)?;
    let network = network(step, "network")?;
    let labels = network.output_shape().map_or(0, |shape| shape.iter().product());
    let data = Box::leak(Box::new(data(input(network, 0)?, labels)?));
    let settings = classifier_settings(step).map_err(|error| told(&error))?;
    let mut trainer = ClassifierTrainer::new(network, data, data, settings).map_err(|error| told(&error))?;
    let step = Box::new(move || {
        // An epoch that ends after its first step.
        trainer.epoch(&mut |_, _| false).map_err(|failure| told(&failure.into()))?;
        Ok(())
    });
    Ok(Work { step, parameters: vec![parameters(network)?] })
}

/// A network as if it had been trained.
fn trained(network: &NetworkProgram, labels: usize) -> Outcome<Model> {
    let table = network::weights(network).map_err(|error| error.message)?;
    Ok(Model {
        network: network.clone(),
        weights: Weights::initial(&table, &Key::new(1)),
        label_names: (0..labels).map(|index| index.to_string()).collect(),
    })
}

/// The scores of a batch of images.
pub fn scores(row: &Row) -> Outcome<Work> {
    let network = network(model(row)?, "network")?;
    let mut shard = data(input(network, 0)?, 1)?;
    shard.images = shard.images.iter().take(row.images * shard.image_size()).copied().collect();
    shard.patients.truncate(row.images);
    let mut predictor = Predictor::new(&trained(network, 1)?, row.images).map_err(|error| told(&error))?;
    let step = Box::new(move || {
        std::hint::black_box(predictor.scores(&shard).map_err(|error| told(&error))?);
        Ok(())
    });
    Ok(Work { step, parameters: vec![parameters(network)?] })
}

/// A batch of generated images as bytes.
pub fn sample(row: &Row) -> Outcome<Work> {
    let generator = network(model(row)?, "generator")?;
    let labels = input(generator, 1)?.iter().product();
    let latent: usize = input(generator, 0)?.iter().product();
    let images = row.images;
    let rows = data(&[1, 1, 1], labels)?;
    let mut predictor = Predictor::new(&trained(generator, labels)?, images).map_err(|error| told(&error))?;
    let mut made: Vec<u8> = Vec::new();
    let mut number = 0;
    let step = Box::new(move || {
        number += 1;
        let key = Key::new(number);
        made.clear();
        let mut fill = |samples: std::ops::Range<usize>, input: usize, buffer: &mut [f32]| match input {
            0 => {
                for (row, numbers) in samples.zip(buffer.chunks_mut(latent.max(1))) {
                    key.with_index(row as u64).fill_normal(numbers);
                }
            }
            _ => fill_labels(&rows, &samples.collect::<Vec<_>>(), buffer),
        };
        let mut each = |_: usize, output: &[f32]| {
            made.extend(output.iter().map(|value| ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8));
            Ok(())
        };
        predictor.run(images, &key, &mut fill, &mut each).map_err(|error| told(&error))?;
        Ok(())
    });
    Ok(Work { step, parameters: vec![parameters(generator)?] })
}

/// The optimiser's step over the weights of a discriminator.
pub fn adam(row: &Row) -> Outcome<Work> {
    let step = model(row)?;
    let discriminator = network(step, "discriminator")?;
    let settings = gan_settings(step).map_err(|error| told(&error))?;
    let table = network::weights(discriminator).map_err(|error| error.message)?;
    let mut weights = Weights::initial(&table, &Key::new(1));
    let mut average = row.average.then(|| weights.clone());
    let gradients = weights.values.clone();
    let mut optimiser = OptimiserState::new(settings.discriminator_optimiser, &weights);
    let step = Box::new(move || {
        let average = average.as_mut().map(|average| (average, 0.99));
        let gradient = |index: usize| gradients.get(index).map_or(&[][..], Vec::as_slice);
        optimiser.step(&mut weights, &gradient, average)?;
        Ok(())
    });
    Ok(Work { step, parameters: vec![table.parameter_count()] })
}
