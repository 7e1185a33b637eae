"""Times our convolutions and PyTorch's in turn, on the same shapes, and prints medians and their ratio.

    cargo bench --bench convolution --no-run
    python3 benches/compare_with_pytorch.py [--rounds 9] [--threads 2] [--only SUBSTRING]

Each round, both programs time a few repetitions of the same shape, one program right after the other, so that what else
the machine does meets both; `quiet` is the ratio of the times that a tenth of the repetitions reached. PyTorch's gradients are timed by the two functions that its backward pass calls.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time

# Images, channels, height (and width), filters, kernel; then stride, padding and groups where they are not 1, half the
# kernel, and 1.
SHAPES = [
    # small networks for images of 32 pixels
    (32, 64, 4, 64, 3), (16, 64, 4, 64, 3), (32, 65, 4, 64, 3), (32, 64, 8, 64, 3), (16, 64, 8, 64, 3),
    (32, 64, 16, 32, 3), (32, 32, 16, 32, 3), (32, 64, 16, 64, 3),
    (32, 32, 32, 16, 3), (32, 16, 32, 16, 3), (32, 16, 32, 32, 3), (32, 1, 32, 16, 3),
    (32, 1, 32, 16, 1), (32, 16, 32, 1, 1), (32, 16, 32, 32, 1), (32, 32, 32, 16, 1),
    (32, 64, 16, 32, 1), (32, 32, 16, 64, 1), (32, 64, 8, 64, 1), (32, 64, 4, 64, 1), (32, 1, 4, 64, 1),
    (32, 48, 16, 32, 1), (32, 32, 16, 8, 3), (32, 32, 8, 8, 3), (32, 32, 4, 8, 3), (32, 16, 8, 32, 1), (32, 24, 4, 32, 1),
    # wide ones
    (16, 64, 64, 64, 3), (16, 128, 32, 128, 3), (16, 256, 16, 256, 3), (16, 512, 8, 512, 3), (32, 256, 8, 256, 3),
    (32, 512, 4, 512, 3), (64, 512, 4, 512, 3), (16, 256, 4, 256, 3), (32, 128, 32, 32, 3), (32, 256, 16, 128, 1),
    # DenseNet-121 and ResNet-18 at 224 pixels
    (1, 3, 224, 64, 7, 2), (16, 3, 224, 64, 7, 2), (1, 64, 56, 128, 1), (16, 128, 56, 32, 3), (1, 128, 28, 32, 3),
    (1, 512, 14, 128, 1), (16, 128, 14, 32, 3), (1, 1024, 7, 128, 1), (16, 128, 7, 32, 3), (1, 128, 7, 32, 3),
    (1, 64, 56, 64, 3), (16, 64, 56, 128, 3, 2), (1, 64, 56, 128, 3, 2), (16, 64, 56, 128, 1, 2), (1, 256, 14, 512, 3, 2),
    (1, 512, 7, 512, 3),
    # Inception-v3 at 299 pixels
    (1, 3, 299, 32, 3, 2, 0), (16, 32, 149, 32, 3, 1, 0), (1, 80, 73, 192, 3, 1, 0), (16, 192, 35, 64, 1), (1, 48, 35, 64, 5),
    (16, 96, 35, 96, 3, 2, 0), (1, 768, 17, 192, 1), (1, 160, 17, 160, (1, 7)), (1, 160, 17, 160, (7, 1)),
    (16, 192, 17, 192, (1, 7)), (16, 192, 17, 192, (7, 1)), (1, 384, 8, 384, (1, 3)), (16, 384, 8, 384, (3, 1)),
    (1, 2048, 8, 320, 1), (16, 448, 8, 384, 3), (16, 192, 17, 320, 3, 2, 0),
    # depthwise and in groups
    (16, 64, 32, 64, 3, 1, 1, 64), (16, 64, 32, 64, 3, 2, 1, 64), (16, 128, 16, 128, 3, 1, 1, 4),
]


def latest_benchmark(root):
    found = [p for p in root.glob("target/release/deps/convolution-*") if p.suffix == "" and os.access(p, os.X_OK)]
    if not found:
        sys.exit("no benchmark is built: run `cargo bench --bench convolution --no-run` first")
    return max(found, key=lambda p: p.stat().st_mtime)


def fast(times):
    return sorted(times)[len(times) // 10]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--skip", type=int, default=0, help="so many shapes")
    arguments.add_argument("--program", help="the built benchmark, where it is not under `target/`")
    arguments.add_argument("--passes", default="forward,input,weight")
    arguments = arguments.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    import torch

    torch.set_num_threads(arguments.threads)
    root = pathlib.Path(__file__).resolve().parent.parent
    ours = subprocess.Popen(
        [arguments.program or latest_benchmark(root), "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "RAYON_NUM_THREADS": str(arguments.threads)},
    )

    def time_ours(name, sizes, repeats):
        print(name, *sizes, repeats, file=ours.stdin, flush=True)
        return [float(t) for t in ours.stdout.readline().split()]

    def time_torch(run, repeats):
        run()
        times = []
        for _ in range(repeats):
            start = time.perf_counter_ns()
            run()
            times.append(time.perf_counter_ns() - start)
        return times

    print(f"{'shape':28} {'pass':8} {'ours us':>9} {'GF/s':>6} {'torch us':>9} {'GF/s':>6} {'ratio':>6} {'quiet':>6}")
    ratios, quiet_ratios = [], []
    for n, c, side, o, k, *more in SHAPES[arguments.skip :]:
        k = k if isinstance(k, tuple) else (k, k)
        stride, padding, groups = more + [1, None, 1][len(more):]
        padding = (k[0] // 2, k[1] // 2) if padding is None else (padding, padding)
        label = f"{n}x{c}->{o} {side}x{side} {k[0]}x{k[1]}" + f"/{stride}" * (stride > 1) + f" in {groups}" * (groups > 1)
        if arguments.only not in label:
            continue
        x, w = torch.rand(n, c, side, side), torch.rand(o, c // groups, *k)
        y = torch.nn.functional.conv2d(x, w, stride=stride, padding=padding, groups=groups)
        sizes = (n, c, side, side, o, *k, stride, *padding, groups)
        operations = 2 * y.numel() * c // groups * k[0] * k[1]
        backward = torch.ops.aten.convolution_backward
        common = (None, [stride] * 2, padding, [1, 1], False, [0, 0], groups)
        runs = {
            "forward": lambda: torch.nn.functional.conv2d(x, w, stride=stride, padding=padding, groups=groups),
            "input": lambda: backward(y, x, w, *common, [True, False, False]),
            "weight": lambda: backward(y, x, w, *common, [False, True, False]),
        }
        for name, run in runs.items():
            if name not in arguments.passes:
                continue
            repeats = max(3, min(30, int(3e8 / operations)))
            mine, theirs = [], []
            with torch.no_grad():
                for _ in range(arguments.rounds):
                    mine += time_ours(name, sizes, repeats)
                    theirs += time_torch(run, repeats)
            quiet = fast(mine) / fast(theirs)
            mine, theirs = statistics.median(mine), statistics.median(theirs)
            ratios.append(mine / theirs)
            quiet_ratios.append(quiet)
            print(
                f"{label:28} {name:8} {mine / 1e3:9.1f} {operations / mine:6.1f} {theirs / 1e3:9.1f}"
                f" {operations / theirs:6.1f} {mine / theirs:6.2f} {quiet:6.2f}", flush=True,
            )
    ours.stdin.close()
    for name, values in [("medians", ratios), ("fast tenths", quiet_ratios)]:
        print(f"{name}: geometric mean of the ratios {statistics.geometric_mean(values):.2f}, worst {max(values):.2f}")


main()
