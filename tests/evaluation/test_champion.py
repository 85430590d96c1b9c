from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.base.checks import Column
from fullcircle.evaluation.champion import Challenger, Comparison, champion_values, compare
from fullcircle.evaluation.intervals import Resampling, bootstrap
from fullcircle.evaluation.slices import Slicing, slices
from fullcircle.evaluation.tasks import better, measured, task_metrics
from fullcircle.scoring.predictions import BinaryCalibration, MulticlassCalibration
from fullcircle.scoring.scorer import Scorer
from tests.builders import text
from tests.stages.made import INPUTS, TASKS, Task

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns

RESAMPLING = Resampling(100, 0.95, 0)


def weaker(name: str, bias: float = 0.0) -> Task:
    """The same task with a model that goes by `miles` too, which have nothing to do with its target."""
    task = TASKS[name]
    weights = tuple((first, 0.0005 * (i + 1)) for i, (first, _) in enumerate(task.weights))
    return replace(task, weights=weights, bias=(task.bias[0] + bias, *task.bias[1:]))


def challenger(task: Task, columns: Columns, **changed: Any) -> Challenger:
    predicted = task.scorer.predict({name: columns[name] for name in INPUTS})
    made = Challenger(columns, predicted, task.calibration, np.arange(len(columns["target"])), ("carrier",))
    return replace(made, **changed)


def compared(
    name: str = "binary",
    champion: Scorer | None = None,
    columns: Columns | None = None,
    metric: str = "",
    **changed: Any,
) -> Comparison:
    """The task's own model as challenger, against `champion`: a weaker one if none is given."""
    task = TASKS[name]
    rows = task.table(400, 11) if columns is None else columns
    slicing = Slicing(metric or task.metric, 5, 50)
    return compare(
        champion or weaker(name, 1.5).scorer, "1.2.0", challenger(task, rows, **changed), slicing, RESAMPLING
    )


def with_inputs(inputs: dict[str, Column]) -> Scorer:
    """The binary champion, which takes other inputs."""
    made = weaker("binary").scorer
    return Scorer(replace(made.plan, inputs=inputs), made.spec, made.model)


@pytest.mark.parametrize("name", TASKS)
def test_the_difference_is_in_the_primary_metric_and_above_zero_where_the_challenger_is_better(name: str) -> None:
    task, test = TASKS[name], TASKS[name].table(400, 11)
    inputs = {column: test[column] for column in INPUTS}
    values = [
        measured(made.scorer.predict(inputs), test["target"], made.calibration, 5)[task.metric]
        for made in (task, weaker(name, 1.5))
    ]
    found = compared(name).overall
    assert found is not None
    assert (found.challenger, found.champion) == (values[0], values[1])
    assert found.over == better(task_metrics(len(task.calibration.classes)), task.metric, values[0], values[1]) > 0
    low, high = found.interval
    assert low is not None
    assert high is not None
    assert low < found.over < high


@pytest.mark.parametrize("name", TASKS)
def test_a_model_is_no_better_than_itself(name: str) -> None:
    found = compared(name, TASKS[name].scorer)
    assert found.overall is not None
    assert (found.overall.over, found.overall.interval) == (0.0, (0.0, 0.0))
    assert {(s.over, s.interval) for s in found.slices} == {(0.0, (0.0, 0.0))}
    assert champion_values(found) == {"over_champion": 0.0, "over_champion_low": 0.0, "over_champion_slice": 0.0}


@pytest.mark.parametrize("name", TASKS)
def test_slices_are_those_of_the_models_own_table(name: str) -> None:
    task, test = TASKS[name], TASKS[name].table(400, 11)
    test["number"] = np.arange(400.0)  # cut into spans
    found = compared(name, columns=test, slices=("carrier", "number"))
    predicted = task.scorer.predict({column: test[column] for column in INPUTS})
    columns = {column: test[column] for column in ("carrier", "number")}
    own = slices(columns, predicted, test["target"], task.calibration, Slicing(task.metric, 5, 50))
    assert [(s.column, s.level, s.rows, s.challenger) for s in found.slices] == [
        (s.column, s.level, s.rows, s.values[task.metric]) for s in own
    ]
    assert sum(s.rows for s in found.slices if s.column == "carrier") == found.rows == 400


def test_a_slice_that_is_too_small_or_of_one_class_is_not_compared() -> None:
    test = TASKS["binary"].table(400, 11)
    test["of"] = text(np.where(test["target"] == 1, "late", "on_time"))
    test["size"] = text(np.where(np.arange(400) < 49, "small", "large"))
    found = {s.level: s.over for s in compared(columns=test, slices=("of", "size")).slices}
    assert [found[level] for level in ("late", "on_time", "small")] == [None, None, None]
    assert found["large"] is not None


def test_the_worst_slice_is_the_one_that_gains_least() -> None:
    found = compared()
    gains = {s.level: s.over for s in found.slices if s.over is not None}
    assert found.worst is not None
    assert found.worst.over == min(gains.values()) == champion_values(found)["over_champion_slice"]
    assert compared(slices=()).worst is None


