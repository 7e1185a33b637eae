#!/usr/bin/env python3
"""Our measures of image sets beside the packages that are their references, on the same features and the same threads.

Builds our side, makes a virtual environment under `target/measures/` with torch-fidelity 0.4.0, prdc 0.2, pytorch-msssim 1.0.0 and
scikit-learn from PyPI (PyTorch is taken from the interpreter where it has it), makes features with a falling spectrum, and lets both
sides take turns. Times are medians, and the ratio is theirs over ours. `--n 10000 --d 2048` is the full size.
"""
import argparse
import contextlib
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = ROOT / "target" / "measures"
PACKAGES = ["torch-fidelity==0.4.0", "prdc==0.2", "pytorch-msssim==1.0.0"]
OTHERS = ["scikit-learn", "scipy", "tqdm"]
MEASURES = [
    ("frechet_distance", "torch-fidelity"),
    ("kernel_distance", "torch-fidelity, 100 subsets of 1000"),
    ("precision_recall", "torch-fidelity, k = 3"),
    ("neighbourhoods", "prdc, all four, k = 5"),
    ("inception_score", "torch-fidelity"),
    ("ms_ssim", "pytorch-msssim"),
    ("sliced_wasserstein", "the code of progressive growing of GANs"),
]


def features(n, d, seed):
    """Rows whose variances fall as those of trained networks do, not negative."""
    import numpy as np

    random = np.random.default_rng(seed)
    basis = np.random.default_rng(1).standard_normal((d, d)).astype(np.float32) / np.sqrt(d)
    scales = (1 / np.sqrt(1 + np.arange(d))).astype(np.float32)
    rows = (random.standard_normal((n, d)).astype(np.float32) * scales) @ basis
    return np.maximum(rows * 3 + 0.4 + 0.05 * (seed - 1), 0).astype(np.float32)


def images(n, size):
    import numpy as np

    random = np.random.default_rng(3)
    y, x = np.mgrid[0:size, 0:size] / size
    waves = [128 + 80 * np.sin(6 * x + a) * np.cos(4 * y + b) for a, b in random.uniform(0, 6, (n, 2))]
    return np.clip(np.stack(waves) + 20 * random.uniform(-1, 1, (n, size, size)), 0, 255).astype(np.uint8)


def swd(one, other):
    """metrics/sliced_wasserstein.py of progressive growing of GANs, for one channel."""
    import numpy as np
    from scipy.ndimage import convolve

    kernel = np.float32([1, 4, 6, 4, 1])
    kernel = (np.outer(kernel, kernel) / 256)[None]
    down = lambda images: convolve(images, kernel, mode="mirror")[:, ::2, ::2]

    def up(images):
        wide = np.zeros((images.shape[0], 2 * images.shape[1], 2 * images.shape[2]), images.dtype)
        wide[:, ::2, ::2] = images
        return convolve(wide, 4 * kernel, mode="mirror")

    def pyramid(images, levels):
        made = [images.astype(np.float32)]
        for _ in range(1, levels):
            made.append(down(made[-1]))
            made[-2] -= up(made[-1])
        return made

    def descriptors(level):
        n, h, w = level.shape
        cx, cy = np.random.randint(3, w - 3, (128 * n, 1, 1)), np.random.randint(3, h - 3, (128 * n, 1, 1))
        offsets_y, offsets_x = np.mgrid[-3:4, -3:4]
        image = np.repeat(np.arange(n), 128)[:, None, None]
        found = level[image, cy + offsets_y[None], cx + offsets_x[None]].reshape(128 * n, 49)
        return (found - found.mean()) / found.std()

    levels = 1
    while one.shape[1] >> levels >= 16:
        levels += 1
    results = []
    for a, b in zip(pyramid(one, levels), pyramid(other, levels)):
        a, b, distances = descriptors(a), descriptors(b), []
        for _ in range(4):
            directions = np.random.randn(49, 128)
            directions = (directions / np.sqrt(np.sum(np.square(directions), axis=0, keepdims=True))).astype(np.float32)
            distances.append(np.mean(np.abs(np.sort(a @ directions, axis=0) - np.sort(b @ directions, axis=0))))
        results.append(1e3 * np.mean(distances))
    return np.mean(results)


