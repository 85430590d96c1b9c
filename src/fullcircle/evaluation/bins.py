"""Bins of equal count: what was foretold beside what came, which is calibration, whatever is foretold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fullcircle.base.columns import Array, Columns

ROWS_A_BIN = 5
"""Fewer rows a bin, and the mean of what came in it is chance."""


@dataclass(frozen=True, slots=True)
class Bins:
    """`at`: the bin of each row, int64 (rows,), below `count`."""

    at: Array
    count: int


def binned(values: Array, bins: int) -> Bins:
    """Bins of equal count of 1-D `values` (at least one), equal values kept together.

    At most `bins` of them, fewer where they would hold less than five rows each, and never less than one.
    """
    bins = max(1, min(bins, len(values) // ROWS_A_BIN))
    edges = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    return Bins(np.searchsorted(edges, values, side="left"), bins)


def calibration_error(bins: Bins, predicted: Array, observed: Array, weight: Array) -> float:
    """Mean distance between what is foretold and what comes, bin by bin, weighted by rows (Naeini et al. 2015)."""
    gap = np.bincount(bins.at, weights=weight * (predicted - observed), minlength=bins.count)
    return float(np.abs(gap).sum() / weight.sum())


def calibration_curve(bins: Bins, predicted: Array, observed: Array) -> Columns:
    """A row a bin that is used: mean `predicted`, mean `observed`, number of `rows`."""
    count = np.bincount(bins.at, minlength=bins.count)
    used = count > 0
    means = [np.bincount(bins.at, weights=values, minlength=bins.count) for values in (predicted, observed)]
    return {"predicted": means[0][used] / count[used], "observed": means[1][used] / count[used], "rows": count[used]}
