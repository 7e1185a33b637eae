"""Times our training steps, networks and layers beside PyTorch's, and prints the medians and their ratios as a table.

    python3 benches/against_pytorch/run.py [--only SUBSTRING] [--rounds N] [--threads 2] [--quick]

Each row has a process of its own on either side. After a short trial of PyTorch's four ways (eager and compiled, with and without
channels_last) the best of them and our side take turns, so that what else the machine does meets both. Results are kept under
`target/against_pytorch/`, where `--table` reads them again. `docs/benchmarks.md` says what is compared.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import venv

from rows import ROWS

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
    """A process that does the steps of one row when asked."""

    def __init__(self, command, row, threads, quiet=False):
        threads = str(threads)
        environment = os.environ | {
            "RAYON_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads,
            "TORCHINDUCTOR_CACHE_DIR": str(KEPT / "inductor"),
        }
        self.errors = subprocess.DEVNULL if quiet else None
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment,
        )
        self.receive()
        self.before = self.memory("VmRSS")
        self.facts = self.ask(json.dumps(row))
        self.steps = row["steps"]

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"{self.process.args[:2]} ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, line):
        print(line, file=self.process.stdin, flush=True)
        return self.receive()

    def times(self, units):
        """Seconds of a step, once for each unit."""
        return [nanoseconds / 1e9 / self.steps for nanoseconds in self.ask(units)]

    def memory(self, name):
        """Bytes, from what the system knows of the process."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name + ":"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


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


def try_ways(row, start_theirs, trials, key):
    """Seconds of a step in each of PyTorch's ways, from the file where they are known."""
    known = trials.facts.get(key, {})
    for way in WAYS:
        if way in known:
            continue
        try:
            with start_theirs(way, row | {"count": way == "eager"}, quiet="compile" in way) as side:
                first = side.times(1)[0]
                times = [first] if first > 2 else side.times(units_in(1, first * row["steps"], 50))
                known = known | {way: statistics.median(times)}
                if way == "eager":
                    known |= side.facts
        except Failure as failure:
            known = known | {way: None, f"{way} failed": str(failure)}
        trials.keep(key, known)
    return known


def measure(row, ours, theirs, rounds, seconds):
    """Medians of both sides in turn, and what else is known of them."""
    first = ours.times(1)[0] * row["steps"], theirs.times(1)[0] * row["steps"]
    rounds = max(2, min(rounds, round(seconds / max(sum(first), 0.01))))
    turn = seconds / rounds / 2
    times = [], []
    for _ in range(rounds):
        for side, each, found in zip((ours, theirs), first, times):
            found += side.times(units_in(turn, each, 400))
    mine, other = map(statistics.median, times)
    spread = [(statistics.quantiles(found, n=10)[0], statistics.quantiles(found, n=10)[8]) for found in times]
    sides = [
        {
            "seconds": median, "tenths": tenths, "units": len(found), "memory": side.memory("VmHWM") - side.before,
            "memory_in_all": side.memory("VmHWM"), **side.facts,
        }
        for median, tenths, found, side in zip((mine, other), spread, times, (ours, theirs))
    ]
    return {"ratio": other / mine, "ours": sides[0], "theirs": sides[1]}


def milliseconds(seconds):
    value = seconds * 1e3
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def table(results, ceilings, names):
    """The results as Markdown, group by group."""
    mebibytes = lambda side: f"{side['memory'] / 2**20:.0f}"
    lines = []
    for group in dict.fromkeys(row["group"] for row in ROWS):
        rows = [row for row in ROWS if row["group"] == group and row["name"] in results and row["name"] in names]
        if not rows:
            continue
        lines += [
            "", f"| {group} | ours, ms | PyTorch, ms | its way | ratio | images/s | its images/s | MiB | its MiB | arithmetic | its arithmetic |",
            "|---|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|",
        ]
        for row in rows:
            result = results[row["name"]]
            sides = result["ours"], result["theirs"]
            rates = [f"{row['images'] / side['seconds']:.3g}" if row["images"] else "" for side in sides]
            count = result.get("multiply_adds")
            shares = [f"{count / side['seconds'] / ceilings['multiply_adds']:.0%}" if count else "" for side in sides]
            cells = [
                row["name"], *(milliseconds(side["seconds"]) for side in sides), result["way"].replace("-", ", "),
                f"**{result['ratio']:.2f}**", *rates, *map(mebibytes, sides), *shares,
            ]
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
    arguments.add_argument("--passes", help="of convolutions: some of forward,input,weight")
    arguments.add_argument("--try-again", action="store_true", help="forget which of PyTorch's ways was best")
    arguments.add_argument("--trials-only", action="store_true", help="compile and try PyTorch's ways, and end")
    arguments.add_argument("--list", action="store_true", help="the names of the rows")
    arguments.add_argument("--table", action="store_true", help="print what has been measured before")
    arguments.add_argument("--ceilings", action="store_true", help="measure only what this machine can do at most")
    arguments.add_argument("--python", help="an interpreter that has PyTorch and torchvision")
    arguments.add_argument("--ours", help="our side, if it is built already")
    arguments = arguments.parse_args()
    rows = [row for row in ROWS if any(part in row["name"] for part in arguments.only.split("|"))]
    if arguments.quick:
        rows = [row for row in rows if row.get("params", {}).get("channels", 0) < 128]
        arguments.seconds, arguments.rounds = min(arguments.seconds, 5), min(arguments.rounds, 3)
    if arguments.passes:
        rows = [row | {"passes": arguments.passes.split(",")} for row in rows if row["kind"] == "convolution"]
        rows = [row | {"name": f"{row['name']}, {arguments.passes}"} for row in rows]
    if arguments.list:
        return print(*(row["name"] for row in rows), sep="\n")

    KEPT.mkdir(parents=True, exist_ok=True)
    results, trials, machine = Kept("results"), Kept("trials"), Kept("machine")
    threads = arguments.threads
    names = {row["name"] for row in rows}
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
    for row in rows if not arguments.table else []:
        key = f"{row['name']}, {threads} threads, {version}"
        if arguments.try_again:
            trials.facts.pop(key, None)
        start_theirs = lambda way, row, quiet=False: Side(
            [interpreter, str(HERE / "pytorch_side.py"), way, str(threads)], row, threads, quiet
        )
        try:
            known = try_ways(row, start_theirs, trials, key)
            if arguments.trials_only:
                print(row["name"], {way: known[way] and round(known[way] * 1e3, 1) for way in WAYS}, flush=True)
                continue
            way = min((way for way in WAYS if known[way] is not None), key=known.get)
            with Side([ours, "--serve"], row, threads) as mine, start_theirs(way, row) as other:
                if mine.facts["parameters"] != other.facts.get("parameters", []):
                    print(f"{row['name']}: the sides learn different numbers: {mine.facts} and {other.facts}", file=sys.stderr)
                result = measure(row, mine, other, arguments.rounds, arguments.seconds)
        except Failure as failure:
            print(f"{row['name']}: {failure}", file=sys.stderr)
            continue
        result |= {"way": way, "trial": {way: known[way] for way in WAYS}, "multiply_adds": known.get("multiply_adds")}
        results.keep(row["name"], result | {"threads": threads})
        print(
            f"{row['name']}: ours {milliseconds(result['ours']['seconds'])} ms, PyTorch {milliseconds(result['theirs']['seconds'])} ms"
            f" ({way}), ratio {result['ratio']:.2f}", flush=True,
        )
    if arguments.passes:
        return None
    print(table(results.facts, ceilings, names))


main()
