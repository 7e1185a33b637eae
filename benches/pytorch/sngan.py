"""SNGAN with a projection discriminator: the pair of stdlib/gan/sngan.synth. Miyato et al. 2018, Miyato and Koyama 2018."""

import math

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import spectral_norm

from layers import downsample, upsample


def width(doublings, maps):
    return maps * min(2**doublings, 16)


class Embed(nn.Module):
    """The rows of the labels that are set, added."""

    def __init__(self, labels, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(labels, outputs))

    def forward(self, y):
        return y @ self.weight


class ConditionalBatchNorm(nn.Module):
    def __init__(self, channels, labels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.scale, self.shift = Embed(labels, channels), Embed(labels, channels)

    def forward(self, x, y):
        return self.norm(x) * (1 + self.scale(y))[:, :, None, None] + self.shift(y)[:, :, None, None]


class BlockUp(nn.Module):
    def __init__(self, before, maps, labels):
        super().__init__()
        self.first_norm, self.second_norm = ConditionalBatchNorm(before, labels), ConditionalBatchNorm(maps, labels)
        self.first, self.second = nn.Conv2d(before, maps, 3, padding=1), nn.Conv2d(maps, maps, 3, padding=1)
        self.skip = nn.Conv2d(before, maps, 1)

    def forward(self, x, y):
        new = self.first(upsample(functional.relu(self.first_norm(x, y))))
        new = self.second(functional.relu(self.second_norm(new, y)))
        return new + self.skip(upsample(x))


class Generator(nn.Module):
    def __init__(self, latent, labels, resolution, channels, maps):
        super().__init__()
        doublings = int(math.log2(resolution)) - 2
        widths = [width(doublings - stage, maps) for stage in range(doublings + 1)]
        self.dense = nn.Linear(latent, 16 * widths[0])
        self.blocks = nn.ModuleList(BlockUp(before, after, labels) for before, after in zip(widths, widths[1:]))
        self.norm, self.conv = nn.BatchNorm2d(maps), nn.Conv2d(maps, channels, 3, padding=1)

    def forward(self, z, y):
        x = self.dense(z).view(len(z), -1, 4, 4)
        for block in self.blocks:
            x = block(x, y)
        return torch.tanh(self.conv(functional.relu(self.norm(x))))


def spectral_conv(before, maps, kernel):
    return spectral_norm(nn.Conv2d(before, maps, kernel, padding=kernel // 2))


class FirstBlock(nn.Module):
    def __init__(self, before, maps):
        super().__init__()
        self.first, self.second = spectral_conv(before, maps, 3), spectral_conv(maps, maps, 3)
        self.skip = spectral_conv(before, maps, 1)

    def forward(self, image):
        new = downsample(self.second(functional.relu(self.first(image))))
        return new + self.skip(downsample(image))


class BlockDown(nn.Module):
    def __init__(self, before, maps):
        super().__init__()
        self.first, self.second = spectral_conv(before, before, 3), spectral_conv(before, maps, 3)
        self.skip = spectral_conv(before, maps, 1)

    def forward(self, x):
        new = downsample(self.second(functional.relu(self.first(functional.relu(x)))))
        return new + downsample(self.skip(x))


class Discriminator(nn.Module):
    def __init__(self, labels, resolution, channels, maps):
        super().__init__()
        widths = [width(level, maps) for level in range(int(math.log2(resolution)) - 1)]
        self.first = FirstBlock(channels, maps)
        self.blocks = nn.ModuleList(BlockDown(before, after) for before, after in zip(widths, widths[1:]))
        self.score = spectral_norm(nn.Linear(widths[-1], 1))
        self.embed = spectral_norm(Embed(labels, widths[-1]), dim=1)

    def forward(self, image, y):
        x = self.first(image)
        for block in self.blocks:
            x = block(x)
        features = functional.relu(x).sum(dim=(2, 3))
        return self.score(features) + (features * self.embed(y)).sum(dim=1, keepdim=True)


def generator_names(resolution):
    """Synth's names of the parameters, and PyTorch's."""
    yield "dense_0/weight", "dense.weight"
    yield "bias_0/bias", "dense.bias"
    for index in range(int(math.log2(resolution)) - 2):
        ours, theirs = f"for.stage={index + 3}/block_up_0", f"blocks.{index}"
        for number, norm in enumerate(["first_norm", "second_norm"]):
            yield f"{ours}/conditional_batch_norm_{number}/embed_0/weight", f"{theirs}.{norm}.scale.weight"
            yield f"{ours}/conditional_batch_norm_{number}/embed_1/weight", f"{theirs}.{norm}.shift.weight"
            yield f"{ours}/conditional_batch_norm_{number}/batch_norm_0/running_mean", f"{theirs}.{norm}.norm.running_mean"
            yield f"{ours}/conditional_batch_norm_{number}/batch_norm_0/running_variance", f"{theirs}.{norm}.norm.running_var"
        for number, conv in enumerate(["first", "second", "skip"]):
            yield f"{ours}/conv_{number}/weight", f"{theirs}.{conv}.weight"
            yield f"{ours}/bias_{number}/bias", f"{theirs}.{conv}.bias"
    for ours, theirs in [("scale", "weight"), ("shift", "bias"), ("running_mean", "running_mean"), ("running_variance", "running_var")]:
        yield f"batch_norm_0/{ours}", f"norm.{theirs}"
    yield "conv_0/weight", "conv.weight"
    yield "bias_1/bias", "conv.bias"


def discriminator_names(resolution):
    def spectral(ours, theirs):
        yield f"{ours}/weight", f"{theirs}.weight_orig"
        yield f"{ours}/left_singular_vector", f"{theirs}.weight_u"

    blocks = [("first_block_0", "first")]
    blocks += [(f"for.level={index + 1}/block_down_0", f"blocks.{index}") for index in range(int(math.log2(resolution)) - 2)]
    for ours, theirs in blocks:
        for number, conv in enumerate(["first", "second", "skip"]):
            yield from spectral(f"{ours}/spectral_conv_{number}/conv_0", f"{theirs}.{conv}")
            yield f"{ours}/spectral_conv_{number}/bias_0/bias", f"{theirs}.{conv}.bias"
    yield from spectral("dense_0", "score")
    yield "bias_0/bias", "score.bias"
    yield from spectral("embed_0", "embed")
