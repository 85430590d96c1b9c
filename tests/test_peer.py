"""The comparison with AutoGluon: cuts of tables, and the evaluation of both systems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from benchmarks.peer.cut import is_new
from benchmarks.peer.metrics import Cut, Predictions, gains, interval, measure, read_cut, read_predictions, verdict
from benchmarks.peer.report import report
from benchmarks.peer.runs import RunFolders, learned
from benchmarks.peer.tables import TABLES, Table, Task

from fullcircle.core.paths import LABELLED, TEST

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(5)
TARGET = {
    "binary": RNG.permutation(np.repeat(["no", "yes"], [120, 80])).astype(object),
    "multiclass": RNG.permutation(np.repeat(["a", "b", "c"], [90, 70, 40])).astype(object),
    "regression": RNG.normal(50, 10, 200),
}


def predictions(task: Task, noise: float, seed: int) -> tuple[Cut, Predictions]:
    """Predictions for 200 rows: the truth plus `noise` times standard normal noise."""
    truth, rng = TARGET[task], np.random.default_rng(seed)
    cut = Cut(task, truth, truth)
    if task == "regression":
        return cut, Predictions(truth + noise * rng.normal(size=len(truth)), np.empty((len(truth), 0)), 0)
    score = (truth[:, None] == np.array(cut.classes, dtype=object)) + noise * rng.normal(size=(200, len(cut.classes)))
    probability = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    return cut, Predictions(np.array(cut.classes, dtype=object)[probability.argmax(axis=1)], probability, 0)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_more_accurate_predictions_win(task: Task) -> None:
    (cut, near), (_, far) = predictions(task, 0.5, 1), predictions(task, 2.0, 2)
    assert verdict(*interval([gains(cut, near, far, 200)])) == "win"
    assert verdict(*interval([gains(cut, far, near, 200)])) == "loss"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_equally_accurate_predictions_tie(task: Task) -> None:
    (cut, one), (_, other) = predictions(task, 1.0, 3), predictions(task, 1.0, 4)
    drawn = gains(cut, one, other, 200)
    assert drawn.std() > 0
    assert verdict(*interval([drawn])) == "tie"


def test_equal_predictions_have_no_difference() -> None:
    cut, one = predictions("binary", 1.0, 3)
    assert gains(cut, one, one, 20).tolist() == [0.0] * 20


def test_several_cuts_narrow_the_interval() -> None:
    (cut, one), (_, other) = predictions("regression", 1.0, 3), predictions("regression", 1.1, 4)
    first = gains(cut, one, other, 400)
    several = [first, *(np.random.default_rng(i).permutation(first) for i in range(3))]
    low, high = interval([first])
    low_of_4, high_of_4 = interval(several)
    assert high_of_4 - low_of_4 < 0.7 * (high - low)


def test_a_row_without_a_prediction_gets_the_class_shares_and_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("row,prediction,probability_no,probability_yes\n1,yes,0.1,0.9\n3,no,0.7,0.3\n", encoding="utf-8")
    cut = Cut("binary", np.array(["no", "no", "no", "yes"], dtype=object), np.array(["yes", "yes", "no"], dtype=object))
    read = read_predictions(file, cut)
    assert read.missing == 1
    assert read.prediction.tolist() == ["yes", "no", "no"]
    assert read.probability == pytest.approx(np.array([[0.1, 0.9], [0.75, 0.25], [0.7, 0.3]]))


def test_a_missing_number_is_the_mean_of_known_rows(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("row,prediction,lower,upper\n2,5.5,4,7\n", encoding="utf-8")
    read = read_predictions(file, Cut("regression", np.array([1.0, 3.0]), np.array([1.0, 5.0])))
    assert (read.prediction.tolist(), read.missing) == ([2.0, 5.5], 1)


def test_an_unknown_class_has_a_finite_loss(tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text("row,prediction,probability_a,probability_b\n1,a,1,0\n2,b,0,1\n", encoding="utf-8")
    truth = np.array(["c", "b"], dtype=object)
    cut = Cut("multiclass", np.array(["a", "b"], dtype=object), truth)
    assert measure(cut, read_predictions(file, cut)) == pytest.approx(-np.log(1e-6) / 2, rel=1e-3)


def test_classes_that_look_like_numbers_or_nulls_stay_text(tmp_path: Path) -> None:
    for name in ("known.csv", "truth.csv"):
        (tmp_path / name).write_text("x,y\n1,NA\n2,01\n", encoding="utf-8")
    cut = read_cut(Table("made/up", "binary", "y"), tmp_path)
    assert cut.classes == ["01", "NA"]
    (tmp_path / "answers.csv").write_text(
        "row,prediction,probability_NA,probability_01\n1,NA,1,0\n2,01,0,1\n", encoding="utf-8"
    )
    assert measure(cut, read_predictions(tmp_path / "answers.csv", cut)) == 1.0


def test_every_class_has_the_same_share_of_new_rows() -> None:
    groups = pd.Series(["a"] * 100 + ["b"] * 10 + ["c"])
    new = is_new(groups, 3)
    assert new.groupby(groups).sum().to_dict() == {"a": 20, "b": 2, "c": 0}


def test_a_cut_depends_only_on_its_seed() -> None:
    groups = pd.Series(["a"] * 100)
    assert is_new(groups, 3).equals(is_new(groups, 3))
    assert not is_new(groups, 3).equals(is_new(groups, 4))


def test_learned_rows_are_those_that_are_not_test_rows(tmp_path: Path) -> None:
    known = pd.DataFrame({"x": ["01", "02", "01", "01", "NA"], "y": ["a", "b", "a", "a", "b"]})
    known.to_csv(tmp_path / "known.csv", index=False)
    labelled = pd.DataFrame({"x": [1.0, 2.0, 1.0, 1.0, np.nan], "target": [0.0, 1.0, 0.0, 0.0, 1.0]})
    for file, rows in ((LABELLED, labelled), (TEST, labelled.iloc[[0, 3, 4]])):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        rows.to_parquet(tmp_path / file)
    assert learned(tmp_path / "known.csv", tmp_path).values.tolist() == [["02", "b"], ["01", "a"]]
    labelled.iloc[:4].to_parquet(tmp_path / LABELLED)
    with pytest.raises(ValueError, match="5 rows, of which 4 were kept"):
        learned(tmp_path / "known.csv", tmp_path)


def test_each_kind_of_autogluon_run_has_its_verdict(tmp_path: Path) -> None:
    stored(tmp_path, "autogluon", 3, 60)
    stored(tmp_path, "autogluon_same", 0.5, 60)
    folders = stored(tmp_path, "ours", 1, 50)
    assert report([folders], "autogluon", 60).splitlines()[2].endswith("| win |")
    assert report([folders], "autogluon_same", 60).splitlines()[2].endswith("| loss |")


def stored(scratch: Path, kind: str, noise: float | None, seconds: float) -> RunFolders:
    """A regression table with the stored run of one system; `noise` None: the run failed."""
    folders = RunFolders(scratch, Table("made/up", "regression", "y"), 0)
    for folder in (folders.of("cuts"), folders.of(kind)):
        folder.mkdir(parents=True, exist_ok=True)
    truth = pd.DataFrame({"y": TARGET["regression"]})
    truth.assign(x=1).to_csv(folders.of("cuts") / "known.csv", index=False)
    truth.assign(x=1)[["x"]].to_csv(folders.of("cuts") / "new.csv", index=False)
    truth.to_csv(folders.of("cuts") / "truth.csv", index=False)
    result = {"seconds": seconds, "version": kind, "failed": noise is None}
    (folders.of(kind) / "run.json").write_text(json.dumps(result), encoding="utf-8")
    if noise is not None:
        prediction = predictions("regression", noise, 1)[1].prediction
        pd.DataFrame({"row": range(1, 201), "prediction": prediction}).to_csv(
            folders.of(kind) / "answers.csv", index=False
        )
    return folders


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ((1, 50), (3, 60), "win"),
        ((3, 50), (1, 60), "loss"),
        ((1, 61), (3, 60), "loss (late)"),
        ((None, 5), (3, 60), "loss (no predictions)"),
        ((1, 5), (None, 60), "win (AutoGluon: no predictions)"),
    ],
)
def test_the_verdict_depends_on_metric_and_time(
    tmp_path: Path, ours: tuple[float | None, float], theirs: tuple[float | None, float], expected: str
) -> None:
    stored(tmp_path, "autogluon", *theirs)
    lines = report([stored(tmp_path, "ours", *ours)], "autogluon", 60).splitlines()
    assert lines[2].endswith(f"| {expected} |")
    assert lines[4 + 2] == "regression: {} won, {} tied, {} lost  ".format(
        *(int(expected.startswith(x)) for x in ("win", "tie", "loss"))
    )


def test_a_table_without_both_runs_has_no_verdict(tmp_path: Path) -> None:
    lines = report([stored(tmp_path, "ours", 1, 5)], "autogluon", 60).splitlines()
    assert lines[2].endswith("|  |")
    assert lines[-3] == "all: 0 won, 0 tied, 0 lost  "


def test_table_names_are_unique_and_valid_for_a_problem_file() -> None:
    names = [table.name for table in TABLES]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
