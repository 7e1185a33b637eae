//! Convolution and its two adjoints. Each is bilinear, and the gradients of each are the other two, so one file holds
//! the triple.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, ConvolutionGeometry, Element};
use crate::network::graph::{Graph, NodeId};

/// x `[n, c, h, w]`, w `[o, c, k, k]` to `[n, o, oh, ow]`: cross-correlation with zeros outside.
#[derive(Debug)]
pub struct Convolution {
    pub stride: usize,
    pub padding: usize,
}

/// g `[n, o, oh, ow]`, w `[o, c, k, k]` to `[n, c, height, width]`: the adjoint of convolution in x.
#[derive(Debug)]
pub struct ConvolutionInputGradient {
    pub stride: usize,
    pub padding: usize,
    pub height: usize,
    pub width: usize,
}

/// x `[n, c, h, w]`, g `[n, o, oh, ow]` to `[o, c, size, size]`: the adjoint of convolution in w.
#[derive(Debug)]
pub struct ConvolutionWeightGradient {
    pub stride: usize,
    pub padding: usize,
    pub size: usize,
}

fn geometry(x: &[usize], w: &[usize], stride: usize, padding: usize) -> ConvolutionGeometry {
    let fits = x.len() == 4 && w.len() == 4 && x[1] == w[1] && stride > 0;
    assert!(fits, "convolution of {x:?} (n, c, h, w) with weights {w:?} (o, c, k, k), stride {stride}");
    let enough = x[2] + 2 * padding >= w[2] && x[3] + 2 * padding >= w[3];
    assert!(enough, "convolution of {x:?} with weights {w:?}, padding {padding}: the kernel is larger than the image");
    assert!(w[2] == w[3], "convolution with weights {w:?}: kernels are square");
    ConvolutionGeometry {
        batch: x[0],
        input_channels: x[1],
        height: x[2],
        width: x[3],
        output_channels: w[0],
        kernel: w[2],
        stride,
        padding,
    }
}

fn output_shape(geometry: &ConvolutionGeometry) -> Vec<usize> {
    vec![geometry.batch, geometry.output_channels, geometry.output_height(), geometry.output_width()]
}

/// Every weight meets every place of the output, in each image.
fn multiply_adds(geometry: &ConvolutionGeometry) -> u64 {
    let weights = geometry.output_channels * geometry.input_channels * geometry.kernel * geometry.kernel;
    let places = geometry.batch * geometry.output_height() * geometry.output_width();
    weights as u64 * places as u64
}

impl Primitive for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        output_shape(&geometry(inputs[0], inputs[1], self.stride, self.padding))
    }

    fn multiply_adds(&self, inputs: &[&[usize]]) -> u64 {
        multiply_adds(&geometry(inputs[0], inputs[1], self.stride, self.padding))
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let (x, w) = (inputs[0], inputs[1]);
        let image = [graph.shape(x)[2], graph.shape(x)[3]];
        let kernel = graph.shape(w)[2];
        let first = needed[0].then(|| graph.conv2d_input_gradient(g, w, self.stride, self.padding, image));
        let second = needed[1].then(|| graph.conv2d_weight_gradient(x, g, self.stride, self.padding, kernel));
        vec![first, second]
    }
}

impl Kernel for Convolution {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let geometry = geometry(call.shape(0), call.shape(1), self.stride, self.padding);
        T::convolve(&geometry, call.input(0), call.input(1), call.output, call.workspace);
    }
}

impl ConvolutionInputGradient {
    fn geometry(&self, g: &[usize], w: &[usize]) -> ConvolutionGeometry {
        assert!(g.len() == 4 && w.len() == 4, "input gradient of a convolution from {g:?} with weights {w:?}");
        let geometry = geometry(&[g[0], w[1], self.height, self.width], w, self.stride, self.padding);
        assert!(output_shape(&geometry) == g, "{self:?} from {g:?} with weights {w:?}");
        geometry
    }
}

impl Primitive for ConvolutionInputGradient {
    fn name(&self) -> &'static str {
        "convolution_input_gradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let geometry = self.geometry(inputs[0], inputs[1]);
        vec![geometry.batch, geometry.input_channels, self.height, self.width]
    }

    fn multiply_adds(&self, inputs: &[&[usize]]) -> u64 {
        multiply_adds(&self.geometry(inputs[0], inputs[1]))
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], z: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let (g, w) = (inputs[0], inputs[1]);
        let kernel = graph.shape(w)[2];
        let first = needed[0].then(|| graph.conv2d(z, w, self.stride, self.padding));
        let second = needed[1].then(|| graph.conv2d_weight_gradient(z, g, self.stride, self.padding, kernel));
        vec![first, second]
    }
}

impl Kernel for ConvolutionInputGradient {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let geometry = self.geometry(call.shape(0), call.shape(1));
        T::convolve_input_gradient(&geometry, call.input(0), call.input(1), call.output, call.workspace);
    }
}

impl ConvolutionWeightGradient {
    fn geometry(&self, x: &[usize], g: &[usize]) -> ConvolutionGeometry {
        assert!(x.len() == 4 && g.len() == 4, "weight gradient of a convolution from {x:?} and {g:?}");
        let geometry = geometry(x, &[g[1], x[1], self.size, self.size], self.stride, self.padding);
        assert!(output_shape(&geometry) == g, "{self:?} from {x:?} and {g:?}");
        geometry
    }
}

impl Primitive for ConvolutionWeightGradient {
    fn name(&self) -> &'static str {
        "convolution_weight_gradient"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        let geometry = self.geometry(inputs[0], inputs[1]);
        vec![geometry.output_channels, geometry.input_channels, self.size, self.size]
    }

    fn multiply_adds(&self, inputs: &[&[usize]]) -> u64 {
        multiply_adds(&self.geometry(inputs[0], inputs[1]))
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], v: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let (x, g) = (inputs[0], inputs[1]);
        let image = [graph.shape(x)[2], graph.shape(x)[3]];
        let first = needed[0].then(|| graph.conv2d_input_gradient(g, v, self.stride, self.padding, image));
        let second = needed[1].then(|| graph.conv2d(x, v, self.stride, self.padding));
        vec![first, second]
    }
}

impl Kernel for ConvolutionWeightGradient {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let geometry = self.geometry(call.shape(0), call.shape(1));
        T::convolve_weight_gradient(&geometry, call.input(0), call.input(1), call.output, call.workspace);
    }
}
