"""Kills at every rename of a stage, kills of `dvc repro` in the middle of stages, and other environments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.test_repro import hashes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Project

KILLED_AT = """
import itertools, os, pathlib, runpy, signal, sys
stage, at, when = sys.argv[1], int(sys.argv[2]), sys.argv[3]
numbers = itertools.count(1)

def counting(rename):
    def renamed(self, target):
        number = next(numbers)
        if number == at and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = rename(self, target)
        if number == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return renamed

pathlib.Path.replace = counting(pathlib.Path.replace)
pathlib.Path.rename = counting(pathlib.Path.rename)
sys.argv = [stage]
runpy.run_module(f"fullcircle.stages.{stage}", run_name="__main__")
"""

OUTPUTS = {
    "ingest": ["data/raw"],
    "clean": ["data/clean", "data/reference", "reports/clean.json"],
    "label": ["data/labelled", "reports/label.json"],
    "split": ["data/split", "reports/split.json"],
    "package": ["dist/bundle", "dist/reference", "dist/wheel", "reports/index.html"],
}


def contents(folder: Path, outputs: list[str]) -> dict[str, bytes]:
    """The files of some outputs, but for the remains of writers, which have names of their own."""
    files = [file for name in outputs for file in [folder / name, *(folder / name).rglob("*")] if file.is_file()]
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in files
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
    }


@pytest.mark.parametrize("stage", OUTPUTS)
def test_a_stage_that_is_killed_at_a_rename_leaves_each_file_old_or_new(copied: Project, stage: str) -> None:
    folder, outputs = copied.folder, OUTPUTS[stage]
    new = contents(folder, outputs)
    old = {name: b"old " + content for name, content in new.items()}
    kills = 0
    for at in range(1, 40):
        for when in ("before", "after"):
            for name, content in old.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
            done = copied.run("python", "-c", KILLED_AT, stage, str(at), when, check=False)
            for name, content in contents(folder, outputs).items():
                assert content in (old[name], new[name]), f"{name} after a kill {when} rename {at}"
            kills += done.returncode == -signal.SIGKILL
        if done.returncode == 0:
            break
    assert kills == 2 * (at - 1) > 0
    assert contents(folder, outputs) == new
    copied.run("python", "-m", f"fullcircle.stages.{stage}")
    left = [file for name in outputs for file in (folder / name).parent.rglob(".*") if file.name.endswith(".part")]
    assert left == []


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_kills_of_dvc_in_the_middle_of_stages_lose_nothing(copied: Project) -> None:
    expected = hashes(copied.folder / "dvc.lock")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(copied.folder / "src"),
    }
    for stage in ("ingest", "clean", "featurize", "train", "package"):
        running = copied.folder / f".dvc/tmp/fullcircle/running/{stage}.json"
        running.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "dvc", "repro", "--force"],
            cwd=copied.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(running.exists)
        process.send_signal(signal.SIGKILL)
        process.wait()
    copied.run("dvc", "repro")
    assert hashes(copied.folder / "dvc.lock") == expected
    assert copied.run("git", "status", "--porcelain").stdout == ""


@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Asia/Kathmandu"},
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
        {"PYTHONHASHSEED": "7"},
    ],
    ids=str,
)
def test_the_bytes_are_the_same_in_other_time_zones_locales_and_with_another_umask(
    copied: Project, environment: dict[str, str]
) -> None:
    folders = ("raw", "clean", "reference", "labelled", "split", "features")
    made = [*(f"data/{name}" for name in folders), "models/features", "dist", "reports"]
    before = contents(copied.folder, made)
    stages = ("ingest", "clean", "label", "split", "featurize", "validate", "package")
    script = "; ".join(["set -e", "umask 077", *(f"python -m fullcircle.stages.{stage}" for stage in stages)])
    copied.run("env", *(f"{name}={value}" for name, value in environment.items()), "bash", "-c", script)
    assert contents(copied.folder, made) == before
