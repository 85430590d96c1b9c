"""Statistics of columns that several packages share: quantile bins, medians, means and deviations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .columns import Array


def quantile_edges(values: Array, bins: int) -> Array:
    """Inner edges of at most `bins` bins of equal count: 1-D, ascending, without duplicates.

    `values`: 1-D numbers. Null and infinite ones are left out; without any other the result is empty, which is one bin.

    >>> quantile_edges(np.array([1.0, 2.0, 3.0, 4.0, np.nan]), 4).tolist()
    [1.75, 2.5, 3.25]
    >>> quantile_edges(np.array([0.0, 0.0, 0.0, 9.0]), 4).tolist()
    [0.0, 2.25]
    """
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return np.zeros(0)
    return np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))


def bin_of(values: Array, edges: Array) -> Array:
    """Bin of each value, int64 (rows,): 0 to len(edges); null has a bin by itself, len(edges) + 1.

    A value on an edge belongs to the bin below it.

    >>> bin_of(np.array([-5.0, 1.0, 1.5, 7.0, np.nan]), np.array([1.0, 2.0])).tolist()
    [0, 0, 1, 2, 3]
    """
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))


def medians(X: Array) -> Array:
    """Median of each column of `X` (rows, columns), float64 (columns,). NaN is null; an all-null column has 0."""
    known = [column[~np.isnan(column)] for column in X.T]
    return np.array([np.median(values) if len(values) else 0.0 for values in known])


def mean_and_deviation(X: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of each column of `X` (rows, columns) without nulls: two float64 (columns,).

    The deviation of a constant column is 1, so that dividing by it is safe. It is tested by the column's range: the sum
    of equal values may be off by a rounding error, and the deviation then is another one.
    """
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    deviation[(X.max(axis=0) == X.min(axis=0)) | (deviation == 0)] = 1
    return mean, deviation
