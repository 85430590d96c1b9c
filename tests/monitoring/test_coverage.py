"""Intervals hold the truth in about 95 of 100 made windows with effects of days; too narrow ones would be found."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from fullcircle.evaluation.tasks import measured
from fullcircle.monitoring.estimates import EstimateConfig
from fullcircle.monitoring.expected import estimate
from fullcircle.monitoring.measure import Measure
from fullcircle.monitoring.powered import powered
from tests.monitoring.scenarios import TWO, Rows, binary

WINDOWS = 100
CONFIG = EstimateConfig(resamples=80)


def pair(seed: int) -> tuple[Rows, Rows]:
    """A reference of 60 days and a window of 20, with days that differ."""
    return binary(6000, 60, 2 * seed, effect=0.4), binary(2000, 20, 2 * seed + 1, shift=0.3, effect=0.4)


def at_most(hits: int, share: float) -> float:
    """The probability of at most so many hits of WINDOWS, each with probability `share`."""
    return sum(comb(WINDOWS, k) * share**k * (1 - share) ** (WINDOWS - k) for k in range(hits + 1))


def within_bounds(hits: int) -> bool:
    """Whether so many of WINDOWS are plausible (1% at either end) for a coverage of 92% to 99%."""
    return at_most(hits, 0.92) > 0.01 and at_most(hits - 1, 0.99) < 0.99


@pytest.mark.parametrize("metric", ["auc", "logloss"])
def test_before_outcomes_intervals_hold_what_is_measured_later(metric: str) -> None:
    hits, narrow = 0, 0
    for seed in range(WINDOWS):
        reference, window = pair(seed)
        truth = measured(window.predicted, window.target, TWO, 15)[metric]
        found = estimate(reference.reference, window.window, Measure(metric, TWO), CONFIG, "cbpe")
        assert found.low is not None
        assert found.high is not None
        assert found.value is not None
        hits += found.low <= truth <= found.high
        narrow += abs(truth - found.value) <= (found.high - found.low) / 4
    assert within_bounds(hits), hits
    assert not within_bounds(narrow), narrow


@pytest.mark.parametrize("metric", ["auc", "logloss"])
def test_powered_intervals_hold_the_metric_of_many_days(metric: str) -> None:
    many = binary(400_000, 4000, 9999, shift=0.3, effect=0.4)
    truth, hits = measured(many.predicted, many.target, TWO, 15)[metric], 0
    for seed in range(WINDOWS):
        reference, window = pair(seed)
        known = np.random.default_rng(seed).random(2000) < 0.2
        found = powered(reference.reference, window.known(known), Measure(metric, TWO), CONFIG)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= truth <= found.high
    assert within_bounds(hits), hits
