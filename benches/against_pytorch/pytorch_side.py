"""PyTorch's side: does the steps of one row in one way, when asked over standard input.

Says `"ready"` and then answers lines of JSON: a row, with the `way` in which it is done, by building what it needs, doing the first
unit (which compiles) and telling facts; a number by doing as many units and telling how many nanoseconds each took.
"""

import contextlib
import json
import math
import os
import sys
import time

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from networks import PAIRS

IMAGES = 2_048  # in the data set that is trained on


class Way:
    """How PyTorch is used."""

    def __init__(self, name):
        self.compiled = name.startswith("compile")
        self.channels_last = name.endswith("channels_last")

    def module(self, module):
        return module.to(memory_format=torch.channels_last) if self.channels_last else module

    def images(self, images):
        return images.contiguous(memory_format=torch.channels_last) if self.channels_last else images

    def function(self, function):
        return torch.compile(function) if self.compiled else function


class Data:
    """Images as bytes with rows of labels, shown epoch by epoch in random order."""

    def __init__(self, row):
        resolution, labels = row["params"]["resolution"], row["labels"]
        self.images = torch.randint(0, 256, (IMAGES, 1, resolution, resolution), dtype=torch.uint8)
        self.labels = (torch.rand(IMAGES, labels) < 0.3).float()
        self.labels[:, 0] = 1
        self.order, self.place = torch.randperm(IMAGES), 0

    def rows(self, count):
        if self.place + count > IMAGES:
            self.order, self.place = torch.randperm(IMAGES), 0
        self.place += count
        return self.order[self.place - count : self.place]

    def image(self, rows):
        return self.images[rows].float().div_(127.5).sub_(1)


def scores_and_gradient(score, images, compiled):
    """Scores of images and the gradient of their sum, both differentiable. `torch.func` is what `torch.compile` sees through."""

    def total(images):
        scores = score(images)
        return scores.sum(), scores

    if compiled:
        gradient, scores = torch.func.grad(total, has_aux=True)(images)
        return scores, gradient
    images = images.detach().requires_grad_(True)
    summed, scores = total(images)
    (gradient,) = torch.autograd.grad(summed, images, create_graph=True)
    return scores, gradient


class Gan:
    """A step of the discriminator and a step of the generator, as `gan` blocks do them."""

    def __init__(self, row, way):
        self.way, self.data, self.batch = way, Data(row), row["images"]
        self.wgan, self.every = row["params"].get("wgan", False), row["every"]
        self.weight = 10 if row["study"] != "compact" else 1
        sizes = {name: row["params"][name] for name in ("resolution", "base", "channels") if name in row["params"]}
        generator, discriminator = PAIRS[row["study"]]
        self.generator = way.module(generator(row["labels"], **sizes))
        self.discriminator = way.module(discriminator(row["labels"], **sizes))
        self.weights = [list(network.parameters()) for network in (self.generator, self.discriminator)]
        self.average = [weight.detach().clone() for weight in self.weights[0]]
        self.decay = 0.5 ** (self.batch / 10_000)
        settings = {"lr": 0.002, "betas": (0.0, 0.99), "eps": 1e-8, "fused": True}
        self.optimisers = [torch.optim.Adam(weights, **settings) for weights in self.weights]
        self.generate = way.function(lambda z, y: self.generator(z, y))
        self.discriminator_loss = way.function(self.losses_of_discriminator)
        self.penalised_loss = way.function(self.losses_with_penalty)
        self.generator_loss = way.function(self.loss_of_generator)
        self.steps = 0

    def facts(self):
        return {"parameters": [sum(weight.numel() for weight in weights) for weights in self.weights]}

    def adversarial(self, real, fake):
        if self.wgan:
            return fake.mean() - real.mean() + 0.001 * real.square().mean()
        return F.softplus(-real).mean() + F.softplus(fake).mean()

    def losses_of_discriminator(self, real, fake, labels, mixture):
        return self.adversarial(self.discriminator(real, labels), self.discriminator(fake, labels)), None

    def losses_with_penalty(self, real, fake, labels, mixture):
        score = lambda images: self.discriminator(images, labels)
        if self.wgan:
            _, gradient = scores_and_gradient(score, torch.lerp(real, fake, mixture), self.way.compiled)
            norm = (gradient.square().sum(dim=(1, 2, 3)) + 1e-12).sqrt()
            penalty = self.weight * (norm - 1).square().mean()
            return self.adversarial(score(real), score(fake)), penalty
        on_real, gradient = scores_and_gradient(score, real, self.way.compiled)
        penalty = self.weight / 2 * self.every * gradient.square().sum(dim=(1, 2, 3)).mean()
        return self.adversarial(on_real, score(fake)), penalty

    def loss_of_generator(self, z, labels):
        score = self.discriminator(self.generator(z, labels), labels)
        return -score.mean() if self.wgan else F.softplus(-score).mean()

    def step(self):
        rows, batch = self.data.rows(self.batch), self.batch
        real, labels = self.way.images(self.data.image(rows)), self.data.labels[rows]
        with torch.no_grad():
            fake = self.generate(torch.randn(batch, self.generator.latent), labels)
        loss_of_step = self.penalised_loss if self.wgan or self.steps % self.every == 0 else self.discriminator_loss
        loss, penalty = loss_of_step(real, fake, labels, torch.rand(batch, 1, 1, 1))
        (loss if penalty is None else loss + penalty).backward()
        self.move(1)

        rows = torch.randint(0, IMAGES, (batch,))
        self.discriminator.requires_grad_(False)
        generator_loss = self.generator_loss(torch.randn(batch, self.generator.latent), self.data.labels[rows])
        generator_loss.backward()
        self.discriminator.requires_grad_(True)
        self.move(0)
        torch._foreach_lerp_(self.average, self.weights[0], 1 - self.decay)
        self.steps += 1
        if not math.isfinite(loss.item() + generator_loss.item()):
            raise ArithmeticError(f"the losses of step {self.steps} are {loss.item()} and {generator_loss.item()}")

    def move(self, network):
        self.optimisers[network].step()
        self.optimisers[network].zero_grad(set_to_none=True)


