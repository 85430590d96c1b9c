from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.evaluation import binary
from fullcircle.evaluation.binary import Predictions, evaluate
from fullcircle.evaluation.intervals import Resampling, bootstrap, bootstrap_difference, groups_of
from fullcircle.evaluation.tasks import task_metrics
from tests.evaluation.made import NUMBER, THREE, column, of_number, of_three, text, two

if TYPE_CHECKING:
    from fullcircle.base.columns import Array


def drawn(rows: int, seed: int = 0) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    p = random.beta(2, 3, rows)
    return p, (random.random(rows) < p).astype(float)


def predictions(probability: Array, target: Array, threshold: float, bins: int) -> Predictions:
    return binary.predictions(column(probability), target, two(threshold), bins)


def width(p: Array, t: Array, group: Array, name: str = "auc") -> float:
    low, high = bootstrap(binary, predictions(p, t, 0.5, 5), group, 200, 0.95, 0)[name]
    return high - low


@pytest.mark.parametrize("seed", range(5))
def test_an_interval_contains_the_estimate(seed: int) -> None:
    sorted_ = predictions(*drawn(500, seed), 0.5, 5)
    intervals = bootstrap(binary, sorted_, np.arange(500), 200, 0.95, seed)
    for name, value in evaluate(sorted_).items():
        low, high = intervals[name]
        assert low < high
        if name != "ece":  # its resamples are biased upwards
            assert low <= value <= high


