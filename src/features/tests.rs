use super::*;
use crate::language::Construction;
use crate::network::{LayerArguments, LayerCall, NetworkProgram, TensorId};
use crate::training::Weights;

/// Images of one channel with pixels drawn from a seed.
fn shard(images: usize, size: usize, seed: u64) -> Shard {
    let key = Key::new(seed);
    Shard {
        images: (0..images * size * size).map(|i| key.below(i as u64, 256) as u8).collect(),
        labels: vec![0; images],
        patients: (0..images as u32).collect(),
        patient_names: (0..images).map(|i| i.to_string()).collect(),
        label_names: vec!["Edema".into()],
        channels: 1,
        height: size,
        width: size,
        source: "test".into(),
    }
}

fn random(seed: i64, size: usize) -> FeatureNetwork {
    let construction =
        Construction { function: "random_features".into(), arguments: vec![("seed".into(), Value::Integer(seed))] };
    FeatureNetwork::new(&Value::Construction(construction), Path::new(""), None, [1, size, size]).unwrap()
}

#[test]
fn random_features_depend_on_the_seed_alone() {
    let images = shard(70, 12, 1);
    let (mut one, mut two) = (random(1, 12), random(2, 12));
    assert_eq!((one.dimensions(), one.name(), one.resize()), (240, "random network, seed 1", "none"));
    assert_eq!(one.distance_name(), "Fréchet distance (random network, seed 1)");
    let features = one.features(&images).unwrap();
    assert_eq!(features.len(), 70 * 240);
    assert!(features.iter().all(|value| value.is_finite()));
    assert_eq!(random(1, 12).features(&images).unwrap(), features);
    assert_ne!(two.features(&images).unwrap(), features);
    assert_ne!(one.digest(), two.digest());
    assert_eq!(one.digest(), random(1, 20).digest(), "the same layers with the same weights");
    // An image's features are its own but for the last bits, which depend on its place in the batch.
    let two_rows = one.of_rows(&images, &[69, 3]).unwrap();
    let due = [&features[69 * 240..], &features[3 * 240..4 * 240]].concat();
    assert!(two_rows.iter().zip(&due).all(|(found, due)| (found - due).abs() < 1e-5 * due.abs().max(0.01)));
    assert_eq!(one.features(&shard(2, 16, 1)).unwrap_err().code, "E0660");
}

#[test]
fn sizes_that_two_does_not_divide_have_features() {
    for size in [4, 7, 33] {
        assert_eq!(random(1, size).features(&shard(2, size, 1)).unwrap().len(), 480);
    }
}

/// flatten, dense(3), relu, dense(2), bias.
fn reader() -> Model {
    let call = |layer: &str, path: &str, input: usize, arguments: Vec<(String, Value)>, shape: Vec<usize>| LayerCall {
        layer: layer.into(),
        path: path.into(),
        inputs: vec![TensorId(input)],
        arguments: LayerArguments(arguments),
        shape,
    };
    let dense = |outputs: i64| {
        let weights = Construction { function: "normal".into(), arguments: vec![("deviation".into(), Value::Number(1.0))] };
        vec![("outputs".into(), Value::Integer(outputs)), ("weights".into(), Value::Construction(weights))]
    };
    let network = NetworkProgram {
        inputs: vec![("image".into(), vec![1, 4, 4])],
        calls: vec![
            call("flatten", "n/flatten_0", 0, vec![], vec![16]),
            call("dense", "n/dense_0", 1, dense(3), vec![3]),
            call("relu", "n/relu_0", 2, vec![], vec![3]),
            call("dense", "n/dense_1", 3, dense(2), vec![2]),
            call("bias", "n/bias_0", 4, vec![], vec![2]),
        ],
        output: TensorId(5),
        ..NetworkProgram::default()
    };
    let weights = Weights::initial(&crate::network::weights(&network).unwrap(), &Key::new(4));
    Model { network, weights, label_names: vec!["a".into(), "b".into()] }
}

#[test]
fn a_classifier_gives_what_its_last_layer_sees() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("classifier");
    let model = reader();
    model.write(&path).unwrap();
    let value = Value::Step(crate::language::StepReference { step: "on_real".into(), port: Some("classifier".into()) });
    let mut network = FeatureNetwork::new(&value, Path::new(""), Some(&path), [1, 4, 4]).unwrap();
    assert!(network.name().starts_with("classifier ") && network.dimensions() == 3 && network.head().is_none());
    let images = shard(5, 4, 2);
    let features = network.features(&images).unwrap();
    let (_, head) = cut::before_last_layer(&model).unwrap();
    let head = head.unwrap();
    let logits = Predictor::new(&model, 8).unwrap().scores(&images).unwrap();
    for (row, logits) in features.chunks_exact(3).zip(logits.chunks_exact(2)) {
        for (weights, logit) in head.chunks_exact(3).zip(logits) {
            let sum: f32 = weights.iter().zip(row).map(|(weight, value)| weight * value).sum();
            assert!((sum - logit).abs() < 1e-4, "{sum} {logit}");
        }
    }
    let error = FeatureNetwork::new(&value, Path::new(""), Some(&path), [1, 8, 8]).err().unwrap();
    assert_eq!(error.code, "E0660");
}
