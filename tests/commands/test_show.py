from __future__ import annotations

import csv
import io
import json
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fullcircle.base.errors import ConfigError
from fullcircle.commands.experiments import Experiment, experiments
from fullcircle.commands.show import as_csv, differing, of_problem, ordered, table

if TYPE_CHECKING:
    from tests.conftest import Project

FLIGHTS = {"problem.name": "flights", "problem.metric": "auc", "problem.target.task": "binary"}
PRICES = {"problem.name": "prices", "problem.metric": "r2", "problem.target.task": "regression"}
MAIN = Experiment(
    "main", "a" * 40, None, FLIGHTS | {"model.name": "linear", "model.c": 1.0, "train.refit": True},
    {"auc": 0.7312345, "rounds": 12, "logloss": 0.5, "val_auc": 0.71234}, "blessed",
)  # fmt: skip
DEEP = Experiment(
    "deep", "b" * 40, "a" * 40, FLIGHTS | {"model.name": "forest", "train.refit": True}, {"auc": 0.7412345}, "rejected"
)
OTHER = Experiment("other", "c" * 40, "a" * 40, PRICES | {"model.name": "dummy", "train.refit": False}, {"r2": 0.5})


def test_parameters_that_differ_are_shown_with_the_verdict_and_four_digits() -> None:
    assert differing([MAIN, DEEP]) == ["model.name"]
    lines = table([MAIN, DEEP]).splitlines()
    assert lines[0].split() == ["experiment", "verdict", "val_auc", "auc", "ap", "brier", "ece", "f1", "rounds", "name"]
    assert lines[1].split() == ["main", "blessed", "0.7123", "0.7312", "12", "linear"]
    assert lines[2].split() == ["deep", "rejected", "0.7412", "forest"]


def test_a_parameter_of_few_models_is_not_compared() -> None:
    deep = [replace(DEEP, params=DEEP.params | {"model.depth": i}) for i in range(3)]
    assert "model.depth" in differing([MAIN, *deep])
    assert "model.depth" not in differing([MAIN, MAIN, *deep[:2]])


def test_other_problems_have_tables_of_their_own() -> None:
    assert of_problem([MAIN, DEEP, OTHER]) == [MAIN, DEEP]
    assert table([OTHER]).split()[:6] == ["experiment", "val_r2", "r2", "rmse", "mae", "coverage"]


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_no_name_and_no_number_is_cut(width: int) -> None:
    many = {f"model.parameter_number_{i}": i for i in range(30)}
    long = replace(DEEP, name="an-experiment-with-quite-a-long-name", params=DEEP.params | many)
    longer = replace(long, name="second", params=long.params | dict.fromkeys(many, 7654321))
    text = table([MAIN, long, longer], width)
    *lines, last = text.splitlines()
    assert all(len(line) <= max(width, 60) for line in lines)
    assert any(line.startswith("  an-experiment-with-quite-a-long-name  rejected") for line in lines)
    assert "…" not in text
    assert last.endswith("`fullcircle show --csv` has all")
    assert f"{30 + 10 - len(lines[0].split())} more columns do not fit" in last
    assert "do not fit" not in table([MAIN, long, longer], None)


def test_the_best_is_first_among_the_experiments_of_a_commit() -> None:
    worse, none = replace(DEEP, name="w", metrics={"auc": 0.6, "ece": 0.01}), replace(DEEP, name="n", metrics={})
    assert [row.name for row in ordered([MAIN, none, worse, DEEP], "auc")] == ["main", "deep", "w", "n"]
    found = ordered([MAIN, replace(DEEP, metrics={"auc": 0.1, "ece": 0.2}), worse, none], "ece")
    assert [row.name for row in found] == ["main", "w", "deep", "n"]
    with pytest.raises(ConfigError, match=r"unknown metric: acu \(did you mean auc\?\)"):
        ordered([MAIN], "acu")


def test_csv_has_everything_in_full() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv([MAIN, DEEP, OTHER]))))
    assert [row["experiment"] for row in rows] == ["main", "deep", "other"]
    assert (rows[0]["auc"], rows[1]["auc"], rows[2]["r2"]) == ("0.7312345", "0.7412345", "0.5")
    assert (rows[0]["model.c"], rows[1]["model.c"]) == ("1.0", "")


def test_without_rows_there_is_no_table() -> None:
    assert table([]) == ""


