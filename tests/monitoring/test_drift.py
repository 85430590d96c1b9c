from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from fullcircle.base.errors import ConfigError, DataError
from fullcircle.monitoring.draws import distance
from fullcircle.monitoring.drift import Drift, drift
from fullcircle.monitoring.window import count_window
from tests.builders import text
from tests.monitoring.made import Process, baseline_of, drawn_baseline, drawn_window

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns

INDEPENDENT, DAYS = Process(effect=0.0, numbers=3), Process(effect=1.0, numbers=3)
NOMINAL, WINDOWS = 0.05, 400
AT_MOST = NOMINAL + 3 * np.sqrt(NOMINAL * (1 - NOMINAL) / WINDOWS)

counts = st.lists(st.integers(0, 1000), min_size=3, max_size=12).filter(any)


def false_alarms(process: Process) -> tuple[float, float]:
    """The share of windows without a change in which any column drifted, and in which a test of single rows says so."""
    alarms = naive = 0
    for made in range(20):
        random = np.random.default_rng(made)
        baseline = drawn_baseline(process, 100, random)
        for seed in range(WINDOWS // 20):
            columns, predicted, day = process.draw(1, random)
            window = count_window(baseline, columns, predicted, day)
            alarms += bool(drift(baseline, window, false_alarm=NOMINAL, seed=seed, draws=500).drifted)
            tests = [ks_2samp(columns[f"x{i}"], baseline.test[f"x{i}"][::10]).pvalue for i in range(3)]
            naive += min(tests) < NOMINAL / 3
    return alarms / WINDOWS, naive / WINDOWS


def test_windows_of_independent_rows_give_no_more_false_alarms_than_allowed() -> None:
    alarms, naive = false_alarms(INDEPENDENT)
    assert 0 < alarms <= AT_MOST
    assert naive <= AT_MOST


def test_days_that_differ_give_no_more_false_alarms_than_allowed_where_a_test_of_single_rows_always_does() -> None:
    alarms, naive = false_alarms(DAYS)
    assert 0 < alarms <= AT_MOST
    assert naive > 0.9


def result(days: int = 1, seed: int = 0, **changes: float) -> Drift:
    random = np.random.default_rng(seed)
    process = Process(effect=0.3, numbers=3)
    baseline = drawn_baseline(process, 100, random)
    return drift(baseline, drawn_window(baseline, process, days, random, **changes), false_alarm=0.01, seed=0)


@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_shift_is_found_in_its_column(days: int) -> None:
    found = result(days, x1=3.0)
    assert found.drifted[0].name == "x1"
    assert found.columns[0].change.startswith("mean +")
    assert found.columns[0].shift == pytest.approx(3 / np.sqrt(1 + 0.3**2), abs=0.7)
    assert found.columns[0].effect > found.columns[0].threshold


def test_a_larger_shift_has_a_larger_effect_and_more_rows_do_not() -> None:
    def effect(days: int, shift: float) -> float:
        return next(c.effect for c in result(days, x1=shift).columns if c.name == "x1")

    assert effect(7, 0.5) < effect(7, 1.0) < effect(7, 2.0)
    assert effect(30, 2.0) == pytest.approx(effect(7, 2.0), abs=0.1)


def test_a_column_that_goes_missing_drifts() -> None:
    found = result(x2=float("nan"))
    assert (found.columns[0].name, found.columns[0].change) == ("x2", "null 0% -> 100%")
    assert found.columns[0].shift is None


def rows(**columns: object) -> Columns:
    return {name: values for name, values in columns.items() if isinstance(values, np.ndarray)}


def test_a_level_that_was_not_there_drifts_and_is_named() -> None:
    random = np.random.default_rng(0)
    columns = rows(carrier=text(random.choice(["AA", "UA"], 2000)))
    baseline = baseline_of(columns, random.random((2000, 1)), np.arange(2000))
    new = rows(carrier=text(random.choice(["AA", "UA", "ZZ"], 300, p=[0.45, 0.45, 0.1])))
    window = count_window(baseline, new, random.random((300, 1)), np.zeros(300))
    (found,) = drift(baseline, window, false_alarm=0.01, seed=0).drifted
    assert found.name == "carrier"
    assert found.change.startswith("unseen levels (ZZ) 0% -> ")


@pytest.mark.parametrize("size", [1, 300])
def test_constant_and_empty_columns_divide_by_nothing(size: int) -> None:
    columns = rows(one=np.ones(500), none=np.full(500, np.nan), empty=np.full(500, None, object))
    baseline = baseline_of(columns, np.full((500, 1), 0.5), np.repeat(np.arange(10), 50))
    same = count_window(baseline, {n: v[:size] for n, v in columns.items()}, np.full((size, 1), 0.5), np.zeros(size))
    assert drift(baseline, same, false_alarm=0.01, seed=0).drifted == ()
    other = {**columns, "one": np.full(500, 2.0), "none": np.ones(500)}
    window = count_window(baseline, other, np.full((500, 1), 0.5), np.zeros(500))
    found = {c.name: c.change for c in drift(baseline, window, false_alarm=0.01, seed=0).drifted}
    assert found == dict.fromkeys(["one", "none"], "outside the training range 0% -> 100%")


def test_a_window_of_no_rows_has_no_drift() -> None:
    baseline = drawn_baseline(DAYS, 5, np.random.default_rng(0))
    none = {name: values[:0] for name, values in baseline.test.items()}
    found = drift(baseline, count_window(baseline, none, np.zeros((0, 1)), np.zeros(0)), false_alarm=0.01, seed=0)
    assert (found.columns, found.note) == ((), "the window has no rows")


def test_a_baseline_of_one_group_says_that_only_the_noise_of_rows_is_covered() -> None:
    random = np.random.default_rng(0)
    baseline = drawn_baseline(DAYS, 1, random)
    found = drift(baseline, drawn_window(baseline, DAYS, 1, random), false_alarm=0.01, seed=0)
    assert "one group only" in found.note
    assert found.drifted


def test_equal_seeds_give_equal_results_and_the_order_of_rows_does_not_matter() -> None:
    random = np.random.default_rng(0)
    baseline = drawn_baseline(DAYS, 20, random)
    columns, predicted, day = DAYS.draw(3, random)
    order = random.permutation(len(day))
    windows = [
        count_window(baseline, columns, predicted, day),
        count_window(baseline, {n: v[order] for n, v in columns.items()}, predicted[order], day[order]),
    ]
    first, second = (drift(baseline, window, false_alarm=0.01, seed=3) for window in windows)
    assert [(c.name, c.effect, c.threshold, c.p_value) for c in first.columns] == [
        (c.name, c.effect, c.threshold, c.p_value) for c in second.columns
    ]


def test_a_probability_that_the_draws_cannot_show_is_refused() -> None:
    baseline = drawn_baseline(DAYS, 5, np.random.default_rng(0))
    window = drawn_window(baseline, DAYS, 1, np.random.default_rng(1))
    with pytest.raises(ConfigError, match=r"false_alarm 0\.001 must be above 0\.0099"):
        drift(baseline, window, false_alarm=0.001, seed=0, draws=100)


def test_a_window_without_a_column_is_refused() -> None:
    baseline = drawn_baseline(DAYS, 5, np.random.default_rng(0))
    columns = {name: values for name, values in baseline.test.items() if name != "gust"}
    with pytest.raises(DataError, match="missing columns: gust"):
        count_window(baseline, columns, baseline.predicted, baseline.group)
    with pytest.raises(DataError, match="a window has one length"):
        count_window(baseline, baseline.test, baseline.predicted[:5], baseline.group)


def test_long_windows_of_many_groups_are_drawn_too() -> None:
    random = np.random.default_rng(0)
    process = replace(DAYS, rows=5)
    baseline = drawn_baseline(process, 900, random)
    assert {len(c.groups) for c in baseline.train.values()} == {400}
    found = drift(baseline, drawn_window(baseline, process, 1500, random), false_alarm=0.01, seed=0, draws=200)
    assert found.groups == 1500


@given(counts)
def test_the_distance_of_equal_shares_is_zero(found: list[int]) -> None:
    share = np.array(found) / sum(found)
    assert distance(share, share) == 0


@given(st.data())
def test_the_distance_is_between_zero_and_one_and_the_same_both_ways(data: st.DataObject) -> None:
    first = np.array(data.draw(counts), float)
    second = np.array(
        data.draw(st.lists(st.integers(0, 9), min_size=len(first), max_size=len(first)).filter(any)), float
    )
    first, second = first / first.sum(), second / second.sum()
    assert 0 <= distance(first, second) <= 1
    assert distance(first, second) == pytest.approx(distance(second, first))
    assert distance(np.array([1.0, 0]), np.array([0, 1.0])) == 1
