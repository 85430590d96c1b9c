"""Metrics of rows as a function of their weights, and the expected metric where outcomes are not known yet.

The expected metric under given probabilities is the weighted metric of each row repeated once per class, with the
row's probability of that class as weight. It is exact for means over rows (log loss, Brier score, accuracy). A metric
that is a ratio of sums becomes the ratio of expected sums: off by a term of the order 1 / rows for average precision,
precision, recall, F1 and balanced accuracy. In the area under the ROC curve each row would also be paired with
its own copy; for two classes these pairs are taken out, and what is left is the ratio of expected sums. The
calibration error of a finite sample also holds noise, which the expected one does not; `expected.py` adds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.base.statistics import bin_of, quantile_edges
from fullcircle.monitoring.estimates import Measure, spaced

CELLS = 1000
"""Probabilities of one class are joined to so many values at most, so that a resample of a million rows costs little. A
metric moves by less than 1e-4 (average precision 1e-3, calibration error 2e-3). No cell spans the threshold."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows of classified predictions. Each row belongs to a unit: a value of the probability, or itself.

    `rows`: positions of the rows that are used, int64 (used,). `at`: unit of each, int64 (used,). `predicted`: of
    each unit, float64 (units, outputs). `prepared`: each unit repeated once per class, for the metrics of the task.
    """

    measure: Measure
    rows: Array
    at: Array
    predicted: Array
    prepared: Any

    @classmethod
    def of(cls, predicted: Array, measure: Measure, copies: int) -> Scored:
        """Prepare the rows. `predicted`: float64 (rows, outputs), at least one row. `copies`: see EstimateConfig."""
        if measure.calibration.task == "binary":
            rows = np.arange(len(predicted))
            at, units = _cells(predicted[:, 0], measure.calibration.threshold)
        else:
            rows = spaced(len(predicted), max(1, copies // measure.classes))
            at, units = np.arange(len(rows)), predicted[rows]
        repeated, target = np.repeat(units, measure.classes, axis=0), np.tile(np.arange(measure.classes), len(units))
        prepared = measure.task.predictions(repeated, target, measure.calibration, measure.bins)
        return cls(measure, rows, at, units, prepared)

    def table(self, target: Array, weight: Array) -> Array:
        """Weight of the rows of each unit and class, float64 (units, classes). `target`, `weight`: (rows,)."""
        classes, shape = self.measure.classes, (len(self.predicted), self.measure.classes)
        place = self.at * classes + target[self.rows].astype(np.int64)
        return np.bincount(place, weights=weight[self.rows], minlength=shape[0] * classes).reshape(shape)

    def realized(self, target: Array, weight: Array) -> float:
        """The metric of rows with outcomes: `target`, `weight`: (rows,). NaN where it is not defined."""
        return self._value(self.table(target, weight))

    def expected(self, weight: Array, probability: Array) -> float:
        """The expected metric. `weight`: (rows,). `probability`: of each unit and class, float64 (units, classes)."""
        count = np.bincount(self.at, weights=weight[self.rows], minlength=len(self.predicted))
        table = count[:, None] * probability
        value = self._value(table)
        if self.measure.metric == "auc" and self.measure.calibration.task == "binary":
            negative, positive = table.sum(axis=0)
            own = (count * probability.prod(axis=1)).sum()
            pairs = positive * negative - own
            return float((value * positive * negative - own / 2) / pairs) if pairs > 1e-9 else float("nan")
        return value

    def _value(self, table: Array) -> float:
        if not table.sum() > 0:
            return float("nan")
        return self.measure.task.evaluate(self.prepared, table.ravel())[self.measure.metric]


def _cells(probability: Array, threshold: float) -> tuple[Array, Array]:
    """The cell of each row, int64 (rows,), and the mean probability of each cell, float64 (cells, 1)."""
    values, at = np.unique(probability, return_inverse=True)
    if len(values) <= CELLS:
        return at.astype(np.int64), values[:, None]
    edges = np.union1d(quantile_edges(probability, CELLS), [np.nextafter(threshold, -1.0)])
    used, at = np.unique(bin_of(probability, edges), return_inverse=True)
    mean = np.bincount(at, weights=probability) / np.bincount(at)
    above = used > bin_of(np.array([np.nextafter(threshold, -1.0)]), edges)[0]  # a rounded mean stays on its side
    below = np.nextafter(threshold, -1.0)
    return at.astype(np.int64), np.where(above, np.maximum(mean, threshold), np.minimum(mean, below))[:, None]
