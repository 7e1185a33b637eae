"""A Python with PyTorch: the one that runs if it has it, or one in a virtual environment under target/, made when it is missing."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = ["torch==2.15.0", "torchvision==0.29.2", "numpy"]


def require():
    """Goes on in the Python of the virtual environment where this one has no torch and torchvision."""
    if all(importlib.util.find_spec(name) for name in ("torch", "torchvision", "numpy")):
        return
    home = ROOT / "target" / "pytorch" / "venv"
    python = home / "bin" / "python"
    if pathlib.Path(sys.prefix) == home:
        sys.exit(f"{home} has no PyTorch: remove that folder and run again")
    if not python.exists():
        print(f"making {home} with {', '.join(PACKAGES)}", file=sys.stderr)
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    os.execv(python, [str(python), *sys.argv])
