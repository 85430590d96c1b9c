"""Idle: `dvc repro` with nothing changed, compared with a project of eight empty stages.

`python -m benchmarks.idle` also removes parts of the pipeline, to measure the cost of each.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from benchmarks.measure import Figure, clone, ratio, run

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = 5
EMPTY = "stages:\n" + "".join(
    f"  stage{i}:\n    cmd: echo {i} > {i}.txt\n    deps: [{i - 1}.txt]\n    outs: [{i}.txt]\n" for i in range(1, 9)
)


def measure() -> list[Figure]:
    """Alternate both projects, after one run of each."""
    with tempfile.TemporaryDirectory() as folder:
        project, empty = _projects(Path(folder))
        return [_against(empty, project, "dvc repro with nothing changed / eight empty stages, time")]


def taken_apart() -> list[Figure]:
    """The same figure with parts of the pipeline removed from `dvc.yaml` and `dvc.lock`."""
    with tempfile.TemporaryDirectory() as folder:
        project, empty = _projects(Path(folder))
        figures = [_against(empty, project, "as it is")]
        for name, remove in LESS.items():
            less = Path(folder) / "less"
            shutil.copytree(project, less)
            for file in ("dvc.yaml", "dvc.lock"):
                content = yaml.safe_load((less / file).read_text(encoding="utf-8"))
                remove(content)
                (less / file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
            figures.append(_against(empty, less, name))
            shutil.rmtree(less)
    return figures


def _projects(folder: Path) -> tuple[Path, Path]:
    """This project and an empty one, both after a run."""
    project, empty = clone(folder / "project"), folder / "empty"
    empty.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=empty, check=True)
    run(["dvc", "init", "-q"], empty)
    (empty / "0.txt").write_text("0\n")
    (empty / "dvc.yaml").write_text(EMPTY)
    run(["dvc", "repro"], empty)
    run(["dvc", "repro"], project)
    return project, empty


def _against(empty: Path, project: Path, name: str) -> Figure:
    ours, theirs = [], []
    for _ in range(PAIRS):
        idle = run(["dvc", "repro"], project)
        assert "Running stage" not in idle.output, idle.output
        ours.append(idle.seconds)
        theirs.append(run(["dvc", "repro"], empty).seconds)
    return ratio(name, ours, theirs, 1.6)


def _without_parameters(content: dict[str, Any]) -> None:
    for stage in content["stages"].values():
        stage.pop("params", None)


def _without_code(content: dict[str, Any]) -> None:
    for stage in content["stages"].values():
        stage["deps"] = [dep for dep in stage["deps"] if not _path(dep).startswith("src/")]


def _path(dep: str | dict[str, Any]) -> str:
    return dep if isinstance(dep, str) else str(dep["path"])


def _without_interpolation(content: dict[str, Any]) -> None:
    for stage in content["stages"].values():
        stage["deps"] = ["conf/data/flights.yaml" if dep == "${problem.data}" else dep for dep in stage["deps"]]


def _without_plots(content: dict[str, Any]) -> None:
    content.pop("plots", None)


def _without_all(content: dict[str, Any]) -> None:
    for remove in list(LESS.values())[:-1]:
        remove(content)


LESS: dict[str, Callable[[dict[str, Any]], None]] = {
    "without parameters": _without_parameters,
    "without code among the dependencies": _without_code,
    "without an interpolation": _without_interpolation,
    "without plots": _without_plots,
    "without any of these": _without_all,
}


if __name__ == "__main__":
    for figure in taken_apart():
        print(figure, flush=True)
