"""Target means, and out-of-fold target means.

A level's mean over few rows is close to the targets of those rows; a model that learns from it overfits to it. So
training rows get means of the other folds, and all other rows get the mean of all training rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ..base.columns import Array


def folds(rows: int, count: int) -> Array:
    """Which of `count` folds, equal to one row, each row is in: int64 (rows,), by its position only.

    Positions are shuffled by a fixed mixing of their bits (SplitMix64, Steele et al. 2014), so that a table sorted or
    periodic in any way has each of its stretches in every fold.
    """
    mixed = np.arange(1, rows + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    fold = np.empty(rows, np.int64)
    fold[np.argsort(mixed ^ (mixed >> np.uint64(31)), kind="stable")] = np.arange(rows) % count
    return fold


def smoothed_means(at: Array, levels: int, y: Array, smoothing: float, mean: Array) -> Array:
    """Mean of `y` (rows, outputs) in each level, drawn towards `mean` (outputs,) (Micci-Barreca 2001).

    `at`: each row's level, -1 for none. `smoothing`: weight of `mean`, in rows. Returns float64
    (levels, outputs); a level without rows has `mean`.
    """
    known = at >= 0
    counts = np.bincount(at[known], minlength=levels)[:, None]
    sums = np.stack([np.bincount(at[known], weights=column[known], minlength=levels) for column in y.T], axis=1)
    weight = counts + smoothing
    return np.where(weight > 0, (sums + smoothing * mean) / np.where(weight > 0, weight, 1), mean)


def out_of_fold(at: Array, levels: int, y: Array, smoothing: float, mean: Array, count: int) -> Array:
    """Each row's smoothed mean, float64 (rows, outputs), of the rows of the other folds only.

    `mean`: of all rows, in every fold. The mean of the other folds would identify the fold, and leak a little of its
    targets, if a level has no other row.
    """
    fold = folds(len(at), count)
    found = np.empty((len(at), y.shape[1]))
    for i in range(count):
        others, here = fold != i, fold == i
        means = smoothed_means(at[others], levels, y[others], smoothing, mean)
        found[here] = np.vstack([means, mean])[at[here]]  # -1 is the last row
    return found


def mean_of(y: Array) -> Array:
    """The mean of each output, float64 (outputs,), of (rows, outputs); 0 where there are no rows."""
    return np.asarray(y.mean(axis=0)) if len(y) else np.zeros(y.shape[1])
