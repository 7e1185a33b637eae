"""Layers that the generative networks share and PyTorch does not have."""

import math

import torch
from torch import nn
from torch.nn import functional


class EqualizedConv(nn.Module):
    """Convolution whose weights have variance 1 and are scaled at every use (Karras et al. 2018, section 4.1). No bias."""

    def __init__(self, channels, filters, kernel, gain=math.sqrt(2)):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(filters, channels, kernel, kernel))
        self.scale = gain / math.sqrt(channels * kernel**2)
        self.padding = kernel // 2

    def forward(self, x):
        return functional.conv2d(x, self.weight * self.scale, padding=self.padding)


class EqualizedLinear(nn.Module):
    def __init__(self, inputs, outputs, gain=math.sqrt(2), bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = gain / math.sqrt(inputs)

    def forward(self, x):
        return functional.linear(x, self.weight * self.scale, self.bias)


class Bias(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return x + self.bias.view(1, -1, 1, 1)


def leaky_relu(x):
    return functional.leaky_relu(x, 0.2)


def pixel_norm(x):
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


def upsample(x):
    return functional.interpolate(x, scale_factor=2, mode="nearest")


def downsample(x):
    return functional.avg_pool2d(x, 2)


def minibatch_stddev(x, group=4):
    """Appends the deviation over groups of images as a channel; the images of a group stand n/group apart."""
    n, c, h, w = x.shape
    y = x.reshape(group, n // group, c, h, w)
    y = (y - y.mean(dim=0, keepdim=True)).square().mean(dim=0)
    y = (y + 1e-8).sqrt().mean(dim=(1, 2, 3), keepdim=True)
    return torch.cat([x, y.repeat(group, 1, h, w)], dim=1)
