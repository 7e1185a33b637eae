//! The sizes that describe a convolution.

/// How a kernel moves over an image. Pairs are for rows and columns: `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvolutionSettings {
    /// Steps between neighbouring outputs; at least 1.
    pub stride: [usize; 2],
    /// Zeros on each side: so many rows above and below, so many columns to the left and to the right.
    pub padding: [usize; 2],
    /// Pixels between neighbouring places of the kernel; at least 1 (Yu and Koltun 2016).
    pub dilation: [usize; 2],
    /// Equal parts of the channels, each with filters of its own that see nothing of the others.
    pub groups: usize,
}

impl ConvolutionSettings {
    /// The same stride and padding in both directions, no dilation, one group.
    pub fn square(stride: usize, padding: usize) -> ConvolutionSettings {
        ConvolutionSettings { stride: [stride; 2], padding: [padding; 2], dilation: [1; 2], groups: 1 }
    }
}

/// The sizes of a two-dimensional convolution (a cross-correlation, as networks use it); of one group:
/// `output[n, o, y, x] = Σ input[n, c, y·stride + i·dilation − padding, x·stride + j·dilation − padding] · weight[o, c, i, j]`,
/// where the input is zero outside its borders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvolutionGeometry {
    /// Images in the batch, n.
    pub batch: usize,
    /// Channels of the input, c, those of all groups.
    pub input_channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Channels of the output, o, those of all groups.
    pub output_channels: usize,
    /// Rows and columns of the kernel.
    pub kernel: [usize; 2],
    /// How the kernel moves.
    pub settings: ConvolutionSettings,
}

impl ConvolutionGeometry {
    /// Rows of the output; 0 when the kernel is higher than the padded input.
    pub fn output_height(&self) -> usize {
        self.positions(self.height, 0)
    }

    /// Columns of the output; 0 when the kernel is wider than the padded input.
    pub fn output_width(&self) -> usize {
        self.positions(self.width, 1)
    }

    /// Elements of the input, `[n, c, h, w]`.
    pub fn input_len(&self) -> usize {
        self.batch * self.input_channels * self.height * self.width
    }

    /// Places of the kernel.
    pub fn places(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Input channels of a group.
    pub fn group_inputs(&self) -> usize {
        self.input_channels / self.settings.groups.max(1)
    }

    /// Output channels of a group.
    pub fn group_outputs(&self) -> usize {
        self.output_channels / self.settings.groups.max(1)
    }

    /// Elements of the weight, `[o, c / groups, kh, kw]`.
    pub fn weight_len(&self) -> usize {
        self.output_channels * self.group_inputs() * self.places()
    }

    /// Elements of the output, `[n, o, h', w']`.
    pub fn output_len(&self) -> usize {
        self.batch * self.output_channels * self.output_height() * self.output_width()
    }

    /// Multiplications of a forward pass, those with padding included.
    pub fn multiplications(&self) -> usize {
        self.output_len() * self.group_inputs() * self.places()
    }

    /// Whether the groups divide the channels, and nothing that must be at least 1 is 0.
    pub fn is_sound(&self) -> bool {
        let ConvolutionSettings { stride, dilation, groups, .. } = self.settings;
        let positive = [stride, dilation, self.kernel].as_flattened().iter().all(|size| *size > 0) && groups > 0;
        positive && self.input_channels.is_multiple_of(groups) && self.output_channels.is_multiple_of(groups)
    }

    /// How many places the kernel has along one direction on `length` pixels.
    fn positions(&self, length: usize, direction: usize) -> usize {
        let ConvolutionSettings { stride, padding, dilation, .. } = self.settings;
        let extent = extent(self.kernel[direction], dilation[direction]);
        (length + 2 * padding[direction] + 1).saturating_sub(extent).div_ceil(stride[direction].max(1))
    }
}

/// Pixels from one end of `kernel` places to the other.
pub fn extent(kernel: usize, dilation: usize) -> usize {
    kernel.saturating_sub(1) * dilation + 1
}

#[cfg(test)]
mod tests {
    use super::{ConvolutionGeometry, ConvolutionSettings};

    fn geometry(height: usize, width: usize, kernel: [usize; 2], settings: ConvolutionSettings) -> ConvolutionGeometry {
        ConvolutionGeometry { batch: 2, input_channels: 3, height, width, output_channels: 5, kernel, settings }
    }

    #[test]
    fn the_output_has_one_place_for_every_position_of_the_kernel() {
        let sizes = |height, width, kernel, stride, padding| {
            let g = geometry(height, width, [kernel; 2], ConvolutionSettings::square(stride, padding));
            (g.output_height(), g.output_width())
        };
        assert_eq!(sizes(8, 6, 3, 1, 1), (8, 6));
        assert_eq!(sizes(7, 8, 3, 2, 1), (4, 4));
        assert_eq!(sizes(224, 224, 7, 2, 3), (112, 112));
        assert_eq!(sizes(4, 4, 4, 1, 0), (1, 1));
        assert_eq!(sizes(3, 9, 4, 1, 0), (0, 6));
        assert_eq!(geometry(8, 6, [3; 2], ConvolutionSettings::square(1, 1)).output_len(), 2 * 5 * 8 * 6);
    }

    #[test]
    fn each_direction_has_its_own_sizes() {
        let settings = ConvolutionSettings { stride: [1, 2], padding: [0, 3], dilation: [3, 1], groups: 1 };
        let g = geometry(9, 17, [2, 7], settings);
        assert_eq!((g.output_height(), g.output_width()), (6, 9));
        assert_eq!(g.weight_len(), 5 * 3 * 14);
        let grouped = ConvolutionSettings { groups: 3, ..settings };
        assert!(!geometry(9, 17, [2, 7], grouped).is_sound(), "three groups do not divide five filters");
    }
}
