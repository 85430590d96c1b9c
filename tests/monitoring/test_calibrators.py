"""Calibrators find a known distortion, and none is used where none helps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from fullcircle.monitoring.calibrators import _rising, choose, fit, fit_isotonic, fit_logistic
from fullcircle.scoring.predictions import log_odds, sigmoid
from tests.monitoring.scenarios import binary, three


def table(target: np.ndarray, classes: int) -> np.ndarray:
    return np.asarray(target[:, None] == np.arange(classes), np.float64)


def test_a_logistic_distortion_is_found() -> None:
    data = binary(50_000, 5, 1)
    predicted = sigmoid(2 * log_odds(data.predicted) + 1)  # slope 0.5 and bias -0.5 undo it
    weights = fit_logistic(predicted, table(data.target, 2)).weights
    assert weights == pytest.approx([0.5, -0.5], abs=0.04)


def test_a_temperature_of_several_classes_is_found() -> None:
    data = three(30_000, 1, sharp=2.0)
    weights = fit_logistic(data.predicted, table(data.target, 3)).weights
    assert weights == pytest.approx([0.5, 0, 0], abs=0.05)


def test_probabilities_add_up_to_one() -> None:
    data = binary(2000, 5, 1)
    for name in ("none", "logistic", "isotonic"):
        probability = fit(name, data.predicted, table(data.target, 2)).probability(data.predicted)
        assert probability.sum(axis=1) == pytest.approx(1.0)


def test_what_no_line_describes_is_left_to_isotonic_regression() -> None:
    random = np.random.default_rng(0)
    predicted = random.uniform(0, 1, (40_000, 1))
    target = (random.random(40_000) < np.where(predicted[:, 0] > 0.5, 0.8, 0.2)).astype(float)
    folds = [table(target, 2) * (np.arange(40_000) % 5 == k)[:, None] for k in range(5)]
    assert choose(predicted, folds) == "isotonic"
    share = fit_isotonic(predicted, table(target, 2)).probability(np.array([[0.25], [0.75]]))[:, 1]
    assert share == pytest.approx([0.2, 0.8], abs=0.02)


def test_calibrated_predictions_are_kept() -> None:
    chosen = []
    for seed in range(10):
        data = binary(5000, 5, seed)
        folds = [table(data.target, 2) * (np.arange(5000) % 5 == k)[:, None] for k in range(5)]
        chosen.append(choose(data.predicted, folds))
    assert chosen.count("none") > 5


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 10)), min_size=1, max_size=30))
def test_pooling_equals_scikit_learn(values: list[tuple[float, float]]) -> None:
    share, weight = np.array(values).T
    expected = IsotonicRegression().fit_transform(np.arange(len(share)), share, sample_weight=weight)
    assert _rising(share, weight) == pytest.approx(expected, abs=1e-9)


def test_classes_without_error_have_finite_weights() -> None:
    predicted = np.array([[0.1], [0.2], [0.8], [0.9]])
    weights = fit_logistic(predicted, table(np.array([0, 0, 1, 1]), 2)).weights
    assert np.isfinite(weights).all()