def test_rows_of_a_group_are_drawn_together() -> None:
    test = TASKS["binary"].table(300, 11)
    copies = {name: np.tile(values, 6) for name, values in test.items()}
    by_row, by_group, once = (
        found.overall.interval
        for found in (
            compared(columns=copies),
            compared(columns=copies, group=np.tile(np.arange(300), 6)),
            compared(columns=test),
        )
        if found.overall
    )
    width_by_row, width_by_group, width_once = (high - low for low, high in (by_row, by_group, once))  # type: ignore[operator]
    assert width_by_group == pytest.approx(width_once, rel=1e-6)
    assert width_by_group > 1.8 * width_by_row


def test_what_is_difficult_for_both_cancels_out() -> None:
    name, test = "regression", TASKS["regression"].table(400, 11)
    close = replace(TASKS[name], bias=(0.3,))
    found = compared(name, close.scorer, test, "mae").overall
    assert found is not None
    low, high = found.interval
    predictions = task_metrics(0).predictions(
        challenger(TASKS[name], test).predicted, test["target"], close.calibration, 5
    )
    ends = bootstrap(task_metrics(0), predictions, np.arange(400), 100, 0.95, 0)["mae"]
    assert low is not None
    assert high is not None
    assert high - low < 0.5 * (ends[1] - ends[0])


def test_one_group_has_a_difference_and_no_interval() -> None:
    found = compared(group=np.zeros(400, np.int64))
    assert found.overall is not None
    assert found.overall.over is not None
    assert found.overall.interval == (None, None)
    assert champion_values(found)["over_champion_low"] is None


def test_a_metric_that_is_not_defined_on_these_rows_is_unknown() -> None:
    test = TASKS["binary"].table(400, 11)
    found = compared(columns=test | {"target": np.ones(400)})
    assert found.reason == ""
    assert champion_values(found) == {"over_champion": None, "over_champion_low": None, "over_champion_slice": None}


def test_rows_that_the_champion_refuses_are_counted_and_left_out_for_both() -> None:
    narrow = with_inputs(INPUTS | {"miles": Column("number", min=0, max=2000)})
    test = TASKS["binary"].table(400, 11)
    inside = test["miles"] <= 2000
    found, expected = (
        compared(champion=narrow),
        compared(columns={name: v[inside] for name, v in test.items()}, champion=narrow),
    )
    assert found.rows == int(inside.sum()) < 400
    assert found.rejected == {"miles not in 0..2000": 400 - found.rows}
    assert found.overall == expected.overall
    assert [(s.level, s.rows) for s in found.slices] == [(s.level, s.rows) for s in expected.slices]
    assert expected.rejected == {}


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (INPUTS | {"gate": Column("category")}, "these are not the columns that the model takes missing columns: gate"),
        (INPUTS | {"carrier": Column("number")}, "column carrier: position 0 holds"),
        (INPUTS | {"delay": Column("category")}, "column delay"),
    ],
)
def test_a_champion_that_cannot_take_the_rows_leaves_a_reason(inputs: dict[str, Column], reason: str) -> None:
    found = compared(champion=with_inputs(inputs))
    assert found.reason.startswith(f"the champion cannot take the test rows: {reason}")
    assert "\n" not in found.reason
    assert (found.rows, found.overall, found.slices) == (0, None, ())
    assert set(champion_values(found).values()) == {None}


def test_a_champion_that_takes_no_row_leaves_a_reason() -> None:
    found = compared(champion=with_inputs(INPUTS | {"miles": Column("number", min=0, max=1)}))
    assert found.reason == "the champion takes none of 400 test rows: {'miles not in 0..1': 400}"
    assert found.overall is None


def test_a_champion_that_predicts_no_number_leaves_a_reason() -> None:
    made = weaker("binary").scorer
    calibration = BinaryCalibration("binary", "on_time", "late", float("nan"), 0.0, 0.4)
    broken = Scorer(made.plan, replace(made.spec, calibration=calibration), made.model)
    assert "gives NaN or infinity for 400 of 400 rows" in compared(champion=broken).reason


@pytest.mark.parametrize("other", ["multiclass", "regression"])
def test_a_champion_of_another_task_leaves_a_reason(other: str) -> None:
    reason = compared(champion=TASKS[other].scorer).reason
    assert reason.startswith(f"the champion has another target: {other}")
    assert reason.endswith("the challenger: binary of on_time, late")


@pytest.mark.parametrize(
    ("name", "calibration"),
    [
        ("binary", BinaryCalibration("binary", "late", "on_time", 1.0, 0.0, 0.4)),
        ("multiclass", MulticlassCalibration("multiclass", ("bus", "walk", "tram"), 1.0)),
    ],
)
def test_a_champion_with_the_classes_in_another_order_leaves_a_reason(name: str, calibration: Any) -> None:
    made = TASKS[name].scorer
    turned = Scorer(made.plan, replace(made.spec, calibration=calibration), made.model)
    assert "the champion has another target" in compared(name, turned).reason


def test_without_a_champion_every_value_is_unknown() -> None:
    assert champion_values(None) == {"over_champion": None, "over_champion_low": None, "over_champion_slice": None}
