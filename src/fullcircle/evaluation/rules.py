"""Rules over one column: the prediction is the mean target of the value's bin or level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import coded
from fullcircle.base.statistics import bin_of, quantile_edges

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

BINS = 16
SMOOTHING = 10.0
"""Rows of the overall mean that are mixed into the mean of each bin or level, so that a rare one stays moderate."""


@dataclass(frozen=True, slots=True)
class OneRule:
    """A rule over one raw column (after Holte 1993).

    A mean is a prediction, (outputs,): the share of positives, the share of each class, or the mean number.
    For numbers and times (in days) `edges` are the inner edges of bins, and `means` has one mean per bin and a last
    one for null. For categories `levels` maps a level to its mean, and `means` holds only the overall one, for null
    and for unseen levels.
    """

    column: str
    edges: tuple[float, ...]
    levels: dict[str, tuple[float, ...]]
    means: tuple[tuple[float, ...], ...]

    def predict(self, values: Array) -> Array:
        """Predictions for the values of the rule's column: float64 (rows, outputs)."""
        if values.dtype == object:
            means = [self.levels.get(v, self.means[0]) for v in values]
            return np.array(means, dtype=np.float64).reshape(-1, len(self.means[0]))
        return np.array(self.means)[bin_of(_numbers(values), np.array(self.edges))]


def fit_rule(column: str, values: Array, target: Array, smoothing: float = SMOOTHING) -> OneRule:
    """Fit a rule to the `values` (rows,) of a column and the `target`, float64 (rows, outputs)."""
    overall = target.mean(axis=0)
    if values.dtype == object:
        found = coded(values)
        at = found.positions(found.known)
        means = _means(at[at >= 0], target[at >= 0], len(found.known), overall, smoothing)
        return OneRule(column, (), dict(zip(found.known, means, strict=True)), (tuple(overall.tolist()),))
    numbers = _numbers(values)
    edges = quantile_edges(numbers, BINS)
    means = _means(bin_of(numbers, edges), target, len(edges) + 2, overall, smoothing)
    return OneRule(column, tuple(edges.tolist()), {}, tuple(means))


def _numbers(values: Array) -> Array:
    """Numbers unchanged; times in days since 1970, so that 6 digits in a file still hold the hour."""
    if values.dtype.kind != "M":
        return values
    days = values.astype("datetime64[s]").astype(np.int64) / 86400
    return np.where(np.isnat(values), np.nan, days)


def _means(at: Array, target: Array, length: int, overall: Array, smoothing: float) -> list[tuple[float, ...]]:
    """Smoothed mean target of each bin or level."""
    count = np.bincount(at, minlength=length) + smoothing
    columns = [
        (np.bincount(at, weights=values, minlength=length) + smoothing * mean) / count
        for values, mean in zip(target.T, overall, strict=True)
    ]
    return [tuple(float(v) for v in row) for row in zip(*columns, strict=True)]
