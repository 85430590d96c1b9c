from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from fullcircle.evaluation import binary
from fullcircle.evaluation.binary import Predictions, evaluate
from fullcircle.evaluation.intervals import bootstrap, groups_of
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
