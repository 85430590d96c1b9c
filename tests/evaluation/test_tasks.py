from __future__ import annotations

import pytest

from fullcircle.base.errors import ConfigError
from fullcircle.evaluation import binary, multiclass, regression
from fullcircle.evaluation.tasks import TaskMetrics, better, check_metric, measured, task_metrics
from tests.evaluation.made import NUMBER, THREE, of_number, of_three

JUDGES: list[TaskMetrics] = [binary, multiclass, regression]


@pytest.mark.parametrize(("n_classes", "task"), [(0, regression), (2, binary), (3, multiclass), (9, multiclass)])
def test_the_number_of_classes_tells_the_judge(n_classes: int, task: TaskMetrics) -> None:
    assert task_metrics(n_classes) is task


@pytest.mark.parametrize("task", JUDGES)
def test_every_metric_has_a_range_and_what_is_said_of_metrics_is_said_of_those(task: TaskMetrics) -> None:
    assert set(task.RANGES) == set(task.NAMES)
    assert all(low < high for low, high in task.RANGES.values())
    assert {task.PRIMARY, *task.LOWER, *task.UNRANKED, *task.SLICED} <= set(task.NAMES)
    check_metric(task, task.PRIMARY)


def test_better_is_more_of_one_metric_and_less_of_another() -> None:
    assert better(binary, "auc", 0.8, 0.7) == pytest.approx(0.1)
    assert better(binary, "logloss", 0.8, 0.7) == pytest.approx(-0.1)
    assert better(regression, "rmse", 2.0, 5.0) == 3.0


@pytest.mark.parametrize(
    ("task", "metric", "message"),
    [
        (regression, "auc", "auc: this task has no such metric. Choose one of r2, rmse, mae, medae$"),
        (regression, "width", "width: more of it is not better, and less is not. Choose one of r2"),
        (multiclass, "ap", "ap: this task has no such metric. Choose one of auc, logloss"),
        (binary, "AUC", "AUC: this task has no such metric. Choose one of auc"),
    ],
)
def test_a_primary_metric_that_tells_nothing_is_refused(task: TaskMetrics, metric: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"problem.metric: {message}"):
        check_metric(task, metric)


def test_a_forecast_is_measured_by_the_judge_of_its_task() -> None:
    p, t = of_three(100)
    assert measured(p, t, THREE, 5) == multiclass.evaluate(multiclass.predictions(p, t, THREE, 5))
    value, number = of_number(100)
    assert set(measured(value, number, NUMBER, 5)) == set(regression.NAMES)