class Inception(torch.nn.Module):
    """torchvision's Inception-v3 on one channel of any size. That of `std.features.inception` leaves the zeros of padding out of
    its means and takes the greatest value instead of one mean, which costs the same."""

    def __init__(self, labels):
        super().__init__()
        from torchvision.models import inception_v3

        self.network = inception_v3(weights=None, num_classes=labels, aux_logits=False, transform_input=False, init_weights=False)

    def forward(self, x):
        x = F.interpolate(x, (299, 299), mode="bilinear").mul(127.5 / 128).sub(0.5 / 128)
        return self.network(x.expand(-1, 3, -1, -1))


def classifier(row, way):
    from torchvision.models import densenet121

    if row["study"] == "inception":
        return way.module(Inception(row["labels"]))
    network = densenet121(weights=None, num_classes=row["labels"])
    network.features.conv0 = torch.nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
    return way.module(network)


class Classifier:
    """A step of training."""

    def __init__(self, row, way):
        self.way, self.data, self.batch = way, Data(row), row["images"]
        self.network = classifier(row, way)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=0.001, fused=True)
        self.loss = way.function(lambda images, labels: F.binary_cross_entropy_with_logits(self.network(images), labels))

    def facts(self):
        return {"parameters": [sum(weight.numel() for weight in self.network.parameters())]}

    def step(self):
        rows = self.data.rows(self.batch)
        loss = self.loss(self.way.images(self.data.image(rows)), self.data.labels[rows])
        loss.backward()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        if not math.isfinite(loss.item()):
            raise ArithmeticError(f"the loss is {loss.item()}")


class Scores:
    """Scores of a batch of images by a trained classifier."""

    def __init__(self, row, way):
        self.way, self.data, self.batch = way, Data(row), row["images"]
        self.network = classifier(row, way).eval()
        self.run = way.function(lambda images: self.network(images))

    def facts(self):
        return {"parameters": [sum(weight.numel() for weight in self.network.parameters())]}

    @torch.inference_mode()
    def step(self):
        self.scores = self.run(self.way.images(self.data.image(torch.arange(self.batch)))).numpy()


