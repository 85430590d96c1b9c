"""Curves of a set of predictions, thinned to what a plot can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fullcircle.evaluation.metrics import Predictions
    from fullcircle.runtime.columns import Array

POINTS = 200


def roc(s: Predictions) -> dict[str, Array]:
    """Columns `fpr` and `tpr`, both rising from 0 to 1."""
    hits, alarms = _counts(s)
    at = _thinned(len(hits))
    return {"fpr": (alarms / alarms[-1])[at], "tpr": (hits / hits[-1])[at]}


def precision_recall(s: Predictions) -> dict[str, Array]:
    """Columns `recall` (rising) and `precision`."""
    hits, alarms = _counts(s)
    at = _thinned(len(hits))[1:]  # the first point foretells nothing and has no precision
    return {"recall": (hits / hits[-1])[at], "precision": (hits / (hits + alarms).clip(1))[at]}


def calibration(s: Predictions) -> dict[str, Array]:
    """A row a bin of equal count: mean `predicted` probability, `observed` share of positives, `rows`."""
    count = np.bincount(s.bin, minlength=s.bins)
    used = count > 0
    predicted = np.bincount(s.bin, weights=s.probability, minlength=s.bins)
    observed = np.bincount(s.bin, weights=s.target, minlength=s.bins)
    return {
        "predicted": predicted[used] / count[used],
        "observed": observed[used] / count[used],
        "rows": count[used],
    }


def confusion(s: Predictions, negative: str, positive: str) -> dict[str, list[object]]:
    """Four rows: `actual` class, `predicted` class, and their number of `rows`."""
    table: dict[str, list[object]] = {"actual": [], "predicted": [], "rows": []}
    for actual, is_actual in ((negative, s.target == 0), (positive, s.target == 1)):
        for predicted, is_predicted in (
            (negative, s.probability < s.threshold),
            (positive, s.probability >= s.threshold),
        ):
            table["actual"].append(actual)
            table["predicted"].append(predicted)
            table["rows"].append(int((is_actual & is_predicted).sum()))
    return table


def _counts(s: Predictions) -> tuple[Array, Array]:
    hits, alarms = np.cumsum(s.target)[s.last], np.cumsum(1 - s.target)[s.last]
    return np.concatenate([[0.0], hits]), np.concatenate([[0.0], alarms])


def _thinned(length: int) -> Array:
    return np.unique(np.linspace(0, length - 1, POINTS).round().astype(int))
