//! The networks of the standard library have the sizes that are published for them, fit the blocks that they are for, and can
//! be trained.

use crate::laboratory::Laboratory;
use std::path::PathBuf;
use std::sync::Arc;
use synth::autodiff;
use synth::kernels::cpu::Executable;
use synth::language::{CheckOptions, NetworkRequest, expand_network, standard_module};
use synth::network::graph::{Graph, NodeId};
use synth::network::{self, Mode, NetworkProgram, WeightTable};
use synth::random::Key;
use synth::source::Sources;
use synth::training::Weights;

/// A network of a module, with sizes by name and shapes of inputs.
#[derive(Clone, Copy)]
pub struct Asked(
    pub &'static str,
    pub &'static str,
    pub &'static [(&'static str, usize)],
    pub &'static [(&'static str, &'static [usize])],
);

impl Asked {
    /// As `synth describe` expands it.
    pub fn expanded(self) -> Arc<NetworkProgram> {
        let Self(module, network, sizes, inputs) = self;
        let mut sources = Sources::default();
        let file = standard_module(&mut sources, module).unwrap();
        let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: PathBuf::new() };
        let request = NetworkRequest {
            expression: network.to_owned(),
            sizes: sizes.iter().map(|(name, size)| ((*name).to_owned(), size.to_string())).collect(),
            inputs: inputs.iter().map(|(name, shape)| (Some((*name).to_owned()), shape.to_vec())).collect(),
            weights: None,
        };
        let found = expand_network(&mut sources, file, &options, &request);
        found.unwrap_or_else(|problems| panic!("{self}: {problems:#?}"))
    }
}

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// - ResNet-18 and DenseNet-121: parameters and multiply-adds ("GFLOPS") of torchvision's documentation of their weights.
/// - Inception-v3: the same, without the auxiliary part and with 1008 classes instead of 1000; images are enlarged to 299×299.
/// - U-Net: the layers of figure 1 of Ronneberger et al. 2015 written down with PyTorch; padding changes no parameter.
/// - DCGAN: the PyTorch tutorial, which follows the authors' implementation (nz = 100, ngf = ndf = 64, nc = 3).
/// - SNGAN: the authors' `gen_models/resnet_64.py` and `dis_models/snresnet_64.py` (pfnet-research/sngan_projection) for the 1000
///   classes of ImageNet, their layers written down with PyTorch.
/// - StyleGAN2: the authors' stylegan2-ada-pytorch (`Generator` and `Discriminator` at 64 pixels with 3 channels and 10 labels,
///   `channel_base` 32768), its layers written down with PyTorch; without labels there are 27 032 600 and 26 488 833.
/// - prog-GAN and cpD-GAN: Schütte et al. 2021, from the shapes in the authors' code, for 14 findings (chest) and 6 (head).
///
/// Behind each network its parameters, and multiply-adds in millions where they are published too.
const PUBLISHED: &[(Asked, u64, Option<f64>)] = &[
    (Asked("std.classify.resnet", "resnet18", &[("labels", 1000)], &[("image", &[3, 224, 224])]), 11_689_512, Some(1_814.0)),
    (Asked("std.classify.densenet", "densenet121", &[("labels", 1000)], &[("image", &[3, 224, 224])]), 7_978_856, Some(2_834.0)),
    (Asked("std.features.inception", "inception", &[], &[("image", &[3, 64, 64])]), 23_850_960, Some(5_713.0)),
    (Asked("std.segment.unet", "unet", &[("classes", 2)], &[("image", &[1, 512, 512])]), 31_030_658, None),
    (Asked("std.gan.dcgan", "generator", &[("resolution", 64), ("channels", 3)], &[]), 3_576_704, None),
    (Asked("std.gan.dcgan", "discriminator", &[], &[("image", &[3, 64, 64])]), 2_765_568, None),
    (Asked("std.gan.sngan", "generator", &[("resolution", 64), ("channels", 3), ("labels", 1000)], &[]), 17_974_915, None),
    (Asked("std.gan.sngan", "discriminator", &[("labels", 1000)], &[("image", &[3, 64, 64])]), 11_165_441, None),
    (Asked("std.gan.stylegan2", "generator", &[("resolution", 64), ("channels", 3), ("labels", 10)], &[]), 27_300_376, None),
    (Asked("std.gan.stylegan2", "discriminator", &[("labels", 10)], &[("image", &[3, 64, 64])]), 28_857_856, None),
    (Asked("std.gan.progressive", "generator", &[("labels", 14), ("resolution", 32)], &[]), 20_830_212, None),
    (Asked("std.gan.progressive", "auxiliary_discriminator", &[("labels", 14)], &[("image", &[1, 32, 32])]), 20_729_871, None),
    (Asked("std.gan.progressive", "generator", &[("labels", 14), ("resolution", 64)], &[]), 22_600_453, None),
    (Asked("std.gan.progressive", "auxiliary_discriminator", &[("labels", 14)], &[("image", &[1, 64, 64])]), 22_500_623, None),
    (Asked("std.gan.progressive", "generator", &[("labels", 14), ("resolution", 128)], &[]), 23_043_206, None),
    (Asked("std.gan.progressive", "auxiliary_discriminator", &[("labels", 14)], &[("image", &[1, 128, 128])]), 22_943_631, None),
    (Asked("std.gan.progressive", "generator", &[("labels", 6), ("resolution", 32)], &[]), 20_764_676, None),
    (Asked("std.gan.progressive", "auxiliary_discriminator", &[("labels", 6)], &[("image", &[1, 32, 32])]), 20_725_767, None),
    (Asked("std.gan.progressive", "generator", &[("labels", 6), ("resolution", 64)], &[]), 22_534_917, None),
    (Asked("std.gan.progressive", "auxiliary_discriminator", &[("labels", 6)], &[("image", &[1, 64, 64])]), 22_496_519, None),
    (Asked("std.gan.progressive", "generator", &[("labels", 6), ("resolution", 128)], &[]), 22_977_670, None),
    (Asked("std.gan.progressive", "auxiliary_discriminator", &[("labels", 6)], &[("image", &[1, 128, 128])]), 22_939_527, None),
    (Asked("std.gan.progressive", "discriminator", &[("labels", 14)], &[("image", &[1, 32, 32])]), 20_729_871, None),
    (Asked("std.gan.cpd", "generator", &[("labels", 14), ("resolution", 32)], &[]), 25_147_396, None),
    (Asked("std.gan.cpd", "discriminator", &[("labels", 14)], &[("image", &[1, 32, 32])]), 21_512_718, None),
    (Asked("std.gan.cpd", "generator", &[("labels", 14), ("resolution", 64)], &[]), 30_946_821, None),
    (Asked("std.gan.cpd", "discriminator", &[("labels", 14)], &[("image", &[1, 64, 64])]), 26_494_478, None),
    (Asked("std.gan.cpd", "generator", &[("labels", 14), ("resolution", 128)], &[]), 33_256_710, None),
    (Asked("std.gan.cpd", "discriminator", &[("labels", 14)], &[("image", &[1, 128, 128])]), 28_395_278, None),
    (Asked("std.gan.cpd", "generator", &[("labels", 6), ("resolution", 32)], &[]), 25_016_324, None),
    (Asked("std.gan.cpd", "discriminator", &[("labels", 6)], &[("image", &[1, 32, 32])]), 21_508_614, None),
    (Asked("std.gan.cpd", "generator", &[("labels", 6), ("resolution", 64)], &[]), 30_799_365, None),
    (Asked("std.gan.cpd", "discriminator", &[("labels", 6)], &[("image", &[1, 64, 64])]), 26_490_374, None),
    (Asked("std.gan.cpd", "generator", &[("labels", 6), ("resolution", 128)], &[]), 33_101_062, None),
    (Asked("std.gan.cpd", "discriminator", &[("labels", 6)], &[("image", &[1, 128, 128])]), 28_391_174, None),
];

