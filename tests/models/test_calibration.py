from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.core.target import MulticlassTarget, RegressionTarget
from fullcircle.models.calibration import calibrate, platt, radius_of, tempered
from fullcircle.models.sample import Sample, samples_of
from fullcircle.scoring.predictions import (
    BinaryCalibration,
    MulticlassCalibration,
    RegressionCalibration,
    sigmoid,
    softmax,
)
from tests.builders import TARGET

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

KIND = MulticlassTarget("multiclass", "kind", "kind", ("a", "b", "c"))
PRICE = RegressionTarget("regression", "price", "price", coverage=0.8)


def by_likelihood(margin: Array, y: Array) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(margin.reshape(-1, 1), y)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


@pytest.mark.parametrize(
    ("spread", "slope"),
    [(1.0, 1.0), (1.0, 0.5), (0.01, 40.0), (5.0, 0.1), (16.0, 0.03), (8.0, 0.0), (1.0, -0.7)],
)
def test_calibration_is_the_most_likely_sigmoid(spread: float, slope: float) -> None:
    random = np.random.default_rng(0)
    margin = random.normal(size=2000) * spread
    y = (random.random(2000) < sigmoid(slope * margin - 0.5)).astype(float)
    np.testing.assert_allclose(platt(margin, y), by_likelihood(margin, y), rtol=1e-3, atol=1e-3)


def test_calibration_of_margins_that_part_the_classes_is_finite() -> None:
    margin = np.array([-3.0, -2, -1, 1, 2, 3])
    slope, intercept = platt(margin, (margin > 0).astype(float))
    assert np.isfinite([slope, intercept]).all()
    assert slope > 0


def test_calibration_of_a_margin_that_says_nothing_gives_the_share() -> None:
    y = np.array([1.0, 0, 0, 0])
    slope, intercept = platt(np.full(4, 0.7), y)
    assert slope == 1
    assert sigmoid(np.array(slope * 0.7 + intercept)) == pytest.approx(0.25, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.3, 3), st.floats(-1, 1), st.integers(0, 999))
def test_calibrated_probabilities_add_up_to_the_positives(slope: float, intercept: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    margin = random.normal(size=500)
    y = (random.random(500) < sigmoid(slope * margin + intercept)).astype(float)
    a, b = platt(margin, y)
    assert sigmoid(a * margin + b).sum() == pytest.approx(y.sum(), rel=1e-4)


def drawn(slope: float, rows: int = 3000) -> tuple[Array, Array]:
    """Margins of three classes, and classes drawn from softmax(slope * margin)."""
    random = np.random.default_rng(0)
    margin = random.normal(size=(rows, 3)) * 2
    edges = softmax(slope * margin).cumsum(axis=1)
    return margin, (random.random(rows)[:, None] > edges[:, :2]).sum(axis=1)


@pytest.mark.parametrize("slope", [0.1, 0.5, 1.0, 3.0])
def test_the_temperature_that_classes_were_drawn_with_is_found(slope: float) -> None:
    assert tempered(*drawn(slope)) == pytest.approx(slope, rel=0.1)


@pytest.mark.parametrize("slope", [0.3, 2.0])
def test_no_other_temperature_has_a_lower_loss(slope: float) -> None:
    margin, y = drawn(slope)

    def loss(at: float) -> float:
        return float(-np.log(softmax(at * margin)[np.arange(len(y)), y]).mean())

    found = tempered(margin, y)
    assert loss(found) <= min(loss(found * 1.01), loss(found * 0.99))


def test_margins_that_part_the_classes_or_say_nothing_have_a_finite_temperature() -> None:
    y = np.arange(30) % 3
    assert 10 < tempered(np.eye(3)[y], y) <= 100
    assert tempered(np.zeros((30, 3)), y) == 1
    assert tempered(-np.eye(3)[y], y) == pytest.approx(0.01)


@settings(max_examples=50, deadline=None)
@given(st.integers(5, 300), st.floats(0.05, 0.95), st.integers(0, 99))
def test_the_radius_holds_the_share_of_rows_that_it_promises(rows: int, coverage: float, seed: int) -> None:
    residual = np.random.default_rng(seed).random(rows)
    radius = radius_of(residual, coverage)
    assert (residual <= radius).mean() >= min(coverage, 1.0)
    assert radius in residual


def test_intervals_of_new_rows_hold_the_share_that_was_promised() -> None:
    random = np.random.default_rng(1)
    held = [
        (np.abs(random.normal(size=400)) <= radius_of(np.abs(random.normal(size=100)), 0.8)).mean() for _ in range(300)
    ]
    assert np.mean(held) == pytest.approx(0.8, abs=0.01)


def test_each_target_gets_its_answer() -> None:
    random = np.random.default_rng(2)
    y = (np.arange(90) % 3).astype(np.float32)
    binary = calibrate(TARGET, random.normal(size=(90, 1)), Sample(y, (y > 0) * np.float32(1)), 0.25, calibrate=True)
    assert isinstance(binary, BinaryCalibration)
    assert (binary.positive, binary.negative, binary.threshold) == ("late", "on_time", 0.25)
    many = calibrate(KIND, random.normal(size=(90, 3)), Sample(y, y, 3), 0.5, calibrate=False)
    assert many == MulticlassCalibration("multiclass", ("a", "b", "c"), 1.0)
    number = calibrate(PRICE, np.zeros((90, 1)), Sample(y, y - 1, 0, 500.0, 10.0), 0.5, calibrate=True)
    assert number == RegressionCalibration("regression", 500.0, 10.0, 10.0, 0.8)


def test_a_number_is_put_into_the_units_of_training_rows() -> None:
    known, new = np.array([10.0, 20, 30]), np.array([50.0])
    training, validation = samples_of((np.zeros((3, 1)), known), (np.zeros((1, 1)), new), 0)
    assert training.y.mean() == pytest.approx(0)
    assert training.y.std() == pytest.approx(1)
    assert validation.target == pytest.approx(50)
    assert (training + validation).target.tolist() == pytest.approx([10, 20, 30, 50])


def test_classes_and_constants_keep_their_values() -> None:
    y = np.array([0.0, 1, 1])
    first, _ = samples_of((np.zeros((3, 1)), y), (np.zeros((3, 1)), y), 2)
    assert first.y.tolist() == first.target.tolist() == [0, 1, 1]
    constant, _ = samples_of((np.zeros((3, 1)), np.full(3, 7.0)), (np.zeros((3, 1)), y), 0)
    assert constant.y.tolist() == [0, 0, 0]
