"""Sweeps on the project: trials as DVC experiments; interrupted, killed, repeated and refused sweeps."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from fullcircle.sweep.trials import read_csv
from tests.conftest import Project

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK = ["model.max_rounds=12", "model.learning_rate=0.3", "model.patience=5"]
GRID = ["fullcircle", "sweep", "sweep=grid", "sweep.name=tested", "model.max_depth=3,4", *QUICK]


@pytest.fixture(scope="module")
def swept(reproduced: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after a sweep of two trials."""
    folder = tmp_path_factory.mktemp("swept") / "clone"
    shutil.copytree(reproduced.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    project = Project(folder)
    project.commit()
    project.run(*GRID)
    return project


def metrics(project: Project, revision: str) -> dict[str, float]:
    ref = project.run("git", "for-each-ref", "--format=%(refname)", f"refs/exps/**/{revision}").stdout.strip()
    found: dict[str, float] = json.loads(project.run("git", "show", f"{ref}:metrics/train.json").stdout)
    return found


def test_a_sweep_changes_only_its_own_folder(swept: Project) -> None:
    assert swept.run("git", "status", "--porcelain").stdout == "?? reports/sweeps/\n"
    assert sorted(path.name for path in (swept.folder / "reports/sweeps/tested").iterdir()) == [
        "index.html",
        "journal.jsonl",
        "trials.csv",
    ]


def test_every_trial_is_an_experiment_with_its_parameters_and_metrics(swept: Project) -> None:
    found = read_csv(swept.folder / "reports/sweeps/tested/trials.csv")
    assert [t.experiment for t in found] == ["tested-001", "tested-002"]
    for trial in found:
        assert metrics(swept, trial.experiment) == trial.metrics
    shown = swept.run("dvc", "exp", "show", "--csv").stdout
    assert "tested-001" in shown
    assert f"{found[1].value:g}" in shown


def test_an_applied_trial_is_reproduced_exactly_and_gets_a_verdict(swept: Project) -> None:
    wanted = metrics(swept, "tested-002")
    swept.run("dvc", "exp", "apply", "tested-002")
    assert swept.ran() == ["train", "validate", "package"]
    assert json.loads((swept.folder / "metrics/train.json").read_text(encoding="utf-8")) == wanted
    assert json.loads((swept.folder / "metrics/test.json").read_text(encoding="utf-8"))["auc"] > 0.6
    swept.run("git", "checkout", "-q", ".")
    swept.run("dvc", "checkout", "-q")


def test_a_trial_can_be_pushed_adopted_and_removed(swept: Project, tmp_path: Path) -> None:
    swept.run("git", "init", "-q", "--bare", str(tmp_path / "bare"))
    swept.run("git", "push", "-q", str(tmp_path / "bare"), "HEAD")
    swept.run("dvc", "exp", "push", "--no-cache", str(tmp_path / "bare"), "tested-001")
    assert "tested-001" in swept.run("dvc", "exp", "list", str(tmp_path / "bare")).stdout
    swept.run("fullcircle", "adopt", "tested-002")
    assert "max_depth: 4" in (swept.folder / "params.yaml").read_text(encoding="utf-8")
    swept.run("git", "checkout", "-q", ".")
    swept.run("git", "clean", "-q", "-f", "conf")
    swept.run("dvc", "exp", "remove", "tested-001")
    assert "tested-001" not in swept.run("dvc", "exp", "list").stdout


def tree(folder: Path) -> dict[str, bytes]:
    skipped = {".git", ".dvc", "__pycache__"}
    files = (path for path in folder.rglob("*") if path.is_file() and not skipped & set(path.parts))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _no_scheduler(project: Project) -> list[str]:
    return ["engine=dask", "engine.address=tcp://127.0.0.1:9"]


def _dirty(project: Project) -> list[str]:
    project.edit("src/fullcircle/cli.py", "The command line", "The commands")
    return []


def _detached(project: Project) -> list[str]:
    project.run("git", "checkout", "-q", "--detach")
    return []


def _no_commit(project: Project) -> list[str]:
    shutil.rmtree(project.folder / ".git")
    project.run("git", "init", "-q")
    return []


def _stale(project: Project) -> list[str]:
    project.edit("params.yaml", "max_rejected: 0.02", "max_rejected: 0.03")
    project.edit("conf/defaults.yaml", "max_rejected: 0.02", "max_rejected: 0.03")
    project.commit()
    return []


def _otherwise(project: Project) -> list[str]:
    return ["split=random"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_no_scheduler, "no Dask scheduler answers at tcp://127.0.0.1:9"),
        (_dirty, "1 files differ from the last commit, e.g. src/fullcircle/cli.py"),
        (_detached, "HEAD is detached"),
        (_no_commit, "not a git repository with a commit"),
        (_stale, "clean, label would run"),
        (_otherwise, "split=random && dvc repro split` first"),
    ],
)
def test_a_refused_sweep_is_one_clear_error_and_changes_no_byte(
    copied: Project, spoil: Callable[[Project], list[str]], message: str
) -> None:
    more = spoil(copied)
    before = tree(copied.folder)
    done = copied.run(*GRID, *more, check=False)
    assert done.returncode == 1
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert tree(copied.folder) == before


def started(project: Project, *more: str) -> subprocess.Popen[str]:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(project.folder / "src"),
    }
    command = [*GRID, "model.l2=1,3,9", *more]
    return subprocess.Popen(
        command, cwd=project.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_interrupted_sweep_keeps_its_trials_and_resumes(copied: Project) -> None:
    journal = copied.folder / "reports/sweeps/tested/journal.jsonl"
    process = started(copied)
    wait_for(lambda: journal.exists() and journal.read_text(encoding="utf-8").count('"trial"') >= 2)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert "run the same command again to resume" in output
    assert "Traceback" not in output
    done = read_csv(journal.parent / "trials.csv")
    assert 2 <= len(done) < 6
    copied.run(*GRID, "model.l2=1,3,9")
    found = read_csv(journal.parent / "trials.csv")
    assert [replace(t, rank=None) for t in found[: len(done)]] == [replace(t, rank=None) for t in done]
    assert len({tuple(t.choices.items()) for t in found}) == 6
    assert all(t.experiment for t in found)


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has ended
        return ""


def test_the_trial_of_a_killed_worker_is_run_again(copied: Project) -> None:
    journal = copied.folder / "reports/sweeps/tested/journal.jsonl"
    process = started(copied, "engine=dask")
    wait_for(lambda: journal.exists() and '"trial"' in journal.read_text(encoding="utf-8"))
    children = psutil.Process(process.pid).children(recursive=True)
    (worker,) = [child for child in children if "spawn_main" in command_of(child)]
    worker.send_signal(signal.SIGKILL)
    process.communicate(timeout=180)
    found = read_csv(journal.parent / "trials.csv")
    assert [t.state for t in found] == ["complete"] * 6
