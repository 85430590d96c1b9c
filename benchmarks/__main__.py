"""Run every benchmark and print its figures; exit code 1 if one misses its limit."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

from benchmarks import busy, cold, idle, scoring, sql, state, sweeps
from benchmarks.measure import ROOT


def main() -> None:
    """Measure the last commit; warn if there are uncommitted changes."""
    dirty = subprocess.run(
        ["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    if dirty:
        print("The last commit is measured, without these changes:", dirty, sep="\n")
    figures = []
    for benchmark in (idle, cold, busy, sql, sweeps, scoring, state):
        for figure in benchmark.measure():
            print(figure, flush=True)
            figures.append(figure)
    sys.exit(0 if all(figure.passed for figure in figures) else 1)


if __name__ == "__main__":
    main()
