from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from fullcircle.evaluation.regression import LOWER, NAMES, UNRANKED, evaluate, predictions
from tests.evaluation.made import NUMBER, column, of_number

if TYPE_CHECKING:
    from fullcircle.base.columns import Array


def by_sklearn(value: Array, t: Array, w: Array | None) -> dict[str, float]:
    return {
        "r2": sk.r2_score(t, value, sample_weight=w),
        "rmse": sk.root_mean_squared_error(t, value, sample_weight=w),
        "mae": sk.mean_absolute_error(t, value, sample_weight=w),
        "medae": sk.median_absolute_error(t, value, sample_weight=w),
    }


@pytest.mark.parametrize("weighted", [False, True])
@settings(max_examples=60, deadline=None)
@given(rows=st.integers(2, 120), seed=st.integers(0, 10**6))
def test_metrics_equal_those_of_scikit_learn(weighted: bool, rows: int, seed: int) -> None:
    value, t = of_number(rows, seed)
    w = np.random.default_rng(seed).choice([0.0, 0.5, 1.0, 3.0], rows) if weighted else None
    counted = np.ones(rows, bool) if w is None else w > 0
    assume(counted.sum() > 1)
    ours = evaluate(predictions(value, t, NUMBER, 5), w)
    expected = by_sklearn(value[counted, 0], t[counted], None if w is None else w[counted])
    for name, number in expected.items():
        assert ours[name] == pytest.approx(number, rel=1e-9, abs=1e-9), name


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 40), seed=st.integers(0, 10**6))
def test_a_weight_of_two_counts_as_the_row_twice(rows: int, seed: int) -> None:
    value, t = of_number(rows, seed)
    w = np.random.default_rng(seed).integers(0, 4, rows)
    assume(w.sum() > 0)
    twice = np.repeat(np.arange(rows), w)
    ours, repeated = (
        evaluate(predictions(value, t, NUMBER, 1), w),
        evaluate(predictions(value[twice], t[twice], NUMBER, 1)),
    )
    for name in NAMES:
        assert ours[name] == pytest.approx(repeated[name], rel=1e-9, nan_ok=True), name


def test_the_median_is_that_of_numpy() -> None:
    for rows in (1, 2, 7, 8):
        value, t = of_number(rows)
        assert evaluate(predictions(value, t, NUMBER, 5))["medae"] == pytest.approx(np.median(np.abs(value[:, 0] - t)))


def test_the_mean_explains_nothing_and_the_target_itself_all() -> None:
    _, t = of_number(200)
    assert evaluate(predictions(column(np.full(200, t.mean())), t, NUMBER, 5))["r2"] == pytest.approx(0)
    found = evaluate(predictions(column(t), t, NUMBER, 5))
    assert (found["r2"], found["rmse"], found["mae"], found["medae"], found["bias"]) == (1, 0, 0, 0, 0)


def test_a_bad_forecast_explains_less_than_nothing_without_end() -> None:
    _, t = of_number(200)
    assert evaluate(predictions(column(t + 1e3), t, NUMBER, 5))["r2"] < -1000


@pytest.mark.parametrize("target", [np.array([3.0]), np.full(20, 0.1), np.full(20, 1e9 / 3)])
def test_a_target_that_does_not_vary_cannot_be_explained(target: Array) -> None:
    found = evaluate(predictions(column(target + 1), target, NUMBER, 5))
    assert np.isnan(found.pop("r2"))
    assert found["bias"] == pytest.approx(1)
    assert np.isfinite(list(found.values())).all()


def test_a_resample_of_one_number_cannot_be_explained() -> None:
    t = np.array([0.1, 0.1, 0.1, 0.7])
    value = column([0.2, 0.3, 0.1, 0.6])
    assert np.isnan(evaluate(predictions(value, t, NUMBER, 5), np.array([1, 2, 1, 0]))["r2"])
    assert np.isfinite(evaluate(predictions(value, t, NUMBER, 5), np.array([1, 2, 0, 1]))["r2"])


def test_a_target_far_from_zero_is_explained_as_well_as_one_near_it() -> None:
    value, t = of_number(300)
    near, far = (evaluate(predictions(value + shift, t + shift, NUMBER, 5))["r2"] for shift in (0, 1e9))
    assert far == pytest.approx(near, abs=1e-5)


def test_the_bias_is_above_zero_where_the_forecast_is_too_high() -> None:
    found = evaluate(predictions(column([3.0, 5.0]), np.array([1.0, 4.0]), NUMBER, 5))
    assert found["bias"] == pytest.approx(1.5)


def test_coverage_counts_the_ends_of_the_interval_as_inside() -> None:
    value, t = column(np.zeros(5)), np.array([-2.1, -2.0, 0.0, 2.0, 2.1])  # the radius is 2
    found = evaluate(predictions(value, t, NUMBER, 5))
    assert (found["coverage"], found["width"]) == (0.6, 4.0)
    assert evaluate(predictions(value, t, NUMBER, 5), np.array([1, 0, 0, 0, 1]))["coverage"] == 0


def test_every_metric_has_a_name_in_full() -> None:
    assert tuple(evaluate(predictions(*of_number(20), NUMBER, 2))) == tuple(NAMES)
    assert set(LOWER) | set(UNRANKED) < set(NAMES)
