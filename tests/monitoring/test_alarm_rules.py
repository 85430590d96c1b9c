"""The rules that benchmarks compare the alarm with do what their authors say."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.alarm import positions
from benchmarks.alarm_rules import betting, beyond_three, first_alarm, raised

from fullcircle.monitoring.threshold import Spread

CERTAIN = Spread(0.7, 10**6, 0.01, 0.0, 0.0, 0.0, (-1.0, 1.0))


def test_an_e_detector_waits_a_year_for_a_false_alarm_if_the_mean_is_known() -> None:
    x = np.random.default_rng(0).normal(0.7, 0.1, (1000, 500)).clip(0.2, 1.2)
    waits = first_alarm(betting(CERTAIN, x, 0.05))
    assert np.minimum(waits, 1000).mean() >= 365
    assert np.median(first_alarm(betting(CERTAIN, x - 0.1, 0.05))) < 30


def test_three_standard_deviations_are_beyond() -> None:
    x = np.array([[0.7], [0.41], [0.39], [0.39], [0.7], [0.2]])
    assert beyond_three(CERTAIN, x)[:, 0].tolist() == [False, False, True, True, False, True]
    assert raised(beyond_three(CERTAIN, x)).tolist() == [2]
    assert first_alarm(beyond_three(CERTAIN, x)).tolist() == [3]
    assert first_alarm(beyond_three(CERTAIN, x[:2])).tolist() == [np.inf]


@pytest.mark.parametrize("windows", [1, 6, 14, 365])
def test_days_are_drawn_in_runs_of_a_week(windows: int) -> None:
    found = positions(windows, 50, 365, np.random.default_rng(0))
    assert found.shape == (windows, 50)
    together = (np.diff(found, axis=0) % 365 == 1).mean() if windows > 1 else 1
    assert together > 0.75
