"""Metrics of binary predictions, weighted, so that one sort serves every bootstrap resample.

scikit-learn's would do, at fifty times the cost: they sort again for every resample. Tests hold these to its values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fullcircle.runtime.columns import Array

NAMES = {
    "auc": "ROC AUC",
    "ap": "average precision",
    "logloss": "log loss",
    "brier": "Brier score",
    "ece": "expected calibration error",
    "acc": "accuracy",
    "prec": "precision",
    "rec": "recall",
    "f1": "F1",
}
"""Short name, as `dvc exp show` has room for -> the field's name."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions sorted by falling probability.

    `probability`, `target` (0.0 or 1.0): float64 (rows,). `order`: position of each in the rows as given.
    `last`: positions of the last row of each run of equal probabilities. `bin`: calibration bin of each row.
    `loss`, `squared`: each row's log loss and squared error.
    """

    probability: Array
    target: Array
    order: Array
    last: Array
    loss: Array
    squared: Array
    bin: Array
    bins: int
    threshold: float


def predictions(probability: Array, target: Array, threshold: float, bins: int) -> Predictions:
    """Sort once. Calibration bins hold equal counts, ties kept together."""
    order = np.argsort(-probability, kind="stable")
    p, t = probability[order], target[order].astype(np.float64)
    last = np.append(np.flatnonzero(np.diff(p)), len(p) - 1)
    inside = np.clip(p, 1e-15, 1 - 1e-15)
    loss = -(t * np.log(inside) + (1 - t) * np.log1p(-inside))
    edges = np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1])
    return Predictions(p, t, order, last, loss, (p - t) ** 2, np.searchsorted(edges, p, side="left"), bins, threshold)


def evaluate(sorted_: Predictions, weight: Array | None = None) -> dict[str, float]:
    """Every metric of NAMES. `weight`: rows' weights in the order they were given (None: 1 each).

    Where a weight leaves one class only, auc and ap are NaN; where nothing is foretold, precision and F1 are 0.
    """
    w = np.ones(len(sorted_.target)) if weight is None else weight[sorted_.order].astype(np.float64)
    positive, negative = w * sorted_.target, w * (1 - sorted_.target)
    total = w.sum()
    hits, alarms = np.cumsum(positive)[sorted_.last], np.cumsum(negative)[sorted_.last]
    return {
        "auc": _auc(hits, alarms),
        "ap": _average_precision(hits, alarms),
        **_probabilistic(sorted_, w, total),
        **_decisions(sorted_, positive, negative, total),
    }


def _auc(hits: Array, alarms: Array) -> float:
    """Area under the ROC curve by trapezes, ties counting half (Fawcett 2006)."""
    if hits[-1] == 0 or alarms[-1] == 0:
        return float("nan")
    above = np.concatenate([[0.0], hits])
    steps = np.diff(np.concatenate([[0.0], alarms]))
    return float(((above[:-1] + above[1:]) / 2 * steps).sum() / (hits[-1] * alarms[-1]))


def _average_precision(hits: Array, alarms: Array) -> float:
    """Sum of precision times the step in recall, not interpolated."""
    if hits[-1] == 0:
        return float("nan")
    precision = hits / np.maximum(hits + alarms, 1e-300)
    return float((precision * np.diff(np.concatenate([[0.0], hits]))).sum() / hits[-1])


def _probabilistic(s: Predictions, w: Array, total: float) -> dict[str, float]:
    gap = np.bincount(s.bin, weights=w * (s.probability - s.target), minlength=s.bins)
    return {
        "logloss": float((w * s.loss).sum() / total),
        "brier": float((w * s.squared).sum() / total),
        "ece": float(np.abs(gap).sum() / total),
    }


def _decisions(s: Predictions, positive: Array, negative: Array, total: float) -> dict[str, float]:
    alarm = s.probability >= s.threshold
    hit, false = positive[alarm].sum(), negative[alarm].sum()
    missed = positive.sum() - hit
    return {
        "acc": float((hit + negative.sum() - false) / total),
        "prec": float(hit / (hit + false)) if hit + false else 0.0,
        "rec": float(hit / (hit + missed)) if hit + missed else 0.0,
        "f1": float(2 * hit / (2 * hit + false + missed)) if hit + false + missed else 0.0,
    }