#[test]
fn networks_have_their_published_sizes() {
    for (network, parameters, work) in PUBLISHED {
        let total = network::describe(&network.expanded()).unwrap().total();
        assert_eq!(total.parameters, *parameters, "parameters of {network}");
        if let Some(millions) = work {
            let found = total.multiply_adds as f64 / 1e6;
            assert!((found - millions).abs() < 1.0, "{found} million multiply-adds in {network}");
        }
    }
}

/// Small variants: every layer of the network, few maps.
const SMALL: &[Asked] = &[
    Asked("std.classify.resnet", "resnet18", &[("labels", 3), ("maps", 2)], &[("image", &[1, 33, 33])]),
    Asked("std.classify.densenet", "densenet121", &[("labels", 3), ("growth", 2)], &[("image", &[1, 32, 32])]),
    Asked("std.segment.unet", "unet", &[("classes", 2), ("maps", 2)], &[("image", &[1, 32, 32])]),
    Asked(
        "std.gan.dcgan",
        "conditional_generator",
        &[("latent", 6), ("labels", 3), ("channels", 1), ("resolution", 16), ("maps", 4)],
        &[],
    ),
    Asked("std.gan.dcgan", "conditional_discriminator", &[("labels", 3), ("maps", 2)], &[("image", &[1, 16, 16])]),
    Asked("std.gan.sngan", "generator", &[("latent", 6), ("labels", 3), ("channels", 1), ("resolution", 16), ("maps", 2)], &[]),
    Asked("std.gan.sngan", "discriminator", &[("labels", 3), ("maps", 2)], &[("image", &[1, 16, 16])]),
    Asked(
        "std.gan.stylegan2",
        "generator",
        &[("latent", 6), ("labels", 3), ("channels", 1), ("resolution", 16), ("maps", 4), ("style", 5), ("layers", 2)],
        &[],
    ),
    Asked("std.gan.stylegan2", "discriminator", &[("labels", 3), ("maps", 4), ("layers", 2)], &[("image", &[1, 16, 16])]),
    Asked("std.gan.progressive", "generator", &[("latent", 6), ("labels", 3), ("resolution", 16), ("channels", 4)], &[]),
    Asked("std.gan.progressive", "discriminator", &[("labels", 3), ("channels", 4)], &[("image", &[1, 16, 16])]),
    Asked("std.gan.progressive", "compact_generator", &[("latent", 6), ("labels", 3), ("resolution", 16), ("channels", 4)], &[]),
    Asked("std.gan.progressive", "compact_discriminator", &[("labels", 3), ("channels", 4)], &[("image", &[1, 16, 16])]),
];

