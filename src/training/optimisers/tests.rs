//! Every optimiser beside its formula in double precision. That the formulae are PyTorch's is tested in tests/suite/parity.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use super::{OptimiserState, from_value};
use crate::language::{Construction, Value};
use crate::network::{Initial, WeightSpecification};
use crate::training::Weights;

const GRADIENTS: [f32; 5] = [0.3, -1.5, 0.01, 2.0, -0.2];

/// A running statistic, which nothing moves, and a weight.
fn weights() -> Weights {
    let names = [("running_mean", false), ("weight", true)];
    let specification = |(name, trainable): (&str, bool)| WeightSpecification {
        name: name.to_owned(),
        shape: vec![1],
        initial: Initial::Constant(0.0),
        trainable,
    };
    Weights {
        specifications: names.map(specification).into(),
        bindings: names.map(|(name, _)| name.to_owned()).into(),
        values: vec![vec![7.0], vec![0.5]],
    }
}

fn state(function: &str, arguments: &[(&str, Value)]) -> OptimiserState {
    let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let value = Value::Construction(Construction { function: function.to_owned(), arguments });
    OptimiserState::new(from_value(&value).unwrap(), &weights())
}

/// Steps along [`GRADIENTS`] beside a formula of the number of the step, the gradient and the weight.
fn check(mut state: OptimiserState, mut formula: impl FnMut(i32, f64, f64) -> f64) {
    let (mut weights, mut average) = (weights(), weights());
    let (mut expected, mut averaged) = (0.5, 0.5);
    for (index, gradient) in GRADIENTS.iter().enumerate() {
        let gradient = std::slice::from_ref(gradient);
        assert_eq!(state.step(&mut weights, &|_| gradient, Some((&mut average, 0.75))), Ok(()));
        expected = formula(index as i32 + 1, f64::from(gradient[0]), expected);
        averaged = 0.75 * averaged + 0.25 * expected;
        for (found, expected) in [(weights.values[1][0], expected), (average.values[1][0], averaged)] {
            assert!((f64::from(found) - expected).abs() < 1e-6, "step {}: {found} is not {expected}", index + 1);
        }
    }
    assert_eq!(weights.values[0], [7.0], "a running statistic is not learned");
}

fn adam(decay: f64) -> Vec<(&'static str, Value)> {
    let numbers = [("rate", 1e-3), ("beta1", 0.9), ("beta2", 0.99), ("epsilon", 1e-8), ("weight_decay", decay)];
    numbers.map(|(name, number)| (name, Value::Number(number))).into()
}

/// A step of Adam from moments that it moves.
fn adam_step(moments: &mut [f64; 2], t: i32, gradient: f64) -> f64 {
    moments[0] = 0.9 * moments[0] + 0.1 * gradient;
    moments[1] = 0.99 * moments[1] + 0.01 * gradient * gradient;
    1e-3 * (moments[0] / (1.0 - 0.9_f64.powi(t))) / ((moments[1] / (1.0 - 0.99_f64.powi(t))).sqrt() + 1e-8)
}

#[test]
fn adam_equals_its_algorithm_in_double_precision() {
    let mut moments = [0.0; 2];
    check(state("adam", &adam(0.3)), |t, gradient, weight| weight - adam_step(&mut moments, t, gradient + 0.3 * weight));
}

#[test]
fn adamw_equals_its_algorithm_in_double_precision() {
    let mut moments = [0.0; 2];
    check(state("adamw", &adam(0.3)), |t, gradient, weight| weight * (1.0 - 1e-3 * 0.3) - adam_step(&mut moments, t, gradient));
}

#[test]
fn sgd_equals_its_algorithm_in_double_precision() {
    for nesterov in [false, true] {
        let numbers =
            [("rate", 0.1), ("momentum", 0.8), ("weight_decay", 0.2)].map(|(name, number)| (name, Value::Number(number)));
        let arguments: Vec<_> = numbers.into_iter().chain([("nesterov", Value::Boolean(nesterov))]).collect();
        let mut momentum = 0.0;
        check(state("sgd", &arguments), |_, gradient, weight| {
            let gradient = gradient + 0.2 * weight;
            momentum = 0.8 * momentum + gradient;
            weight - 0.1 * if nesterov { gradient + 0.8 * momentum } else { momentum }
        });
    }
}

#[test]
fn a_state_goes_on_from_its_tensors() {
    let mut whole = state("adam", &adam(0.0));
    let (mut weights_of_whole, mut tensors) = (weights(), std::collections::BTreeMap::new());
    let one = |state: &mut OptimiserState, weights: &mut Weights| assert_eq!(state.step(weights, &|_| &[0.5], None), Ok(()));
    one(&mut whole, &mut weights_of_whole);
    whole.write_tensors("moments/", &weights_of_whole, &mut tensors).unwrap();
    assert_eq!(tensors.keys().collect::<Vec<_>>(), ["moments/first/weight", "moments/second/weight"]);
    let (mut resumed, mut weights_of_resumed) = (state("adam", &adam(0.0)), weights_of_whole.clone());
    resumed.read_tensors("moments/", &weights_of_resumed, &tensors, 1).unwrap();
    one(&mut whole, &mut weights_of_whole);
    one(&mut resumed, &mut weights_of_resumed);
    assert_eq!(weights_of_whole.values, weights_of_resumed.values);
    assert!(resumed.read_tensors("moments/", &weights_of_resumed, &std::collections::BTreeMap::new(), 1).is_err());
}

#[test]
fn a_gradient_that_is_not_finite_moves_nothing() {
    let mut state = state("adam", &adam(0.0));
    let mut moved = weights();
    // Its square is infinite in single precision, although it is finite itself.
    for gradient in [[f32::NAN], [f32::INFINITY], [1e30]] {
        let said = state.step(&mut moved, &|_| &gradient, None).unwrap_err();
        assert!(said.contains("gradient of `weight`"), "{said}");
        assert_eq!(moved.values, weights().values);
    }
}
