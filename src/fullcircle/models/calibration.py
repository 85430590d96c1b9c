"""Calibration: from margins of rows that the model has not seen to the answer that the scorer gives."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.core.tables import rounded
from fullcircle.scoring.predictions import (
    BinaryCalibration,
    MulticlassCalibration,
    RegressionCalibration,
    log_odds,
    sigmoid,
    softmax,
)

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.core.target import Target
    from fullcircle.models.sample import Sample
    from fullcircle.scoring.predictions import Calibration


def calibrate(target: Target, margin: Array, sample: Sample, threshold: float, *, calibrate: bool) -> Calibration:
    """What margins mean. `margin`: float64 (rows, outputs) of rows of `sample`, by models that did not see them."""
    if target.task == "regression":
        residual = np.abs(margin[:, 0] - sample.y) * sample.scale
        radius = float(rounded(radius_of(residual, target.coverage)))
        return RegressionCalibration("regression", sample.center, sample.scale, radius, target.coverage)
    if target.task == "multiclass":
        slope = tempered(margin, sample.y.astype(np.int64)) if calibrate else 1.0
        return MulticlassCalibration("multiclass", target.classes, slope)
    slope, intercept = platt(margin[:, 0], sample.y) if calibrate else (1.0, 0.0)
    return BinaryCalibration("binary", target.negative, target.positive, slope, intercept, threshold)


def radius_of(residual: Array, coverage: float) -> float:
    """Half the width of an interval that holds a share `coverage` of rows like these: split conformal, Lei et al. 2018.

    `residual`: distances of rows to forecasts that did not see them, float64 (rows,). It is their quantile at
    ceil((rows + 1) * coverage) / rows; with too few rows for that level, the largest of them.
    """
    rank = min(math.ceil((len(residual) + 1) * coverage), len(residual))
    return float(np.sort(residual)[rank - 1])


def platt(margin: Array, y: Array) -> tuple[float, float]:
    """Slope and intercept of the sigmoid that fits `y` best (Platt 1999), by damped Newton steps on the log loss.

    Rounded to 6 digits. A margin without information (equal in all rows) moves the intercept only; one that parts the
    classes without error would have an infinite slope, and stops at a large one.
    """
    y = y.astype(np.float64)
    if np.ptp(margin) < 1e-9:
        return 1.0, float(rounded(float(log_odds(np.array(y.mean())) - margin[0])))
    X = np.stack([margin, np.ones_like(margin)], axis=1)
    weights = np.array([1.0, 0.0])
    loss = _log_loss(X @ weights, y)
    for _ in range(100):
        p = sigmoid(X @ weights)
        curvature = X.T @ (X * (p * (1 - p))[:, None])
        step = np.linalg.solve(curvature + 1e-9 * np.trace(curvature) * np.eye(2) + 1e-12 * np.eye(2), X.T @ (p - y))
        while (tried := _log_loss(X @ (weights - step), y)) > loss:
            step = step / 2
            if np.abs(step).max() < 1e-12:
                break
        weights, loss, moved = weights - step, min(tried, loss), np.abs(step).max()
        if moved < 1e-9 or np.abs(weights).max() > 1e3:
            break
    return float(rounded(float(weights[0]))), float(rounded(float(weights[1])))


def _log_loss(margin: Array, y: Array) -> float:
    return float((np.logaddexp(0, margin) - y * margin).sum())


def tempered(margin: Array, y: Array) -> float:
    """The slope that gives softmax(slope * margin) the lowest log loss (Guo et al. 2017), by Newton steps.

    `margin`: float64 (rows, classes), `y`: int64 (rows,). Kept within 0.01..100 and rounded to 6 digits: margins that
    part the classes without error would have an infinite slope, and those that say nothing none at all.
    """
    at = np.arange(len(y))
    slope = 1.0
    for _ in range(100):
        p = softmax(slope * margin)
        mean = (p * margin).sum(axis=1)
        gradient = (mean - margin[at, y]).sum()
        curvature = (p * (margin - mean[:, None]) ** 2).sum()
        if curvature < 1e-12:
            break
        moved = float(np.clip(slope - gradient / curvature, slope / 2, slope * 2))
        moved, slope = abs(moved - slope), float(np.clip(moved, 0.01, 100.0))
        if moved < 1e-9 * slope:
            break
    return float(rounded(slope))
