"""The metrics of each task: a module per task, and which of two values of a metric is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fullcircle.base.errors import ConfigError
from fullcircle.evaluation import binary, multiclass, regression

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns
    from fullcircle.scoring.predictions import Calibration

FILES = {
    "roc": ("class", "fpr", "tpr"),
    "precision_recall": ("class", "recall", "precision"),
    "calibration": ("predicted", "observed", "rows"),
    "confusion": ("actual", "predicted", "rows"),
    "residuals": ("predicted", "low", "median", "high", "rows"),
}
"""Every file that dvc.yaml plots, and its columns; a task that has no such curve leaves it without rows."""


class TaskMetrics(Protocol):
    """A module with the metrics of one task: `binary`, `multiclass` or `regression`."""

    NAMES: dict[str, str]
    """Short name -> full name, in the order they are shown."""
    RANGES: dict[str, tuple[float, float]]
    """Lowest and highest value that each can have."""
    LOWER: tuple[str, ...]
    """Those of which lower is better."""
    UNRANKED: tuple[str, ...]
    """Those by which no model is better than another: more is not better, and less is not."""
    PRIMARY: str
    """The one to go by where the problem has no reason for another."""
    SLICED: tuple[str, ...]
    """The metrics of a slice, besides the primary one."""

    def predictions(self, predicted: Array, target: Array, calibration: Any, bins: int, /) -> Any:
        """What `evaluate` and `curves` work on, sorted once. `forecast`: (rows, outputs), `target`: (rows,)."""

    def evaluate(self, predictions: Any, weight: Array | None = None, /) -> dict[str, float]:
        """Every metric; `weight`: of each row, in the order given, 1 each where there is none."""

    def curves(self, predictions: Any, calibration: Any, /) -> dict[str, Columns]:
        """What plots show: name of a file of reports/test -> its columns."""


def task_metrics(n_classes: int) -> TaskMetrics:
    """The metrics of a target with so many classes; 0: a number."""
    if n_classes == 0:
        return regression
    return binary if n_classes == 2 else multiclass


def better(task: TaskMetrics, metric: str, a: float, b: float) -> float:
    """How much better `a` is than `b`, in the metric's unit; below 0 where it is worse."""
    return b - a if metric in task.LOWER else a - b


def check_metric(task: TaskMetrics, metric: str) -> None:
    """Refuse a primary metric that the task does not have, or by which no model is better. Raises ConfigError."""
    if metric not in task.NAMES or metric in task.UNRANKED:
        known = [name for name in task.NAMES if name not in task.UNRANKED]
        why = "more of it is not better, and less is not" if metric in task.NAMES else "this task has no such metric"
        raise ConfigError(f"problem.metric: {metric}: {why}. Choose one of {', '.join(known)}")


def measured(predicted: Array, target: Array, calibration: Calibration, bins: int) -> dict[str, float]:
    """Every metric of a forecast (rows, outputs)."""
    task = task_metrics(len(calibration.classes))
    return task.evaluate(task.predictions(predicted, target, calibration, bins))


def files_of(curves: dict[str, Columns]) -> dict[str, Columns]:
    """Every file of FILES, those of other tasks without rows."""
    return {name: curves.get(name) or {c: np.zeros(0) for c in columns} for name, columns in FILES.items()}
