"""Measure time and peak memory of commands; ratios of repeated runs with their spread."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Timed:
    """A successful command: wall-clock `seconds`, and `peak` resident memory of its largest process in bytes."""

    seconds: float
    peak: int
    output: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: name, value, limit, whether it passed, and its spread (`noise`)."""

    name: str
    value: float
    limit: str
    passed: bool
    noise: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.passed else 'MISS'}  {self.name:<58} {self.value:8.3f}  {self.limit:<9} {self.noise}"


def run(command: list[str], folder: Path) -> Timed:
    """Run a command in a folder, with the tools of this environment; raises CalledProcessError with its output."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # otherwise every stage would compile the project's modules again
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return Timed(seconds, usage.ru_maxrss * 1024, output)


def clone(folder: Path) -> Path:
    """A clean clone of the last commit, with an empty cache."""
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


def ratio(name: str, ours: list[float], theirs: list[float], at_most: float) -> Figure:
    """The median ratio of paired runs, with the lowest and the highest."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    middle = statistics.median(ratios)
    seconds = f"{statistics.median(ours):.1f} s against {statistics.median(theirs):.1f} s"
    spread = f"{len(ratios)} pairs: {min(ratios):.2f}..{max(ratios):.2f}; {seconds}"
    return Figure(name, middle, f"<= {at_most:g}", middle <= at_most, spread)
