"""The threshold keeps its promise: at most so many false alarms a year, and a stated loss is found."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.errors import DataError
from fullcircle.monitoring.cusum import Evidence, step
from fullcircle.monitoring.threshold import alarms_in, delay_in, simulated_loss, spread_of, threshold_of

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.monitoring.threshold import Spread

LOSS, SD, ROWS = 0.03, 0.06, 1000
ROW = 0.6  # variance per row: 1,000 rows have a standard deviation of 0.024
YEARS = 1000


def days(windows: int, streams: int, seed: int, correlation: float = 0.0) -> Array:
    """Values of days of a stream of mean 0.7, (windows, streams): an AR(1), and the noise of ROWS rows."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((windows, streams))
    for t in range(1, windows):
        x[t] = correlation * x[t - 1] + np.sqrt(1 - correlation**2) * x[t]
    return np.asarray(0.7 + np.sqrt(SD**2 - ROW / ROWS) * x + np.sqrt(ROW / ROWS) * random.standard_normal(x.shape))


def spread(windows: int, seed: int, correlation: float = 0.0) -> Spread:
    return spread_of(days(windows, 1, seed, correlation)[:, 0], np.full(windows, ROWS), ROW)


def threshold(found: Spread, false_alarms: float = 1.0, rows: float = ROWS, years: int = YEARS) -> float:
    return threshold_of(simulated_loss(found, rows, 365, 0, years) / LOSS, false_alarms)


@cache
def of_long_reference() -> tuple[Spread, float]:
    found = spread(3000, seed=1)
    return found, threshold(found)


def rate(found: Spread, limit: float, values: Array) -> float:
    """Alarms a year over years with these values."""
    return float(alarms_in((found.mean - values) / LOSS, limit).mean())


def test_the_rate_is_held_with_a_long_reference() -> None:
    found, limit = of_long_reference()
    assert 0.7 <= rate(found, limit, days(365, 2000, seed=2)) <= 1.05  # the error of the rate is 0.03


def test_a_wrong_threshold_breaks_the_rate() -> None:
    found, limit = of_long_reference()
    assert rate(found, 0.7 * limit, days(365, 2000, seed=2)) > 1.5


@pytest.mark.parametrize(("windows", "correlation"), [(20, 0.0), (40, 0.3)])
def test_the_rate_is_held_on_average_over_short_references(windows: int, correlation: float) -> None:
    rates, halved = [], []
    for seed in range(20):
        found = spread(windows, seed, correlation)
        values = days(365, 20, 1000 + seed, correlation)
        limit = threshold(found, years=300)
        rates.append(rate(found, limit, values))
        halved.append(rate(found, limit / 2, values))
    error = 2 * np.std(rates) / np.sqrt(len(rates))
    assert np.mean(rates) - error <= 1
    assert np.mean(halved) - error > 1  # this test can fail


def test_a_short_reference_needs_more_evidence_than_a_certain_one() -> None:
    found = spread(20, seed=3)
    assert threshold(found) > 1.1 * threshold(replace(found, windows=10**6))


def test_a_loss_of_the_stated_size_is_found_and_a_quarter_of_it_rarely() -> None:
    found, limit = of_long_reference()
    values = days(90, 1000, seed=3)
    full, quarter, none = (
        (alarms_in((found.mean - values + loss) / LOSS, limit) > 0).mean() for loss in (LOSS, LOSS / 4, 0.0)
    )
    assert full > 0.95
    assert quarter < 0.5
    assert none < 0.25


def test_a_stated_delay_is_that_of_the_stream() -> None:
    found, limit = of_long_reference()
    stated = delay_in(simulated_loss(found, ROWS, 365, 0, YEARS) / LOSS, limit)
    seen = delay_in((found.mean - days(365, 1000, seed=4)) / LOSS, limit)
    assert stated is not None
    assert seen is not None
    assert abs(stated - seen) <= 2


def test_a_loss_that_is_too_small_has_no_delay() -> None:
    found = spread(14, seed=1)
    lost = simulated_loss(found, ROWS, 365, 0, YEARS) / 0.001
    assert delay_in(lost, threshold_of(lost, 1.0)) is None


def test_fewer_false_alarms_need_more_evidence() -> None:
    found = spread(60, seed=1)
    limits = [threshold(found, false_alarms) for false_alarms in (10.0, 1.0, 0.1)]
    assert limits == sorted(limits)
    assert limits[0] < limits[1] < limits[2]


def test_more_rows_need_less_evidence_as_far_as_rows_are_the_noise() -> None:
    found = spread(240, seed=1)
    few, many, most = (threshold(found, rows=rows) for rows in (50, 30_000, 1_000_000))
    assert few > 1.5 * many
    assert many >= most > 0.8 * many  # days differ, and no number of rows changes that


def test_independent_rows_need_no_evidence_beyond_their_noise() -> None:
    values = 0.7 + np.sqrt(ROW / 10_000) * np.random.default_rng(0).standard_normal(40)
    found = spread_of(values, np.full(40, 10_000), ROW, independent=True)
    assert found.between == 0
    assert threshold(found, rows=1_000_000) == 0  # the first window that is worse by half of the loss
    assert threshold(found, rows=200) > 0


def test_the_noise_of_rows_is_no_variance_between_days() -> None:
    found = spread(3000, seed=1)
    assert found.between == pytest.approx(SD**2 - ROW / ROWS, rel=0.1)
    assert found.correlation < 0.05
    assert spread(3000, seed=1, correlation=0.5).correlation == pytest.approx(0.5, abs=0.06)


def test_the_same_seed_gives_the_same_threshold() -> None:
    found = spread(60, seed=1)
    assert threshold(found) == threshold(found)


def test_a_constant_metric_alarms_at_half_of_the_loss() -> None:
    found = spread_of(np.full(30, 0.7), np.full(30, 1000), 0.0)
    assert found.mean == pytest.approx(0.7)
    assert found.variance == found.between == 0
    assert threshold(found) == 0


def test_windows_without_a_value_do_not_count() -> None:
    values = days(60, 1, seed=1)[:, 0]
    gaps = np.insert(values, [3, 20, 41], np.nan)
    assert spread_of(gaps, np.full(63, ROWS), ROW).mean == spread_of(values, np.full(60, ROWS), ROW).mean


def test_too_few_windows_are_an_error() -> None:
    with pytest.raises(DataError, match="the reference has 7 windows"):
        spread_of(np.append(np.linspace(0, 1, 7), np.nan), np.full(8, 100), 0.1)


def test_a_window_of_few_rows_weighs_less() -> None:
    found = spread(240, seed=1)
    weights = [found.weight(rows, 1000) for rows in (10, 100, 1000, 100_000)]
    assert weights == sorted(weights)
    assert weights[0] < 0.1
    assert weights[2] == weights[3] == 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.floats(0, 5))
def test_streams_side_by_side_are_as_one_by_one(lost: list[float], limit: float) -> None:
    side_by_side = alarms_in(np.column_stack([lost, np.zeros(len(lost))]), limit)
    one = Evidence.zero(1)
    count = 0
    for value in lost:
        after = step(one, np.array([value]), 1.0, limit)
        assert after.total[0] >= 0
        assert not after.alarm[0] or after.total[0] > 0
        count += int(after.alarm[0] and not one.alarm[0])
        one = after
    assert side_by_side.tolist() == [count, 0]
