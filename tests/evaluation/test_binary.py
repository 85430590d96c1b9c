from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from fullcircle.evaluation import binary
from fullcircle.evaluation.binary import NAMES, evaluate
from tests.evaluation.made import column, two

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

THRESHOLD = 0.3


def predictions(probability: Array, target: Array, threshold: float, bins: int) -> binary.Predictions:
    return binary.predictions(column(probability), target, two(threshold), bins)


# Ties are frequent: most probabilities come from a coarse grid.
probabilities = st.sampled_from([0.05, 0.1, 0.25, 0.3, 0.5, 0.9]) | st.floats(1e-9, 1 - 1e-9)
drawn = st.lists(
    st.tuples(probabilities, st.booleans(), st.sampled_from([0.0, 0.5, 1.0, 3.0])), min_size=2, max_size=80
)


def by_sklearn(p: Array, t: Array, w: Array | None) -> dict[str, float]:
    alarm = p >= THRESHOLD
    return {
        "auc": sk.roc_auc_score(t, p, sample_weight=w),
        "ap": sk.average_precision_score(t, p, sample_weight=w),
        "logloss": sk.log_loss(t, p, sample_weight=w, labels=[0, 1]),
        "brier": sk.brier_score_loss(t, p, sample_weight=w),
        "acc": sk.accuracy_score(t, alarm, sample_weight=w),
        "prec": sk.precision_score(t, alarm, sample_weight=w, zero_division=0),
        "rec": sk.recall_score(t, alarm, sample_weight=w, zero_division=0),
        "f1": sk.f1_score(t, alarm, sample_weight=w, zero_division=0),
    }


@pytest.mark.parametrize("weighted", [False, True])
@settings(max_examples=80, deadline=None)
@given(rows=drawn)
def test_metrics_equal_those_of_scikit_learn(weighted: bool, rows: list[tuple[float, bool, float]]) -> None:
    p, t, w = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    weight = w if weighted else None
    counted = t if weight is None else t[weight > 0]
    assume(len(np.unique(counted)) == 2)
    ours = evaluate(predictions(p, t, THRESHOLD, 5), weight)
    for name, expected in by_sklearn(p, t, weight).items():
        assert ours[name] == pytest.approx(expected, abs=1e-9), name


@pytest.mark.parametrize("weighted", [False, True])
def test_metrics_of_many_rows_equal_those_of_scikit_learn(weighted: bool) -> None:
    random = np.random.default_rng(0)
    p = np.round(random.beta(2, 5, 20_000), 3).clip(0.001, 0.999)
    t = (random.random(20_000) < p).astype(float)
    w = random.integers(0, 4, 20_000).astype(float) if weighted else None
    ours = evaluate(predictions(p, t, THRESHOLD, 15), w)
    for name, expected in by_sklearn(p, t, w).items():
        assert ours[name] == pytest.approx(expected, abs=1e-9), name


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(probabilities, st.booleans()), min_size=2, max_size=40), st.integers(0, 999))
def test_the_order_of_rows_does_not_matter(rows: list[tuple[float, bool]], seed: int) -> None:
    p, t = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    order = np.random.default_rng(seed).permutation(len(rows))
    first, second = evaluate(predictions(p, t, 0.5, 4)), evaluate(predictions(p[order], t[order], 0.5, 4))
    for name in NAMES:
        assert second[name] == pytest.approx(first[name], abs=1e-12, nan_ok=True), name


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(probabilities, st.booleans(), st.integers(0, 3)), min_size=2, max_size=30))
def test_a_weight_of_two_counts_as_the_row_twice(rows: list[tuple[float, bool, int]]) -> None:
    p, t, w = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    assume(w.sum() > 0)
    sorted_ = predictions(p, t, THRESHOLD, 1)
    twice = np.repeat(np.arange(len(p)), w.astype(int))
    ours, repeated = evaluate(sorted_, w), evaluate(predictions(p[twice], t[twice], THRESHOLD, 1))
    for name in NAMES:
        assert ours[name] == pytest.approx(repeated[name], abs=1e-12, nan_ok=True), name


