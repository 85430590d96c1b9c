"""Answers of the three tasks, and a few predictions of each: no model is fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.scoring.predictions import BinaryCalibration, MulticlassCalibration, RegressionCalibration

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

CLASSES = ("bus", "tram", "walk")
THREE = MulticlassCalibration("multiclass", CLASSES, slope=1.0)
NUMBER = RegressionCalibration("regression", center=0.0, scale=1.0, radius=2.0, coverage=0.9)


def two(threshold: float = 0.5) -> BinaryCalibration:
    """The answer of two classes."""
    return BinaryCalibration("binary", "on_time", "late", 1.0, 0.0, threshold)


def column(values: Any) -> Array:
    """A forecast of one output, (rows, 1)."""
    return np.asarray(values, dtype=np.float64).reshape(-1, 1)


def text(values: Any) -> Array:
    """Text as columns hold it: an object array of str."""
    return np.array([str(v) for v in values], dtype=object)


def of_three(rows: int, seed: int = 0) -> tuple[Array, Array]:
    """Probabilities (rows, 3), rounded so that ties are frequent, and a target drawn from them."""
    random = np.random.default_rng(seed)
    scores = np.round(random.dirichlet((1.0, 2.0, 3.0), rows), 2) + 0.01
    probability = scores / scores.sum(axis=1, keepdims=True)
    target = (random.random(rows)[:, None] > probability.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    return probability, target.astype(np.float64)


def of_number(rows: int, seed: int = 0) -> tuple[Array, Array]:
    """Forecasts (rows, 1) and a target that strays from them by a standard deviation of 1.5."""
    random = np.random.default_rng(seed)
    value = np.round(random.normal(10, 3, rows), 1)
    return column(value), value + random.normal(0.3, 1.5, rows)
