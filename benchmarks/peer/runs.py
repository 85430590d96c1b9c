"""Run both systems in separate processes, and store the results.

SCRATCH/cuts/TABLE-SEED has the rows for both; SCRATCH/ours/TABLE-SEED and, for each of KINDS, SCRATCH/KIND/TABLE-SEED
have answers.csv (predictions), run.json (seconds, version, failed) and log.txt. A failed run has no answers.csv; its
log has the error. Runs of this project also store learned.csv, the known rows without its test rows.
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
    "autogluon": "all known rows, of which this project holds out its test rows",
    "autogluon_same": "only the rows that this project is fitted on",
}


@dataclass(frozen=True, slots=True)
class RunFolders:
    """The folders of the runs of one table and one seed; `scratch` is an absolute path."""

    scratch: Path
    table: Table
    seed: int

    def of(self, kind: str) -> Path:
        """The folder of `kind`: cuts, ours, autogluon or autogluon_same."""
        return self.scratch / kind / f"{self.table.name}-{self.seed}"

    def ran(self, kind: str) -> bool:
        """Whether a run of `kind` is stored."""
        return (self.of(kind) / "run.json").exists()


def cut(folders: RunFolders, environment: Path) -> None:
    """Draw known and new rows, unless they are stored already."""
    if not (folders.of("cuts") / "truth.csv").exists():
        name, cuts = folders.table.name, folders.of("cuts")
        command = [str(environment / "bin/python"), "-m", "benchmarks.peer.cut", name, str(folders.seed), str(cuts)]
        subprocess.run(command, cwd=ROOT, env=_clean_environment(), check=True)


def run_theirs(folders: RunFolders, environment: Path, seconds: float, kind: Theirs) -> None:
    """Run AutoGluon in its own environment; `fit.py` writes the results."""
    out, cuts = _empty(folders.of(kind)), folders.of("cuts")
    known = folders.of("ours") / "learned.csv" if kind == "autogluon_same" else cuts / "known.csv"
    command = [str(environment / "bin/python"), "-m", "benchmarks.peer.fit", folders.table.name]
    command += [str(known), str(cuts / "new.csv"), str(out), str(seconds)]
    start = time.perf_counter()
    with (out / "log.txt").open("w", encoding="utf-8") as log:
        done = subprocess.run(command, cwd=ROOT, env=_clean_environment(), stdout=log, stderr=subprocess.STDOUT)
    if done.returncode:
        _write_run(out, time.perf_counter() - start, "AutoGluon", failed=True)


def run_ours(folders: RunFolders) -> None:
    """Run init, params and the pipeline in a clone of the last commit, timed; then score the new rows."""
    out, known, target = _empty(folders.of("ours")), folders.of("cuts") / "known.csv", folders.table.target
    problem = f"peer_{folders.table.name}"  # the repository has problems on some of these tables already
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    steps = [
        ["fullcircle", "init", str(known), "--target", target, "--name", problem],
        ["fullcircle", "params", f"problem={problem}"],
        ["dvc", "repro"],
    ]
    spent, log, failed = 0.0, [], False
    with tempfile.TemporaryDirectory() as folder:
        project = clone(Path(folder) / "project")
        try:
            for step in steps:
                timed = run(step, project)
                spent += timed.seconds
                log.append(timed.output)
            new, answers = folders.of("cuts") / "new.csv", out / "answers.csv"
            log.append(run(["fullcircle", "score", "dist/bundle", str(new), str(answers)], project).output)
            learned(known, project).to_csv(out / "learned.csv", index=False)
        except subprocess.CalledProcessError as error:
            log.append(f"{error}\n{error.output}")
            failed = True
    (out / "log.txt").write_text("\n".join(log), encoding="utf-8")
    _write_run(out, spent, f"fullcircle {commit}", failed=failed)


def learned(known: Path, project: Path) -> pd.DataFrame:
    """The rows of the file `known`, as text, that a run in `project` did not use as test rows.

    For equal rows, as many are left out as are test rows; which ones makes no difference. Raises ValueError if the
    run rejected rows, because their positions are then unknown.
    """
    rows = pd.read_csv(known, dtype=str, keep_default_na=False)
    every, tested = (pd.util.hash_pandas_object(pd.read_parquet(project / f), index=False) for f in (LABELLED, TEST))
    if len(every) != len(rows):
        raise ValueError(f"{known}: {len(rows):,} rows, of which {len(every):,} were kept")
    left_out = every.map(tested.value_counts()).fillna(0)
    return rows[(every.groupby(every).cumcount() >= left_out).to_numpy()]


def _clean_environment() -> dict[str, str]:
    """The environment without variables that would make another interpreter find the packages of this one."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _write_run(out: Path, seconds: float, version: str, *, failed: bool) -> None:
    result = {"seconds": seconds, "version": version, "failed": failed}
    (out / "run.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
