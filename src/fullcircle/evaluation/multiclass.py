"""Metrics of predictions of several classes, weighted: what can be sorted or counted once is, for every resample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array, Columns
from fullcircle.evaluation.bins import Bins, binned, calibration_curve, calibration_error
from fullcircle.evaluation.curves import confusion, counts, of_class, precision_recall, roc

if TYPE_CHECKING:
    from fullcircle.scoring.predictions import MulticlassCalibration

NAMES = {
    "auc": "ROC AUC, mean of each class against the rest",
    "logloss": "log loss",
    "brier": "Brier score",
    "ece": "expected calibration error of the predicted class",
    "acc": "accuracy",
    "bacc": "balanced accuracy",
    "f1": "F1, mean of the classes",
}
"""Short name -> the field's name."""

RANGES = dict.fromkeys(NAMES, (0.0, 1.0)) | {"logloss": (0.0, float("inf")), "brier": (0.0, 2.0)}
LOWER: tuple[str, ...] = ("logloss", "brier", "ece")
UNRANKED: tuple[str, ...] = ()
PRIMARY = "logloss"
SLICED: tuple[str, ...] = ("acc", "ece")


@dataclass(frozen=True, slots=True)
class Ranking:
    """One class against the rest, by rising probability of that class.

    `order`: positions of the rows. `positive`: positions, in that order, of the class's own rows; `below`: how many
    rows have a lower probability than each of these, `upto`: a lower or an equal one.
    """

    order: Array
    positive: Array
    below: Array
    upto: Array


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions in the order of the rows.

    `probability`: float64 (rows, classes). `target`, `predicted`: positions of classes, int64 (rows,).
    `confidence`: probability of the predicted class; `correct`: 1.0 where it came. `bins`: of confidence.
    `loss`, `squared`: each row's log loss and squared error, summed over classes. `rankings`: one per class.
    """

    probability: Array
    target: Array
    predicted: Array
    confidence: Array
    correct: Array
    loss: Array
    squared: Array
    bins: Bins
    rankings: tuple[Ranking, ...]


def predictions(probability: Array, target: Array, _answer: MulticlassCalibration, bins: int) -> Predictions:
    """Sort once a class. `forecast`: float64 (rows, classes), at least one row; `bins`: of calibration, at most."""
    actual, predicted = target.astype(np.int64), probability.argmax(axis=1)
    of_actual = np.take_along_axis(probability, actual[:, None], axis=1)[:, 0]
    confidence = np.take_along_axis(probability, predicted[:, None], axis=1)[:, 0]
    squared = (probability**2).sum(axis=1) - of_actual**2 + (1 - of_actual) ** 2
    return Predictions(
        probability=probability,
        target=actual,
        predicted=predicted,
        confidence=confidence,
        correct=(actual == predicted).astype(np.float64),
        loss=-np.log(np.clip(of_actual, 1e-15, 1.0)),
        squared=squared,
        bins=binned(confidence, bins),
        rankings=tuple(_ranking(probability[:, k], actual == k) for k in range(probability.shape[1])),
    )


def evaluate(p: Predictions, weight: Array | None = None) -> dict[str, float]:
    """Every metric of NAMES. `weight`: rows' weights (None: 1 each).

    auc and bacc are means over the classes that have rows of positive weight, f1 also over those that are predicted;
    auc is NaN where one class has all of them. The Brier score is summed over classes (0 to 2), as Brier (1950) did.
    """
    w = np.ones(len(p.target)) if weight is None else weight.astype(np.float64)
    total, classes = w.sum(), p.probability.shape[1]
    table = np.bincount(p.target * classes + p.predicted, weights=w, minlength=classes**2).reshape(classes, classes)
    hits, actual, predicted = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    present, named = actual > 0, actual + predicted > 0
    return {
        "auc": _auc(p.rankings, w, total),
        "logloss": float((w * p.loss).sum() / total),
        "brier": float((w * p.squared).sum() / total),
        "ece": calibration_error(p.bins, p.confidence, p.correct, w),
        "acc": float(hits.sum() / total),
        "bacc": float((hits[present] / actual[present]).mean()),
        "f1": float((2 * hits[named] / (actual + predicted)[named]).mean()),
    }


def curves(p: Predictions, calibration: MulticlassCalibration) -> dict[str, Columns]:
    """ROC, precision and recall of each class against the rest, calibration of the predicted class, and confusion."""
    ranked: dict[str, list[Columns]] = {"roc": [], "precision_recall": []}
    for k, name in enumerate(calibration.classes):
        falling = np.argsort(-p.probability[:, k], kind="stable")
        last = np.append(np.flatnonzero(np.diff(p.probability[falling, k])), len(falling) - 1)
        hits, alarms = counts(last, (p.target[falling] == k).astype(np.float64))
        ranked["roc"].append(of_class(name, roc(hits, alarms)))
        ranked["precision_recall"].append(of_class(name, precision_recall(hits, alarms)))
    return {
        **{curve: {c: np.concatenate([of[c] for of in each]) for c in each[0]} for curve, each in ranked.items()},
        "calibration": calibration_curve(p.bins, p.confidence, p.correct),
        "confusion": confusion(p.target, p.predicted, calibration.classes),
    }


def _ranking(probability: Array, own: Array) -> Ranking:
    order = np.argsort(probability, kind="stable")
    sorted_ = probability[order]
    positive = np.flatnonzero(own[order])
    below = np.searchsorted(sorted_, sorted_[positive], side="left")
    return Ranking(order, positive, below, np.searchsorted(sorted_, sorted_[positive], side="right"))


def _auc(rankings: tuple[Ranking, ...], w: Array, total: float) -> float:
    """Mean over classes of the share of pairs, one row of the class and one of the rest, that are ranked right.

    By rank sums (Mann and Whitney 1947), ties counting half: cheaper than an area, for only the class's rows are read.
    """
    found = []
    for ranking in rankings:
        sorted_ = w[ranking.order]
        own = sorted_[ranking.positive]
        positive = own.sum()
        if 0 < positive < total:
            upto = np.concatenate([[0.0], np.cumsum(sorted_)])
            ranks = (own * (upto[ranking.below] + upto[ranking.upto])).sum() / 2
            found.append((ranks - positive**2 / 2) / (positive * (total - positive)))
    return float(np.mean(found)) if found else float("nan")
