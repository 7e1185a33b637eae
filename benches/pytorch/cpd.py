"""cpD-GAN: the published pair of stdlib/gan/cpd.synth. Schütte et al. 2021."""

import math

import torch
from torch import nn

from layers import Bias, EqualizedConv, EqualizedLinear, downsample, leaky_relu, minibatch_stddev, pixel_norm, upsample


def width(stage, channels):
    return max(1, min(16_384 // 2**stage, channels))


class ConditionalNorm(nn.Module):
    def __init__(self, code, channels):
        super().__init__()
        self.scale = EqualizedLinear(code, channels, gain=1)
        self.shift = EqualizedLinear(code, channels, gain=1)

    def forward(self, x, code):
        return pixel_norm(x) * self.scale(code)[:, :, None, None] + self.shift(code)[:, :, None, None]


class Stage(nn.Module):
    def __init__(self, before, maps, code):
        super().__init__()
        self.up, self.up_bias, self.up_norm = EqualizedConv(before, maps, 3), Bias(maps), ConditionalNorm(code, maps)
        self.conv, self.bias, self.norm = EqualizedConv(maps, maps, 3, gain=1), Bias(maps), ConditionalNorm(code, maps)
        self.image, self.image_bias = EqualizedConv(maps, 1, 1, gain=1), Bias(1)

    def forward(self, x, image, code):
        x = self.up_norm(leaky_relu(self.up_bias(self.up(upsample(x)))), code)
        x = self.norm(leaky_relu(self.bias(self.conv(x))), code)
        return x, upsample(image) + self.image_bias(self.image(x))


class Generator(nn.Module):
    def __init__(self, latent, labels, resolution, channels):
        super().__init__()
        code, first = latent + labels, width(1, channels)
        self.dense, self.dense_bias = EqualizedLinear(code, 16 * first, gain=1, bias=False), Bias(first)
        self.dense_norm = ConditionalNorm(code, first)
        self.conv, self.bias, self.norm = EqualizedConv(first, first, 3, gain=1), Bias(first), ConditionalNorm(code, first)
        self.image, self.image_bias = EqualizedConv(first, 1, 1, gain=1), Bias(1)
        maps = [width(stage - 1, channels) for stage in range(2, int(math.log2(resolution)) + 1)]
        self.stages = nn.ModuleList(Stage(before, after, code) for before, after in zip(maps, maps[1:]))

    def forward(self, z, y):
        code = torch.cat([z, y], dim=1)
        x = self.dense(pixel_norm(code)).view(len(z), -1, 4, 4)
        x = self.dense_norm(leaky_relu(self.dense_bias(x)), code)
        x = self.norm(leaky_relu(self.bias(self.conv(x))), code)
        image = self.image_bias(self.image(x))
        for stage in self.stages:
            x, image = stage(x, image, code)
        return image


class Block(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.skip = EqualizedConv(before, after, 1)
        self.conv, self.bias = EqualizedConv(before, before, 3), Bias(before)
        self.down, self.down_bias = EqualizedConv(before, after, 3), Bias(after)

    def forward(self, x):
        skip = self.skip(downsample(x))
        x = leaky_relu(self.bias(self.conv(x)))
        x = leaky_relu(self.down_bias(downsample(self.down(x))))
        return (x + skip) / math.sqrt(2)


class Discriminator(nn.Module):
    def __init__(self, labels, resolution, channels):
        super().__init__()
        maps = [width(stage - 1, channels) for stage in range(int(math.log2(resolution)), 1, -1)]
        first = width(1, channels)
        self.conv, self.bias = EqualizedConv(1, maps[0], 1), Bias(maps[0])
        self.blocks = nn.ModuleList(Block(before, after) for before, after in zip(maps, maps[1:]))
        self.last, self.last_bias = EqualizedConv(first + 1, first, 3), Bias(first)
        self.dense, self.logits = EqualizedLinear(16 * first, first), EqualizedLinear(first, labels, gain=1)

    def forward(self, image, y):
        x = leaky_relu(self.bias(self.conv(image)))
        for block in self.blocks:
            x = block(x)
        x = leaky_relu(self.last_bias(self.last(minibatch_stddev(x))))
        x = leaky_relu(self.dense(x.flatten(1)))
        return (self.logits(x) * y).sum(dim=1, keepdim=True)


def generator_names(resolution):
    """Synth's names of the parameters, and PyTorch's."""
    def norm(ours, theirs):
        for part, index in [("scale", 0), ("shift", 1)]:
            yield f"{ours}/dense_{index}/weight", f"{theirs}.{part}.weight"
            yield f"{ours}/bias_{index}/bias", f"{theirs}.{part}.bias"

    yield "dense_0/weight", "dense.weight"
    yield "bias_0/bias", "dense_bias.bias"
    yield from norm("conditional_norm_0", "dense_norm")
    yield "conv_0/weight", "conv.weight"
    yield "bias_1/bias", "bias.bias"
    yield from norm("conditional_norm_1", "norm")
    yield "conv_1/weight", "image.weight"
    yield "bias_2/bias", "image_bias.bias"
    for index in range(int(math.log2(resolution)) - 2):
        ours, theirs = f"for.stage={index + 3}", f"stages.{index}"
        for number, (conv, bias) in enumerate([("up", "up_bias"), ("conv", "bias"), ("image", "image_bias")]):
            yield f"{ours}/conv_{number}/weight", f"{theirs}.{conv}.weight"
            yield f"{ours}/bias_{number}/bias", f"{theirs}.{bias}.bias"
        yield from norm(f"{ours}/conditional_norm_0", f"{theirs}.up_norm")
        yield from norm(f"{ours}/conditional_norm_1", f"{theirs}.norm")


def discriminator_names(resolution):
    yield "conv_0/weight", "conv.weight"
    yield "bias_0/bias", "bias.bias"
    for index in range(int(math.log2(resolution)) - 2):
        ours, theirs = f"for.level={index + 3}", f"blocks.{index}"
        for number, conv in enumerate(["skip", "conv", "down"]):
            yield f"{ours}/conv_{number}/weight", f"{theirs}.{conv}.weight"
        for number, bias in enumerate(["bias", "down_bias"]):
            yield f"{ours}/bias_{number}/bias", f"{theirs}.{bias}.bias"
    yield "conv_1/weight", "last.weight"
    yield "bias_1/bias", "last_bias.bias"
    for number, dense in enumerate(["dense", "logits"]):
        yield f"dense_{number}/weight", f"{dense}.weight"
        yield f"bias_{number + 2}/bias", f"{dense}.bias"
