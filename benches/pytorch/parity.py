"""Makes the fixtures of tests/suite/parity: what PyTorch computes for weights and inputs that both sides draw by one formula.

    python3 benches/pytorch/parity.py                 writes tests/fixtures/parity/*.json anew
    python3 benches/pytorch/parity.py --only sngan    those whose name contains a text
    python3 benches/pytorch/parity.py --full          networks in full size and resolution, into target/parity/

A fixture holds no weights, only how they are drawn (`drawing.py`). Of every result (outputs, losses, the gradient of every parameter,
running statistics) it holds the numbers themselves where they are few, and otherwise their norm and four sums against fixed random
vectors, from which the norm of a difference can be told. PyTorch computes in double precision; how far its own single precision is
from that stands in the fixture too.

The derivative of ReLU jumps at 0. Where an activation lies within rounding of 0, two right implementations in single precision
differ by that activation's whole gradient, often by a hundredth of a tensor's norm. So the small fixtures take, of the
draws whose activations keep farthest from 0, the one where PyTorch's two precisions agree best. In full size there is no such draw, and single precision is compared with PyTorch's own.
"""

import environment

environment.require()

import argparse
import json
import math

import numpy
import torch
import torchvision
from torch.nn import functional
from torch.overrides import TorchFunctionMode

import classifiers
import cpd
import drawing
import inception
import losses
import progressive
import sngan

FEW = 6
PROBES = 4
NOTHING = 1e-9
DRAWS = 24


class Network:
    """A network on both sides: how Synth is asked for it, PyTorch's module, and the table of names."""

    def __init__(self, role, module, name, sizes, inputs, build, names, equalized=False):
        self.role, self.build, self.equalized = role, build, equalized
        self.names = [(f"{name}/{ours}", theirs) for ours, theirs in names]
        self.asked = {"module": module, "name": name, "sizes": sizes, "inputs": inputs}

    def rules(self):
        """How tensors are drawn, by the last part of their name: centre, spread, and whether the spread is by √fan-in."""
        weight = [0, math.sqrt(3), False] if self.equalized else [0, math.sqrt(6), True]
        return {"weight": weight, "left_singular_vector": [0, 1, False], "progress": [0.75, 0, False], "bias": [0, 0.25, False],
                "scale": [1, 0.25, False], "shift": [0, 0.25, False],
                "running_mean": [0, 0.25, False], "running_variance": [1, 0.25, False]}

    def made(self, dtype, number):
        """The module with its drawn weights, and the network as the fixture tells of it."""
        module = self.build().to(dtype)
        state = module.state_dict()
        rules = self.rules()
        told = []
        for ours, theirs in self.names:
            shape = list(state[theirs].shape)
            centre, spread, by_fan_in = rules[ours.rsplit("/", 1)[1]]
            spread = spread / math.sqrt(math.prod(shape[1:])) if by_fan_in else spread
            drawn = drawing.draw(f"{number} {self.role} {ours}", shape, centre, spread)
            state[theirs] = torch.from_numpy(drawn).to(dtype)
            told.append({"name": ours, "shape": shape})
        left = set(state) - {theirs for _, theirs in self.names}
        left = [name for name in left if not name.endswith(("num_batches_tracked", "weight_v"))]
        assert not left, f"{left} have no name in Synth"
        module.load_state_dict(state)
        return module, {**self.asked, "drawn": rules, "weights": told}

    def gradients(self, module, of):
        """The gradients of a scalar by every learned tensor, by Synth's names; none where only activations are looked at."""
        if not of.requires_grad:
            return {}
        parameters = dict(module.named_parameters())
        learned = [(ours, parameters[theirs]) for ours, theirs in self.names if theirs in parameters]
        found = torch.autograd.grad(of, [tensor for _, tensor in learned], allow_unused=True)
        return {ours: torch.zeros_like(tensor) if gradient is None else gradient
                for (ours, tensor), gradient in zip(learned, found)}

    def statistics(self, module):
        """Running statistics as they are now, by Synth's names."""
        buffers = dict(module.named_buffers())
        return {ours: buffers[theirs].clone() for ours, theirs in self.names
                if theirs in buffers and not ours.endswith("/progress")}


