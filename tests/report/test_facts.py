from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from fullcircle.base.errors import DataError
from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.core.config import compose, read_params
from fullcircle.core.tables import rounded, write_csv, write_json
from fullcircle.core.target import TargetDistribution
from fullcircle.evaluation.tasks import files_of, task_metrics
from fullcircle.report.card import render as render_card
from fullcircle.report.facts import gather
from fullcircle.report.files import numbers, numbers_by
from fullcircle.report.page import render
from fullcircle.report.terms import wording_of
from fullcircle.scoring.predictions import BinaryCalibration, MulticlassCalibration, RegressionCalibration
from tests import project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIDE = {"rows": 10, "positive": 0.3}
ANSWER = {
    "task": "binary",
    "negative": "on_time",
    "positive": "late",
    "slope": 1.0,
    "intercept": 0.0,
    "threshold": 0.25,
}
SLICE = {
    "column": "origin",
    "level": "EWR",
    "rows": 5,
    "mean": [0.2],
    "values": {"auc": None, "ece": None, "rec": None},
}
CHECK = {"name": "fog", "expect": "up", "held": 1.0, "needed": 0.8, "median_move": 0.1}
GATE = {
    "metric": "auc",
    "value": 0.7,
    "min": 0.6,
    "max": None,
    "margin": 0.1,
    "status": "passed",
    "why": "so",
}
REPORTS: dict[Path, Any] = {
    paths.RAW_MANIFEST: {"flights": {"origin": "a package", "rows": 11, "sha256": "ab", "schema": {}}},
    paths.CLEAN_REPORT: {
        "tables": {
            "flights": {"rows": 11, "kept": 10, "rejected": 1, "rules": {"odd": 1}, "corrected": {}, "missing": {}},
        },
        "point_in_time": {"rows_without_observation": 4},
    },
    paths.SCHEMA: {
        "inputs": {"distance": {"kind": "number"}}, "outcomes": ["arr_delay"], "moment": "then", "observed": "weather",
    },
    paths.LABEL_REPORT: {"target": "late", "task": "binary", "unlabelled": 0, "distribution": SIDE},
    paths.SPLIT_REPORT: {
        "kind": "time", "columns": ["year", "month", "day"], "train": SIDE, "validation": SIDE, "test": SIDE,
    },
    paths.FEATURES_REPORT: {
        "candidates": 2, "selected": ["a"], "doubtful": [], "cross_fitted": [], "dropped": [],
        "information": {"a": 0.1, "b": 0.0}, "train_rows": 10,
    },
    paths.TRAIN_REPORT: {
        "train_score": 0.8, "validation": {"auc": 0.7}, "one_rule": "a", "calibration": ANSWER,
        "validation_rows_with_unknown_levels": {},
    },
    paths.TEST_REPORT: {
        "task": "binary", "metric": "auc", "distribution": SIDE, "rejected": {}, "threshold": 0.25, "interval": 0.95,
        "resampled_by": ["day"], "metrics": {"auc": 0.7, "logloss": None},
        "intervals": {"auc": [0.6, 0.8], "logloss": [None, None]}, "slices": [SLICE], "behaviour": [CHECK],
        "baselines": {"dummy": {"auc": 0.5, "logloss": None}, "rule": {"auc": 0.6}, "rule_column": "a"},
    },
    paths.VERDICT: {"status": "blessed", "gates": [GATE]},
    paths.SCORER / "features.json": {"inputs": {"distance": {"kind": "number", "min": 0.0}}},
}  # fmt: skip
PLOTS = {
    paths.ROC: "class,fpr,tpr\nlate,0.0,0.0\nlate,1.0,1.0\n",
    paths.PRECISION_RECALL: "class,recall,precision\nlate,0.5,None\nlate,1.0,0.3\n",
    paths.RESIDUALS: "predicted,low,median,high,rows\n",
    paths.CALIBRATION: "predicted,observed,rows\n0.2,0.3,10\n",
    paths.IMPORTANCE: "feature,importance\na,0.0\n",
    paths.CONFUSION: "actual,predicted,rows\non_time,on_time,5\non_time,late,2\nlate,on_time,1\nlate,late,2\n",
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository in which a run of a model without rounds has just ended."""
    monkeypatch.chdir(tmp_path)
    paths.PARAMS.write_text(compose(conf=project.conf()), encoding="utf-8")
    files = {path: json.dumps(value) for path, value in REPORTS.items()}
    for path, text in (files | PLOTS).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    read_params.cache_clear()
    yield tmp_path
    read_params.cache_clear()  # the next test reads a file of its own


def test_gather_reads_what_the_stages_wrote(run: Path) -> None:
    facts = gather({"numpy": "2.4"})
    assert facts.problem.name == "departures"
    assert facts.unobserved == 4
    assert facts.tables["flights"].rules == {"odd": 1}
    assert facts.confusion.rows == ((5, 2), (1, 2))
    assert (facts.confusion.actual, facts.confusion.predicted) == ((7, 3), (6, 4))
    assert facts.curves.precision_recall == {"late": ((1.0, 0.3),)}
    assert facts.curves.residuals == ()
    assert facts.calibration == BinaryCalibration("binary", "on_time", "late", 1.0, 0.0, 0.25)
    assert facts.spread.positive == 0.3
    assert facts.fit.folds == 1
    assert facts.curves.learning == {}
    assert facts.fit.rounds is None
    assert facts.tested.behaviour[0].passed
    assert facts.inputs["distance"].min == 0
    assert facts.split.spans["test"] == f"from {facts.split.borders[1]}"
    assert facts.versions == {"numpy": "2.4"}


def test_what_gather_reads_can_be_shown(run: Path) -> None:
    facts = gather()
    assert "blessed" in render(facts)
    assert "`distance`" in render_card(facts)


def test_the_learning_curve_is_read_where_there_is_one(run: Path) -> None:
    folder = run / paths.CURVE / "plots" / "metrics"
    folder.mkdir(parents=True)
    (folder / "train.tsv").write_text("step\ttrain\n0\t0.6\n1\t0.5\n", encoding="utf-8")
    assert gather().curves.learning == {"train": ((0.0, 0.6), (1.0, 0.5))}


@pytest.mark.parametrize("kind", ["random", "group"])
def test_a_split_without_borders_is_described_by_its_shares(run: Path, kind: str) -> None:
    params = yaml.safe_load(paths.PARAMS.read_text(encoding="utf-8"))
    params["split"] = {"kind": kind, "columns": ["flight"], "validation": 0.2, "test": 0.1, "salt": "s"}
    paths.PARAMS.write_text(yaml.safe_dump(params), encoding="utf-8")
    write_json(paths.SPLIT_REPORT, REPORTS[paths.SPLIT_REPORT] | {"kind": kind, "columns": ["flight"]})
    read_params.cache_clear()
    spans = gather().split.spans
    assert spans["validation"].startswith("about 20% of all ")
    assert spans["test"].startswith("about 10% of all ")


def test_borders_that_are_text_are_shown_as_they_are(run: Path) -> None:
    params = yaml.safe_load(paths.PARAMS.read_text(encoding="utf-8"))
    params["split"] = {"kind": "time", "columns": ["t"], "validation_from": ["2024-02-01"], "test_from": ["2024-03-01"]}
    paths.PARAMS.write_text(yaml.safe_dump(params), encoding="utf-8")
    read_params.cache_clear()
    assert gather().split.spans["test"] == "from 2024-03-01"


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_what_evaluation_writes_of_other_tasks_is_read_and_shown(run: Path, task: str) -> None:
    several = task == "multiclass"
    classes = ("a", "b", "c") if several else ()
    target: dict[str, Any] = {"task": task, "name": "t", "column": "t"} | (
        {"classes": list(classes)} if several else {}
    )
    params = yaml.safe_load(paths.PARAMS.read_text(encoding="utf-8"))
    metric = "logloss" if several else "rmse"
    params["problem"] |= {"target": target, "costs": None, "moment": None, "metric": metric, "behaviour": []}
    params["split"] = {"kind": "random", "columns": [], "validation": 0.2, "test": 0.1, "salt": "s"}
    paths.PARAMS.write_text(yaml.safe_dump(params), encoding="utf-8")
    read_params.cache_clear()
    calibration: Any = (
        MulticlassCalibration("multiclass", classes, 1.5)
        if several
        else RegressionCalibration("regression", 10.0, 2.0, 3.0, 0.9)
    )
    of_task, random = task_metrics(len(classes)), np.random.default_rng(0)
    margin = random.normal(size=(60, 3 if several else 1))
    actual = np.arange(60.0) % 3 if several else 10 + 2 * margin[:, 0] + random.normal(size=60)
    predictions = of_task.predictions(calibration.predict(margin), actual, calibration, 5)
    for name, table in files_of(of_task.curves(predictions, calibration)).items():
        write_csv(paths.ON_TEST / f"{name}.csv", table)
    metrics, spread = of_task.evaluate(predictions), plain(TargetDistribution.of(actual, classes))
    values = {name: metrics[name] for name in (metric, *of_task.SLICED)}
    written: dict[Path, Any] = {
        paths.TRAIN_REPORT: REPORTS[paths.TRAIN_REPORT] | {"validation": metrics, "calibration": plain(calibration)},
        paths.SPLIT_REPORT: {"kind": "random", "columns": []} | dict.fromkeys(("train", "validation", "test"), spread),
        paths.LABEL_REPORT: REPORTS[paths.LABEL_REPORT] | {"by_month": {"2024-01": spread}},
        paths.TEST_REPORT: REPORTS[paths.TEST_REPORT]
        | {
            "task": task,
            "metric": metric,
            "distribution": spread,
            "metrics": metrics,
            "baselines": {"dummy": {metric: 2.0}, "rule": None, "rule_column": None},
            "intervals": {},
            "resampled_by": [],
            "slices": [{"column": "o", "level": "x", "rows": 9, "mean": [0.3] * margin.shape[1], "values": values}],
        },
    }
    for path, value in written.items():
        write_json(path, value)
    facts = gather()
    assert len(facts.confusion.rows) == len(classes)
    assert len(facts.curves.residuals) == (0 if several else 5)
    assert list(facts.curves.roc) == list(classes)
    page, say = render(facts), wording_of(facts)
    assert f'<td class="n strong">{say.value(metric, rounded(metrics[metric]))}</td>' in page
    assert "nan" not in page.lower().split("</style>")[1]
    assert "Highest" in page or several
    assert say.name(metric) in render_card(facts)


@pytest.mark.parametrize("path", [paths.VERDICT, paths.ROC])
def test_a_missing_file_is_named(run: Path, path: Path) -> None:
    path.unlink()
    with pytest.raises(DataError, match=f"{path.name} cannot be read.*dvc repro"):
        gather()


def test_numbers_are_grouped_by_a_column_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("class,x\nb,1\na,2\nb,None\nb,3\n", encoding="utf-8")
    assert numbers_by(path, "class", "x") == {"b": ((1.0,), (3.0,)), "a": ((2.0,),)}


def test_a_row_with_a_null_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,None\n2,3\nnan,4\n", encoding="utf-8")
    assert numbers(path, "x", "y") == ((2.0, 3.0),)
    assert math.isfinite(numbers(path, "y")[0][0])
