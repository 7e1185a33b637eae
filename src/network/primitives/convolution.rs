//! Convolution and its two adjoints. Each is bilinear, and the gradients of each are the other two, so one file holds
//! the triple.

use super::{Kernel, Primitive};
use crate::kernels::cpu::{Call, ConvolutionGeometry, ConvolutionSettings, Element};
use crate::network::graph::{Graph, NodeId};

/// x `[n, c, h, w]`, w `[o, c / groups, kh, kw]` to `[n, o, oh, ow]`: cross-correlation with zeros outside.
#[derive(Debug)]
pub struct Convolution {
    pub settings: ConvolutionSettings,
}

/// g `[n, o, oh, ow]`, w `[o, c / groups, kh, kw]` to `[n, c, height, width]`: the adjoint of convolution in x.
#[derive(Debug)]
pub struct ConvolutionInputGradient {
    pub settings: ConvolutionSettings,
    /// Height and width of the image.
    pub image: [usize; 2],
}

/// x `[n, c, h, w]`, g `[n, o, oh, ow]` to `[o, c / groups, kh, kw]`: the adjoint of convolution in w.
#[derive(Debug)]
pub struct ConvolutionWeightGradient {
    pub settings: ConvolutionSettings,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
}

fn geometry(x: &[usize], w: &[usize], settings: ConvolutionSettings) -> ConvolutionGeometry {
    let fits = x.len() == 4 && w.len() == 4 && x[1] == w[1] * settings.groups;
    assert!(fits, "convolution of {x:?} (n, c, h, w) with weights {w:?} (o, c / groups, kh, kw), {settings:?}");
    let geometry = ConvolutionGeometry {
        batch: x[0],
        input_channels: x[1],
        height: x[2],
        width: x[3],
        output_channels: w[0],
        kernel: [w[2], w[3]],
        settings,
    };
    assert!(
        geometry.is_sound(),
        "convolution of {x:?} with weights {w:?}: {settings:?} has a size of 0 or groups that do not fit"
    );
    let enough = geometry.output_height() > 0 && geometry.output_width() > 0;
    assert!(enough, "convolution of {x:?} with weights {w:?}, {settings:?}: the kernel is larger than the image");
    geometry
}

fn output_shape(geometry: &ConvolutionGeometry) -> [usize; 4] {
    [geometry.batch, geometry.output_channels, geometry.output_height(), geometry.output_width()]
}

fn kernel_of(graph: &Graph, w: NodeId) -> [usize; 2] {
    [graph.shape(w)[2], graph.shape(w)[3]]
}

fn image_of(graph: &Graph, x: NodeId) -> [usize; 2] {
    [graph.shape(x)[2], graph.shape(x)[3]]
}

impl Primitive for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Vec<usize> {
        output_shape(&geometry(inputs[0], inputs[1], self.settings)).to_vec()
    }

    fn multiply_adds(&self, inputs: &[&[usize]]) -> u64 {
        geometry(inputs[0], inputs[1], self.settings).multiplications() as u64
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], g: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let (x, w) = (inputs[0], inputs[1]);
        let (image, kernel) = (image_of(graph, x), kernel_of(graph, w));
        let first = needed[0].then(|| graph.conv2d_input_gradient(g, w, self.settings, image));
        let second = needed[1].then(|| graph.conv2d_weight_gradient(x, g, self.settings, kernel));
        vec![first, second]
    }
}

impl Kernel for Convolution {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let geometry = geometry(call.shape(0), call.shape(1), self.settings);
        T::convolve(&geometry, call.input(0), call.input(1), call.output, call.workspace);
    }
}

impl ConvolutionInputGradient {
    fn geometry(&self, g: &[usize], w: &[usize]) -> ConvolutionGeometry {
        assert!(g.len() == 4 && w.len() == 4, "input gradient of a convolution from {g:?} with weights {w:?}");
        let geometry = geometry(&[g[0], w[1] * self.settings.groups, self.image[0], self.image[1]], w, self.settings);
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
        vec![geometry.batch, geometry.input_channels, self.image[0], self.image[1]]
    }

    fn multiply_adds(&self, inputs: &[&[usize]]) -> u64 {
        self.geometry(inputs[0], inputs[1]).multiplications() as u64
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], z: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let (g, w) = (inputs[0], inputs[1]);
        let kernel = kernel_of(graph, w);
        let first = needed[0].then(|| graph.conv2d(z, w, self.settings));
        let second = needed[1].then(|| graph.conv2d_weight_gradient(z, g, self.settings, kernel));
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
        let geometry = geometry(x, &[g[1], x[1] / self.settings.groups.max(1), self.kernel[0], self.kernel[1]], self.settings);
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
        vec![geometry.output_channels, geometry.group_inputs(), self.kernel[0], self.kernel[1]]
    }

    fn multiply_adds(&self, inputs: &[&[usize]]) -> u64 {
        self.geometry(inputs[0], inputs[1]).multiplications() as u64
    }

    fn gradient(&self, graph: &mut Graph, _: NodeId, inputs: &[NodeId], v: NodeId, needed: &[bool]) -> Vec<Option<NodeId>> {
        let (x, g) = (inputs[0], inputs[1]);
        let image = image_of(graph, x);
        let first = needed[0].then(|| graph.conv2d_input_gradient(g, v, self.settings, image));
        let second = needed[1].then(|| graph.conv2d(x, v, self.settings));
        vec![first, second]
    }
}

impl Kernel for ConvolutionWeightGradient {
    fn evaluate<T: Element>(&self, call: Call<'_, T>) {
        let geometry = self.geometry(call.shape(0), call.shape(1));
        T::convolve_weight_gradient(&geometry, call.input(0), call.input(1), call.output, call.workspace);
    }
}
