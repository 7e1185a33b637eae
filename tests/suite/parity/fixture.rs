//! A fixture of tests/fixtures/parity: what PyTorch was given and what it found. benches/pytorch/parity.py writes them.

use super::drawing;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synth::language::{CheckOptions, NetworkRequest, expand_network, standard_module};
use synth::network::{NetworkProgram, WeightTable};
use synth::source::Sources;

/// Results of at most so many numbers stand in a fixture themselves; of others there are the norm and the sums against
/// random vectors.
const FEW: usize = 6;

/// A gradient of no more than this share of all gradients of its network is none, and counts against all of them (see the script).
const NOTHING: f64 = 1e-9;

#[derive(Deserialize)]
pub struct Fixture {
    pub draw: u64,
    #[serde(rename = "PyTorch in single precision")]
    pub single_precision: SinglePrecision,
    pub kind: String,
    #[serde(default)]
    pub networks: BTreeMap<String, NetworkTold>,
    #[serde(default)]
    pub inputs: Vec<InputTold>,
    /// What the kinds say besides.
    #[serde(flatten)]
    pub more: BTreeMap<String, serde_json::Value>,
    pub results: BTreeMap<String, Vec<f64>>,
}

/// How far PyTorch is from itself.
#[derive(Deserialize)]
pub struct SinglePrecision {
    pub error: f64,
}

#[derive(Deserialize)]
pub struct NetworkTold {
    module: String,
    name: String,
    sizes: BTreeMap<String, usize>,
    inputs: BTreeMap<String, Vec<usize>>,
    /// By the last part of a name: the middle of the numbers, their spread, and whether that is divided by √fan-in.
    drawn: BTreeMap<String, (f64, f64, bool)>,
    weights: Vec<WeightTold>,
}

#[derive(Deserialize)]
struct WeightTold {
    name: String,
    shape: Vec<usize>,
    gradient: Option<Vec<f64>>,
    update: Option<Vec<f64>>,
}

#[derive(Deserialize)]
pub struct InputTold {
    pub name: String,
    pub shape: Vec<usize>,
    #[serde(default)]
    centre: f64,
    #[serde(default)]
    spread: f64,
    #[serde(default)]
    labels: bool,
}

/// Where the checked-in fixtures lie, and where the script puts those in full size.
pub fn folder(full: bool) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(if full { "target/parity" } else { "tests/fixtures/parity" })
}

impl Fixture {
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The numbers of the inputs by name.
    pub fn fed(&self) -> BTreeMap<String, Vec<f32>> {
        let numbers = |input: &InputTold| {
            let (key, count) = (format!("{} {}", self.draw, input.name), input.shape.iter().product());
            if input.labels { drawing::labels(&key, count) } else { drawing::draw(&key, count, input.centre, input.spread) }
        };
        self.inputs.iter().map(|input| (input.name.clone(), numbers(input))).collect()
    }

    /// The numbers of a network's weights, by their names as inputs of the graph. The network must have the tensors of the fixture
    /// and no others.
    pub fn weights(&self, role: &str, table: &WeightTable) -> BTreeMap<String, Vec<f32>> {
        let told = &self.networks[role];
        let mut expected: Vec<_> = told.weights.iter().map(|weight| (weight.name.clone(), weight.shape.clone())).collect();
        let mut found: Vec<_> = table.specifications.iter().map(|weight| (weight.name.clone(), weight.shape.clone())).collect();
        expected.sort();
        found.sort();
        assert!(expected == found, "the {role}'s tensors: expected {expected:#?}, found {found:#?}");
        let numbers = |name: &str, shape: &[usize]| {
            let (centre, spread, by_fan_in) = told.drawn[name.rsplit('/').next().unwrap()];
            let fan_in = shape.iter().skip(1).product::<usize>() as f64;
            let spread = if by_fan_in { spread / fan_in.sqrt() } else { spread };
            drawing::draw(&format!("{} {role} {name}", self.draw), shape.iter().product(), centre, spread)
        };
        found.iter().map(|(name, shape)| (table.binding(name), numbers(name, shape))).collect()
    }

