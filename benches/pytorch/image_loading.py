"""How fast images are read beside torchvision: decoding and resizing on all cores.

    python3 benches/pytorch/image_loading.py [--files N] [--rounds N] [--sizes S …] [--ours COMMAND …]

makes radiograph-like files in a temporary folder (grey JPEGs of 320 x 390 pixels as in CheXpert-small, grey PNGs of 1024 x 1024 as in
ChestX-ray14), reads them with our `dataset` code and with torchvision in a DataLoader with one worker for each core, in turns, and
tells images a second of each and their ratio. Of torchvision's two ways (PIL and `torchvision.io`) the faster one counts. Both sides
resize with an antialiasing triangle filter ("bilinear"). Ratios above 1 are in our favour. `--files` is the number of files of each sort
(800 JPEGs and 120 PNGs where it is not given), `--ours` what starts our side, where it is built already.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import environment

environment.require()

import numpy
import torch
import torchvision
from PIL import Image
from torchvision.transforms import v2

CORES = os.cpu_count()
ROWS = [("jpeg", 390, 320, 800), ("png", 1024, 1024, 120)]
SIZES = [32, 64, 128, 224]


def make(folder, kind, height, width, count):
    """Smooth shapes with a little noise, so that files are about as large as real ones (JPEG of quality 90)."""
    random = numpy.random.default_rng(1)
    for index in range(count):
        small = torch.from_numpy(random.random((1, 1, 12, 12), dtype=numpy.float32))
        large = torch.nn.functional.interpolate(small, (height, width), mode="bicubic")[0, 0].clamp(0, 1).numpy()
        pixels = (large * 235 + random.normal(0, 2.5, (height, width))).clip(0, 255).astype(numpy.uint8)
        path = folder / f"{index:04}.{'jpg' if kind == 'jpeg' else 'png'}"
        Image.fromarray(pixels).save(path, **({"quality": 90} if kind == "jpeg" else {}))


class Files(torch.utils.data.Dataset):
    def __init__(self, folder, size, way):
        self.files = sorted(str(path) for path in pathlib.Path(folder).iterdir())
        self.way = way
        self.resize = v2.Resize((size, size), antialias=True)

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        if self.way == "io":
            mode = torchvision.io.ImageReadMode.GRAY
            return self.resize(torchvision.io.decode_image(self.files[index], mode=mode))
        with Image.open(self.files[index]) as image:
            return v2.functional.pil_to_tensor(self.resize(image.convert("L")))


def theirs(folder, size, way, rounds):
    """Seconds of each round; the workers are running before the first one."""
    torch.set_num_threads(1)
    loader = torch.utils.data.DataLoader(Files(folder, size, way), 32, num_workers=CORES, persistent_workers=True)
    seconds = []
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        for _ in loader:
            pass
        seconds.append(time.perf_counter() - begin)
    return seconds[1:]


def ours(command, folder, size, rounds):
    said = subprocess.run([*command, str(folder), str(size), str(rounds + 1)], check=True, capture_output=True, text=True)
    return json.loads(said.stdout.strip().splitlines()[-1])[1:]


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--ours", nargs="+", default=["cargo", "bench", "--quiet", "--bench", "image_loading", "--"])
    return parser.parse_args()


def main():
    given = options()
    rounds = given.rounds
    print(f"torchvision {torchvision.__version__}, PyTorch {torch.__version__}, {CORES} cores; images a second (medians of {rounds})")
    print("| files | to | ours | torchvision (PIL) | torchvision.io | ratio |\n|---|---|---|---|---|---|")
    for kind, height, width, count in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            count = given.files or count
            make(pathlib.Path(folder), kind, height, width, count)
            for size in given.sizes:
                rate = {"ours": ours(given.ours, folder, size, rounds)}
                rate |= {way: theirs(folder, size, way, rounds) for way in ("pil", "io")}
                rate = {way: count / statistics.median(seconds) for way, seconds in rate.items()}
                ratio = rate["ours"] / max(rate["pil"], rate["io"])
                print(
                    f"| {kind.upper()} {width}×{height} | {size}×{size} | {rate['ours']:.0f} | {rate['pil']:.0f} | {rate['io']:.0f} | "
                    f"**{ratio:.2f}** |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
