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

SHAPES = [  # n, c, side, o, kernel
    (32, 64, 4, 64, 3), (16, 64, 4, 64, 3), (32, 65, 4, 64, 3), (32, 64, 8, 64, 3), (16, 64, 8, 64, 3),
    (32, 64, 16, 32, 3), (32, 32, 16, 32, 3), (32, 64, 16, 64, 3),
    (32, 32, 32, 16, 3), (32, 16, 32, 16, 3), (32, 16, 32, 32, 3), (32, 1, 32, 16, 3),
    (32, 1, 32, 16, 1), (32, 16, 32, 1, 1), (32, 16, 32, 32, 1), (32, 32, 32, 16, 1),
    (32, 64, 16, 32, 1), (32, 32, 16, 64, 1), (32, 64, 8, 64, 1), (32, 64, 4, 64, 1), (32, 1, 4, 64, 1),
    (32, 48, 16, 32, 1), (32, 32, 16, 8, 3), (32, 32, 8, 8, 3), (32, 32, 4, 8, 3), (32, 16, 8, 32, 1), (32, 24, 4, 32, 1),
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
    arguments.add_argument("--passes", default="forward,input,weight")
    arguments = arguments.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    import torch

    torch.set_num_threads(arguments.threads)
    root = pathlib.Path(__file__).resolve().parent.parent
    ours = subprocess.Popen(
        [latest_benchmark(root), "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
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
    for n, c, side, o, k in SHAPES:
        label = f"{n}x{c}->{o} {side}x{side} {k}x{k}"
        if arguments.only not in label:
            continue
        padding = k // 2
        sizes = (n, c, side, side, o, k, 1, padding)
        operations = 2 * n * o * side * side * c * k * k
        x, w = torch.rand(n, c, side, side), torch.rand(o, c, k, k)
        y = torch.rand(n, o, side, side)
        backward = torch.ops.aten.convolution_backward
        common = (None, [1, 1], [padding, padding], [1, 1], False, [0, 0], 1)
        runs = {
            "forward": lambda: torch.nn.functional.conv2d(x, w, padding=padding),
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
