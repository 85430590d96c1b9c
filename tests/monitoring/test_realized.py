"""Metrics of rows with outcomes: value, interval, slices, calibration over time."""

from __future__ import annotations

import numpy as np
import pytest

from fullcircle.evaluation.intervals import bootstrap
from fullcircle.evaluation.tasks import measured
from fullcircle.monitoring.estimates import EstimateConfig, Measure
from fullcircle.monitoring.realized import calibration_over_time, realized, realized_slices
from tests.monitoring.scenarios import AUC, NUMBER, QUICK, THREE, TWO, binary, number, three


def test_the_value_is_that_of_the_metrics_and_the_interval_that_of_validate() -> None:
    rows = binary(3000, 30, 1, effect=0.5)
    found = realized(rows.known(np.ones(3000, bool)), AUC, EstimateConfig(resamples=1000))
    assert found.value == measured(rows.predicted, rows.target, TWO, 15)["auc"]
    prepared = AUC.task.predictions(rows.predicted, rows.target, TWO, 15)
    own = bootstrap(AUC.task, prepared, rows.group, 1000, 0.95, 0)["auc"]
    assert (found.low, found.high) == pytest.approx(own, abs=0.003)


def test_only_rows_with_outcomes_count() -> None:
    rows = binary(2000, 20, 1)
    known = np.arange(2000) % 4 == 0
    found = realized(rows.known(known), AUC, QUICK)
    assert (found.rows, found.outcomes) == (2000, 500)
    assert found.value == measured(rows.predicted[known], rows.target[known], TWO, 15)["auc"]


def test_one_group_has_no_interval() -> None:
    found = realized(binary(500, 1, 1).known(np.ones(500, bool)), AUC, QUICK)
    assert found.value is not None
    assert found.low is None
    assert "one group" in found.note


def test_small_slices_have_no_values() -> None:
    rows = binary(1000, 10, 1, segments=0.05)
    found = realized_slices({"segment": rows.inputs["segment"]}, rows.known(np.ones(1000, bool)), AUC, 200)
    assert [(s.level, s.values["auc"] is None) for s in found] == [("a", False), ("b", True)]
    assert realized_slices({}, rows.window, AUC, 200) == []


def test_calibration_over_time_shows_the_window_that_lost_it() -> None:
    windows = [binary(4000, 20, s, segments=1.0, bias=b).known(np.ones(4000, bool)) for s, b in ((1, 0.0), (2, 1.0))]
    first, second = calibration_over_time(windows, AUC, QUICK)
    assert first.expected[0] == pytest.approx(first.observed[0], abs=0.03)
    assert second.observed[0] > second.expected[0] + 0.1
    assert first.error.high is not None
    assert second.error.low is not None
    assert first.error.high < second.error.low


def test_calibration_of_several_classes_and_of_a_number() -> None:
    of_three = calibration_over_time([three(1000, 1).known(np.ones(1000, bool))], Measure("logloss", THREE), QUICK)[0]
    assert len(of_three.expected) == len(of_three.observed) == 3
    assert of_three.expected == pytest.approx(of_three.observed, abs=0.05)
    rows = number(1000, 1)
    bias = calibration_over_time([rows.known(np.ones(1000, bool))], Measure("mae", NUMBER), QUICK)[0].error
    assert bias.value == pytest.approx(float((rows.predicted[:, 0] - rows.target).mean()))


def test_a_window_without_outcomes_has_no_calibration() -> None:
    point = calibration_over_time([binary(100, 5, 1).window], AUC, QUICK)[0]
    assert (point.outcomes, point.expected, point.observed, point.error.value) == (0, (), (), None)
