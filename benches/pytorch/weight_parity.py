"""Random weights in files of PyTorch, and what its networks make of them, for the test that loads the files.

    python benches/pytorch/weight_parity.py FOLDER
    SYNTH_WEIGHT_PARITY=FOLDER cargo test --release --test suite files_of_pytorch -- --ignored --nocapture

Needs torch, torchvision and safetensors. DenseNet-121 and ResNet-18 are torchvision's; Inception-v3 is torchvision's with the
changes that make it the network of the Fréchet inception distance, written after `pytorch_fid/inception.py` (Seitzer 2020).
"""

import json
import pathlib
import sys

import torch
import torch.nn.functional as F
import torchvision
from safetensors.torch import save_file
from torchvision.models import inception as tv


class BlockA(tv.InceptionA):
    def forward(self, x):
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        pool = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return torch.cat([self.branch1x1(x), self.branch5x5_2(self.branch5x5_1(x)), double, self.branch_pool(pool)], 1)


class BlockC(tv.InceptionC):
    def forward(self, x):
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        pool = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(pool)], 1)


class BlockE(tv.InceptionE):
    """`mean` is false in the last block, whose pooling takes the greatest value."""

    def __init__(self, channels, mean):
        super().__init__(channels)
        self.mean = mean

    def forward(self, x):
        single = self.branch3x3_1(x)
        single = torch.cat([self.branch3x3_2a(single), self.branch3x3_2b(single)], 1)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        double = torch.cat([self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)], 1)
        pool = F.avg_pool2d(x, 3, 1, 1, count_include_pad=False) if self.mean else F.max_pool2d(x, 3, 1, 1)
        return torch.cat([self.branch1x1(x), single, double, self.branch_pool(pool)], 1)


def resize_corner(x, size):
    """TensorFlow 1's `resize_bilinear`: pixel i at i · old/new."""
    for axis in (2, 3):
        place = torch.arange(size, dtype=torch.float64) * (x.shape[axis] / size)
        lower = place.floor().long().clamp(max=x.shape[axis] - 1)
        upper = (lower + 1).clamp(max=x.shape[axis] - 1)
        shape = [1, 1, 1, 1]
        shape[axis] = size
        share = (place - lower).float().reshape(shape)
        first, second = x.index_select(axis, lower), x.index_select(axis, upper)
        x = first + (second - first) * share
    return x


class Inception(torch.nn.Module):
    """`inception-2015-12-05`, with torchvision's names; gives features and logits."""

    def __init__(self):
        super().__init__()
        net = torchvision.models.Inception3(num_classes=1008, aux_logits=False, init_weights=False)
        net.Mixed_5b, net.Mixed_5c, net.Mixed_5d = BlockA(192, 32), BlockA(256, 64), BlockA(288, 64)
        net.Mixed_6b, net.Mixed_6c = BlockC(768, channels_7x7=128), BlockC(768, channels_7x7=160)
        net.Mixed_6d, net.Mixed_6e = BlockC(768, channels_7x7=160), BlockC(768, channels_7x7=192)
        net.Mixed_7b, net.Mixed_7c = BlockE(1280, True), BlockE(2048, False)
        self.net = net

    def state_dict(self, *arguments, **named):
        return self.net.state_dict(*arguments, **named)

    def forward(self, image):
        net = self.net
        x = image.expand(-1, 3, -1, -1)
        x = (resize_corner((x + 1) * 127.5, 299) - 128) / 128
        x = net.Conv2d_2b_3x3(net.Conv2d_2a_3x3(net.Conv2d_1a_3x3(x)))
        x = F.max_pool2d(x, 3, 2)
        x = F.max_pool2d(net.Conv2d_4a_3x3(net.Conv2d_3b_1x1(x)), 3, 2)
        for name in ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"]:
            x = getattr(net, f"Mixed_{name}")(x)
        features = x.mean((2, 3))
        return features, net.fc(features)


def settle(model, shape):
    """Random weights of every kind, and running statistics of a few batches, so that numbers neither vanish nor explode."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.2)
            module.momentum = 0.5
        elif isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(module.weight)
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.rand(4, *shape) * 2 - 1)
    return model.eval()


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    torch.set_num_threads(2)
    cases = []

    def case(name, file, module, expression, image, output, **sizes):
        values = f"{name}.safetensors"
        save_file({"input": image.contiguous(), "output": output.contiguous()}, folder / values)
        cases.append({"name": name, "module": module, "expression": expression.replace("FILE", str(folder / file)), "values": values, "sizes": sizes})

    def both(model, stem):
        torch.save(model.state_dict(), folder / f"{stem}.pth")
        torch.save({"epoch": 1, "state_dict": model.state_dict()}, folder / f"{stem}_legacy.pth", _use_new_zipfile_serialization=False)

    with torch.no_grad():
        image = torch.rand(2, 3, 64, 64) * 2 - 1
        for stem, module, make in [
            ("densenet121", "std.classify.densenet", torchvision.models.densenet121),
            ("resnet18", "std.classify.resnet", torchvision.models.resnet18),
        ]:
            model = settle(make(weights=None), (3, 64, 64))
            both(model, stem)
            output = model(image)
            case(stem, f"{stem}.pth", module, f'{stem}(weights = "FILE")', image, output, labels=1000)
            legacy = f'{stem}(weights = pretrained("FILE", key = "state_dict"))'
            case(f"{stem} before 1.6", f"{stem}_legacy.pth", module, legacy, image, output, labels=1000)
            if stem == "densenet121":
                # As in the files that torchvision downloads; these hold no counters either.
                old = {}
                for name, tensor in model.state_dict().items():
                    if "num_batches_tracked" in name:
                        continue
                    for part in ("norm1", "norm2", "conv1", "conv2"):
                        name = name.replace(f".{part}.", f".{part[:-1]}.{part[-1]}.")
                    old[name] = tensor
                torch.save(old, folder / "densenet121_2017.pth", _use_new_zipfile_serialization=False)
                expression = 'densenet121(weights = pretrained("FILE", names = names_of_2017))'
                case("densenet121 of 2017", "densenet121_2017.pth", module, expression, image, output, labels=1000)
        model = settle(Inception(), (3, 64, 64))
        both(model, "inception")
        module = "std.features.inception"
        features, logits = model(image)
        unused = 'features(weights = pretrained("FILE", unused = ["fc"]))'
        case("inception, features", "inception.pth", module, unused, image, features)
        case("inception, logits", "inception.pth", module, 'inception(weights = "FILE")', image, logits)
        grey = torch.rand(2, 1, 33, 47) * 2 - 1
        legacy = 'features(weights = pretrained("FILE", key = "state_dict", unused = ["fc"]))'
        case("inception, grey, before 1.6", "inception_legacy.pth", module, legacy, grey, model(grey)[0])
    (folder / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