def test_a_seed_makes_it_repeatable() -> None:
    sorted_ = predictions(*drawn(300), 0.5, 5)
    first, again, other = (bootstrap(binary, sorted_, np.arange(300), 50, 0.9, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_copies_of_a_row_in_a_group_make_it_no_narrower() -> None:
    p, t = drawn(200)
    group = np.arange(200)
    p8, t8, group8 = (np.repeat(values, 8) for values in (p, t, group))
    by_group, by_row = width(p8, t8, group8), width(p8, t8, np.arange(1600))
    assert by_group == pytest.approx(width(p, t, group), rel=0.01)
    assert by_group > 2 * by_row


def test_a_higher_level_is_wider() -> None:
    sorted_, group = predictions(*drawn(300), 0.5, 5), np.arange(300)
    (low90, high90), (low99, high99) = (
        bootstrap(binary, sorted_, group, 400, level, 0)["auc"] for level in (0.9, 0.99)
    )
    assert low99 < low90 < high90 < high99


def test_more_rows_are_narrower() -> None:
    assert width(*drawn(4000), np.arange(4000)) < width(*drawn(400), np.arange(400)) / 2


def test_about_as_many_intervals_hold_the_truth_as_they_say() -> None:
    truth = evaluate(predictions(*drawn(200_000, 99), 0.5, 5))["brier"]
    held = 0
    for seed in range(60):
        low, high = bootstrap(binary, predictions(*drawn(300, seed), 0.5, 5), np.arange(300), 100, 0.8, seed)["brier"]
        held += low <= truth <= high
    assert 39 <= held <= 57  # 80 % of 60 is 48; three standard deviations are 9


def test_resamples_that_lost_a_class_do_not_spoil_the_interval() -> None:
    p, t = np.linspace(0.1, 0.9, 6), np.array([0.0, 0, 0, 0, 0, 1])
    low, high = bootstrap(binary, predictions(p, t, 0.5, 2), np.arange(6), 100, 0.95, 0)["auc"]
    assert 0 <= low <= high <= 1


@pytest.mark.parametrize("n_classes", [0, 3])
def test_every_task_has_intervals_of_every_metric_that_contain_the_estimate(n_classes: int) -> None:
    task = task_metrics(n_classes)
    predicted, target = of_three(400) if n_classes else of_number(400)
    calibration = THREE if n_classes else NUMBER
    found = task.predictions(predicted, target, calibration, 5)
    intervals = bootstrap(task, found, np.arange(400), 100, 0.99, 0)
    assert set(intervals) == set(task.NAMES)
    for name, value in task.evaluate(found).items():
        low, high = intervals[name]
        assert low < high or name == "width"
        if name != "ece":
            assert low <= value <= high, name


def test_a_metric_that_no_resample_has_is_not_a_number() -> None:
    found = predictions(np.linspace(0.1, 0.9, 30), np.zeros(30), 0.5, 2)
    intervals = bootstrap(binary, found, np.arange(30), 30, 0.95, 0)
    assert np.isnan(intervals["auc"]).all()
    assert intervals["brier"][0] < intervals["brier"][1]


def test_one_group_tells_nothing_of_others() -> None:
    intervals = bootstrap(binary, predictions(*drawn(50), 0.5, 5), np.zeros(50, np.int64), 30, 0.95, 0)
    assert set(intervals) == set(binary.NAMES)
    assert np.isnan(list(intervals.values())).all()


def test_without_columns_each_row_is_a_group() -> None:
    assert groups_of([], 4).tolist() == [0, 1, 2, 3]


def test_many_levels_in_many_columns_do_not_run_together() -> None:
    random = np.random.default_rng(0)
    columns = [random.permutation(20_000).astype(float) for _ in range(6)]  # 20,000^6 is more than int64 holds
    assert len(set(groups_of(columns, 20_000).tolist())) == 20_000
    dates = np.array(["2024-01-01", "2024-01-02", "NaT", "NaT"], dtype="datetime64[s]")
    assert groups_of([dates], 4).tolist() == [0, 1, 2, 2]


def test_rows_with_equal_values_are_one_group() -> None:
    group = groups_of([np.array([2013.0, 2013, 2014, 2013]), text("abab")], 4)
    assert group.tolist() == [0, 1, 2, 1]
    assert group.dtype == np.int64


def test_groups_are_numbered_without_gaps() -> None:
    random = np.random.default_rng(0)
    columns = [random.integers(0, 9, 300).astype(float), text(random.integers(0, 5, 300))]
    group = groups_of(columns, 300)
    pairs = list(zip(columns[0], columns[1], strict=True))
    assert set(group.tolist()) == set(range(len(set(pairs))))
    assert len({(g, *pair) for g, pair in zip(group.tolist(), pairs, strict=True)}) == len(set(pairs))


def difference(first: Array, second: Array, target: Array, metric: str, **changed: Any) -> tuple[float, float]:
    both = (predictions(first, target, 0.5, 5), predictions(second, target, 0.5, 5))
    resampling = replace(Resampling(200, 0.95, 0), **changed)
    return bootstrap_difference(binary, metric, both, np.arange(len(target)), resampling)


def test_the_interval_of_a_difference_of_means_is_the_normal_one() -> None:
    p, t = drawn(2000)
    q = np.clip(p + np.random.default_rng(1).normal(0.05, 0.1, 2000), 0.01, 0.99)
    low, high = difference(p, q, t, "brier", resamples=2000)
    gain = (q - t) ** 2 - (p - t) ** 2  # lower is better
    error = gain.std() / np.sqrt(2000)
    assert (low, high) == pytest.approx((gain.mean() - 1.96 * error, gain.mean() + 1.96 * error), abs=0.15 * error)


@pytest.mark.parametrize("metric", ["auc", "brier", "logloss"])
def test_the_interval_of_two_equal_predictions_is_zero(metric: str) -> None:
    p, t = drawn(300)
    assert difference(p, p, t, metric) == (0.0, 0.0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["auc", "ap", "brier", "acc"]))
def test_in_the_other_order_the_interval_is_mirrored(seed: int, metric: str) -> None:
    p, t = drawn(60, seed)
    q = np.random.default_rng(seed + 1).random(60)
    low, high = difference(p, q, t, metric, resamples=40)
    assert (-high, -low) == pytest.approx(difference(q, p, t, metric, resamples=40))
    assert low <= high


def test_the_interval_of_a_difference_is_repeatable() -> None:
    p, t = drawn(300)
    q = np.random.default_rng(1).random(300)
    assert difference(p, q, t, "auc") == difference(p, q, t, "auc")
    assert difference(p, q, t, "auc") != difference(p, q, t, "auc", seed=1)


def test_about_as_many_intervals_of_a_difference_hold_the_truth_as_they_say() -> None:
    def two_models(rows: int, seed: int) -> tuple[Array, Array, Array]:
        p, t = drawn(rows, seed)
        return p, np.clip(p + np.random.default_rng(seed + 1000).normal(0, 0.2, rows), 0.01, 0.99), t

    first, second, t = two_models(200_000, 99)
    truth = float(((second - t) ** 2 - (first - t) ** 2).mean())
    held = 0
    for seed in range(60):
        low, high = difference(*two_models(300, seed), "brier", resamples=100, level=0.8, seed=seed)
        held += low <= truth <= high
    assert 39 <= held <= 57  # 80 % of 60 is 48; three standard deviations are 9


def test_one_group_has_no_interval_of_a_difference() -> None:
    p, t = drawn(50)
    both = (predictions(p, t, 0.5, 5),) * 2
    assert np.isnan(bootstrap_difference(binary, "auc", both, np.zeros(50, np.int64), Resampling(30, 0.95, 0))).all()
