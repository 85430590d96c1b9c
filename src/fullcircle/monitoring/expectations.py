"""What an expected metric is computed from: calibrated probabilities of classes, or reweighted rows for a number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fullcircle.base.statistics import bin_of, quantile_edges
from fullcircle.monitoring.calibrators import FOLDS, Calibrator, choose, fit
from fullcircle.monitoring.estimates import numbered
from fullcircle.monitoring.scored import Scored, totals

if TYPE_CHECKING:
    from collections.abc import Callable

    from fullcircle.base.columns import Array
    from fullcircle.monitoring.estimates import EstimateConfig, Reference
    from fullcircle.monitoring.measure import Measure

SPANS = 20
"""Bins of a predicted number."""


class Expectation(Protocol):
    """Expected metrics, fitted to weighted reference rows with outcomes. Weights are float64 (rows,)."""

    def side(self, predicted: Array, /) -> Any:
        """Prepare predictions (rows, outputs) whose metric is to be expected."""

    def fit(self, weight: Array, /) -> Any:
        """Fit to reference rows of these weights."""

    def refit(self, weight: Array, /) -> Any:
        """Fit to a resample: as `fit`, but it moves with the rows even where `fit` changes nothing."""

    def expected(self, side: Any, fitted: Any, /) -> float:
        """The expected metric of the rows of `side`."""

    def expected_by(self, side: Any, group: Array, fitted: Any, /) -> Callable[[Array], float]:
        """The same as a function of how often each group is drawn, float64 (groups,). `group`: int64 (rows,)."""

    def residual(self, weight: Array, fitted: Any, /) -> float:
        """Realized less expected metric of reference rows."""

    def realized_by(self, predicted: Array, target: Array, group: Array, /) -> Callable[[Array], float]:
        """The realized metric of rows with outcomes, as a function of how often each group is drawn."""


class Calibrated:
    """Classes: the expected metric under calibrated probabilities. `chosen`: none, logistic or isotonic."""

    def __init__(self, reference: Reference, weight: Array, measure: Measure, config: EstimateConfig) -> None:
        self._measure, self._copies, self._target = measure, config.copies, reference.target
        self._scored = Scored.of(reference.predicted, measure, config.copies)
        group = numbered(reference.group)
        fold = (group if int(group.max()) + 1 >= FOLDS else np.arange(len(group))) % FOLDS
        tables = [self._scored.table(reference.target, weight * (fold == k)) for k in range(FOLDS)]
        self.chosen = choose(self._scored.predicted, [table for table in tables if table.sum() > 0])

    def side(self, predicted: Array) -> Scored:
        """Prepare predictions."""
        return Scored.of(predicted, self._measure, self._copies)

    def fit(self, weight: Array) -> Calibrator:
        """The chosen calibrator."""
        return self._fit(self.chosen, weight)

    def refit(self, weight: Array) -> Calibrator:
        """The chosen calibrator; the logistic one where none is chosen, for the rows might have been others."""
        return self._fit("logistic" if self.chosen == "none" else self.chosen, weight)

    def expected(self, side: Scored, fitted: Calibrator) -> float:
        """The expected metric under the calibrated probabilities."""
        return side.expected_of(side.count(), fitted.probability(side.predicted))

    def expected_by(self, side: Scored, group: Array, fitted: Calibrator) -> Callable[[Array], float]:
        """The same, by groups."""
        return side.expected_by(fitted.probability(side.predicted), group)

    def residual(self, weight: Array, fitted: Calibrator) -> float:
        """Realized less expected."""
        expected = self._scored.expected(weight, fitted.probability(self._scored.predicted))
        return self._scored.realized(self._target, weight) - expected

    def realized_by(self, predicted: Array, target: Array, group: Array) -> Callable[[Array], float]:
        """The realized metric, by groups."""
        return self.side(predicted).realized_by(target, group)

    def _fit(self, name: str, weight: Array) -> Calibrator:
        return fit(name, self._scored.predicted, self._scored.table(self._target, weight))


class Reweighted:
    """A number: the metric of reference rows, weighted so that their predictions spread over bins as the window's do.

    A side is the bin of each prediction, int64 (rows,).
    """

    def __init__(self, reference: Reference, measure: Measure) -> None:
        self._measure = measure
        self._edges = quantile_edges(reference.predicted[:, 0], max(1, min(SPANS, len(reference.target) // 20)))
        self._bins = len(self._edges) + 1
        self._realized = self._outcomes(reference.predicted, reference.target)
        self._own = self.side(reference.predicted)

    def side(self, predicted: Array) -> Array:
        """Prepare predictions."""
        return bin_of(predicted[:, 0], self._edges)

    def fit(self, weight: Array) -> Array:
        """The weights."""
        return weight

    def refit(self, weight: Array) -> Array:
        """The weights."""
        return weight

    def expected(self, side: Array, fitted: Array) -> float:
        """The metric of reference rows, with the weight that `side` gives to their bins."""
        return self._expected(np.bincount(side, minlength=self._bins), fitted)

    def expected_by(self, side: Array, group: Array, fitted: Array) -> Callable[[Array], float]:
        """The same, by groups."""
        of = totals(side, self._bins, group, int(group.max()) + 1)
        return lambda drawn: self._expected(of(drawn), fitted)

    def residual(self, weight: Array, fitted: Array) -> float:
        """Realized less expected."""
        wanted = np.bincount(self._own, weights=weight, minlength=self._bins)
        return self._realized(weight) - self._expected(wanted, fitted)

    def realized_by(self, predicted: Array, target: Array, group: Array) -> Callable[[Array], float]:
        """The realized metric, by groups."""
        realized = self._outcomes(predicted, target)
        return lambda drawn: realized(drawn[group])

    def _expected(self, wanted: Array, fitted: Array) -> float:
        there = np.bincount(self._own, weights=fitted, minlength=self._bins)
        share = np.divide(wanted, there, out=np.zeros(self._bins), where=there > 0)
        return self._realized(fitted * share[self._own])

    def _outcomes(self, predicted: Array, target: Array) -> Callable[[Array], float]:
        task, metric = self._measure.task, self._measure.metric
        prepared = task.predictions(predicted, target, self._measure.calibration, self._measure.bins)
        return lambda weight: task.evaluate(prepared, weight)[metric] if weight.sum() > 0 else float("nan")
