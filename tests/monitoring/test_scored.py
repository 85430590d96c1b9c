"""Weighted copies of rows give the expected metric; where they approximate it, by how much."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.evaluation.tasks import measured
from fullcircle.monitoring.measure import Measure
from fullcircle.monitoring.scored import CELLS, Scored
from tests.monitoring.scenarios import THREE, TWO, binary, three

EXACT = ("logloss", "brier", "acc")
RATIOS = ("auc", "ap", "prec", "rec", "f1")


def expected(metric: str, positive: np.ndarray) -> float:
    """By weighted copies; predictions are the probabilities themselves."""
    scored = Scored.of(positive[:, None], Measure(metric, TWO), 10**6)
    return scored.expected(
        np.ones(len(positive)), np.stack([1 - scored.predicted[:, 0], scored.predicted[:, 0]], axis=1)
    )


def enumerated(metric: str, positive: np.ndarray) -> float:
    """By all outcomes and their probabilities; those in which the metric is not defined are left out."""
    total, mass = 0.0, 0.0
    for outcome in itertools.product((0.0, 1.0), repeat=len(positive)):
        target = np.array(outcome)
        p = float(np.where(target == 1, positive, 1 - positive).prod())
        value = measured(positive[:, None], target, TWO, 15)[metric]
        if np.isfinite(value):
            total, mass = total + p * value, mass + p
    return total / mass


@pytest.mark.parametrize("metric", EXACT)
@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.floats(0.02, 0.98), min_size=1, max_size=7))
def test_the_expectation_of_a_mean_is_exact(metric: str, values: list[float]) -> None:
    positive = np.array(values)
    assert expected(metric, positive) == pytest.approx(enumerated(metric, positive), abs=1e-9)


@pytest.mark.parametrize("metric", RATIOS)
def test_the_expectation_of_a_ratio_is_off_by_one_over_rows(metric: str) -> None:
    def error(rows: int) -> float:
        data = binary(rows, 5, 3)
        random = np.random.default_rng(0)
        drawn = [(random.random(rows) < data.true[:, 1]).astype(float) for _ in range(3000)]
        of = [measured(data.predicted, target, TWO, 15)[metric] for target in drawn]
        noise = float(np.nanstd(of)) / np.sqrt(3000)

        return max(0.0, float(abs(expected(metric, data.predicted[:, 0]) - np.nanmean(of)) - 3 * noise))

    assert error(50) < 4.0 / 50
    assert error(400) < 4.0 / 400


def test_a_row_is_not_paired_with_itself() -> None:
    """With its copy counted as half a pair, the area of these rows would be pulled towards one half."""
    positive = np.array([0.9, 0.5, 0.2])
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    right = sum(positive[i] * (1 - positive[j]) * (positive[i] > positive[j]) for i, j in pairs)
    every = sum(positive[i] * (1 - positive[j]) for i, j in pairs)
    assert expected("auc", positive) == pytest.approx(right / every)


def test_ties_count_half() -> None:
    assert expected("auc", np.array([0.4, 0.4, 0.4])) == pytest.approx(0.5)


def test_the_area_of_one_row_is_not_defined() -> None:
    assert np.isnan(expected("auc", np.array([0.4])))


@pytest.mark.parametrize("metric", ["auc", "ap", "logloss", "brier", "ece", "acc", "prec", "rec", "f1"])
def test_cells_hardly_change_a_metric(metric: str) -> None:
    data = binary(30_000, 5, 1)
    scored = Scored.of(data.predicted, Measure(metric, TWO), 10**6)
    assert len(scored.predicted) <= CELLS + 1
    exact = measured(data.predicted, data.target, TWO, 15)[metric]
    assert scored.realized(data.target, np.ones(30_000)) == pytest.approx(
        exact, abs={"ece": 2e-3, "ap": 1e-3}.get(metric, 1e-4)
    )


def test_no_cell_spans_the_threshold() -> None:
    data = binary(30_000, 5, 1)
    scored = Scored.of(data.predicted, Measure("acc", TWO), 10**6)
    assert ((scored.predicted[scored.at] >= TWO.threshold) == (data.predicted >= TWO.threshold)).all()


@pytest.mark.parametrize("metric", ["logloss", "brier", "acc"])
def test_the_expectation_of_several_classes_is_the_mean_over_outcomes(metric: str) -> None:
    data = three(400, 1)
    scored = Scored.of(data.predicted, Measure(metric, THREE), 10**6)
    random = np.random.default_rng(0)
    drawn = [(random.random(400)[:, None] > data.true.cumsum(axis=1)).sum(axis=1).clip(0, 2) for _ in range(2000)]
    of = [measured(data.predicted, target.astype(float), THREE, 15)[metric] for target in drawn]
    value = scored.expected(np.ones(400), data.true)
    assert abs(value - np.mean(of)) < 4 * np.std(of) / np.sqrt(2000)


def test_of_several_classes_so_many_copies_are_evenly_spaced() -> None:
    scored = Scored.of(three(1000, 1).predicted, Measure("logloss", THREE), 300)
    assert len(scored.rows) == 100
    assert set(np.diff(scored.rows).tolist()) <= {10, 11}
