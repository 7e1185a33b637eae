//! The sizes that describe a convolution.

/// The sizes of a two-dimensional convolution (a cross-correlation, as networks use it) with a square kernel:
/// `output[n, o, y, x] = Σ input[n, c, y·stride + i − padding, x·stride + j − padding] · weight[o, c, i, j]`,
/// where the input is zero outside its borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvolutionGeometry {
    /// Images in the batch, n.
    pub batch: usize,
    /// Channels of the input, c.
    pub input_channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels of the output, o.
    pub output_channels: usize,
    /// Rows, and columns, of the kernel.
    pub kernel: usize,
    /// Steps between neighbouring outputs, in both directions; at least 1.
    pub stride: usize,
    /// Zeros around the input, on all four sides.
    pub padding: usize,
}

impl ConvolutionGeometry {
    /// Rows of the output; 0 when the kernel is higher than the padded input.
    pub fn output_height(&self) -> usize {
        positions(self.height, self.kernel, self.stride, self.padding)
    }

    /// Columns of the output; 0 when the kernel is wider than the padded input.
    pub fn output_width(&self) -> usize {
        positions(self.width, self.kernel, self.stride, self.padding)
    }

    /// Elements of the input, `[n, c, h, w]`.
    pub fn input_len(&self) -> usize {
        self.batch * self.input_channels * self.height * self.width
    }

    /// Elements of the weight, `[o, c, k, k]`.
    pub fn weight_len(&self) -> usize {
        self.output_channels * self.input_channels * self.kernel * self.kernel
    }

    /// Elements of the output, `[n, o, h', w']`.
    pub fn output_len(&self) -> usize {
        self.batch * self.output_channels * self.output_height() * self.output_width()
    }

    /// Multiplications of a forward pass, those with padding included.
    pub fn multiplications(&self) -> usize {
        self.output_len() * self.input_channels * self.kernel * self.kernel
    }
}

fn positions(length: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    (length + 2 * padding + 1).saturating_sub(kernel).div_ceil(stride.max(1))
}

#[cfg(test)]
mod tests {
    use super::ConvolutionGeometry;

    #[test]
    fn the_output_has_one_place_for_every_position_of_the_kernel() {
        let geometry = |height, width, kernel, stride, padding| ConvolutionGeometry {
            batch: 2,
            input_channels: 3,
            height,
            width,
            output_channels: 5,
            kernel,
            stride,
            padding,
        };
        let sizes = |g: ConvolutionGeometry| (g.output_height(), g.output_width());
        assert_eq!(sizes(geometry(8, 6, 3, 1, 1)), (8, 6));
        assert_eq!(sizes(geometry(7, 8, 3, 2, 1)), (4, 4));
        assert_eq!(sizes(geometry(224, 224, 7, 2, 3)), (112, 112));
        assert_eq!(sizes(geometry(4, 4, 4, 1, 0)), (1, 1));
        assert_eq!(sizes(geometry(3, 9, 4, 1, 0)), (0, 6));
        assert_eq!(geometry(8, 6, 3, 1, 1).output_len(), 2 * 5 * 8 * 6);
    }
}
