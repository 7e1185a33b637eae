//! Spectral normalisation of a weight (Miyato et al. 2018): divided by its greatest singular value, as a matrix with a row
//! for each output. The value is found by power iteration, which goes on from step to step: the left vector is a running
//! statistic, moved by `iterations` rounds at each training step. No gradient goes through the vectors (algorithm 1).

use super::super::graph::{Graph, NodeId};
use super::super::lowering::{Initial, Lowering, Mode};

/// Added to lengths, so that a weight of zeros stays one.
const EPSILON: f64 = 1e-12;

/// The weight over its greatest singular value. Outputs stand along the dimension `outputs`.
pub fn normalised(lowering: &mut Lowering<'_>, weight: NodeId, outputs: usize, iterations: usize) -> NodeId {
    let shape = lowering.shape(weight);
    let rows = shape.get(outputs).copied().unwrap_or(1);
    let columns = shape.iter().product::<usize>() / rows.max(1);
    let order: Vec<usize> = std::iter::once(outputs).chain((0..shape.len()).filter(|axis| *axis != outputs)).collect();
    let left = lowering.state("left_singular_vector", &[rows], Initial::Normal { deviation: 1.0 });
    let graph = &mut *lowering.graph;
    let turned = graph.transpose(weight, &order);
    let matrix = graph.reshape(turned, &[rows, columns]);
    let constant = graph.detach(matrix);
    let mut left = graph.reshape(left, &[1, rows]);
    let mut right = constant;
    for _ in 0..iterations.max(1) {
        let product = graph.matmul(left, constant, false, false);
        right = unit(graph, product);
        let product = graph.matmul(right, constant, false, true);
        left = unit(graph, product);
    }
    let image = graph.matmul(right, matrix, false, true);
    let parts = graph.mul(left, image);
    let greatest = graph.sum_all(parts);
    let greatest = graph.shift(greatest, EPSILON);
    let normalised = graph.div(weight, greatest);
    if lowering.mode == Mode::Training {
        let left = lowering.graph.reshape(left, &[rows]);
        lowering.update_state("left_singular_vector", left);
    }
    normalised
}

/// A row vector of length 1.
fn unit(graph: &mut Graph, row: NodeId) -> NodeId {
    let squares = graph.square(row);
    let sum = graph.sum(squares, &[1], true);
    let sum = graph.shift(sum, EPSILON * EPSILON);
    let length = graph.sqrt(sum);
    graph.div(row, length)
}

#[cfg(test)]
mod tests {
    use super::super::super::lowering::Mode;
    use super::super::trial::{Trial, assert_close, construction, normal};
    use crate::language::Value;

    fn spectral() -> Value {
        construction("spectral", &[("of", normal(1.0)), ("iterations", Value::Integer(1))])
    }

    /// The left vector after so many training steps with the same weight.
    fn converged(trial: &Trial, weight: &[f64], rows: usize) -> Vec<f64> {
        let x = vec![1.0; trial.batch * trial.inputs()];
        let mut left: Vec<f64> = (1..=rows).map(|row| row as f64).collect();
        for _ in 0..200 {
            left = trial.update("layer/left_singular_vector", &[&x], &[("weight", weight), ("left_singular_vector", &left)]);
        }
        left
    }

    #[test]
    fn the_greatest_singular_value_becomes_one() {
        // diag(3, −2) turned: singular values 3 and 2.
        let mut trial = Trial::new("dense", &[&[2]]).size("outputs", 2).with("weights", spectral());
        let weight = [0.0, -2.0, 3.0, 0.0];
        let left = converged(&trial, &weight, 2);
        assert_close(&[left[0].abs(), left[1].abs()], &[0.0, 1.0]);
        let found = trial.run(&[&[1.0, 0.0, 0.0, 1.0]], &[("weight", &weight), ("left_singular_vector", &left)]);
        assert_close(&found, &[0.0, 1.0, -2.0 / 3.0, 0.0]);
        trial.mode = Mode::Inference;
        let weights: [(&str, &[f64]); 2] = [("weight", &[0.0; 4]), ("left_singular_vector", &left)];
        assert_eq!(trial.run(&[&[1.0; 4]], &weights), [0.0; 4]);
    }

    #[test]
    fn at_the_greatest_singular_vector_the_gradient_is_that_of_finite_differences() {
        let dense = Trial::new("dense", &[&[3]]).size("outputs", 2).with("weights", spectral());
        let embed = Trial::new("embed", &[&[2]]).size("outputs", 3).with("weights", spectral());
        let conv = Trial::new("conv", &[&[3, 2, 2]]).size("filters", 2).size("kernel", 1).size("stride", 1);
        let conv = conv.size("dilation", 1).size("padding", 0).size("groups", 1).with("weights", spectral());
        let transposed = Trial::new("conv_transpose", &[&[3, 2, 2]]).size("filters", 2).size("kernel", 1).size("stride", 1);
        let transposed = transposed.size("padding", 0).size("output_padding", 0).with("weights", spectral());
        for (trial, rows) in [(dense, 2), (embed, 3), (conv, 2), (transposed, 2)] {
            let weight = [0.4, -1.2, 0.7, 1.5, 0.3, -0.2];
            let left = converged(&trial, &weight, rows);
            let given = [("layer/weight".to_owned(), weight.to_vec()), ("layer/left_singular_vector".to_owned(), left)];
            trial.check_gradient_at(&given.into(), 1);
        }
    }
}
