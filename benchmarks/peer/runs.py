"""Runs of either side, each in processes of its own, and where they are kept.

SCRATCH/cuts/TABLE-SEED holds the rows both sides get; SCRATCH/ours/TABLE-SEED and SCRATCH/KIND/TABLE-SEED, of each of
KINDS, what became of a run: answers.csv, run.json (seconds, version) and log.txt. A run without answers has failed: its
run.json says so, and its log why. Ours keeps learned.csv too, the known rows without its own test side.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import pandas as pd

from benchmarks.measure import ROOT, clone, run
from benchmarks.peer.tables import Table
from fullcircle.core.paths import LABELLED, TEST

Theirs: TypeAlias = Literal["autogluon", "autogluon_same"]

KINDS: dict[Theirs, str] = {
    "autogluon": "all known rows, of which ours keeps its test side out",
    "autogluon_same": "the rows that ours learns from, and no more",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the runs of one table and one seed are kept; `scratch` is an absolute path."""

    scratch: Path
    table: Table
    seed: int

    def of(self, kind: str) -> Path:
        """The folder of `kind`: cuts, ours, autogluon or autogluon_same."""
        return self.scratch / kind / f"{self.table.name}-{self.seed}"

    def ran(self, kind: str) -> bool:
        """Whether a run of `kind` is kept."""
        return (self.of(kind) / "run.json").exists()


def cut(place: Place, environment: Path) -> None:
    """Draw the known and the new rows, unless they are kept from an earlier run."""
    if not (place.of("cuts") / "truth.csv").exists():
        name, folder = place.table.name, place.of("cuts")
        command = [str(environment / "bin/python"), "-m", "benchmarks.peer.cut", name, str(place.seed), str(folder)]
        subprocess.run(command, cwd=ROOT, env=_alone(), check=True)


def run_theirs(place: Place, environment: Path, seconds: float, kind: Theirs) -> None:
    """AutoGluon, in its own environment; `fit.py` writes what is kept."""
    out, cuts = _emptied(place.of(kind)), place.of("cuts")
    known = place.of("ours") / "learned.csv" if kind == "autogluon_same" else cuts / "known.csv"
    command = [str(environment / "bin/python"), "-m", "benchmarks.peer.fit", place.table.name]
    command += [str(known), str(cuts / "new.csv"), str(out), str(seconds)]
    start = time.perf_counter()
    with (out / "log.txt").open("w", encoding="utf-8") as log:
        done = subprocess.run(command, cwd=ROOT, env=_alone(), stdout=log, stderr=subprocess.STDOUT)
    if done.returncode:
        _keep(out, time.perf_counter() - start, "AutoGluon", failed=True)


def run_ours(place: Place) -> None:
    """A fresh clone of the last commit: init, params and the pipeline are timed; the answers come from its bundle."""
    out, known, target = _emptied(place.of("ours")), place.of("cuts") / "known.csv", place.table.target
    problem = f"peer_{place.table.name}"  # the repository has problems on some of these tables already
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    steps = [
        ["fullcircle", "init", str(known), "--target", target, "--name", problem],
        ["fullcircle", "params", f"problem={problem}"],
        ["dvc", "repro"],
    ]
    spent, said, failed = 0.0, [], False
    with tempfile.TemporaryDirectory() as folder:
        project = clone(Path(folder) / "project")
        try:
            for step in steps:
                timed = run(step, project)
                spent += timed.seconds
                said.append(timed.output)
            asked, answers = place.of("cuts") / "new.csv", out / "answers.csv"
            said.append(run(["fullcircle", "score", "dist/bundle", str(asked), str(answers)], project).output)
            learned(known, project).to_csv(out / "learned.csv", index=False)
        except subprocess.CalledProcessError as error:
            said.append(f"{error}\n{error.output}")
            failed = True
    (out / "log.txt").write_text("\n".join(said), encoding="utf-8")
    _keep(out, spent, f"fullcircle {commit}", failed=failed)


def learned(known: Path, project: Path) -> pd.DataFrame:
    """The rows of the file `known`, as text, that a run in `project` did not put on its test side.

    Of rows of equal content as many are left out as are tested: which of them makes no difference. Raises ValueError
    if the run set rows aside, for then their places are not known.
    """
    rows = pd.read_csv(known, dtype=str, keep_default_na=False)
    every, tested = (pd.util.hash_pandas_object(pd.read_parquet(project / f), index=False) for f in (LABELLED, TEST))
    if len(every) != len(rows):
        raise ValueError(f"{known}: {len(rows):,} rows, of which {len(every):,} were kept")
    left_out = every.map(tested.value_counts()).fillna(0)
    return rows[(every.groupby(every).cumcount() >= left_out).to_numpy()]


def _alone() -> dict[str, str]:
    """This process's environment without what would lead another interpreter to this one's packages."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _keep(out: Path, seconds: float, version: str, *, failed: bool) -> None:
    told = {"seconds": seconds, "version": version, "failed": failed}
    (out / "run.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