def test_a_constant_ranks_nothing() -> None:
    t = np.array([0.0, 1, 0, 0, 1, 0])
    found = evaluate(predictions(np.full(6, 0.4), t, 0.5, 5))
    assert found["auc"] == 0.5
    assert found["ap"] == pytest.approx(1 / 3)


def test_perfect_and_inverted_rankings_stand_at_the_ends() -> None:
    p, t = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.0, 0, 1, 1])
    assert evaluate(predictions(p, t, 0.5, 2))["auc"] == 1.0
    assert evaluate(predictions(1 - p, t, 0.5, 2))["auc"] == 0.0


def test_one_class_has_no_ranking() -> None:
    for target in (np.zeros(4), np.ones(4)):
        found = evaluate(predictions(np.linspace(0.1, 0.9, 4), target, 0.5, 2))
        assert np.isnan(found["auc"])
        assert np.isfinite([found["logloss"], found["brier"], found["acc"]]).all()
    assert np.isnan(evaluate(predictions(np.linspace(0.1, 0.9, 4), np.zeros(4), 0.5, 2))["ap"])


def test_where_nothing_is_foretold_precision_and_f1_are_zero() -> None:
    found = evaluate(predictions(np.full(4, 0.1), np.array([0.0, 1, 0, 1]), 0.5, 2))
    assert (found["prec"], found["rec"], found["f1"], found["acc"]) == (0, 0, 0, 0.5)


def test_the_threshold_itself_is_an_alarm() -> None:
    assert evaluate(predictions(np.array([0.5, 0.2]), np.array([1.0, 0]), 0.5, 2))["rec"] == 1.0


def test_certain_answers_have_a_finite_loss() -> None:
    found = evaluate(predictions(np.array([0.0, 1.0]), np.array([1.0, 0.0]), 0.5, 2))
    assert 30 < found["logloss"] < 40


def calibrated(rows: int) -> tuple[Array, Array]:
    """Ten levels of probability, whose share of positives is exactly that."""
    level = np.repeat(np.arange(0.05, 1, 0.1), rows)
    target = np.concatenate([np.arange(rows) < round(p * rows) for p in np.arange(0.05, 1, 0.1)])
    return level, target.astype(float)


def test_the_calibration_error_of_the_perfectly_calibrated_is_zero() -> None:
    p, t = calibrated(200)
    assert evaluate(predictions(p, t, 0.5, 10))["ece"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("shift", [-0.04, 0.01, 0.05])
def test_the_calibration_error_of_the_shifted_is_the_shift(shift: float) -> None:
    p, t = calibrated(200)
    assert evaluate(predictions(p + shift, t, 0.5, 10))["ece"] == pytest.approx(abs(shift), abs=1e-12)


def test_errors_to_both_sides_do_not_cancel() -> None:
    p, t = np.repeat([0.3, 0.7], 100), np.repeat([0.0, 1.0], 100)
    assert evaluate(predictions(p, t, 0.5, 2))["ece"] == pytest.approx(0.3)


def test_calibration_bins_hold_equal_counts_and_keep_ties_together() -> None:
    sorted_ = predictions(np.linspace(0, 1, 1000), np.tile([0.0, 1.0], 500), 0.5, 10)
    assert np.bincount(sorted_.bins.at).tolist() == [100] * 10
    tied = predictions(np.repeat([0.1, 0.5, 0.9], [400, 300, 300]), np.tile([0.0, 1.0], 500), 0.5, 10)
    assert len({(p, b) for p, b in zip(tied.probability, tied.bins.at, strict=True)}) == 3


def test_bins_hold_five_rows_at_least() -> None:
    assert [
        binary.predictions(column(np.linspace(0, 1, n)), np.zeros(n), two(), 15).bins.count for n in (1, 9, 10, 74, 75)
    ] == [1, 1, 2, 14, 15]


def test_one_row_has_no_ranking_and_finite_errors() -> None:
    found = evaluate(predictions(np.array([0.7]), np.array([1.0]), 0.5, 15))
    assert np.isnan(found["auc"])
    assert (found["acc"], found["ece"]) == pytest.approx((1.0, 0.3))


def test_every_metric_has_a_name_in_full() -> None:
    assert set(evaluate(predictions(np.array([0.2, 0.8]), np.array([0.0, 1.0]), 0.5, 2))) == set(NAMES)
