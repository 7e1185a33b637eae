//! Growing networks: at a lower resolution they give the numbers of the whole networks, and a training that grows goes on to the
//! same bytes.

use crate::architectures::Asked;
use crate::laboratory::{Laboratory, files};
use std::collections::BTreeMap;
use std::sync::Arc;
use synth::kernels::cpu::Executable;
use synth::network::NetworkProgram;
use synth::network::growth::{discriminator_levels, generator_levels};
use synth::random::Key;
use synth::training::{Auxiliary, GanGraphs, GanLoss, GanRules, GanSizes, Penalty, StepGraph, Weights};

const LABELS: usize = 3;
const BATCH: usize = 8;

fn networks() -> [Arc<NetworkProgram>; 2] {
    [
        Asked("std.gan.progressive", "generator", &[("latent", 6), ("labels", LABELS), ("resolution", 32), ("channels", 6)], &[]),
        Asked(
            "std.gan.progressive",
            "auxiliary_discriminator",
            &[("labels", LABELS), ("channels", 6)],
            &[("image", &[1, 32, 32])],
        ),
    ]
    .map(Asked::expanded)
}

/// Losses and gradients by name.
fn evaluated(step: &StepGraph, learned: &[String], weights: &[&Weights; 2], images: &[f32]) -> BTreeMap<String, Vec<f32>> {
    let outputs: Vec<_> = step.losses.iter().map(|(_, node)| *node).chain(step.gradients.iter().copied()).collect();
    let mut executable = Executable::<f32>::compile(&step.graph, &outputs);
    let fed: Vec<Vec<f32>> = executable
        .bindings()
        .iter()
        .map(|binding| {
            let known = weights
                .iter()
                .find_map(|weights| Some(weights.values[weights.bindings.iter().position(|known| known == binding)?].clone()));
            known.unwrap_or_else(|| {
                let mut numbers = vec![0.0; step.graph.elements(step.graph.find_input(binding).unwrap())];
                match binding.as_str() {
                    "real" => numbers.copy_from_slice(images),
                    "labels" | "generator labels" => (0..numbers.len()).for_each(|index| numbers[index] = (index % 2) as f32),
                    "known labels" | "generator known labels" => numbers.fill(1.0),
                    "mixture" => Key::new(3).fill_uniform(&mut numbers),
                    _ => Key::new(4).with(binding).fill_normal(&mut numbers),
                }
                numbers
            })
        })
        .collect();
    executable.run(&fed.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let names = step.losses.iter().map(|(loss, _)| format!("{loss:?}")).chain(learned.iter().cloned());
    names.enumerate().map(|(index, name)| (name, executable.output(index).to_vec())).collect()
}

fn learned(table: &synth::network::WeightTable) -> Vec<String> {
    table.specifications.iter().filter(|weight| weight.trainable).map(|weight| weight.name.clone()).collect()
}

/// Every pixel of images of so many pixels on each side, twice in both directions.
fn enlarged(images: &[f32], side: usize) -> Vec<f32> {
    let doubled = |row: &[f32]| row.iter().flat_map(|pixel| [*pixel; 2]).collect::<Vec<_>>();
    images.chunks(side).flat_map(|row| [doubled(row), doubled(row)].concat()).collect()
}

/// Losses, the gradient penalty and the gradients of every weight: whole networks of which the newest stage counts for nothing
/// give what they give without it.
#[test]
fn a_lower_resolution_gives_the_numbers_of_the_whole_networks() {
    let [generator, discriminator] = networks();
    let generators = generator_levels(&generator, 2).unwrap();
    let discriminators = discriminator_levels(&discriminator, 2).unwrap();
    assert_eq!(generators.iter().map(|level| level.network.output_shape().unwrap()[1]).collect::<Vec<_>>(), [32, 16, 8]);
    assert_eq!(discriminators.iter().map(|level| level.network.inputs[0].1[1]).collect::<Vec<_>>(), [32, 16, 8]);
    for loss in [GanLoss::Wasserstein { drift: 0.001 }, GanLoss::Hinge] {
        let rules = GanRules {
            loss,
            penalty: Penalty::Gradient { weight: 10.0, every: 1 },
            auxiliary: Some(Auxiliary::Softmax { weight: 1.0 }),
        };
        let graphs = |halvings: usize| {
            let side = 32 >> halvings;
            let sizes = GanSizes { batch: BATCH, image: [1, side, side], labels: LABELS, enlargement: 1 << halvings };
            GanGraphs::new(&generators[halvings].network, &discriminators[halvings].network, sizes, rules).unwrap()
        };
        let whole = graphs(0);
        let mut weights = [("generator", &whole.generator), ("discriminator", &whole.discriminator)]
            .map(|(name, table)| Weights::initial(table, &Key::new(1).with(name)));
        // 8 pixels are all there, 16 are half faded in, 32 are not there yet.
        for (weights, levels) in weights.iter_mut().zip([&generators, &discriminators]) {
            for (level, progress) in levels.iter().zip([0.0, 0.5, 1.0]) {
                weights.set_progress(level.fade.as_ref().unwrap(), progress);
            }
        }
        let weights = [&weights[0], &weights[1]];
        let mut images = vec![0.0; BATCH * 16 * 16];
        Key::new(2).fill_normal(&mut images);
        let small = graphs(1);
        let steps = |graphs: &GanGraphs, images: &[f32]| {
            let of_discriminator = graphs.penalised_step.as_ref().unwrap();
            [
                evaluated(of_discriminator, &learned(&graphs.discriminator), &weights, images),
                evaluated(&graphs.generator_step, &learned(&graphs.generator), &weights, images),
            ]
        };
        let found = steps(&small, &images);
        for (small, whole) in found.iter().zip(steps(&whole, &enlarged(&images, 16))) {
            assert!(small.len() >= 15 && whole.len() > small.len(), "{} {}", small.len(), whole.len());
            for (name, expected) in &whole {
                let size = expected.iter().map(|number| number.abs()).fold(0.0, f32::max);
                match small.get(name) {
                    None => assert_eq!(size, 0.0, "{name} is not in the smaller network, and has a gradient"),
                    Some(found) => {
                        let error = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                        assert!(error <= 1e-4 * size.max(0.1), "{loss:?}, {name}: {error} of {size}");
                    }
                }
            }
        }
    }
}

#[test]
fn networks_that_cannot_grow_say_why() {
    let flat = Asked("std.gan.cpd", "generator", &[("latent", 6), ("labels", LABELS), ("resolution", 16), ("channels", 4)], &[]);
    let refused = generator_levels(&flat.expanded(), 1).unwrap_err();
    assert!(refused.message.contains("no `fade` that takes its newest stage in"), "{refused}");
    let flat = Asked("std.gan.cpd", "discriminator", &[("labels", LABELS), ("channels", 4)], &[("image", &[1, 16, 16])]);
    assert!(discriminator_levels(&flat.expanded(), 1).is_err());
}

/// From 4 to 16 pixels within 640 images: both fades begin and end, batches change, optimisers forget.
const GROWING: &str = r#"edition 2026

use std.data.phantom
use std.gan.progressive

dataset chest {
  source = phantom.chest(patients = 60, findings = 2)
  image  = gray(16)
  split  = by(patient, train = 60%, valid = 20%, test = 20%)
}

gan model {
  data          = chest.train
  generator     = progressive.generator(channels = 8, latent = 8)
  discriminator = progressive.auxiliary_discriminator(channels = 8)
  loss          = hinge()
  auxiliary     = sigmoid_labels()
  penalty       = gradient_penalty()
  batch         = 4
  growth        = progressive(start = 4, stable = 96img, fade = 96img, batch_factor = 2, repeat = 2)
  averaging     = each_step(0.9)
  budget        = 640img
  checkpoint    = 32img
}
"#;

#[test]
fn a_training_that_grows_goes_on_to_the_same_bytes() {
    let laboratory = Laboratory::new(GROWING);
    laboratory.run(&["--store", "whole", "--threads", "1"]);
    let whole = laboratory.digests("whole");
    laboratory.run(&["--store", "two", "--threads", "2"]);
    assert_eq!(whole, laboratory.digests("two"), "2 threads");

    // Ended in the middle of each fade and of each stable phase, then gone on with by raising the budget.
    for budget in ["80img", "144img", "240img", "330img", "640img"] {
        laboratory.write("study.synth", &GROWING.replace("640img", budget));
        laboratory.run(&["--store", "raised"]);
    }
    assert_eq!(whole["model"], laboratory.digests("raised")["model"], "a raised budget");

    // Killed behind its checkpoints.
    for goal in [1, 4] {
        let mut child = laboratory.start(&["run", "study.synth", "--store", "killed"]);
        while files(&laboratory.path("killed/trajectories")).len() < goal && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        child.kill().ok();
        child.wait().unwrap();
    }
    laboratory.run(&["--store", "killed"]);
    assert_eq!(whole, laboratory.digests("killed"), "killed");
}

#[test]
fn recipes_of_the_standard_library_stand_in_each_others_place() {
    let study = r#"edition 2026

use std.data.phantom
use std.gan.cpd
use std.gan.progressive

dataset chest {
  source = phantom.chest(patients = 60, findings = 2)
  image  = gray(64)
}

recipe trains(data: dataset, gan: recipe) {
  gan trained { data = data, channels = 4, budget = 30_000kimg }
  port generator = trained.generator
}

sweep by_gan of trains {
  data = chest
  gan  = each(cpd.train, progressive.train, cpd.train_paper, progressive.train_paper)
}
"#;
    let laboratory = Laboratory::new(study);
    let said = laboratory.synth(&["check", "study.synth"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
}
