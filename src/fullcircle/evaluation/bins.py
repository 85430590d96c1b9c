"""Bins of equal count over predictions: mean prediction and mean outcome per bin, which is calibration in any task."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fullcircle.base.columns import Array, Columns
from fullcircle.base.statistics import bin_of, quantile_edges

MIN_ROWS_PER_BIN = 5
"""With fewer rows per bin, the mean outcome of a bin is chance."""


@dataclass(frozen=True, slots=True)
class Bins:
    """`at`: the bin of each row, int64 (rows,), below `count`."""

    at: Array
    count: int


def binned(values: Array, bins: int) -> Bins:
    """Bins of equal count of 1-D `values` (at least one, without nulls); equal values share a bin.

    At most `bins` of them, fewer where they would hold less than five rows each, and at least one.
    """
    edges = quantile_edges(values, max(1, min(bins, len(values) // MIN_ROWS_PER_BIN)))
    return Bins(bin_of(values, edges), len(edges) + 1)


def calibration_error(bins: Bins, predicted: Array, observed: Array, weight: Array) -> float:
    """Mean distance between mean prediction and mean outcome of a bin, weighted by rows (Naeini et al. 2015); 0 to 1.

    `predicted`, `observed`, `weight`: 1-D, a value per row of `bins`.
    """
    gap = np.bincount(bins.at, weights=weight * (predicted - observed), minlength=bins.count)
    return float(np.abs(gap).sum() / weight.sum())


def calibration_curve(bins: Bins, predicted: Array, observed: Array) -> Columns:
    """One row per bin that has rows: mean `predicted`, mean `observed`, number of `rows`."""
    count = np.bincount(bins.at, minlength=bins.count)
    used = count > 0
    means = [np.bincount(bins.at, weights=values, minlength=bins.count) for values in (predicted, observed)]
    return {"predicted": means[0][used] / count[used], "observed": means[1][used] / count[used], "rows": count[used]}
