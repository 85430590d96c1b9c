"""Busy: time of `train` on the flights, with and without another busy process, as ratios to OpenMP's default setting.

`python -m benchmarks.busy` measures the project's setting (`core/threads.py`); `python -m benchmarks.busy
GOMP_SPINCOUNT=5000 OMP_WAIT_POLICY=PASSIVE` measures others, each by itself. All runs have two cores.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Figure, clone, ratio, run
from fullcircle.core.threads import WAIT, WAITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROUNDS = 5
CORES = 2
DEFAULT = "GOMP_SPINCOUNT=300000"  # what GNU OpenMP does where nothing is set: 3 ms of spinning
BUSY, QUIET = 2.3, 1.04  # limits


def measure(settings: Sequence[str] = ("=".join(WAIT),)) -> list[Figure]:
    """Alternate runs of `train`: the default setting, then each of `settings` without and with a busy core."""
    default: list[float] = []
    quiet: dict[str, list[float]] = {setting: [] for setting in settings}
    busy: dict[str, list[float]] = {setting: [] for setting in settings}
    scorers = set()
    with tempfile.TemporaryDirectory() as folder, two_cores():
        project = clone(Path(folder) / "project")
        run(["dvc", "repro", "featurize"], project)
        for _ in range(ROUNDS):
            default.append(train(project, DEFAULT))
            scorers.add(scorer_hash(project))
            for setting in settings:
                quiet[setting].append(train(project, setting))
                scorers.add(scorer_hash(project))
                with busy_core():
                    busy[setting].append(train(project, setting))
                scorers.add(scorer_hash(project))
    figures = []
    for setting in settings:
        figures += [
            ratio(f"train with one busy core ({setting}) / default, time", busy[setting], default, BUSY),
            ratio(f"train ({setting}) / default, time", quiet[setting], default, QUIET),
        ]
    return [*figures, Figure("different scorers of these runs", len(scorers), "== 1", len(scorers) == 1, "same bytes")]


def train(project: Path, setting: str) -> float:
    """Seconds of the stage `train` with one setting of OpenMP."""
    unset = [word for name in WAITS for word in ("-u", name)]
    return run(["env", *unset, setting, sys.executable, "-m", "fullcircle.stages.train"], project).seconds


def scorer_hash(project: Path) -> str:
    """Hash of all files of the scorer."""
    total = hashlib.sha256()
    for file in sorted((project / "models/scorer").rglob("*")):
        if file.is_file():
            total.update(file.name.encode() + file.read_bytes())
    return total.hexdigest()


@contextmanager
def two_cores() -> Iterator[None]:
    """Run this process, and what it starts, on two cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:CORES])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def busy_core() -> Iterator[None]:
    """Another process that keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    for figure in measure(sys.argv[1:] or ("=".join(WAIT),)):
        print(figure, flush=True)