class Inputs:
    """Draws inputs, and remembers how."""

    def __init__(self, dtype, number):
        self.dtype, self.number, self.told = dtype, number, []

    def draw(self, name, shape, centre=0.0, spread=1.0):
        self.told.append({"name": name, "shape": list(shape), "centre": centre, "spread": spread})
        return torch.from_numpy(drawing.draw(f"{self.number} {name}", shape, centre, spread)).to(self.dtype)

    def labels(self, name, shape):
        self.told.append({"name": name, "shape": list(shape), "labels": True})
        return torch.from_numpy(drawing.labels(f"{self.number} {name}", shape)).to(self.dtype)


class Margin(TorchFunctionMode):
    """The smallest activation that any ReLU meets, over the root mean square of its tensor; 0 itself left out."""

    def __init__(self):
        super().__init__()
        self.smallest = math.inf

    def __torch_function__(self, function, types, arguments=(), options=None):
        if function in (functional.relu, functional.leaky_relu):
            sizes = arguments[0].detach().abs()
            sizes = sizes[sizes > 0]
            self.smallest = min(self.smallest, float(sizes.min() / sizes.square().mean().sqrt()))
        return function(*arguments, **(options or {}))


def classifier(name, network, batch, image, labels):
    """Forward, loss and all gradients in training, new running statistics, and the output after training."""
    def whole(dtype, number):
        module, asked = network.made(dtype, number)
        inputs = Inputs(dtype, number)
        images = inputs.draw("image", (batch, *image))
        y = inputs.labels("labels", (batch, labels))
        with torch.no_grad():
            results = {"inference output": module.eval()(images)}
        output = module.train()(images)
        loss = functional.binary_cross_entropy_with_logits(output, y)
        results |= {"output": output, "loss": loss}
        tensors = {network.role: (network.gradients(module, loss), network.statistics(module))}
        return {"kind": "classifier", "networks": {network.role: asked}, "inputs": inputs.told}, results, tensors

    return name, whole


def reset_power_iteration(module):
    """Sets the vectors of spectral normalisation to those of the beginning, so that each use of a network goes on from them."""
    for part in module.modules():
        if hasattr(part, "weight_u"):
            if not hasattr(part, "first_u"):
                part.first_u = part.weight_u.clone()
            part.weight_u = part.first_u.clone()


def gan(name, generator, discriminator, batch, resolution, latent, labels, loss, penalty, arguments):
    """The losses of a step of the discriminator (with its penalty) and of the generator, and the gradients of all that they learn."""
    def whole(dtype, number):
        (g, asked_g), (d, asked_d) = generator.made(dtype, number), discriminator.made(dtype, number)
        inputs = Inputs(dtype, number)
        real = inputs.draw("real", (batch, 1, resolution, resolution))
        y = inputs.labels("labels", (batch, labels))
        z = inputs.draw("latent", (batch, latent), spread=math.sqrt(3))
        mixture = inputs.draw("mixture", (batch, 1, 1, 1), centre=0.5, spread=0.5)
        other = inputs.labels("generator labels", (batch, labels))

        def score(images, labels):
            reset_power_iteration(d)
            return d(images, labels)

        begin = {key: value.clone() for key, value in g.state_dict().items()}
        with torch.no_grad():
            results = {"inference output": g.eval()(z, y)}
            fake = g.train()(z, y)
        on_real, on_fake = score(real, y), score(fake, y)
        total = losses.DISCRIMINATOR[loss](on_real, on_fake)
        results |= {"output": fake, "discriminator loss": total}
        if penalty == "gradient_penalty":
            results["penalty"] = losses.gradient_penalty(lambda x: score(x, y), real, fake, mixture, **arguments)
        elif penalty == "r1":
            results["penalty"] = losses.r1(lambda x: score(x, y), real, **arguments)
        total = total + results.get("penalty", 0)
        tensors = {"discriminator": (discriminator.gradients(d, total), discriminator.statistics(d))}

        g.load_state_dict(begin)
        results["generator loss"] = losses.GENERATOR[loss](score(g(z, other), other))
        tensors["generator"] = generator.gradients(g, results["generator loss"]), generator.statistics(g)
        fixture = {"kind": "gan", "networks": {"generator": asked_g, "discriminator": asked_d}, "inputs": inputs.told,
                   "loss": loss, "penalty": penalty, "arguments": arguments}
        return fixture, results, tensors

    return name, whole


