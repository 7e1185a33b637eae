"""prog-GAN: the pair of stdlib/gan/progressive.synth. Karras et al. 2018, Schütte et al. 2021."""

import math

import torch
from torch import nn

from layers import Bias, EqualizedConv, EqualizedLinear, downsample, leaky_relu, minibatch_stddev, pixel_norm, upsample


def width(stage, channels):
    return max(1, min(8_192 // 2**stage, channels))


class Fade(nn.Module):
    """progress · new + (1 − progress) · old."""

    def __init__(self):
        super().__init__()
        self.register_buffer("progress", torch.ones(1))

    def forward(self, old, new):
        return torch.lerp(old, new, self.progress.view(1, 1, 1, 1))


class NormalisedConv(nn.Module):
    def __init__(self, before, maps):
        super().__init__()
        self.conv, self.bias = EqualizedConv(before, maps, 3), Bias(maps)

    def forward(self, x):
        return pixel_norm(leaky_relu(self.bias(self.conv(x))))


class ToImage(nn.Module):
    def __init__(self, maps):
        super().__init__()
        self.conv, self.bias = EqualizedConv(maps, 1, 1, gain=1), Bias(1)

    def forward(self, x):
        return self.bias(self.conv(x))


class FromImage(nn.Module):
    def __init__(self, maps):
        super().__init__()
        self.conv, self.bias = EqualizedConv(1, maps, 1), Bias(maps)

    def forward(self, image):
        return leaky_relu(self.bias(self.conv(image)))


class Stage(nn.Module):
    def __init__(self, before, maps):
        super().__init__()
        self.up, self.conv, self.image, self.fade = NormalisedConv(before, maps), NormalisedConv(maps, maps), ToImage(maps), Fade()

    def forward(self, x, image):
        x = self.conv(self.up(upsample(x)))
        return x, self.fade(upsample(image), self.image(x))


class Generator(nn.Module):
    def __init__(self, latent, labels, resolution, channels):
        super().__init__()
        maps = [width(stage - 1, channels) for stage in range(2, int(math.log2(resolution)) + 1)]
        first = maps[0]
        self.dense = EqualizedLinear(latent + labels, 16 * first, gain=math.sqrt(2) / 4, bias=False)
        self.dense_bias, self.conv, self.image = Bias(first), NormalisedConv(first, first), ToImage(first)
        self.stages = nn.ModuleList(Stage(before, after) for before, after in zip(maps, maps[1:]))

    def forward(self, z, y):
        x = self.dense(pixel_norm(torch.cat([z, y], dim=1))).view(len(z), -1, 4, 4)
        x = self.conv(pixel_norm(leaky_relu(self.dense_bias(x))))
        image = self.image(x)
        for stage in self.stages:
            x, image = stage(x, image)
        return image


class Block(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.conv, self.bias = EqualizedConv(before, before, 3), Bias(before)
        self.down, self.down_bias = EqualizedConv(before, after, 3), Bias(after)
        self.image, self.fade = FromImage(after), Fade()

    def forward(self, x, shrunk):
        x = leaky_relu(self.bias(self.conv(x)))
        x = leaky_relu(self.down_bias(downsample(self.down(x))))
        return self.fade(self.image(shrunk), x)


class Discriminator(nn.Module):
    def __init__(self, labels, resolution, channels):
        super().__init__()
        maps = [width(stage - 1, channels) for stage in range(int(math.log2(resolution)), 1, -1)]
        first = maps[-1]
        self.image = FromImage(maps[0])
        self.blocks = nn.ModuleList(Block(before, after) for before, after in zip(maps, maps[1:]))
        self.last, self.last_bias = EqualizedConv(first + 1, first, 3), Bias(first)
        self.dense = EqualizedLinear(16 * first, first)
        self.score, self.logits = EqualizedLinear(first, 1, gain=1), EqualizedLinear(first, labels, gain=1)

    def forward(self, image, y):
        x = self.image(image)
        for block in self.blocks:
            image = downsample(image)
            x = block(x, image)
        x = leaky_relu(self.last_bias(self.last(minibatch_stddev(x))))
        x = leaky_relu(self.dense(x.flatten(1)))
        return self.score(x) + (self.logits(x) * y).sum(dim=1, keepdim=True)


def generator_names(resolution):
    """Synth's names of the parameters, and PyTorch's."""
    def conv(ours, theirs):
        yield f"{ours}/conv_0/weight", f"{theirs}.conv.weight"
        yield f"{ours}/bias_0/bias", f"{theirs}.bias.bias"

    yield "dense_0/weight", "dense.weight"
    yield "bias_0/bias", "dense_bias.bias"
    yield from conv("normalised_conv_0", "conv")
    yield from conv("to_image_0", "image")
    for index in range(int(math.log2(resolution)) - 2):
        ours, theirs = f"for.stage={index + 3}", f"stages.{index}"
        yield from conv(f"{ours}/normalised_conv_0", f"{theirs}.up")
        yield from conv(f"{ours}/normalised_conv_1", f"{theirs}.conv")
        yield from conv(f"{ours}/to_image_0", f"{theirs}.image")
        yield f"{ours}/fade_0/progress", f"{theirs}.fade.progress"


def discriminator_names(resolution):
    def conv(ours, theirs):
        yield f"{ours}/conv_0/weight", f"{theirs}.conv.weight"
        yield f"{ours}/bias_0/bias", f"{theirs}.bias.bias"

    yield from conv("features_0/from_image_0", "image")
    for index in range(int(math.log2(resolution)) - 2):
        ours, theirs = f"features_0/for.level={index + 3}", f"blocks.{index}"
        for number, (weight, bias) in enumerate([("conv", "bias"), ("down", "down_bias")]):
            yield f"{ours}/conv_{number}/weight", f"{theirs}.{weight}.weight"
            yield f"{ours}/bias_{number}/bias", f"{theirs}.{bias}.bias"
        yield from conv(f"{ours}/from_image_0", f"{theirs}.image")
        yield f"{ours}/fade_0/progress", f"{theirs}.fade.progress"
    yield "features_0/conv_0/weight", "last.weight"
    yield "features_0/bias_0/bias", "last_bias.bias"
    yield "features_0/dense_0/weight", "dense.weight"
    yield "features_0/bias_1/bias", "dense.bias"
    for number, dense in enumerate(["score", "logits"]):
        yield f"dense_{number}/weight", f"{dense}.weight"
        yield f"bias_{number}/bias", f"{dense}.bias"