    /// The largest error among results, and which it is: the norm of the difference over the norm. Every result of the fixture
    /// must be there.
    pub fn worst(&self, found: &BTreeMap<String, Vec<f64>>) -> (f64, String) {
        let mut worst = (0.0, String::new());
        let mut note = |key: &str, told: &[f64], whole: f64| {
            let numbers = found.get(key).unwrap_or_else(|| panic!("there is no result `{key}`"));
            let error = error(key, numbers, told, whole);
            if error > worst.0 || error.is_nan() {
                worst = (error, key.to_owned());
            }
        };
        for (key, told) in &self.results {
            note(key, told, 0.0);
        }
        for (role, network) in &self.networks {
            let whole = network.weights.iter().map(|weight| weight.norm_of_gradient().powi(2)).sum::<f64>().sqrt();
            for weight in &network.weights {
                for (what, told, whole) in [("gradient", &weight.gradient, whole), ("update", &weight.update, 0.0)] {
                    if let Some(told) = told {
                        note(&format!("{role} {what} {}", weight.name), told, whole);
                    }
                }
            }
        }
        worst
    }
}

impl WeightTold {
    fn norm_of_gradient(&self) -> f64 {
        match self.gradient.as_deref() {
            Some([size, ..]) if self.shape.iter().product::<usize>() > FEW => *size,
            Some(numbers) => norm(numbers),
            None => 0.0,
        }
    }
}

impl NetworkTold {
    /// The network as `synth describe` expands it.
    pub fn expanded(&self) -> Arc<NetworkProgram> {
        let mut sources = Sources::default();
        let file = standard_module(&mut sources, &self.module).unwrap();
        let options = CheckOptions { params: Vec::new(), environment: &|_| None, base: PathBuf::new() };
        let request = NetworkRequest {
            expression: self.name.clone(),
            sizes: self.sizes.iter().map(|(name, size)| (name.clone(), size.to_string())).collect(),
            inputs: self.inputs.iter().map(|(name, shape)| (Some(name.clone()), shape.clone())).collect(),
            weights: None,
        };
        expand_network(&mut sources, file, &options, &request).unwrap_or_else(|problems| panic!("{problems:#?}"))
    }
}

fn norm(numbers: &[f64]) -> f64 {
    numbers.iter().map(|number| number * number).sum::<f64>().sqrt()
}

/// The norm of the difference over the norm, or over that of the `whole` where it is nothing beside that. Of longer results it is
/// estimated from the sums against random vectors, whose numbers have a variance of 1/3.
fn error(key: &str, found: &[f64], told: &[f64], whole: f64) -> f64 {
    let (difference, size) = if found.len() <= FEW {
        assert_eq!(found.len(), told.len(), "numbers of `{key}`");
        (norm(&found.iter().zip(told).map(|(found, told)| found - told).collect::<Vec<_>>()), norm(told))
    } else {
        let (size, sums) = told.split_first().unwrap();
        let sum = |probe: usize| -> f64 {
            let random = drawing::uniform(&format!("probe {probe} {key}"), found.len());
            found.iter().zip(random).map(|(number, random)| number * random).sum()
        };
        let squares: f64 = sums.iter().enumerate().map(|(probe, told)| (sum(probe) - told).powi(2)).sum();
        ((3.0 * squares / sums.len() as f64).sqrt().max((norm(found) - size).abs()), *size)
    };
    difference / if size > NOTHING * whole { size } else { whole }
}

#[test]
fn the_norm_of_a_difference_is_told_from_a_few_sums() {
    let exact: Vec<f64> = drawing::uniform("exact", 10_000).collect();
    let told: Vec<f64> = std::iter::once(norm(&exact))
        .chain((0..4).map(|probe| {
            exact.iter().zip(drawing::uniform(&format!("probe {probe} key"), exact.len())).map(|(a, b)| a * b).sum()
        }))
        .collect();
    assert!(error("key", &exact, &told, 0.0) < 1e-12);
    let off: Vec<f64> = exact.iter().zip(drawing::uniform("off", exact.len())).map(|(number, off)| number + 0.01 * off).collect();
    let found = error("key", &off, &told, 0.0);
    assert!((0.003..0.03).contains(&found), "{found} where 0.01 is due");
}