OPTIMISERS = [
    ("adam", {"rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0},
     lambda p, a: torch.optim.Adam(p, lr=a["rate"], betas=(a["beta1"], a["beta2"]), eps=a["epsilon"], weight_decay=a["weight_decay"])),
    ("adam", {"rate": 0.02, "beta1": 0.0, "beta2": 0.99, "epsilon": 1e-8, "weight_decay": 0.1},
     lambda p, a: torch.optim.Adam(p, lr=a["rate"], betas=(a["beta1"], a["beta2"]), eps=a["epsilon"], weight_decay=a["weight_decay"])),
    ("adamw", {"rate": 0.01, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.1},
     lambda p, a: torch.optim.AdamW(p, lr=a["rate"], betas=(a["beta1"], a["beta2"]), eps=a["epsilon"], weight_decay=a["weight_decay"])),
    *(("sgd", {"rate": 0.05, "momentum": momentum, "nesterov": nesterov, "weight_decay": decay},
       lambda p, a: torch.optim.SGD(p, lr=a["rate"], momentum=a["momentum"], nesterov=a["nesterov"], weight_decay=a["weight_decay"]))
      for momentum, nesterov, decay in [(0.0, False, 0.0), (0.9, False, 0.0), (0.9, True, 0.1)]),
]
TENSORS = {"a": (7,), "b": (3, 5), "c": (1,)}
STEPS = 6


def optimisers(name="optimisers"):
    """Weights after a few steps along drawn gradients, and their running average."""
    def whole(dtype, number):
        cases, results = [], {}
        for index, (constructor, arguments, build) in enumerate(OPTIMISERS):
            cases.append({"constructor": constructor, "arguments": arguments})
            parameters = {key: torch.nn.Parameter(torch.from_numpy(drawing.draw(f"{number} {key}", shape, 0, 1)).to(dtype))
                          for key, shape in TENSORS.items()}
            averages = {key: parameter.detach().clone() for key, parameter in parameters.items()}
            optimiser = build(list(parameters.values()), arguments)
            for step in range(1, STEPS + 1):
                for key, parameter in parameters.items():
                    parameter.grad = torch.from_numpy(drawing.draw(f"{number} {key} {step}", TENSORS[key], 0, 1)).to(dtype)
                optimiser.step()
                for key, parameter in parameters.items():
                    averages[key].lerp_(parameter.detach(), 0.25)
            for key in TENSORS:
                results[f"{index} {key}"] = parameters[key]
                results[f"{index} average {key}"] = averages[key]
        tensors = [{"name": key, "shape": list(shape)} for key, shape in TENSORS.items()]
        return {"kind": "optimisers", "cases": cases, "tensors": tensors, "steps": STEPS}, results, {}

    return name, whole


def cpd_pair(resolution, channels, latent, labels):
    sizes = {"channels": channels, "labels": labels}
    return (
        Network("generator", "std.gan.cpd", "generator", {**sizes, "latent": latent, "resolution": resolution}, {},
                lambda: cpd.Generator(latent, labels, resolution, channels), cpd.generator_names(resolution), equalized=True),
        Network("discriminator", "std.gan.cpd", "discriminator", sizes, {"image": [1, resolution, resolution]},
                lambda: cpd.Discriminator(labels, resolution, channels), cpd.discriminator_names(resolution), equalized=True),
    )


def progressive_pair(resolution, channels, latent, labels):
    sizes = {"channels": channels, "labels": labels}
    return (
        Network("generator", "std.gan.progressive", "generator", {**sizes, "latent": latent, "resolution": resolution}, {},
                lambda: progressive.Generator(latent, labels, resolution, channels), progressive.generator_names(resolution), equalized=True),
        Network("discriminator", "std.gan.progressive", "discriminator", sizes, {"image": [1, resolution, resolution]},
                lambda: progressive.Discriminator(labels, resolution, channels), progressive.discriminator_names(resolution), equalized=True),
    )


def sngan_pair(resolution, maps, latent, labels):
    return (
        Network("generator", "std.gan.sngan", "generator",
                {"maps": maps, "labels": labels, "latent": latent, "resolution": resolution, "channels": 1}, {},
                lambda: sngan.Generator(latent, labels, resolution, 1, maps), sngan.generator_names(resolution)),
        Network("discriminator", "std.gan.sngan", "discriminator", {"maps": maps, "labels": labels},
                {"image": [1, resolution, resolution]},
                lambda: sngan.Discriminator(labels, resolution, 1, maps), sngan.discriminator_names(resolution)),
    )


def densenet(labels, growth, image):
    return Network("classifier", "std.classify.densenet", "densenet121", {"labels": labels, "growth": growth}, {"image": image},
                   lambda: classifiers.densenet121(labels, growth), classifiers.names(classifiers.densenet121(labels, growth)))


def resnet(labels, image):
    return Network("classifier", "std.classify.resnet", "resnet18", {"labels": labels}, {"image": image},
                   lambda: classifiers.resnet(labels), classifiers.names(classifiers.resnet(labels)))


def inception_v3(classes):
    def names():
        for ours, theirs in classifiers.names(inception.Inception(classes)):
            yield ours if ours.startswith("fc/") else f"features_0/{ours}", theirs

    return Network("classifier", "std.features.inception", "inception", {"classes": classes}, {"image": [3, 299, 299]},
                   lambda: inception.Inception(classes), names())


WGAN_GP = ("wasserstein", "gradient_penalty", {"weight": 10.0})


def small():
    """The checked-in fixtures: every layer of every network, few maps or few pixels."""
    return [
        optimisers(),
        classifier("densenet121", densenet(5, 4, [3, 32, 32]), 8, [3, 32, 32], 5),
        classifier("resnet18", resnet(5, [3, 32, 32]), 8, [3, 32, 32], 5),
        gan("cpd-wgan-gp", *cpd_pair(16, 16, 12, 3), 8, 16, 12, 3, *WGAN_GP),
        gan("cpd-logistic-r1", *cpd_pair(16, 16, 12, 3), 8, 16, 12, 3, "non_saturating", "r1", {"weight": 10.0, "every": 4}),
        gan("progressive-wgan-gp", *progressive_pair(16, 16, 12, 3), 8, 16, 12, 3, *WGAN_GP),
        gan("sngan-hinge", *sngan_pair(16, 4, 12, 3), 8, 16, 12, 3, "hinge", "no_penalty", {}),
    ]


def full():
    """The networks as published."""
    return [
        classifier("densenet121-full", densenet(14, 32, [3, 224, 224]), 4, [3, 224, 224], 14),
        classifier("inception-v3-full", inception_v3(14), 2, [3, 299, 299], 14),
        classifier("resnet18-full", resnet(14, [3, 224, 224]), 4, [3, 224, 224], 14),
        gan("cpd-wgan-gp-full", *cpd_pair(32, 512, 512, 14), 4, 32, 512, 14, *WGAN_GP),
        gan("cpd-logistic-r1-full", *cpd_pair(32, 512, 512, 14), 4, 32, 512, 14, "non_saturating", "r1", {"weight": 10.0, "every": 4}),
        gan("progressive-wgan-gp-full", *progressive_pair(32, 512, 512, 14), 4, 32, 512, 14, *WGAN_GP),
        gan("sngan-hinge-full", *sngan_pair(64, 64, 128, 14), 4, 64, 128, 14, "hinge", "no_penalty", {}),
    ]


def summary(key, tensor):
    """The numbers themselves, or their norm and the probes."""
    numbers = tensor.detach().double().flatten().numpy()
    if len(numbers) > FEW:
        probes = [numbers @ drawing.uniform(f"probe {probe} {key}", len(numbers)) for probe in range(PROBES)]
        numbers = [numpy.linalg.norm(numbers), *probes]
    return [float(f"{number:.7g}") for number in numbers]


def differences(exact, single):
    """The norm of the difference over the norm, of every result of two precisions. A bias before a normalisation has no gradient, and
    rounding makes a little of it: such a one counts against all gradients of its network together."""
    def compared(key, exact, found, whole=0.0):
        exact, found = exact.detach().double(), found.detach().double()
        size = exact.norm() if exact.norm() > NOTHING * whole else whole
        return key, float((exact - found).norm() / size)

    (results, tensors), (other_results, other_tensors) = exact, single
    pairs = [compared(key, tensor, other_results[key]) for key, tensor in results.items()]
    for role, (gradients, updates) in tensors.items():
        whole = math.sqrt(sum(float(tensor.double().norm()) ** 2 for tensor in gradients.values()))
        other_gradients, other_updates = other_tensors[role]
        pairs += [compared(f"{role} gradient {name}", tensor, other_gradients[name], whole) for name, tensor in gradients.items()]
        pairs += [compared(f"{role} update {name}", tensor, other_updates[name]) for name, tensor in updates.items()]
    return dict(pairs)


def margin(whole, number):
    with Margin() as found, torch.no_grad():
        whole(torch.float64, number)
    return found.smallest


def farthest(whole):
    """The few draws whose activations keep farthest from 0."""
    return sorted(range(DRAWS), key=lambda number: -margin(whole, number))[:4]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--only", default="")
    arguments.add_argument("--full", action="store_true")
    arguments.add_argument("--draw", type=int, help="this draw instead of a search")
    arguments = arguments.parse_args()
    folder = environment.ROOT / ("target/parity" if arguments.full else "tests/fixtures/parity")
    folder.mkdir(parents=True, exist_ok=True)
    for name, whole in full() if arguments.full else small():
        if arguments.only not in name:
            continue
        numbers = [arguments.draw] if arguments.draw is not None else [0] if arguments.full else farthest(whole)
        computed = {number: (whole(torch.float64, number), whole(torch.float32, number)) for number in numbers}
        errors = {number: differences(exact[1:], single[1:]) for number, (exact, single) in computed.items()}
        number = min(numbers, key=lambda number: max(errors[number].values()))
        (fixture, results, tensors), errors = computed[number][0], errors[number]
        worst, smallest = max(errors, key=errors.get), margin(whole, number)
        fixture = {
            "made with": f"torch {torch.__version__.split('+')[0]}, torchvision {torchvision.__version__.split('+')[0]}",
            "draw": number,
            "smallest activation": None if math.isinf(smallest) else float(f"{smallest:.2g}"),
            "PyTorch in single precision": {"worst": worst, "error": float(f"{errors[worst]:.2g}")},
            **fixture,
            "results": {key: summary(key, tensor) for key, tensor in results.items()},
        }
        for role, (gradients, updates) in tensors.items():
            for weight in fixture["networks"][role]["weights"]:
                if weight["name"] in gradients:
                    weight["gradient"] = summary(f"{role} gradient {weight['name']}", gradients[weight["name"]])
                if weight["name"] in updates:
                    weight["update"] = summary(f"{role} update {weight['name']}", updates[weight["name"]])
        path = folder / f"{name}.json"
        path.write_text(text(fixture) + "\n")
        print(f"{path.relative_to(environment.ROOT)}: {len(errors)} results, {path.stat().st_size / 1024:.0f} kB,"
              f" smallest activation {fixture['smallest activation']},"
              f" PyTorch in single precision {fixture['PyTorch in single precision']}", flush=True)


def text(value, depth=0):
    """JSON with a line for each thing that has no parts with parts of their own, so that differences can be read."""
    def nested(part):
        return isinstance(part, (dict, list)) and any(isinstance(inner, (dict, list)) for inner in (part.values() if isinstance(part, dict) else part))

    if not nested(value) and depth > 0:
        return json.dumps(value, separators=(", ", ": "))
    inside, end = "\n" + " " * (depth + 1), "\n" + " " * depth
    if isinstance(value, dict):
        if not any(nested(part) for part in value.values()) and depth > 1:
            return json.dumps(value, separators=(",", ":"))
        return "{" + ",".join(f"{inside}{json.dumps(key)}: {text(part, depth + 1)}" for key, part in value.items()) + end + "}"
    return "[" + ",".join(inside + json.dumps(part, separators=(",", ":")) for part in value) + end + "]"


main()
