"""Times our training steps, networks and layers beside PyTorch's, and prints the medians and their ratios as a table.

    python3 benches/against_pytorch/run.py [--only SUBSTRING] [--rounds N] [--threads 2] [--quick]

After a short trial of PyTorch's four ways (eager and compiled, with and without channels_last) the best of them and our side take
turns, so that what else the machine does meets both. Results are kept under `target/against_pytorch/`, where `--table` reads them
again. `docs/benchmarks.md` says what is compared.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import venv

from rows import LAYERS, PASSES, ROWS, conv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KEPT = ROOT / "target" / "against_pytorch"
WAYS = ["eager", "eager-channels_last", "compile", "compile-channels_last"]


class Kept:
    """Facts that outlive a run, as a file of JSON."""

    def __init__(self, name):
        self.path = KEPT / f"{name}.json"
        self.facts = json.loads(self.path.read_text()) if self.path.exists() else {}

    def keep(self, key, value):
        self.facts[key] = value
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.facts, indent=1, ensure_ascii=False))
        new.replace(self.path)


class Failure(Exception):
    """A side that ended before it had answered."""


class Side:
    """A process that does the steps of a row when asked."""

    def __init__(self, command, threads):
        threads = str(threads)
        environment = os.environ | {
            "RAYON_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads,
            "TORCHINDUCTOR_CACHE_DIR": str(KEPT / "inductor"),
        }
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.receive()
        self.before = self.memory("VmRSS")

    def begin(self, row):
        """Takes up a row, and tells what the process says of it."""
        self.steps = row["steps"]
        return self.ask(row)

    def times(self, units):
        """Seconds of a step, once for each unit."""
        return [nanoseconds / 1e9 / self.steps for nanoseconds in self.ask(units)]

    def ask(self, request):
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self.receive()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"{self.process.args} ended with {self.process.wait()}")
        return json.loads(line)

    def memory(self, name):
        """Bytes, from what the system knows of the process."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Sides:
    """Both sides' processes: new ones for each row, so that its memory can be told, or for single layers the same ones."""

    def __init__(self, ours, theirs, threads):
        self.commands, self.threads, self.running = {"ours": ours, "theirs": theirs}, threads, {}

    def begin(self, which, row):
        """A process that has taken up a row, and its facts."""
        side = self.running.get(which)
        if side and not (row["kind"] == side.kind == "convolution"):
            self.end(which)
        if which not in self.running:
            self.running[which] = Side(self.commands[which], self.threads)
        side = self.running[which]
        side.kind = row["kind"]
        try:
            return side, side.begin(row)
        except Failure:
            self.end(which)
            raise

    def end(self, *which):
        for name in which or list(self.running):
            self.running.pop(name).end()


def build():
    """Our side, built as cargo builds benchmarks."""
    command = ["cargo", "bench", "--bench", "against_pytorch", "--no-run", "--message-format=json"]
    messages = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    built = [json.loads(line).get("executable") for line in messages.splitlines()]
    return next(path for path in reversed(built) if path)


def python():
    """An interpreter with PyTorch and torchvision, in an environment of its own. What is installed already is used."""
    environment = KEPT / "venv"
    interpreter = environment / "bin" / "python"
    if not interpreter.exists():
        venv.create(environment, system_site_packages=True, with_pip=True)
    if subprocess.run([interpreter, "-c", "import torch, torchvision"], stderr=subprocess.DEVNULL).returncode != 0:
        subprocess.run([interpreter, "-m", "pip", "install", "torch", "torchvision"], check=True)
    return str(interpreter)


def units_in(seconds, each, most):
    return max(1, min(most, round(seconds / each)))


def try_ways(row, sides, trials, key, ways):
    """Seconds of a step in each of PyTorch's ways, from the file where they are known."""
    known = trials.facts.get(key, {})
    for way in ways:
        if way in known:
            continue
        try:
            side, facts = sides.begin("theirs", row | {"way": way, "count": way == "eager"})
            first = side.times(1)[0]
            times = [first] if first > 2 else side.times(units_in(0.7, first * row["steps"], 30))
            known = known | {way: statistics.median(times)} | (facts if way == "eager" else {})
        except Failure as failure:
            known = known | {way: None, f"{way} failed": str(failure)}
        trials.keep(key, known)
    return known


def measure(row, sides, way, rounds, seconds):
    """Medians of both sides in turn, and what else is known of them."""
    (ours, mine), (theirs, other) = sides.begin("ours", row), sides.begin("theirs", row | {"way": way})
    if mine["parameters"] != other.get("parameters", []):
        print(f"{row['name']}: the sides learn different numbers: {mine} and {other}", file=sys.stderr)
    both = ours, theirs
    first = [side.times(1)[0] * row["steps"] for side in both]
    rounds = max(2, min(rounds, round(seconds / max(sum(first), 0.01))))
    times = [], []
    for _ in range(rounds):
        for side, each, found in zip(both, first, times):
            found += side.times(units_in(seconds / rounds / 2, each, 400))
    results = []
    for side, found in zip(both, times):
        tenths = statistics.quantiles(found, n=10)
        results.append({
            "seconds": statistics.median(found), "tenths": [tenths[0], tenths[-1]], "units": len(found),
            "memory": side.memory("VmHWM") - side.before, "memory_in_all": side.memory("VmHWM"),
        })
    return {"ratio": results[1]["seconds"] / results[0]["seconds"], "ours": results[0], "theirs": results[1], "way": way}


