"""Made rows of which the true probabilities are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fullcircle.base.columns import Array, Columns
from fullcircle.monitoring.estimates import EstimateConfig, Reference, Window
from fullcircle.monitoring.measure import Measure
from fullcircle.scoring.predictions import (
    BinaryCalibration,
    MulticlassCalibration,
    RegressionCalibration,
    sigmoid,
    softmax,
)

TWO = BinaryCalibration("binary", "no", "yes", 1.0, 0.0, 0.3)
THREE = MulticlassCalibration("multiclass", ("a", "b", "c"), 1.0)
NUMBER = RegressionCalibration("regression", 0.0, 1.0, 2.0, 0.9)
QUICK = EstimateConfig(resamples=100)
AUC = Measure("auc", TWO)


@dataclass(frozen=True)
class Rows:
    """Inputs, predictions and outcomes; `true`: the probability of each class that outcomes were drawn from."""

    inputs: Columns
    predicted: Array
    true: Array
    target: Array
    group: Array

    @property
    def reference(self) -> Reference:
        return Reference(self.inputs, self.predicted, self.target, self.group)

    @property
    def window(self) -> Window:
        return Window(self.inputs, self.predicted, self.group)

    def known(self, which: Array) -> Window:
        """The window with the outcomes of the rows in the mask `which`."""
        return Window(self.inputs, self.predicted, self.group, np.where(which, self.target, np.nan))


def binary(
    rows: int,
    days: int,
    seed: int,
    *,
    shift: float = 0.0,
    segments: float = 0.5,
    bias: float = 0.0,
    concept: float = 1.0,
    effect: float = 0.0,
) -> Rows:
    """The model knows x, and not the segment: where it is "b", the log odds are `bias` higher than predicted.

    `shift`: mean of x. `segments`: share of "b". `concept`: the slope of x in the outcomes, 1 in the model. `effect`:
    standard deviation of a day's effect on the log odds.
    """
    random = np.random.default_rng(seed)
    x, other = random.normal(shift, 1.0, rows), random.normal(0, 1, rows)
    b = random.random(rows) < segments
    day = np.sort(random.integers(0, days, rows))
    odds = concept * x - 1 + bias * b + random.normal(0, effect, days)[day]
    positive = sigmoid(odds)
    target = (random.random(rows) < positive).astype(np.float64)
    inputs = {"x": x, "other": other, "segment": np.array(["a", "b"], dtype=object)[b.astype(int)]}
    return Rows(inputs, sigmoid(x - 1)[:, None], np.stack([1 - positive, positive], axis=1), target, day)


def three(rows: int, seed: int, *, sharp: float = 1.0, shift: float = 0.0) -> Rows:
    """Three classes; `sharp`: slope of the predicted scores, 1 if they are calibrated."""
    random = np.random.default_rng(seed)
    scores = random.normal(0, 1.5, (rows, 3)) + np.array([shift, 0, 0])
    true = softmax(scores)
    target = (random.random(rows)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(0, 2).astype(np.float64)
    inputs = {f"score_{k}": scores[:, k] for k in range(3)}
    return Rows(inputs, softmax(sharp * scores), true, target, np.arange(rows) % 20)


def number(rows: int, seed: int, *, shift: float = 0.0) -> Rows:
    """A number whose noise grows with x, which the model does not see in its predictions of x alone."""
    random = np.random.default_rng(seed)
    x, z = random.normal(shift, 1.0, rows), random.normal(shift, 1.0, rows)
    target = 3 * x + random.normal(0, 1, rows) * np.exp(0.5 * z)
    return Rows({"x": x, "z": z}, 3 * x[:, None], np.zeros((rows, 0)), target, np.arange(rows) % 25)
