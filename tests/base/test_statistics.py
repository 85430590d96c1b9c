from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullcircle.base import statistics
from fullcircle.base.statistics import bin_of, mean_and_deviation, medians, quantile_edges

nan = float("nan")
VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(nan), st.integers(0, 3).map(float)), max_size=60)


def test_the_examples_run() -> None:
    assert doctest.testmod(statistics).failed == 0


@given(VALUES, st.integers(1, 20))
def test_every_value_has_a_bin_and_null_the_last_one(values: list[float], bins: int) -> None:
    column = np.array(values, dtype=np.float64)
    edges = quantile_edges(column, bins)
    at = bin_of(column, edges)
    assert len(edges) < bins
    assert (np.diff(edges) > 0).all()
    assert ((at == len(edges) + 1) == np.isnan(column)).all()
    assert ((at >= 0) & (at <= len(edges) + 1)).all()
    known = np.argsort(column[~np.isnan(column)])
    assert (np.diff(at[~np.isnan(column)][known]) >= 0).all()


def test_bins_hold_equally_many_of_distinct_values() -> None:
    values = np.random.default_rng(0).permutation(160) * 1.0
    assert np.bincount(bin_of(values, quantile_edges(values, 16))).tolist() == [10] * 16


def test_infinite_values_are_in_the_outer_bins_and_move_no_edge() -> None:
    values = np.arange(100.0)
    edges = quantile_edges(values, 4)
    assert quantile_edges(np.append(values, [np.inf, -np.inf, nan]), 4).tolist() == edges.tolist()
    assert bin_of(np.array([-np.inf, np.inf]), edges).tolist() == [0, 3]


def test_medians_leave_out_null_and_are_0_for_an_empty_column() -> None:
    assert medians(np.array([[1.0, nan], [nan, nan], [2.0, nan], [9.0, nan]])).tolist() == [2.0, 0.0]


@pytest.mark.parametrize("value", [0.0, 0.1, 1e30])
def test_the_deviation_of_a_constant_column_is_1(value: float) -> None:
    X = np.column_stack([np.full(7, value), np.arange(7.0)])
    mean, deviation = mean_and_deviation(X)
    assert mean.tolist() == pytest.approx([value, 3.0])
    assert deviation.tolist() == [1.0, 2.0]