def milliseconds(seconds):
    value = seconds * 1e3
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def table(results, ceilings, rows):
    """The results as Markdown, group by group."""
    rows = [row for row in rows if row["name"] in results]
    lines = []
    for group in dict.fromkeys(row["group"] for row in rows):
        lines += [
            "", f"| {group} | ours, ms | PyTorch, ms | its way | ratio | images/s | its images/s | MiB | its MiB | of peak | its share |",
            "|---|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|",
        ]
        for row in rows:
            if row["group"] != group:
                continue
            result = results[row["name"]]
            sides = result["ours"], result["theirs"]
            alone = row["kind"] != "convolution"
            count = result.get("multiply_adds")
            cells = [row["name"], *(milliseconds(side["seconds"]) for side in sides), result["way"].replace("-", ", ")]
            cells += [f"**{result['ratio']:.2f}**"]
            cells += [f"{row['images'] / side['seconds']:.3g}" if row["images"] else "" for side in sides]
            cells += [f"{side['memory'] / 2**20:.0f}" if alone else "" for side in sides]
            cells += [f"{count / side['seconds'] / ceilings['multiply_adds']:.0%}" if count else "" for side in sides]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    facts = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    family, model = facts["cpu family"].strip(), facts["model"].strip()
    return f"{facts['model name'].strip()} (family {family}, model {model})"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--only", default="", help="rows whose name holds this; several with | between them")
    arguments.add_argument("--rounds", type=int, default=7, help="turns of each side (fewer for slow rows)")
    arguments.add_argument("--seconds", type=float, default=30, help="of measuring in a row, both sides together")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--quick", action="store_true", help="a few seconds a row, and none of the rows that are slow")
    arguments.add_argument("--layers", action="store_true", help="instead, many more convolutions, each pass by itself")
    arguments.add_argument("--ways", default=",".join(WAYS), help="those of PyTorch's ways that are tried")
    arguments.add_argument("--try-again", action="store_true", help="forget which of PyTorch's ways was best")
    arguments.add_argument("--trials-only", action="store_true", help="compile and try PyTorch's ways, and end")
    arguments.add_argument("--list", action="store_true", help="the names of the rows")
    arguments.add_argument("--table", action="store_true", help="print what has been measured before")
    arguments.add_argument("--ceilings", action="store_true", help="measure only what this machine can do at most")
    arguments.add_argument("--python", help="an interpreter that has PyTorch and torchvision")
    arguments.add_argument("--ours", help="our side, if it is built already")
    arguments = arguments.parse_args()
    rows = [conv(*layer, passes=[name]) for layer in LAYERS for name in PASSES] if arguments.layers else ROWS
    rows = [row for row in rows if any(part in row["name"] for part in arguments.only.split("|"))]
    if arguments.quick:
        rows = [row for row in rows if row.get("params", {}).get("channels", 0) < 128]
        arguments.seconds, arguments.rounds = min(arguments.seconds, 5), min(arguments.rounds, 3)
    # A pass by itself is one call, of which nothing can be compiled.
    ways = [way for way in arguments.ways.split(",") if not (arguments.layers and "compile" in way)]
    if arguments.list:
        return print(*(row["name"] for row in rows), sep="\n")

    KEPT.mkdir(parents=True, exist_ok=True)
    results, trials, machine = Kept("results"), Kept("trials"), Kept("machine")
    threads = arguments.threads
    if not arguments.table:
        ours, interpreter = arguments.ours or build(), arguments.python or python()
        found = json.loads(subprocess.run(
            [ours, "--ceilings"], env=os.environ | {"RAYON_NUM_THREADS": str(threads)}, stdout=subprocess.PIPE, check=True,
        ).stdout)
        before = machine.facts.get(str(threads), {})
        machine.keep(str(threads), {name: max(value, before.get(name, 0)) for name, value in found.items()})
        version = subprocess.run([interpreter, "-c", "import torch; print(torch.__version__)"], stdout=subprocess.PIPE, text=True)
        version = version.stdout.strip()
        machine.keep("PyTorch", version)
    ceilings = machine.facts[str(threads)]
    print(
        f"{processor()}, {threads} threads, PyTorch {machine.facts['PyTorch']}; at most {ceilings['multiply_adds'] / 1e9:.0f} G "
        f"multiply-adds/s in registers and {ceilings['bytes'] / 1e9:.1f} GB/s to and from memory",
        flush=True,
    )
    if arguments.ceilings:
        return None
    if not arguments.table:
        sides = Sides([ours, "--serve"], [interpreter, str(HERE / "pytorch_side.py")], threads)
        for row in rows:
            key = f"{row['name']}, {threads} threads, {version}"
            if arguments.try_again:
                trials.facts.pop(key, None)
            try:
                known = try_ways(row, sides, trials, key, ways)
                tried = {way: known[way] for way in ways if known.get(way)}
                if arguments.trials_only:
                    print(row["name"], {way: milliseconds(seconds) for way, seconds in tried.items()}, flush=True)
                    continue
                result = measure(row, sides, min(tried, key=tried.get), arguments.rounds, arguments.seconds)
            except Failure as failure:
                print(f"{row['name']}: {failure}", file=sys.stderr)
                continue
            results.keep(row["name"], result | {"trial": tried, "multiply_adds": known.get("multiply_adds"), "threads": threads})
            print(
                f"{row['name']}: ours {milliseconds(result['ours']['seconds'])} ms, PyTorch"
                f" {milliseconds(result['theirs']['seconds'])} ms ({result['way']}), ratio {result['ratio']:.2f}", flush=True,
            )
        sides.end()
    print(table(results.facts, ceilings, rows))


main()