def theirs(folder, d, size, threads):
    """The other side: answers the name of a measure with the seconds that it took."""
    import unittest.mock

    for name in ["torchvision", "torchvision.transforms", "torchvision.datasets", "torchvision.transforms.functional", "torchvision.models"]:
        try:
            __import__(name)
        except ImportError:
            sys.modules[name] = unittest.mock.MagicMock()
    import numpy as np
    import torch
    from prdc import compute_prdc
    from pytorch_msssim import ms_ssim
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    torch.set_num_threads(threads)
    real, fake = (np.fromfile(folder / name, np.float32).reshape(-1, d) for name in ["real.f32", "fake.f32"])
    pixels = np.fromfile(folder / "images.u8", np.uint8).reshape(-1, size, size)
    r, f = torch.from_numpy(real), torch.from_numpy(fake)
    kid = dict(kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1, verbose=False)

    def similarity():
        pairs = torch.from_numpy(pixels[: len(pixels) // 2 * 2]).float()[:, None]
        batches = zip(pairs[0::2].split(64), pairs[1::2].split(64))
        return torch.cat([ms_ssim(a, b, data_range=255, size_average=False) for a, b in batches]).mean().item()

    measures = {
        "frechet_distance": lambda: fid_statistics_to_metric(
            fid_features_to_statistics(f), fid_features_to_statistics(r), False)["frechet_inception_distance"],
        "kernel_distance": lambda: kid_features_to_metric(
            f, r, kid_subsets=100, kid_subset_size=min(1000, len(r)), rng_seed=2020, **kid)["kernel_inception_distance_mean"],
        "precision_recall": lambda: prc_features_to_metric(
            f, r, prc_neighborhood=3, prc_batch_size=10000, save_cpu_ram=False, verbose=False)["precision"],
        "neighbourhoods": lambda: compute_prdc(real, fake, 5)["density"],
        "inception_score": lambda: isc_features_to_metric(f[:, :1008], 10, True, 2020)["inception_score_mean"],
        "ms_ssim": similarity,
        "sliced_wasserstein": lambda: swd(pixels[: len(pixels) // 2], pixels[len(pixels) // 2 :]),
    }
    for line in sys.stdin:
        start = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            found = measures[line.strip()]()
        print(json.dumps({"seconds": time.perf_counter() - start, "found": float(found)}), flush=True)


def build():
    command = ["cargo", "bench", "--bench", "measures", "--no-run", "--message-format=json"]
    messages = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    built = [json.loads(line).get("executable") for line in messages.splitlines()]
    return next(path for path in reversed(built) if path)


def python():
    interpreter = KEPT / "venv" / "bin" / "python"
    if not interpreter.exists():
        venv.create(KEPT / "venv", system_site_packages=True, with_pip=True)
    if subprocess.run([interpreter, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode != 0:
        subprocess.run([interpreter, "-m", "pip", "install", "torch"], check=True)
    if subprocess.run([interpreter, "-c", "import torch_fidelity, prdc, pytorch_msssim"], capture_output=True).returncode != 0:
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", *OTHERS], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", "--no-deps", *PACKAGES], check=True)
    return str(interpreter)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--d", type=int, default=2_048)
    parser.add_argument("--images", type=int, default=1_000)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="only measures whose name holds this")
    parser.add_argument("--ours", help="our side that is built already")
    parser.add_argument("--python", help="an interpreter that has the packages")
    parser.add_argument("--theirs", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.theirs:
        return theirs(pathlib.Path(given.theirs), given.d, given.size, given.threads)
    ours = given.ours or build()
    interpreter = given.python or python()
    folder = KEPT / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    make = "import sys; sys.path.insert(0, sys.argv[1]); import run; "
    make += f"run.features({given.n}, {given.d}, 1).tofile(sys.argv[2] + '/real.f32'); "
    make += f"run.features({given.n}, {given.d}, 2).tofile(sys.argv[2] + '/fake.f32'); "
    make += f"run.images({given.images}, {given.size}).tofile(sys.argv[2] + '/images.u8')"
    subprocess.run([interpreter, "-c", make, str(pathlib.Path(__file__).parent), str(folder)], check=True)
    threads = str(given.threads)
    environment = os.environ | {name: threads for name in ["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]}
    commands = {
        "ours": [ours, str(folder), str(given.d), str(given.size)],
        "theirs": [interpreter, __file__, "--theirs", str(folder), "--d", str(given.d), "--size", str(given.size), "--threads", threads],
    }
    sides = {
        name: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for name, command in commands.items()
    }
    print(f"{given.n} × {given.d} features; {given.images} images of {given.size}×{given.size}; {threads} threads; medians of {given.rounds} turns\n")
    print("| measure | beside | ours | theirs | ratio | ours says | theirs says |\n|---|---|--:|--:|--:|--:|--:|", flush=True)
    for name, beside in MEASURES:
        if given.only not in name:
            continue
        seconds, found = {side: [] for side in sides}, {}
        for turn in range(given.rounds + 1):
            for side, process in sides.items():
                print(name, file=process.stdin, flush=True)
                answer = json.loads(process.stdout.readline())
                found[side] = answer["found"]
                # The first turn is not counted.
                if turn > 0 or given.rounds == 1:
                    seconds[side].append(answer["seconds"])
        a, b = (statistics.median(seconds[side]) for side in ["ours", "theirs"])
        print(f"| {name} | {beside} | {a:.3g} s | {b:.3g} s | {b / a:.2f} | {found['ours']:.6g} | {found['theirs']:.6g} |", flush=True)
    for process in sides.values():
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    main()