const BATCH: usize = 4;

#[test]
fn every_weight_has_a_gradient_of_finite_numbers() {
    for network in SMALL {
        let program = network.expanded();
        let mut graph = Graph::default();
        let mut table = WeightTable::new("weights:");
        let nodes: Vec<NodeId> =
            program.inputs.iter().map(|(name, shape)| graph.input(name, &[&[BATCH], shape.as_slice()].concat())).collect();
        let made = network::lower(&program, &mut graph, BATCH, Mode::Training, &nodes, &mut table).unwrap();
        let distance = graph.shift(made, -0.3);
        let squares = graph.square(distance);
        let loss = graph.sum_all(squares);
        let learned: Vec<_> = table.specifications.iter().filter(|weight| weight.trainable).collect();
        let learned: Vec<(String, NodeId)> =
            learned.iter().map(|weight| (weight.name.clone(), table.node(&weight.name).unwrap())).collect();
        let gradients = autodiff::gradient(&mut graph, loss, &learned.iter().map(|(_, node)| *node).collect::<Vec<_>>());
        let outputs: Vec<NodeId> = [loss].into_iter().chain(gradients).collect();
        let mut executable = Executable::<f32>::compile(&graph, &outputs);
        let mut weights = Weights::initial(&table, &Key::new(1));
        // In the middle of a transition, so that the branches of networks that grow count.
        let fades: Vec<String> =
            weights.specifications.iter().filter_map(|weight| Some(weight.name.strip_suffix("/progress")?.to_owned())).collect();
        fades.iter().for_each(|fade| weights.set_progress(fade, 0.5));
        let fed: Vec<Vec<f32>> = executable.bindings().iter().map(|binding| value(binding, &graph, &weights)).collect();
        executable.run(&fed.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert!(executable.output(0)[0].is_finite(), "{network}");
        let mut silent = Vec::new();
        for (index, (weight, _)) in learned.iter().enumerate() {
            let gradient = executable.output(1 + index);
            assert!(gradient.iter().all(|number| number.is_finite()), "{network}: {weight}");
            if gradient.iter().all(|number| *number == 0.0) {
                silent.push(weight);
            }
        }
        assert!(silent.is_empty(), "{network}: nothing reaches {silent:?}");
    }
}

/// Weights as they begin, labels of 0 and 1, and random numbers for everything else.
fn value(binding: &str, graph: &Graph, weights: &Weights) -> Vec<f32> {
    if let Some(index) = weights.bindings.iter().position(|known| known == binding) {
        return weights.values[index].clone();
    }
    let mut numbers = vec![0.0; graph.elements(graph.find_input(binding).unwrap())];
    let key = Key::new(2).with(binding);
    match binding {
        "y" => (0..numbers.len()).for_each(|index| numbers[index] = (index % 2) as f32),
        "image" | "z" => key.fill_normal(&mut numbers),
        _ => key.fill_uniform(&mut numbers),
    }
    numbers
}

#[test]
fn the_networks_fit_the_blocks_that_they_are_for() {
    let gan = |name: &str, generator: &str, discriminator: &str| {
        format!(
            "gan {name} {{\n  data = chest.train\n  generator = {generator}\n  discriminator = {discriminator}\n  budget = 1kimg\n}}\n"
        )
    };
    let classifier = |name: &str, network: &str| {
        format!("classifier {name} {{\n  network = {network}\n  train = chest.train\n  valid = chest.valid\n}}\n")
    };
    let study = [
        "edition 2026\nuse std.data.phantom\nuse std.gan.dcgan\nuse std.gan.progressive\n".to_owned(),
        "use std.gan.sngan\nuse std.gan.stylegan2\nuse std.classify.resnet\nuse std.classify.densenet\n".to_owned(),
        "dataset chest {\n  source = phantom.chest(patients = 100)\n  image = gray(64)\n}\n".to_owned(),
        gan("deep_convolutional", "dcgan.conditional_generator", "dcgan.conditional_discriminator"),
        gan("spectral", "sngan.generator()", "sngan.discriminator()"),
        gan("styled", "stylegan2.generator()", "stylegan2.discriminator()"),
        gan("growing", "progressive.generator()", "progressive.discriminator()"),
        gan("auxiliary", "progressive.generator()", "progressive.auxiliary_discriminator()")
            .replace("  budget", "  auxiliary = softmax_labels()\n  budget"),
        classifier("residual", "resnet.resnet18()"),
        classifier("dense", "densenet.densenet121()"),
    ];
    let said = Laboratory::new(&study.concat()).synth(&["check", "study.synth"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    assert_eq!(said.out, "ok: 8 blocks\n");
}
