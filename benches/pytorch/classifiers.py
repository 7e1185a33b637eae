"""torchvision's classifiers, and what Synth calls their parameters."""

import re

from torch import nn
from torchvision.models import DenseNet, resnet18

PARTS = {"weight": "scale", "bias": "shift", "running_mean": "running_mean", "running_var": "running_variance"}


def densenet121(labels, growth=32):
    return DenseNet(growth_rate=growth, num_init_features=2 * growth, block_config=(6, 12, 24, 16), num_classes=labels)


def resnet(labels):
    return resnet18(weights=None, num_classes=labels)


def names(module):
    """Synth's names of the parameters, and PyTorch's: layers are called alike, below the loop that they stand in. What is one layer there
    and two here has a name for each."""
    for path, part in module.named_modules():
        ours = re.sub(r"/(\d+)(?=/|$)", r".\1", path.replace(".", "/"))
        ours = re.sub(r"(?<=/)denselayer(\d+)", r"for.layer=\1/denselayer\1", ours)
        ours = re.sub(r"^layer(\d)", r"for.stage=\1/layer\1", ours)
        if isinstance(part, nn.BatchNorm2d):
            yield from ((f"{ours}/{PARTS[name]}", f"{path}.{name}") for name in PARTS)
        elif isinstance(part, nn.Conv2d):
            yield f"{ours}/weight", f"{path}.weight"
        elif isinstance(part, nn.Linear):
            yield f"{ours}/dense_0/weight", f"{path}.weight"
            yield f"{ours}/bias_0/bias", f"{path}.bias"
