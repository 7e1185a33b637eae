//! Networks, losses, penalties and optimisers give what PyTorch gives for the same weights and inputs: outputs, losses, the
//! gradient of every parameter (of penalties too, which are second derivatives), and running statistics.
//!
//! Both sides draw weights and inputs by one formula, and the fixtures hold PyTorch's results in double precision. What is computed
//! in double precision here must agree as far as the fixtures' digits go. In single precision the error is bounded by 1e-4, or by
//! three times PyTorch's own where ReLU's jumps make that larger (see benches/pytorch/parity.py).

mod drawing;
mod fixture;

use fixture::{Fixture, folder};
use std::collections::BTreeMap;
use std::time::Instant;
use synth::autodiff;
use synth::kernels::cpu::{Element, Executable};
use synth::language::{Construction, Value};
use synth::network::graph::{Graph, NodeId};
use synth::network::{self, Mode, WeightTable};
use synth::training::{
    GanGraphs, GanLoss, GanRules, GanSizes, OptimiserState, Penalty, StepGraph, Weights, binary_cross_entropy, optimiser,
};

/// Results by the names that they have in the fixture.
type Results = BTreeMap<String, Vec<f64>>;

/// Runs a graph for some of its nodes.
fn run<T: Element>(graph: &Graph, wanted: &[(String, NodeId)], fed: &BTreeMap<String, Vec<f32>>, results: &mut Results) {
    let mut executable = Executable::<T>::compile(graph, &wanted.iter().map(|(_, node)| *node).collect::<Vec<_>>());
    let numbers = |name: &String| fed.get(name).unwrap_or_else(|| panic!("nothing is fed to `{name}`"));
    let inputs: Vec<Vec<T>> = executable
        .bindings()
        .iter()
        .map(|name| numbers(name).iter().map(|number| T::from_f64(f64::from(*number))).collect())
        .collect();
    executable.run(&inputs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    for (index, (name, _)) in wanted.iter().enumerate() {
        results.insert(name.clone(), executable.output(index).iter().map(|number| number.to_f64()).collect());
    }
}

/// The names of the learned tensors of a network, in the order of its gradients.
fn learned(table: &WeightTable) -> impl Iterator<Item = &str> {
    table.specifications.iter().filter(|weight| weight.trainable).map(|weight| weight.name.as_str())
}

fn classifier<T: Element>(fixture: &Fixture) -> Results {
    let program = fixture.networks["classifier"].expanded();
    let mut fed = fixture.fed();
    let mut results = Results::new();
    let batch = fixture.inputs[0].shape[0];
    for mode in [Mode::Inference, Mode::Training] {
        let mut graph = Graph::default();
        let mut table = WeightTable::new("classifier:");
        let [image, labels] = [0, 1].map(|index| graph.input(&fixture.inputs[index].name, &fixture.inputs[index].shape));
        let output = network::lower(&program, &mut graph, batch, mode, &[image], &mut table).unwrap();
        fed.extend(fixture.weights("classifier", &table));
        if mode == Mode::Inference {
            run::<T>(&graph, &[("inference output".into(), output)], &fed, &mut results);
            continue;
        }
        let loss = binary_cross_entropy(&mut graph, output, labels);
        let nodes: Vec<NodeId> = learned(&table).map(|name| table.node(name).unwrap()).collect();
        let gradients = autodiff::gradient(&mut graph, loss, &nodes);
        let gradients = learned(&table).zip(gradients).map(|(name, node)| (format!("classifier gradient {name}"), node));
        let updates = table.updates.iter().map(|(name, node)| (format!("classifier update {name}"), *node));
        let wanted: Vec<_> =
            [("output".to_owned(), output), ("loss".to_owned(), loss)].into_iter().chain(gradients).chain(updates).collect();
        run::<T>(&graph, &wanted, &fed, &mut results);
    }
    results
}

fn gan<T: Element>(fixture: &Fixture) -> Results {
    let [generator, discriminator] = ["generator", "discriminator"].map(|role| fixture.networks[role].expanded());
    let shape = |name: &str| fixture.inputs.iter().find(|input| input.name == name).unwrap().shape.clone();
    let construction = |field: &str| {
        let arguments = fixture.more["arguments"].as_object().unwrap();
        let defaults = [("drift", Value::Number(0.001)), ("weight", Value::Number(0.0)), ("every", Value::Integer(1))];
        let argument = |(name, default): (&str, Value)| match arguments.get(name) {
            Some(given) if given.is_i64() => (name.to_owned(), Value::Integer(given.as_i64().unwrap())),
            Some(given) => (name.to_owned(), Value::Number(given.as_f64().unwrap())),
            None => (name.to_owned(), default),
        };
        let function = fixture.more[field].as_str().unwrap().to_owned();
        Value::Construction(Construction { function, arguments: defaults.map(argument).into() })
    };
    let loss = GanLoss::from_value(&construction("loss")).unwrap();
    let penalty = Penalty::from_value(&construction("penalty")).unwrap();
    let [batch, channels, height, width] = shape("real")[..] else { panic!("images have four dimensions") };
    let sizes = GanSizes { batch, image: [channels, height, width], labels: shape("labels")[1], enlargement: 1 };
    let rules = GanRules { loss, penalty, auxiliary: None };
    let graphs = GanGraphs::new(&generator, &discriminator, sizes, rules).unwrap();
    let mut fed = fixture.fed();
    fed.extend(fixture.weights("generator", &graphs.generator));
    fed.extend(fixture.weights("discriminator", &graphs.discriminator));

    let mut results = Results::new();
    let mut graph = Graph::default();
    let inputs = ["latent", "labels"].map(|name| graph.input(name, &shape(name)));
    let mut table = WeightTable::new("generator:");
    let images = network::lower(&generator, &mut graph, batch, Mode::Inference, &inputs, &mut table).unwrap();
    run::<T>(&graph, &[("inference output".into(), images)], &fed, &mut results);
    let mut step = |step: &StepGraph, role: &str, table: &WeightTable, losses: &[&str]| {
        let gradients = learned(table).zip(&step.gradients).map(|(name, node)| (format!("{role} gradient {name}"), *node));
        let updates = step.updates.iter().map(|(name, node)| (format!("{role} update {name}"), *node));
        let losses = losses.iter().zip(&step.losses).map(|(name, (_, node))| ((*name).to_owned(), *node));
        let images = (role == "discriminator").then(|| ("output".to_owned(), step.images));
        run::<T>(&step.graph, &gradients.chain(updates).chain(losses).chain(images).collect::<Vec<_>>(), &fed, &mut results);
    };
    let first = graphs.penalised_step.as_ref().unwrap_or(&graphs.discriminator_step);
    step(first, "discriminator", &graphs.discriminator, &["discriminator loss", "penalty"]);
    step(&graphs.generator_step, "generator", &graphs.generator, &["generator loss"]);
    results
}

/// The largest error of a fixture in a precision, and which result has it.
fn worst<T: Element>(fixture: &Fixture) -> (f64, String) {
    let results = match fixture.kind.as_str() {
        "classifier" => classifier::<T>(fixture),
        "gan" => gan::<T>(fixture),
        other => panic!("there is no kind `{other}`"),
    };
    fixture.worst(&results)
}

/// Single precision, and double precision where asked for. Prints what was found.
fn check(name: &str, full: bool, double: bool) {
    let fixture = Fixture::read(&folder(full).join(format!("{name}.json")));
    let begin = Instant::now();
    let (single, which) = worst::<f32>(&fixture);
    let own = fixture.single_precision.error;
    eprintln!("{name}: error {single:.1e} in single precision ({which}); PyTorch's own {own:.1e}; {:?}", begin.elapsed());
    if double {
        let begin = Instant::now();
        let (exact, which) = worst::<f64>(&fixture);
        eprintln!("{name}: error {exact:.1e} in double precision ({which}); {:?}", begin.elapsed());
        assert!(exact < 2e-6, "{name}: {exact:.1e} in double precision at `{which}`");
    }
    assert!(single < 1e-4f64.max(3.0 * own), "{name}: {single:.1e} in single precision at `{which}`");
}

#[test]
fn densenet_121_equals_torchvision() {
    check("densenet121", false, true);
}

#[test]
fn resnet_18_equals_torchvision() {
    check("resnet18", false, false);
}

#[test]
fn cpd_gan_with_a_gradient_penalty_equals_pytorch() {
    check("cpd-wgan-gp", false, true);
}

#[test]
fn cpd_gan_with_the_logistic_loss_and_r1_equals_pytorch() {
    check("cpd-logistic-r1", false, true);
}

#[test]
fn prog_gan_with_a_gradient_penalty_equals_pytorch() {
    check("progressive-wgan-gp", false, true);
}

#[test]
fn sngan_with_the_hinge_loss_equals_pytorch() {
    check("sngan-hinge", false, true);
}

/// `python3 benches/pytorch/parity.py --full`, then
/// `cargo test --release --test suite networks_in_full_size -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes, and fixtures that a script makes"]
fn networks_in_full_size_equal_pytorch() {
    let mut names: Vec<String> = std::fs::read_dir(folder(true))
        .unwrap_or_else(|error| panic!("run `python3 benches/pytorch/parity.py --full` first: {error}"))
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert!(!names.is_empty(), "run `python3 benches/pytorch/parity.py --full` first");
    names.iter().for_each(|name| check(name, true, false));
}

#[test]
fn optimisers_equal_pytorch() {
    let fixture = Fixture::read(&folder(false).join("optimisers.json"));
    let tensors: Vec<(String, Vec<usize>)> = serde_json::from_value::<Vec<fixture::InputTold>>(fixture.more["tensors"].clone())
        .unwrap()
        .into_iter()
        .map(|tensor| (tensor.name, tensor.shape))
        .collect();
    let drawn = |key: &str, shape: &[usize]| drawing::draw(&format!("{} {key}", fixture.draw), shape.iter().product(), 0.0, 1.0);
    let mut found = Results::new();
    for (index, case) in fixture.more["cases"].as_array().unwrap().iter().enumerate() {
        let argument = |(name, value): (&String, &serde_json::Value)| match value.as_bool() {
            Some(flag) => (name.clone(), Value::Boolean(flag)),
            None => (name.clone(), Value::Number(value.as_f64().unwrap())),
        };
        let function = case["constructor"].as_str().unwrap().to_owned();
        let arguments = case["arguments"].as_object().unwrap().iter().map(argument).collect();
        let mut weights = Weights {
            specifications: tensors.iter().map(|(name, shape)| specification(name, shape)).collect(),
            bindings: tensors.iter().map(|(name, _)| name.clone()).collect(),
            values: tensors.iter().map(|(name, shape)| drawn(name, shape)).collect(),
        };
        let mut average = weights.clone();
        let optimiser = optimiser(&Value::Construction(Construction { function, arguments })).unwrap();
        let mut state = OptimiserState::new(optimiser, &weights);
        for step in 1..=fixture.more["steps"].as_u64().unwrap() {
            let gradients: Vec<Vec<f32>> = tensors.iter().map(|(name, shape)| drawn(&format!("{name} {step}"), shape)).collect();
            state.step(&mut weights, &|tensor| &gradients[tensor], Some((&mut average, 0.75))).unwrap();
        }
        for (what, weights) in [("", &weights), ("average ", &average)] {
            for ((name, _), values) in tensors.iter().zip(&weights.values) {
                found.insert(format!("{index} {what}{name}"), values.iter().map(|value| f64::from(*value)).collect());
            }
        }
    }
    let (error, which) = fixture.worst(&found);
    eprintln!("optimisers: error {error:.1e} in single precision ({which})");
    assert!(error < 2e-6, "{error:.1e} at `{which}`");
}

fn specification(name: &str, shape: &[usize]) -> network::WeightSpecification {
    let initial = network::Initial::Constant(0.0);
    network::WeightSpecification { name: name.to_owned(), shape: shape.to_vec(), initial, trainable: true }
}
