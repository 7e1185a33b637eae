"""The generative networks of `std.gan` in PyTorch: the same layers, weights and sums as their `.synth` text.

Each class names the network that it repeats. Weights are equalised (Karras et al. 2018): drawn from N(0, 1) and scaled
whenever they are used. Biases go into the convolution before them; the two dense layers of a conditional normalisation are
one product.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

ROOT = math.sqrt(2)


class Conv(nn.Module):
    """`conv(outputs, kernel, weights = equalized(gain)) |> bias`."""

    def __init__(self, inputs, outputs, kernel, gain=ROOT, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale, self.padding = gain / math.sqrt(inputs * kernel * kernel), kernel // 2

    def forward(self, x):
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class Dense(nn.Module):
    """`dense(outputs, weights = equalized(gain)) |> bias`; scales the product instead of the weight."""

    def __init__(self, inputs, outputs, gain=ROOT, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = gain / math.sqrt(inputs)

    def forward(self, x):
        if self.bias is None:
            return F.linear(x, self.weight) * self.scale
        return torch.addmm(self.bias, x, self.weight.t(), alpha=self.scale)


def activation(x):
    return F.leaky_relu(x, 0.2)


def upsample(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def downsample(x):
    return F.avg_pool2d(x, 2)


def pixel_norm(x):
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


def minibatch_deviation(x, group=4):
    """`minibatch_stddev`: members of a group stand batch/group apart."""
    batch, _, height, width = x.shape
    groups = batch // group
    spread = (x.unflatten(0, (group, groups)).var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    return torch.cat([x, spread.repeat(group).view(batch, 1, 1, 1).expand(batch, 1, height, width)], dim=1)


def halved(base, channels):
    """Feature maps by stage, as `width` of `std.gan.cpd`."""
    return lambda stage: max(1, min(base // 2**stage, channels))


class ConditionalNorm(nn.Module):
    """`conditional_norm`, and with `around_one` `gentle_norm`."""

    def __init__(self, code, channels, gain=1.0, around_one=False):
        super().__init__()
        self.dense = Dense(code, 2 * channels, gain)
        self.around_one = around_one

    def forward(self, x, code):
        scale, shift = self.dense(code)[:, :, None, None].chunk(2, dim=1)
        if self.around_one:
            scale = 1 + scale
        return torch.addcmul(shift, pixel_norm(x), scale)


class CpdGenerator(nn.Module):
    """`std.gan.cpd.generator`."""

    def __init__(self, labels, resolution, latent=512, base=16_384, channels=512):
        super().__init__()
        width, code = halved(base, channels), latent + labels
        self.latent, self.first = latent, width(1)
        self.dense = Dense(code, self.first * 16, gain=1, bias=False)
        self.dense_bias = nn.Parameter(torch.zeros(1, self.first, 1, 1))
        self.dense_norm = ConditionalNorm(code, self.first)
        self.stages = nn.ModuleList()
        maps = self.first
        for stage in range(2, int(math.log2(resolution)) + 1):
            new = width(stage - 1)
            parts = {
                "conv": Conv(new, new, 3, gain=1), "norm": ConditionalNorm(code, new), "to_image": Conv(new, 1, 1, gain=1),
            }
            if stage > 2:
                parts |= {"conv_up": Conv(maps, new, 3), "norm_up": ConditionalNorm(code, new)}
            self.stages.append(nn.ModuleDict(parts))
            maps = new

    def forward(self, z, y):
        code = torch.cat([z, y], dim=1)
        x = self.dense(pixel_norm(code)).view(-1, self.first, 4, 4) + self.dense_bias
        x = self.dense_norm(activation(x), code)
        image = None
        for stage in self.stages:
            if image is not None:
                x = stage["norm_up"](activation(stage["conv_up"](upsample(x))), code)
            x = stage["norm"](activation(stage["conv"](x)), code)
            new = stage["to_image"](x)
            image = new if image is None else upsample(image) + new
        return image


class CpdDiscriminator(nn.Module):
    """`std.gan.cpd.discriminator`."""

    def __init__(self, labels, resolution, base=16_384, channels=512):
        super().__init__()
        width, top = halved(base, channels), int(math.log2(resolution))
        self.from_image = Conv(1, width(top - 1), 1)
        self.levels = nn.ModuleList(
            nn.ModuleDict({
                "skip": Conv(width(stage - 1), width(stage - 2), 1, bias=False),
                "conv": Conv(width(stage - 1), width(stage - 1), 3),
                "conv_down": Conv(width(stage - 1), width(stage - 2), 3),
            })
            for stage in range(top, 2, -1)
        )
        self.conv = Conv(width(1) + 1, width(1), 3)
        self.dense = Dense(width(1) * 16, width(1))
        self.logits = Dense(width(1), labels, gain=1)

    def forward(self, x, y):
        x = activation(self.from_image(x))
        for level in self.levels:
            skip = level["skip"](downsample(x))
            x = activation(level["conv"](x))
            x = activation(downsample(level["conv_down"](x)))
            x = (x + skip) / ROOT
        x = activation(self.conv(minibatch_deviation(x)))
        x = activation(self.dense(x.flatten(1)))
        return (self.logits(x) * y).sum(dim=1)


class CompactGenerator(nn.Module):
    """`std.gan.cpd.compact_generator`."""

    def __init__(self, labels, resolution, latent=64, base=128, channels=32):
        super().__init__()
        width, code = halved(base, channels), latent + labels
        norm = lambda maps: ConditionalNorm(code, maps, gain=0.25, around_one=True)
        self.latent, self.first = latent, width(1)
        self.dense = Dense(code, self.first * 16)
        self.dense_norm = norm(self.first)
        self.stages = nn.ModuleList()
        maps = self.first
        for stage in range(2, int(math.log2(resolution)) + 1):
            new = width(stage - 1)
            parts = {"conv": Conv(new, new, 3, gain=1), "norm": norm(new), "to_image": Conv(new, 1, 1, gain=0.3)}
            if stage > 2:
                parts |= {"conv_up": Conv(maps, new, 3), "norm_up": norm(new)}
            self.stages.append(nn.ModuleDict(parts))
            maps = new
        self.dense.scale *= 0.5
        nn.init.normal_(self.dense.bias)

    def forward(self, z, y):
        code = torch.cat([z, 2 * y - 1], dim=1)
        x = self.dense(pixel_norm(code)).view(-1, self.first, 4, 4)
        x = self.dense_norm(activation(x), code)
        image = None
        for stage in self.stages:
            if image is not None:
                x = upsample(stage["norm_up"](activation(stage["conv_up"](x)), code))
            x = stage["norm"](activation(stage["conv"](x)), code)
            new = stage["to_image"](x)
            image = new if image is None else upsample(image) + new
        return image


class CompactDiscriminator(nn.Module):
    """`std.gan.cpd.compact_discriminator`."""

    def __init__(self, labels, resolution, base=128, channels=32):
        super().__init__()
        width, top = halved(base, channels), int(math.log2(resolution))
        self.from_image = Conv(1, width(top - 1), 1)
        self.levels = nn.ModuleList(
            nn.ModuleDict({
                "skip": Conv(width(stage - 1), width(stage - 2), 1, bias=False),
                "conv_down": Conv(width(stage - 1), width(stage - 1), 3),
                "conv": Conv(width(stage - 1), width(stage - 2), 3),
            })
            for stage in range(top, 2, -1)
        )
        self.conv = Conv(width(1) + 1, width(1), 3)
        self.dense = Dense(width(1) * 16, width(1))
        self.labels = labels
        self.logits = Dense(width(1), labels + 1, gain=1)

    def forward(self, x, y):
        x = activation(self.from_image(x))
        for level in self.levels:
            skip = level["skip"](downsample(x))
            x = downsample(activation(level["conv_down"](x)))
            x = activation(level["conv"](x))
            x = (x + skip) / ROOT
        x = activation(self.conv(minibatch_deviation(x)))
        x = activation(self.dense(x.flatten(1)))
        logits = self.logits(x)
        return (logits[:, : self.labels] * (2 * y - 1)).sum(dim=1) + logits[:, self.labels]


class ProgressiveGenerator(nn.Module):
    """`std.gan.progressive.generator` when it has grown up. The ways to the smaller images are there and unused."""

    def __init__(self, labels, resolution, latent=512, base=8_192, channels=512):
        super().__init__()
        width, code = halved(base, channels), latent + labels
        self.latent, self.first = latent, width(1)
        self.dense = Dense(code, self.first * 16, gain=ROOT / 4, bias=False)
        self.dense_bias = nn.Parameter(torch.zeros(1, self.first, 1, 1))
        self.conv = Conv(self.first, self.first, 3)
        self.to_image = nn.ModuleList([Conv(self.first, 1, 1, gain=1)])
        self.stages = nn.ModuleList()
        maps = self.first
        for stage in range(3, int(math.log2(resolution)) + 1):
            new = width(stage - 1)
            self.stages.append(nn.ModuleDict({"conv_up": Conv(maps, new, 3), "conv": Conv(new, new, 3)}))
            self.to_image.append(Conv(new, 1, 1, gain=1))
            maps = new

    def forward(self, z, y):
        x = self.dense(pixel_norm(torch.cat([z, y], dim=1))).view(-1, self.first, 4, 4) + self.dense_bias
        x = pixel_norm(activation(x))
        x = pixel_norm(activation(self.conv(x)))
        for stage in self.stages:
            x = pixel_norm(activation(stage["conv_up"](upsample(x))))
            x = pixel_norm(activation(stage["conv"](x)))
        return self.to_image[-1](x)


class ProgressiveDiscriminator(nn.Module):
    """`std.gan.progressive.discriminator` when it has grown up. The ways from the smaller images are there and unused."""

    def __init__(self, labels, resolution, base=8_192, channels=512):
        super().__init__()
        width, top = halved(base, channels), int(math.log2(resolution))
        self.from_image = nn.ModuleList(Conv(1, width(stage - 1), 1) for stage in range(top, 1, -1))
        self.levels = nn.ModuleList(
            nn.ModuleDict({
                "conv": Conv(width(stage - 1), width(stage - 1), 3), "conv_down": Conv(width(stage - 1), width(stage - 2), 3),
            })
            for stage in range(top, 2, -1)
        )
        self.conv = Conv(width(1) + 1, width(1), 3)
        self.dense = Dense(width(1) * 16, width(1))
        self.outputs = Dense(width(1), 1 + labels, gain=1)

    def forward(self, x, y):
        x = activation(self.from_image[0](x))
        for level in self.levels:
            x = activation(level["conv"](x))
            x = activation(downsample(level["conv_down"](x)))
        x = activation(self.conv(minibatch_deviation(x)))
        outputs = self.outputs(activation(self.dense(x.flatten(1))))
        return outputs[:, 0] + (outputs[:, 1:] * y).sum(dim=1)


PAIRS = {
    "cpd": (CpdGenerator, CpdDiscriminator),
    "compact": (CompactGenerator, CompactDiscriminator),
    "progressive": (ProgressiveGenerator, ProgressiveDiscriminator),
}
