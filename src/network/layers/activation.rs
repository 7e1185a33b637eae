//! Elementwise activations: `relu`, `leaky_relu`, `tanh`, `sigmoid`, `silu`, `gelu`. The shape stays.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::{Layer, first, input};

/// An activation: its name and the primitive it becomes.
pub struct Activation {
    name: &'static str,
    apply: fn(&mut Lowering<'_>, NodeId, &LayerArguments) -> Result<NodeId, ShapeError>,
}

pub const RELU: Activation = Activation { name: "relu", apply: |lowering, x, _| Ok(lowering.graph.relu(x)) };
pub const TANH: Activation = Activation { name: "tanh", apply: |lowering, x, _| Ok(lowering.graph.tanh(x)) };
pub const SIGMOID: Activation = Activation { name: "sigmoid", apply: |lowering, x, _| Ok(lowering.graph.sigmoid(x)) };
pub const LEAKY_RELU: Activation = Activation {
    name: "leaky_relu",
    apply: |lowering, x, arguments| {
        let slope = arguments.number("slope")?;
        Ok(lowering.graph.leaky_relu(x, slope))
    },
};

/// x · sigmoid(x) (Elfwing et al. 2018; also known as swish).
pub const SILU: Activation = Activation {
    name: "silu",
    apply: |lowering, x, _| {
        let gate = lowering.graph.sigmoid(x);
        Ok(lowering.graph.mul(x, gate))
    },
};

/// x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))) (Hendrycks and Gimpel 2016, section 2), within 5·10⁻⁴ of x · Φ(x).
pub const GELU: Activation = Activation {
    name: "gelu",
    apply: |lowering, x, _| {
        let graph = &mut *lowering.graph;
        let square = graph.square(x);
        let factor = graph.scale(square, 0.044715);
        let factor = graph.shift(factor, 1.0);
        let inner = graph.mul(x, factor);
        let inner = graph.scale(inner, (2.0 / std::f64::consts::PI).sqrt());
        let tanh = graph.tanh(inner);
        let gate = graph.shift(tanh, 1.0);
        let product = graph.mul(x, gate);
        Ok(graph.scale(product, 0.5))
    },
};

impl Layer for Activation {
    fn name(&self) -> &'static str {
        self.name
    }

    fn shape(&self, inputs: &[&Shape], _: &LayerArguments) -> Result<Shape, ShapeError> {
        first(inputs).cloned()
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        (self.apply)(lowering, input(inputs, 0)?, arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};

    #[test]
    fn silu_and_gelu_are_those_of_their_definition() {
        let x = [-2.0, -0.5, 0.0, 3.0];
        let [silu, gelu] = ["silu", "gelu"].map(|name| Trial::new(name, &[&[2]]));
        assert_close(&silu.run(&[&x], &[]), &x.map(|x| x / (1.0 + f64::exp(-x))));
        // x · Φ(x) from a table of the normal distribution.
        let exact = [-2.0 * 0.022_750_13, -0.5 * 0.308_537_54, 0.0, 3.0 * 0.998_650_1];
        for (found, expected) in gelu.run(&[&x], &[]).iter().zip(exact) {
            assert!((found - expected).abs() < 5e-4, "{found}, not {expected}");
        }
        silu.check_gradient();
        gelu.check_gradient();
    }
}
