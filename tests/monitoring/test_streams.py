"""Streams: the metric of each window, what the predictions promise, and how both vary over a reference."""

from __future__ import annotations

import numpy as np
import pytest

from fullcircle.base.errors import DataError
from fullcircle.evaluation.tasks import measured
from fullcircle.monitoring.alarm import AlarmSettings
from fullcircle.monitoring.measure import Measure
from fullcircle.monitoring.streams import Rows, alarms_of, spreads_of, values_of, worth_an_alarm
from tests.evaluation.made import NUMBER, THREE, column, of_number, of_three, two

AUC = Measure("auc", two())
DAYS, EACH = 30, 200


def rows_of(days: int = DAYS, each: int = EACH, seed: int = 0) -> Rows:
    """Calibrated predictions of two classes; days differ in how clear their rows are."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(days), each)
    width = random.uniform(0.5, 2.5, days)[group]
    p = 1 / (1 + np.exp(-width * random.standard_normal(days * each)))
    return Rows(column(p), (random.random(days * each) < p).astype(np.float64), group)


def test_the_metric_is_that_of_the_evaluation() -> None:
    reference = rows_of(1, 500)
    values = values_of(AUC, reference.predicted, reference.target)
    assert values["metric"] == measured(reference.predicted, reference.target, two(), 15)["auc"]


def test_calibrated_predictions_promise_what_comes() -> None:
    reference = rows_of(1, 100_000)
    for metric in ("auc", "ap", "logloss", "brier", "acc", "f1"):
        assert values_of(Measure(metric, two()), reference.predicted, reference.target)["surprise"] == pytest.approx(
            0, abs=0.01
        )
    predicted, target = of_three(50_000)
    for metric in ("auc", "logloss", "brier", "acc"):
        assert values_of(Measure(metric, THREE), predicted, target)["surprise"] == pytest.approx(0, abs=0.03)


def test_a_known_promise() -> None:
    values = values_of(Measure("brier", two()), column([0.8, 0.3]), np.array([1.0, 1.0]))
    promised = (0.8 * 0.2**2 + 0.2 * 0.8**2 + 0.3 * 0.7**2 + 0.7 * 0.3**2) / 2
    assert values["metric"] == pytest.approx((0.2**2 + 0.7**2) / 2)
    assert values["surprise"] == pytest.approx(values["metric"] - promised)


def test_the_surprise_varies_less_where_days_differ_by_their_rows() -> None:
    spreads = spreads_of(AUC, rows_of(), EACH, 50, seed=0)
    assert spreads["surprise"].variance < 0.5 * spreads["metric"].variance


def test_a_number_promises_nothing() -> None:
    predicted, target = of_number(3000)
    group = np.repeat(np.arange(30), 100)
    assert [*spreads_of(Measure("mae", NUMBER), Rows(predicted, target, group), 100, 50, seed=0)] == ["metric"]


def test_the_order_of_rows_does_not_matter() -> None:
    reference = rows_of()
    order = np.random.default_rng(1).permutation(len(reference.target))
    assert reference.group is not None
    mixed = Rows(reference.predicted[order], reference.target[order], reference.group[order])
    a, b = (spreads_of(AUC, r, EACH, 50, seed=0)["metric"] for r in (reference, mixed))
    assert a.mean == pytest.approx(b.mean, abs=1e-12)
    assert a.variance == pytest.approx(b.variance, rel=0.1)  # the noise of rows is resampled


def test_the_variance_per_row_is_that_of_independent_windows() -> None:
    random = np.random.default_rng(0)
    values = []
    for _ in range(400):
        p = random.random(EACH)
        values.append(values_of(AUC, column(p), (random.random(EACH) < p).astype(float))["metric"])
    p = random.random(DAYS * EACH)
    reference = Rows(column(p), (random.random(len(p)) < p).astype(float), np.repeat(np.arange(DAYS), EACH))
    assert spreads_of(AUC, reference, EACH, 50, seed=0)["metric"].row / EACH == pytest.approx(np.var(values), rel=0.25)


def test_a_window_of_one_class_has_no_value() -> None:
    reference = rows_of()
    target = reference.target.copy()
    target[: 2 * EACH] = 0.0
    assert np.isnan(values_of(AUC, reference.predicted[:EACH], target[:EACH])["metric"])
    found = spreads_of(AUC, Rows(reference.predicted, target, reference.group), EACH, 50, seed=0)
    assert found["metric"].windows == DAYS - 2
    assert np.isnan(values_of(AUC, reference.predicted[:0], target[:0])["metric"])


def test_rows_without_groups_are_independent() -> None:
    reference = rows_of()
    found = spreads_of(AUC, Rows(reference.predicted, reference.target, None), 1000, 50, seed=0)["metric"]
    assert found.independent
    assert found.between == 0
    assert found.windows == 30


def test_a_metric_that_depends_on_the_number_of_rows_is_taken_at_that_of_the_traffic() -> None:
    measure, reference = Measure("ece", two()), rows_of(20, 3000)
    few, many = (spreads_of(measure, reference, rows, 50, seed=0)["metric"].mean for rows in (100, 3000))
    assert few < many < 0  # an error is worse where it is larger: the sign makes higher ones better


def test_the_loss_is_half_of_the_gain_over_the_dummy_model() -> None:
    reference = rows_of()
    mean = spreads_of(AUC, reference, EACH, 50, seed=0)["metric"].mean
    assert worth_an_alarm(AUC, reference, EACH, 50) == pytest.approx((mean - 0.5) / 2)
    predicted, target = of_number(3000)
    numbers = Rows(predicted, target, np.repeat(np.arange(30), 100))
    assert worth_an_alarm(Measure("mae", NUMBER), numbers, 100, 50) > 0
    three = Rows(*of_three(3000), np.repeat(np.arange(30), 100))
    assert worth_an_alarm(Measure("logloss", THREE), three, 100, 50) > 0


def test_a_model_without_a_gain_needs_a_stated_loss() -> None:
    reference = rows_of()
    worse = Rows(1 - reference.predicted, reference.target, reference.group)
    with pytest.raises(DataError, match=r"alarm\.loss: the model is no better than the dummy model"):
        alarms_of(AUC, {"": worse}, {"": 200}, AlarmSettings(), "abc")
    alarms_of(AUC, {"": worse}, {"": 200}, AlarmSettings(loss=0.1), "abc")


def test_parts_share_the_false_alarms() -> None:
    reference = rows_of()
    settings = AlarmSettings(loss=0.1)
    whole = alarms_of(AUC, {"": reference}, {"": 200}, settings, "abc")
    assert {part: [*rules] for part, rules in whole.items()} == {"": ["metric", "surprise"]}
    both = alarms_of(AUC, {"": reference, "origin=EWR": reference}, {"": 200, "origin=EWR": 200}, settings, "abc")
    assert both[""]["metric"].threshold > whole[""]["metric"].threshold


def test_too_few_days_are_an_error() -> None:
    with pytest.raises(DataError, match="the reference has 5 windows"):
        alarms_of(AUC, {"": rows_of(5)}, {"": 200}, AlarmSettings(), "abc")
