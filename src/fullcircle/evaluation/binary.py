"""Metrics of binary predictions, weighted, so that one sort serves every bootstrap resample.

scikit-learn's would do, at fifty times the cost: they sort again for every resample. Tests hold these to its values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array, Columns
from fullcircle.evaluation.bins import Bins, binned, calibration_curve, calibration_error
from fullcircle.evaluation.curves import confusion, counts, of_class, precision_recall, roc

if TYPE_CHECKING:
    from fullcircle.scoring.predictions import BinaryCalibration

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

RANGES = dict.fromkeys(NAMES, (0.0, 1.0)) | {"logloss": (0.0, float("inf"))}
LOWER: tuple[str, ...] = ("logloss", "brier", "ece")
UNRANKED: tuple[str, ...] = ()
PRIMARY = "auc"
SLICED: tuple[str, ...] = ("ece", "rec")


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions sorted by falling probability.

    `probability`, `target` (0.0 or 1.0): float64 (rows,). `order`: position of each in the rows as given.
    `last`: positions of the last row of each run of equal probabilities. `bins`: of calibration.
    `loss`, `squared`: each row's log loss and squared error.
    """

    probability: Array
    target: Array
    order: Array
    last: Array
    loss: Array
    squared: Array
    bins: Bins
    threshold: float


def predictions(predicted: Array, target: Array, calibration: BinaryCalibration, bins: int) -> Predictions:
    """Sort once. `forecast`: float64 (rows, 1), at least one row; `bins`: of calibration, at most."""
    probability = predicted[:, 0]
    order = np.argsort(-probability, kind="stable")
    p, t = probability[order], target[order].astype(np.float64)
    last = np.append(np.flatnonzero(np.diff(p)), len(p) - 1)
    inside = np.clip(p, 1e-15, 1 - 1e-15)
    loss = -(t * np.log(inside) + (1 - t) * np.log1p(-inside))
    return Predictions(p, t, order, last, loss, (p - t) ** 2, binned(p, bins), calibration.threshold)


def evaluate(sorted_: Predictions, weight: Array | None = None) -> dict[str, float]:
    """Every metric of NAMES. `weight`: rows' weights in the order they were given (None: 1 each).

    With one class of positive weight, auc and ap are NaN; with no predicted positives, precision and F1 are 0.
    """
    w = np.ones(len(sorted_.target)) if weight is None else weight[sorted_.order].astype(np.float64)
    positive, negative = w * sorted_.target, w * (1 - sorted_.target)
    total = w.sum()
    hits, alarms = np.cumsum(positive)[sorted_.last], np.cumsum(negative)[sorted_.last]
    return {
        "auc": _auc(hits, alarms),
        "ap": _average_precision(hits, alarms),
        "logloss": float((w * sorted_.loss).sum() / total),
        "brier": float((w * sorted_.squared).sum() / total),
        "ece": calibration_error(sorted_.bins, sorted_.probability, sorted_.target, w),
        **_decisions(sorted_, positive, negative, total),
    }


def curves(s: Predictions, calibration: BinaryCalibration) -> dict[str, Columns]:
    """ROC, precision and recall, calibration, and confusion at the threshold."""
    hits, alarms = counts(s.last, s.target)
    alarm = (s.probability >= s.threshold).astype(int)
    return {
        "roc": of_class(calibration.positive, roc(hits, alarms)),
        "precision_recall": of_class(calibration.positive, precision_recall(hits, alarms)),
        "calibration": calibration_curve(s.bins, s.probability, s.target),
        "confusion": confusion(s.target, alarm, calibration.classes),
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
