"""Writes the small weight files of `tests/fixtures/weights/`: one table of tensors in every form that PyTorch writes.

    python benches/pytorch/weight_files.py tests/fixtures/weights

Needs torch and safetensors. The files are checked in; this script says how they were made.
"""

import argparse
import io
import json
import pathlib
import sys
import zipfile

import torch
from safetensors.torch import save_file


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 2, (1, 2), bias=False)
        self.norm = torch.nn.BatchNorm2d(2)

    def forward(self, x):
        return self.norm(self.conv(x))


def table():
    """Tensors of every kind that has to be read: contiguous, shared, with strides, of other types, empty, counters."""
    base = torch.arange(12, dtype=torch.float32) / 4 - 1
    return {
        "conv.weight": base.clone().reshape(2, 3, 1, 2),
        "norm.weight": torch.tensor([1.5, -2.0]),
        "norm.num_batches_tracked": torch.tensor(7),
        "shared": base[2:5],
        "across": base.reshape(3, 4).t()[1:3],
        "repeated": base[5:6].expand(2, 3),
        "half": torch.tensor([0.1, -65504.0, 6e-8], dtype=torch.float16),
        "brain": torch.tensor([0.1, -3e38], dtype=torch.bfloat16),
        "double": torch.tensor([0.1, 1e-3], dtype=torch.float64),
        "empty": torch.zeros(0, 4),
    }


def big_endian(written):
    """A file as a machine of the other order of bytes writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(written)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry.endswith("/byteorder"):
                content = b"big"
            if "/data/" in entry:
                content = b"".join(content[at : at + 4][::-1] for at in range(0, len(content), 4))
            new.writestr(entry, content)
    return out.getvalue()


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    tensors = table()
    torch.save(tensors, folder / "plain.pth")
    torch.save(tensors, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(tensors, folder / "protocol4.pth", pickle_protocol=4)
    torch.save(tensors, folder / "legacy4.pth", pickle_protocol=4, _use_new_zipfile_serialization=False)
    torch.save({name: torch.nn.Parameter(t) if t.is_floating_point() else t for name, t in tensors.items()}, folder / "parameters.pth")
    save_file({name: t.contiguous().clone() for name, t in tensors.items()}, folder / "plain.safetensors")
    out = io.BytesIO()
    torch.save({name: t for name, t in tensors.items() if t.dtype == torch.float32}, out)
    (folder / "big_endian.pth").write_bytes(big_endian(out.getvalue()))

    torch.manual_seed(1)
    model = Small()
    optimiser = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 3, 2, 2)).sum().backward()
    optimiser.step()
    options = argparse.Namespace(rate=0.1, layers=[1, 2])
    nested = {"epoch": 3, "args": options, "state_dict": model.state_dict(), "optimizer": optimiser.state_dict()}
    torch.save(nested, folder / "nested.pth")
    torch.save({"models": {"generator": model.state_dict()}}, folder / "deep.pth", _use_new_zipfile_serialization=False)
    torch.save(model, folder / "module.pth")
    torch.jit.save(torch.jit.script(model), folder / "script.pt")

    expected = {name: {"shape": list(t.shape), "values": t.to(torch.float32).flatten().tolist()} for name, t in tensors.items()}
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
