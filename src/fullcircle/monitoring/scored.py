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
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.base.statistics import bin_of, quantile_edges
from fullcircle.monitoring.estimates import spaced
from fullcircle.monitoring.measure import Measure

if TYPE_CHECKING:
    from collections.abc import Callable

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
        size = len(self.predicted) * self.measure.classes
        place = self._place(target)
        return np.bincount(place, weights=weight[self.rows], minlength=size).reshape(-1, self.measure.classes)

    def realized(self, target: Array, weight: Array) -> float:
        """The metric of rows with outcomes: `target`, `weight`: (rows,). NaN where it is not defined."""
        return self._value(self.table(target, weight))

    def realized_by(self, target: Array, group: Array) -> Callable[[Array], float]:
        """The same as a function of how often each group is drawn, float64 (groups,). `group`: int64 (rows,)."""
        of = totals(
            self._place(target), len(self.predicted) * self.measure.classes, group[self.rows], int(group.max()) + 1
        )
        return lambda drawn: self._value(of(drawn).reshape(-1, self.measure.classes))

    def expected(self, weight: Array, probability: Array) -> float:
        """The expected metric. `weight`: (rows,). `probability`: of each unit and class, float64 (units, classes)."""
        return self.expected_of(self.count(weight), probability)

    def expected_by(self, probability: Array, group: Array) -> Callable[[Array], float]:
        """The same as a function of how often each group is drawn, float64 (groups,). `group`: int64 (rows,)."""
        of = totals(self.at, len(self.predicted), group[self.rows], int(group.max()) + 1)
        return lambda drawn: self.expected_of(of(drawn), probability)

    def count(self, weight: Array | None = None) -> Array:
        """The weight of each unit, float64 (units,); None: 1 per row."""
        weights = None if weight is None else weight[self.rows]
        return np.bincount(self.at, weights=weights, minlength=len(self.predicted)).astype(np.float64)

    def expected_of(self, count: Array, probability: Array) -> float:
        """The expected metric of units with weights `count` (units,)."""
        table = count[:, None] * probability
        value = self._value(table)
        if self.measure.metric == "auc" and self.measure.calibration.task == "binary":
            negative, positive = table.sum(axis=0)
            own = (count * probability.prod(axis=1)).sum()
            pairs = positive * negative - own
            return float((value * positive * negative - own / 2) / pairs) if pairs > 1e-9 else float("nan")
        return value

    def _place(self, target: Array) -> Array:
        return self.at * self.measure.classes + target[self.rows].astype(np.int64)

    def _value(self, table: Array) -> float:
        if not table.sum() > 0:
            return float("nan")
        return self.measure.task.evaluate(self.prepared, table.ravel())[self.measure.metric]


def totals(place: Array, size: int, group: Array, groups: int) -> Callable[[Array], Array]:
    """How many rows each of `size` places has, float64 (size,), as a function of how often each group is drawn.

    `place`, `group`: int64 (rows,). `groups`: how many a draw has a number for. Counted once where they are few.
    """
    if groups * size > 4 * len(place) + 1_000_000:
        return lambda drawn: np.bincount(place, weights=drawn[group], minlength=size)
    count = np.bincount(group * size + place, minlength=groups * size).reshape(groups, size).astype(np.float64)
    return lambda drawn: np.asarray(drawn @ count)


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
