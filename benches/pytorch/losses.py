"""Losses and penalties of generative adversarial networks, as PyTorch users write them."""

import torch
from torch.nn import functional

DISCRIMINATOR = {
    "non_saturating": lambda real, fake: functional.softplus(-real).mean() + functional.softplus(fake).mean(),
    "wasserstein": lambda real, fake: fake.mean() - real.mean() + 0.001 * real.square().mean(),
    "hinge": lambda real, fake: functional.relu(1 - real).mean() + functional.relu(1 + fake).mean(),
}

GENERATOR = {
    "non_saturating": lambda fake: functional.softplus(-fake).mean(),
    "wasserstein": lambda fake: -fake.mean(),
    "hinge": lambda fake: -fake.mean(),
}


def gradient_by(images, score):
    with torch.enable_grad():
        images = images.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(score(images).sum(), images, create_graph=True)
    return gradient.flatten(1)


def gradient_penalty(score, real, fake, mixture, weight):
    """weight · (‖∇D(x̂)‖ − 1)², Gulrajani et al. 2017, equation 3."""
    between = real + mixture * (fake - real)
    return weight * (gradient_by(between, score).norm(dim=1) - 1).square().mean()


def r1(score, real, weight, every):
    """weight/2 · ‖∇D(x)‖², Mescheder et al. 2018, equation 9, made up for the steps without it."""
    return weight / 2 * every * gradient_by(real, score).square().sum(dim=1).mean()