def test_the_values_are_those_of_dvc_exp_show(copied: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    copied.run("dvc", "exp", "run", "-q", "-n", "flat", "-S", "model.max_depth=2", "-S", "model.max_rounds=30")
    copied.run("dvc", "exp", "run", "-q", "-n", "part", "-S", "model.max_depth=3", "-S", "model.max_rounds=20", "train")
    copied.run("git", "checkout", "-q", ".")
    monkeypatch.chdir(copied.folder)
    rows = {row.name: row for row in experiments()}
    assert [*rows] == ["main", "flat", "part"]
    theirs = {
        row["Experiment"] or row["rev"]: row
        for row in csv.DictReader(io.StringIO(copied.run("dvc", "exp", "show", "--csv").stdout))
    }
    for name in ("main", "flat"):
        for metric in ("val_auc", "auc", "ece", "f1", "rounds"):
            assert float(theirs[name][metric]) == pytest.approx(rows[name].metrics[metric], rel=1e-12)
        assert float(theirs[name]["model.max_depth"]) == rows[name].params["model.max_depth"]
    verdict = json.loads((copied.folder / "reports/verdict.json").read_text(encoding="utf-8"))["status"]
    assert rows["main"].verdict == verdict
    assert rows["flat"].verdict in ("blessed", "rejected")
    # A model that was only trained has no test metrics of its own yet; DVC shows those of an earlier one.
    assert rows["part"].metrics["val_auc"] != rows["main"].metrics["val_auc"]
    assert "auc" not in rows["part"].metrics
    assert rows["part"].verdict == ""
    assert "auc" in theirs["part"]


def test_the_workspace_is_shown_where_it_differs(copied: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied.folder)
    assert [row.name for row in experiments()] == ["main"]
    copied.edit("params.yaml", "max_depth: 6", "max_depth: 9")
    workspace, main = experiments()
    assert (workspace.name, workspace.params["model.max_depth"]) == ("workspace", 9)
    assert (main.name, main.params["model.max_depth"]) == ("main", 6)
    assert "max_depth" in copied.run("fullcircle", "show").stdout


def test_experiments_on_earlier_commits_are_shown_on_request(copied: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied.folder)
    first = copied.run("git", "rev-parse", "HEAD").stdout.strip()
    copied.run("git", "update-ref", f"refs/exps/{first[:2]}/{first[2:]}/early", first)
    copied.run("git", "update-ref", "refs/exps/exec/EXEC_BASELINE", first)  # what DVC keeps for itself
    copied.run("git", "commit", "-q", "--allow-empty", "-m", "later")
    assert [row.name for row in experiments()] == ["main"]
    assert [row.name for row in experiments(all_commits=True)] == ["main", first[:7], "early"]


def test_five_hundred_experiments_are_shown_within_seconds(copied: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied.folder)
    params = Path("params.yaml").read_text(encoding="utf-8")
    head = copied.run("git", "rev-parse", "HEAD").stdout.strip()
    _make_experiments(params, head, 500)
    start = time.perf_counter()
    done = copied.run("fullcircle", "show")
    seconds = time.perf_counter() - start
    assert len(done.stdout.splitlines()) == 502
    assert seconds < 10  # 2 s alone; benchmarks/sweeps.py measures it


def _make_experiments(params: str, head: str, count: int) -> None:
    """Commits with their own params.yaml and metrics, by git's own fast import."""
    stream: list[str] = []
    for i in range(1, count + 1):
        metrics = json.dumps({"val_auc": i / 1000, "rounds": i})
        stream += [
            f"commit refs/exps/{head[:2]}/{head[2:]}/made-{i:03}",
            f"committer t <t@localhost> {1_700_000_000 + i} +0000", "data 4", "made", f"from {head}",
        ]  # fmt: skip
        for name, text in (
            ("params.yaml", params.replace("max_depth: 6", f"max_depth: {i}")),
            ("metrics/train.json", metrics),
        ):
            stream += [f"M 100644 inline {name}", f"data {len(text.encode())}", text]
    subprocess.run(["git", "fast-import", "--quiet"], input="\n".join([*stream, ""]).encode(), check=True)


def test_outside_a_repository_there_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fullcircle.base.errors import FullCircleError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(FullCircleError, match="git rev-parse: fatal"):
        experiments()
