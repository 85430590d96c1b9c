"""How well each single column predicts the target: one that does it too well may be a leak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.evaluation.rules import fit_rule
from fullcircle.features.targets import indicators

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns

SMOOTHING = 5.0  # rows of the overall mean that are mixed into each bin or level
SUSPECT = {"AUC": 0.95, "R²": 0.95}  # from this score on, a single column is a suspect
NULL = "\0null"  # the level of nulls: where a category is missing may itself be a leak


@dataclass(frozen=True, slots=True)
class Univariate:
    """The score of a rule over one column (a mean per bin or level); for two numbers the better of it and a line.

    `score`: on rows that the rule was not fitted on. `measure`: AUC (for several classes, the mean) or R².
    """

    column: str
    measure: str
    score: float

    @property
    def suspect(self) -> bool:
        """Whether the score is too good to be true."""
        return self.score >= SUSPECT[self.measure]


def univariate(columns: Columns, y: Array, n_classes: int, learn: Array, held_out: Array) -> list[Univariate]:
    """Fit a rule to each column on rows `learn` and score it on rows `held_out` (positions)."""
    target = indicators(y, n_classes)
    return [Univariate(name, *_scored(name, v, target, learn, held_out, n_classes)) for name, v in columns.items()]


def _scored(
    name: str, values: Array, target: Array, learn: Array, held_out: Array, n_classes: int
) -> tuple[str, float]:
    if values.dtype == object:
        values = np.array([NULL if v is None else v for v in values], dtype=object)
    predicted = fit_rule(name, values[learn], target[learn], SMOOTHING).predict(values[held_out])
    if n_classes:
        return "AUC", auc(predicted, target[held_out])
    scores = [r_squared(predicted[:, 0], target[held_out, 0])]
    if values.dtype.kind == "f":
        scores.append(r_squared(_line(values, target[:, 0], learn)[held_out], target[held_out, 0]))
    return "R²", max(scores)


def _line(values: Array, target: Array, learn: Array) -> Array:
    """Predictions of a straight line through rows `learn`; their mean where the value is null or infinite."""
    mean, known = float(target[learn].mean()), learn[np.isfinite(values[learn])]
    x = values[known] - values[known].mean() if len(known) else values[known]
    slope = float(x @ (target[known] - mean) / (x @ x)) if x @ x else 0.0
    predicted = mean + slope * (values - (values[known].mean() if len(known) else 0.0))
    return np.where(np.isfinite(predicted), predicted, mean)


def auc(predicted: Array, target: Array) -> float:
    """Area under the ROC curve, the mean over outputs (rows, outputs) that have both classes; 0.5 if none has."""
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
    """Share of the variance that is explained, at most 1; 0 for a constant target."""
    variance = float(((target - target.mean()) ** 2).sum())
    return 1 - float(((target - predicted) ** 2).sum()) / variance if variance else 0.0
