"""Curves of a ranking, thinned to what a plot can show, and the table of what was taken for what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.base.columns import Array, Columns

POINTS = 200


def counts(last: Array, positive: Array) -> tuple[Array, Array]:
    """Hits and false alarms as the threshold falls, both from 0 on.

    `positive`: 1.0 for the rows of the class, sorted by falling probability. `last`: as in `binary.Predictions`.
    """
    hits, alarms = np.cumsum(positive)[last], np.cumsum(1 - positive)[last]
    return np.concatenate([[0.0], hits]), np.concatenate([[0.0], alarms])


def roc(hits: Array, alarms: Array) -> Columns:
    """Columns `fpr` and `tpr`, both rising from 0 to 1. Empty where there are no positives, or no negatives."""
    if hits[-1] == 0 or alarms[-1] == 0:
        return {"fpr": np.zeros(0), "tpr": np.zeros(0)}
    at = _thinned(len(hits))
    return {"fpr": (alarms / alarms[-1])[at], "tpr": (hits / hits[-1])[at]}


def precision_recall(hits: Array, alarms: Array) -> Columns:
    """Columns `recall` (rising) and `precision`. Empty where there are no positives."""
    if hits[-1] == 0:
        return {"recall": np.zeros(0), "precision": np.zeros(0)}
    at = _thinned(len(hits))[1:]  # the first point predicts no positives and has no precision
    return {"recall": (hits / hits[-1])[at], "precision": (hits / (hits + alarms).clip(1))[at]}


def of_class(name: str, curve: Columns) -> Columns:
    """A curve with a first column `class`, the same in every row."""
    return {"class": np.full(rows(curve), name, dtype=object), **curve}


def confusion(actual: Array, predicted: Array, classes: Sequence[str]) -> Columns:
    """A row for each pair of classes: `actual` class, `predicted` class, and their number of `rows`."""
    count = len(classes)
    names = np.array(classes, dtype=object)
    found = np.bincount(actual.astype(np.int64) * count + predicted, minlength=count**2)
    return {"actual": np.repeat(names, count), "predicted": np.tile(names, count), "rows": found}


def _thinned(length: int) -> Array:
    return np.unique(np.linspace(0, length - 1, POINTS).round().astype(int))
