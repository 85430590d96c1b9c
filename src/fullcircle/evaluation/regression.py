"""Metrics of predictions of a number and of the interval around it, weighted, for bootstrap resamples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array, Columns
from fullcircle.evaluation.bins import Bins, binned, calibration_curve

if TYPE_CHECKING:
    from fullcircle.scoring.predictions import RegressionCalibration

NAMES = {
    "r2": "R², share of variance explained",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "medae": "median absolute error",
    "bias": "mean forecast less mean target",
    "coverage": "share of rows inside their prediction interval",
    "width": "width of the prediction interval",
}
"""Short name -> the field's name. All but r2 and coverage are in the target's unit."""

_INF = float("inf")
RANGES = dict.fromkeys(NAMES, (0.0, _INF)) | {"r2": (-_INF, 1.0), "bias": (-_INF, _INF), "coverage": (0.0, 1.0)}
LOWER: tuple[str, ...] = ("rmse", "mae", "medae")
UNRANKED: tuple[str, ...] = ("bias", "coverage", "width")
PRIMARY = "r2"
SLICED: tuple[str, ...] = ("mae", "bias")


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions in the order of the rows.

    `value`, `target`: float64 (rows,), in the target's unit. `error`: value less target. `order`: positions of the
    rows by rising absolute error. `from_first`: target less that of the first row, and `spread` its standard deviation.
    `bins`: of the predicted value.
    """

    value: Array
    target: Array
    error: Array
    order: Array
    from_first: Array
    spread: float
    radius: float
    bins: Bins


def predictions(predicted: Array, target: Array, calibration: RegressionCalibration, bins: int) -> Predictions:
    """Sort once. `forecast`: float64 (rows, 1), at least one row; `bins`: of calibration, at most."""
    value, actual = predicted[:, 0], target.astype(np.float64)
    error, from_first = value - actual, actual - actual[0]  # of equal numbers exactly 0, which a mean may miss
    order = np.argsort(np.abs(error), kind="stable")
    spread = float(from_first.std())
    return Predictions(value, actual, error, order, from_first, spread, calibration.radius, binned(value, bins))


def evaluate(p: Predictions, weight: Array | None = None) -> dict[str, float]:
    """Every metric of NAMES. `weight`: rows' weights (None: 1 each).

    r2 is NaN where the target does not vary, as of one row; it has no lower end. `coverage` counts rows at the very
    end of their interval as inside.
    """
    w = np.ones(len(p.target)) if weight is None else weight.astype(np.float64)
    total, absolute = w.sum(), np.abs(p.error)
    squared = float((w * p.error**2).sum())
    return {
        "r2": _explained(p, w, squared),
        "rmse": float(np.sqrt(squared / total)),
        "mae": float((w * absolute).sum() / total),
        "medae": _median(absolute[p.order], w[p.order]),
        "bias": float((w * p.error).sum() / total),
        "coverage": float(w[absolute <= p.radius].sum() / total),
        "width": 2 * p.radius,
    }


def curves(p: Predictions, _answer: RegressionCalibration) -> dict[str, Columns]:
    """Calibration, and the residuals (target less forecast) of each bin: their 5%, 50% and 95% quantiles."""
    table = calibration_curve(p.bins, p.value, p.target)
    used = [p.bins.at == i for i in range(p.bins.count)]
    found = [np.quantile(-p.error[inside], [0.05, 0.5, 0.95]) for inside in used if inside.any()]
    low, median, high = np.array(found).T
    residuals = {"predicted": table["predicted"], "low": low, "median": median, "high": high, "rows": table["rows"]}
    return {"calibration": table, "residuals": residuals}


def _explained(p: Predictions, w: Array, squared: float) -> float:
    """R²: 1 less squared errors over squared distances from the mean."""
    total = w.sum()
    distance = p.from_first - (w * p.from_first).sum() / total
    varied = float((w * distance**2).sum())
    # In a resample of equal numbers the distances are rounding errors, and a share of them means nothing.
    return 1 - squared / varied if varied > total * (1e-9 * p.spread) ** 2 else float("nan")


def _median(rising: Array, w: Array) -> float:
    """Weighted median: a weight of two counts as the row twice."""
    upto = np.cumsum(w)
    half = upto[-1] / 2
    lower, upper = np.searchsorted(upto, half, side="left"), np.searchsorted(upto, half, side="right")
    return float((rising[lower] + rising[min(upper, len(rising) - 1)]) / 2)
