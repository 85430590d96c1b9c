"""How well each column foretells the target alone: one that does it too well may be a leak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import is_null
from fullcircle.features.targets import indicators

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns

BINS = 16
WEIGHT = 5.0  # rows of the overall mean that are mixed into each bin or level
SUSPECT = {"AUC": 0.95, "R²": 0.95}  # from here on a single column is suspected


@dataclass(frozen=True, slots=True)
class Univariate:
    """How a column does alone, by a mean a bin or level; of a number for a number also by a straight line.

    `score`: on rows that the rule was not made from. `measure`: AUC (of several classes, the mean) or R².
    """

    column: str
    measure: str
    score: float

    @property
    def suspect(self) -> bool:
        """Whether it is too good to be true."""
        return self.score >= SUSPECT[self.measure]


def univariate(columns: Columns, y: Array, n_classes: int, learn: Array, held_out: Array) -> list[Univariate]:
    """A rule over each column (a mean a bin or level), made on rows `learn` and judged on rows `judge` (positions)."""
    target = indicators(y, n_classes)
    return [Univariate(name, *_judged(v, target, learn, held_out, n_classes)) for name, v in columns.items()]


def _judged(values: Array, target: Array, learn: Array, held_out: Array, n_classes: int) -> tuple[str, float]:
    at = _bins(values, values[learn])
    width = int(at.max()) + 1
    mean = target[learn].mean(axis=0)
    count = np.bincount(at[learn], minlength=width)[:, None] + WEIGHT
    sums = np.stack([np.bincount(at[learn], weights=t[learn], minlength=width) for t in target.T], axis=1)
    predicted = ((sums + WEIGHT * mean) / count)[at[held_out]]
    if n_classes:
        return "AUC", auc(predicted, target[held_out])
    scores = [r_squared(predicted[:, 0], target[held_out, 0])]
    if values.dtype.kind == "f":
        scores.append(r_squared(_line(values, target[:, 0], learn)[held_out], target[held_out, 0]))
    return "R²", max(scores)


def _line(values: Array, target: Array, learn: Array) -> Array:
    """The target by a straight line through rows `learn`; its mean where the value is null or infinite."""
    mean, known = float(target[learn].mean()), learn[np.isfinite(values[learn])]
    x = values[known] - values[known].mean() if len(known) else values[known]
    slope = float(x @ (target[known] - mean) / (x @ x)) if x @ x else 0.0
    predicted = mean + slope * (values - (values[known].mean() if len(known) else 0.0))
    return np.where(np.isfinite(predicted), predicted, mean)


def auc(predicted: Array, target: Array) -> float:
    """Area under the ROC curve, the mean over outputs (rows, outputs) that have both classes; 0.5 where none has."""
    areas = []
    for score, truth in zip(predicted.T, target.T, strict=True):
        positive = truth > 0.5
        many, few = len(truth) - positive.sum(), positive.sum()
        if many and few:
            areas.append((_ranks(score)[positive].sum() - few * (few + 1) / 2) / (many * few))
    return float(np.mean(areas)) if areas else 0.5


def _ranks(values: Array) -> Array:
    """Positions in ascending order from 1 on; equal values share the mean of theirs."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[at])


def r_squared(predicted: Array, target: Array) -> float:
    """Share of the variance that is explained; 0 for a target that does not vary."""
    variance = float(((target - target.mean()) ** 2).sum())
    return 1 - float(((target - predicted) ** 2).sum()) / variance if variance else 0.0


def _bins(values: Array, learnt: Array) -> Array:
    """The bin or level of each value, int64; null is one, and so is a level that was not learnt."""
    null = is_null(values)
    if values.dtype == object:
        levels = sorted({v for v in learnt.tolist() if v is not None})
        position = {level: i for i, level in enumerate(levels)}
        return np.array([len(levels) if v is None else position.get(v, len(levels) + 1) for v in values.tolist()])
    if values.dtype.kind == "M":
        values, learnt = (v.astype(np.int64).astype(float) for v in (values, learnt[~is_null(learnt)]))
    known = learnt[np.isfinite(learnt)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(0)
    return np.where(null, len(edges) + 1, np.searchsorted(edges, values, side="left"))
