"""Slices: whether the model serves every part of the data, and how far the worst falls behind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import coded, is_null
from fullcircle.evaluation.tasks import better, measured, task_metrics
from fullcircle.features.targets import indicators

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.evaluation.tasks import TaskMetrics
    from fullcircle.scoring.predictions import Calibration

LEVELS = 50
"""A column with more levels is not shown level by level: the table would be too long to read."""

SPANS = 8
NULL, OTHERS = "null", "(others)"


@dataclass(frozen=True, slots=True)
class Slice:
    """One level of one column.

    `mean`: mean target, (outputs,): the share of positives, the share of each class, or the mean number.
    `values`: short name of a metric -> its value; None where the slice has too few rows, or one class (or number) only.
    """

    column: str
    level: str
    rows: int
    mean: tuple[float, ...]
    values: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Slicing:
    """How slices are evaluated: by the primary `metric` and a few more, from `at_least` rows on, in `bins` at most."""

    metric: str
    bins: int
    at_least: int


def slices(
    columns: dict[str, Array], predicted: Array, target: Array, calibration: Calibration, slicing: Slicing
) -> list[Slice]:
    """Evaluate every level of every column, levels in order. Null is a level too, named `null`.

    Of a category with more than 50 levels the 49 with the most rows are evaluated, and all `(others)` as one; numbers
    and times of more than 50 values are cut into 8 spans of about equal count. `forecast`: (rows, outputs).
    """
    result = []
    for name, values in columns.items():
        order, at = levels_of(values)
        for i, level in enumerate(order):
            inside = at == i
            result.append(_slice(name, level, predicted[inside], target[inside], calibration, slicing))
    return result


def gap(task: TaskMetrics, metric: str, overall: float, evaluated: list[Slice]) -> float | None:
    """How much better the metric of all rows is than that of the worst slice; None if no slice was evaluated."""
    values = [s.values[metric] for s in evaluated]
    return max((better(task, metric, overall, v) for v in values if v is not None), default=None)


def _slice(
    column: str, level: str, predicted: Array, target: Array, calibration: Calibration, slicing: Slicing
) -> Slice:
    classes = len(calibration.classes)
    mean = tuple(float(v) for v in indicators(target, classes).mean(axis=0))
    names = dict.fromkeys([slicing.metric, *task_metrics(classes).SLICED])
    if len(target) < slicing.at_least or len(np.unique(target)) < 2:
        return Slice(column, level, len(target), mean, dict.fromkeys(names))
    found = measured(predicted, target, calibration, slicing.bins)
    values = {name: found[name] if np.isfinite(found[name]) else None for name in names}
    return Slice(column, level, len(target), mean, values)


def levels_of(values: Array) -> tuple[list[str], Array]:
    """The levels of a column in the order of its slices, and the place of each row there, int64 (rows,)."""
    null = is_null(values)
    if values.dtype != object and len(np.unique(values[~null])) > LEVELS:
        return _spans(values, null)
    found, at = np.unique(values, return_inverse=True) if values.dtype != object else _coded(values)
    texts, counts = [_text(value) for value in found.tolist()], Counter[str]()
    for text, rows in zip(texts, np.bincount(at).tolist(), strict=True):
        counts[text] += rows
    levels = set(counts)
    if len(counts) > LEVELS:
        levels = {*sorted(counts, key=lambda text: (-counts[text], text))[: LEVELS - 1], OTHERS}
    order = sorted(levels, key=lambda text: (text == OTHERS, len(text), text))
    place = {text: i for i, text in enumerate(order)}
    return order, np.array([place.get(text, len(order) - 1) for text in texts])[at]


def _coded(values: Array) -> tuple[Array, Array]:
    found = coded(values)
    return np.array(found.levels, dtype=object), found.at


def _spans(values: Array, null: Array) -> tuple[list[str], Array]:
    """Numbers or times, cut at their own quantiles: a span holds what is above its first end, up to its second."""
    rising = np.sort(values[~null])
    ends = np.unique(rising[np.linspace(0, len(rising) - 1, SPANS + 1).round().astype(int)])
    names = [f"{_text(a)} to {_text(b)}" for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]
    at = np.where(null, len(names), np.searchsorted(ends[1:-1], values, side="left"))
    return [*names, *([NULL] if null.any() else [])], at


def _text(value: object) -> str:
    if value is None or value != value:
        return NULL
    return f"{value:.15g}" if isinstance(value, float) else str(value)
