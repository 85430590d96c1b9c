"""What the margins of a model mean, for each task: margins in, calibrated predictions and their words out.

A margin is float64 (rows, outputs): the log odds of the positive class (1 output), one score per class, or a number
in standard units (1). A prediction has the same shape: the probability of the positive class,
one of each class, or a number in the target's own unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from ..base.columns import Array


@dataclass(frozen=True, slots=True)
class BinaryCalibration:
    """One of two classes.

    `slope`, `intercept`: calibration, probability = sigmoid(slope * margin + intercept) (Platt 1999).
    `threshold`: the positive class is predicted at or above it.
    """

    task: Literal["binary"]
    negative: str
    positive: str
    slope: float
    intercept: float
    threshold: float

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold {self.threshold:g} is outside 0..1")

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes; the second is the positive one."""
        return self.negative, self.positive

    def predict(self, margin: Array) -> Array:
        """Probability of the positive class, float64 (rows, 1)."""
        return sigmoid(self.slope * margin + self.intercept)

    def columns(self, values: Array) -> dict[str, Array]:
        """The output of each row: `prediction`, and one probability per class."""
        positive = values[:, 0]
        predicted = np.array(self.classes, dtype=object)[(positive >= self.threshold).astype(int)]
        return {"prediction": predicted, **_probabilities(self.classes, np.stack([1 - positive, positive], axis=1))}


@dataclass(frozen=True, slots=True)
class MulticlassCalibration:
    """One of several classes, the most probable.

    `slope`: calibration, probabilities = softmax(slope * margin): one over the temperature of Guo et al. (2017).
    """

    task: Literal["multiclass"]
    classes: tuple[str, ...]
    slope: float

    def predict(self, margin: Array) -> Array:
        """Probability of each class, float64 (rows, classes); a row adds up to 1."""
        return softmax(self.slope * margin)

    def columns(self, values: Array) -> dict[str, Array]:
        """The output of each row: `prediction`, and one probability per class."""
        predicted = np.array(self.classes, dtype=object)[values.argmax(axis=1)]
        return {"prediction": predicted, **_probabilities(self.classes, values)}


@dataclass(frozen=True, slots=True)
class RegressionCalibration:
    """A number: center + scale * margin.

    `radius`: the prediction interval reaches so far to either side, and holds a share `coverage` of rows like those
    it was made on (split conformal prediction, Lei et al. 2018).
    """

    task: Literal["regression"]
    center: float
    scale: float
    radius: float
    coverage: float

    def __post_init__(self) -> None:
        if not (0 < self.scale < np.inf and 0 <= self.radius < np.inf and abs(self.center) < np.inf):
            raise ValueError(
                f"scale {self.scale:g} must be above 0, radius {self.radius:g} not below it, and center "
                f"{self.center:g} a finite number"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """None: a number has no classes."""
        return ()

    def predict(self, margin: Array) -> Array:
        """The number in the target's unit, float64 (rows, 1)."""
        return self.center + self.scale * margin

    def columns(self, values: Array) -> dict[str, Array]:
        """The output of each row: `prediction`, and the ends of its interval, `lower` and `upper`."""
        value = values[:, 0]
        return {"prediction": value, "lower": value - self.radius, "upper": value + self.radius}


Calibration: TypeAlias = BinaryCalibration | MulticlassCalibration | RegressionCalibration


def outputs_of(n_classes: int) -> int:
    """How many outputs a margin has: 1 for two classes or a number (0 classes), else one per class."""
    return n_classes if n_classes > 2 else 1


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def softmax(x: Array) -> Array:
    """exp(x) over its sum along each row of (rows, classes), without overflow."""
    e = np.exp(x - x.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def log_odds(probability: Array) -> Array:
    """ln(p / (1 - p)), with p kept within 1e-7 of 0 and 1, so that the value stays finite."""
    p = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.asarray(np.log(p) - np.log1p(-p))


def _probabilities(classes: tuple[str, ...], values: Array) -> dict[str, Array]:
    return {f"probability_{name}": values[:, i] for i, name in enumerate(classes)}