class Sample:
    """A batch of generated images as bytes."""

    def __init__(self, row, way):
        self.data, self.batch = Data(row), row["images"]
        sizes = {name: row["params"][name] for name in ("resolution", "base", "channels") if name in row["params"]}
        self.network = way.module(PAIRS[row["study"]][0](row["labels"], **sizes)).eval()
        self.run = way.function(lambda z, y: ((self.network(z, y) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8))

    def facts(self):
        return {"parameters": [sum(weight.numel() for weight in self.network.parameters())]}

    @torch.inference_mode()
    def step(self):
        self.images = self.run(torch.randn(self.batch, self.network.latent), self.data.labels[: self.batch])


class Convolution:
    """A layer's output, and the gradients with respect to its input and its weight, by the functions that autograd calls."""

    def __init__(self, row, way):
        layer = row["layer"]
        passes, groups, padding, stride = layer["passes"], layer["groups"], layer["padding"], [layer["stride"]] * 2
        x = way.images(torch.randn(layer["batch"], layer["channels"], layer["side"], layer["side"]))
        w = way.images(torch.randn(layer["filters"], layer["channels"] // groups, *layer["kernel"]))
        g = way.images(torch.randn_like(F.conv2d(x, w, None, stride, padding, 1, groups)))
        mask = ["input" in passes, "weight" in passes, False]

        def run(x, w, g):
            y = F.conv2d(x, w, None, stride, padding, 1, groups) if "forward" in passes else None
            if not any(mask):
                return y
            return y, torch.ops.aten.convolution_backward(g, x, w, None, stride, padding, [1, 1], False, [0, 0], groups, mask)

        self.operands, self.run = (x, w, g), way.function(run)

    def facts(self):
        return {}

    @torch.no_grad()
    def step(self):
        self.outputs = self.run(*self.operands)


class Adam:
    """The optimiser's step over the weights of a discriminator."""

    def __init__(self, row, way):
        sizes = {name: row["params"][name] for name in ("resolution", "channels")}
        self.weights = list(PAIRS[row["study"]][1](row["labels"], **sizes).parameters())
        self.average = [weight.detach().clone() for weight in self.weights] if row["average"] else None
        for weight in self.weights:
            weight.grad = torch.randn_like(weight)
        self.optimiser = torch.optim.Adam(self.weights, lr=1e-6, betas=(0.0, 0.99), fused=True)

    def facts(self):
        return {"parameters": [sum(weight.numel() for weight in self.weights)]}

    @torch.no_grad()
    def step(self):
        self.optimiser.step()
        if self.average:
            torch._foreach_lerp_(self.average, self.weights, 0.01)


KINDS = {
    "gan": Gan, "classifier": Classifier, "scores": Scores, "sample": Sample, "convolution": Convolution, "adam": Adam,
}


class MultiplyAdds(TorchDispatchMode):
    """Counts those of matrix products and convolutions, as the operations define them. (`FlopCounterMode` cannot follow
    gradients of gradients.)"""

    count = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        keywords = keywords or {}
        formula = flop_registry.get(function._overloadpacket)
        if formula is None:
            with self:
                result = function.decompose(*arguments, **keywords)
            return function(*arguments, **keywords) if result is NotImplemented else result
        result = function(*arguments, **keywords)
        self.count += formula(*arguments, **keywords, out_val=result) // 2
        return result


def multiply_adds(work, steps):
    """Of a step in eager mode."""
    with MultiplyAdds() as counter:
        for _ in range(steps):
            work.step()
    return counter.count / steps


def unit(work, steps):
    """Does so many steps and gives the nanoseconds that they took."""
    start = time.perf_counter_ns()
    for _ in range(steps):
        work.step()
    return time.perf_counter_ns() - start


def main():
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(1)
    replies = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no reply

    def reply(value):
        print(json.dumps(value), file=replies, flush=True)

    reply("ready")
    for line in sys.stdin:
        request = json.loads(line)
        if isinstance(request, dict):
            row, work = request, None
            torch.compiler.reset()
            work = KINDS[row["kind"]](row, Way(row["way"]))
            facts = work.facts()
            if row.get("count"):
                facts["multiply_adds"] = multiply_adds(work, row["steps"])
            else:
                unit(work, row["steps"])
            reply(facts)
        else:
            reply([unit(work, row["steps"]) for _ in range(request)])


with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
    main()
