from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.features.crossfit import folds, mean_of, out_of_fold, smoothed_means
from fullcircle.features.targets import indicators


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 500), st.integers(1, 12))
def test_folds_are_equal_to_one_row(rows: int, count: int) -> None:
    sizes = np.bincount(folds(rows, count), minlength=count)
    assert sizes.sum() == rows
    assert sizes.max(initial=0) - sizes.min(initial=rows) <= 1


def test_folds_are_the_same_every_time_and_are_no_stretches_or_steps_of_the_table() -> None:
    assert folds(12, 3).tolist() == folds(12, 3).tolist() == [0, 0, 0, 2, 1, 1, 2, 2, 0, 1, 2, 1]
    fold = folds(5000, 5)
    for part in (fold[:500], fold[::5], fold[1::10]):
        assert np.bincount(part).min() > 0.15 * len(part)


def test_an_out_of_fold_mean_has_no_part_of_its_own_row() -> None:
    """Whatever a row's target is, its own mean stays as it is; two targets change, so that the mean of all does not."""
    at, y = np.repeat(np.arange(20), 6), np.random.default_rng(0).random((120, 1))
    before = out_of_fold(at, 20, y, 2.0, mean_of(y), 5)
    for row, other in ((0, 50), (17, 90), (119, 3)):
        changed = y.copy()
        changed[row], changed[other] = changed[other], changed[row]
        after = out_of_fold(at, 20, changed, 2.0, mean_of(y), 5)
        assert after[row] == before[row]
        assert not np.array_equal(after, before)


def test_an_out_of_fold_mean_is_that_of_the_other_folds() -> None:
    at, y, fold = np.array([0, 0, 0, 0, 1, -1]), np.array([[1.0], [0], [1], [1], [0], [1]]), folds(6, 2)
    found = out_of_fold(at, 2, y, 1.0, np.array([0.6]), 2)
    for i in range(6):
        same = (fold != fold[i]) & (at == at[i]) & (at[i] >= 0)
        assert found[i, 0] == pytest.approx((y[same].sum() + 0.6) / (same.sum() + 1))


def test_the_mean_of_a_level_is_drawn_towards_the_mean_of_all() -> None:
    y = np.array([[1.0], [1], [0], [0]])
    assert mean_of(y).tolist() == [0.5]
    assert smoothed_means(np.array([0, 0, -1, -1]), 2, y, 2.0, mean_of(y)).tolist() == [[0.75], [0.5]]


def test_without_smoothing_a_level_without_rows_has_the_mean_of_all() -> None:
    y = np.array([[3.0], [5.0]])
    assert smoothed_means(np.array([0, 0]), 2, y, 0.0, mean_of(y)).tolist() == [[4.0], [4.0]]


def test_no_rows_have_a_mean_of_nothing() -> None:
    assert mean_of(np.zeros((0, 2))).tolist() == [0.0, 0.0]
    assert smoothed_means(np.zeros(0, np.int64), 1, np.zeros((0, 2)), 1.0, np.zeros(2)).tolist() == [[0.0, 0.0]]


def test_a_level_of_one_row_has_the_mean_of_all_out_of_fold_and_tells_no_fold() -> None:
    y = np.random.default_rng(0).random((50, 1))
    assert set(out_of_fold(np.arange(50), 50, y, 3.0, mean_of(y), 5).ravel().round(12)) == {round(float(y.mean()), 12)}
    assert set(out_of_fold(np.full(50, -1), 0, y, 3.0, mean_of(y), 5).ravel()) == {y.mean()}


def test_the_means_of_several_classes_add_up_to_one() -> None:
    random = np.random.default_rng(1)
    at, y = random.integers(-1, 9, 300), indicators(random.integers(0, 4, 300).astype(float), 4)
    for means in (smoothed_means(at, 9, y, 5.0, mean_of(y)), out_of_fold(at, 9, y, 5.0, mean_of(y), 5)):
        np.testing.assert_allclose(means.sum(axis=1), 1, atol=1e-12)


def test_a_category_that_tells_nothing_tells_nothing_out_of_fold() -> None:
    """In fold, a level of three rows tells its own targets: the leak that cross-fitting is for."""
    random = np.random.default_rng(2)
    at, y = random.permutation(np.repeat(np.arange(1000), 3)), (random.random((3000, 1)) < 0.5).astype(float)
    in_fold, crossed = smoothed_means(at, 1000, y, 2.0, mean_of(y))[at], out_of_fold(at, 1000, y, 2.0, mean_of(y), 5)
    assert np.corrcoef(in_fold[:, 0], y[:, 0])[0, 1] > 0.4
    assert abs(np.corrcoef(crossed[:, 0], y[:, 0])[0, 1]) < 0.15
