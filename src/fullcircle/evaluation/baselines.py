"""Baselines: what a person without a model would do. A model that does not beat them does not pay for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import coded, rows
from fullcircle.base.threads import parallel_map
from fullcircle.evaluation.tasks import better, measured, task_metrics
from fullcircle.features.selection import BINS
from fullcircle.features.targets import indicators

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fullcircle.base.checks import Column
    from fullcircle.base.columns import Array, Columns
    from fullcircle.scoring.predictions import Calibration

SMOOTHING = 10.0
"""So many rows of the overall mean keep a rare bin or level from shouting."""


@dataclass(frozen=True, slots=True)
class OneRule:
    """The best rule over one raw input column (after Holte 1993): the mean target of its bin or level.

    A mean is a forecast, (outputs,): the share of positives, the share of each class, or the mean number.
    For numbers and times (in days) `edges` are the borders between bins, and `means` has two more: the last is null's.
    For categories `levels` maps a level to its mean, and `means` holds the overall one, for other levels.
    """

    column: str
    edges: tuple[float, ...]
    levels: dict[str, tuple[float, ...]]
    means: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Baselines:
    """`dummy`: the mean of training rows, (outputs,): what knowing nothing foretells.

    `rule`: the best single rule; None where every input is free text.
    """

    dummy: tuple[float, ...]
    rule: OneRule | None = None


def fit(
    train: Columns, validation: Columns, inputs: Mapping[str, Column], calibration: Calibration, metric: str
) -> Baselines:
    """Fit a rule to each input column on training rows; keep the one that `metric` says is best on validation rows.

    Both tables hold `inputs` and `target`. Free text is left out. Of equal rules the first column's wins.
    """
    target = indicators(train["target"], len(calibration.classes))
    overall = target.mean(axis=0)
    names = [name for name, column in inputs.items() if column.kind != "text"]
    rules = parallel_map(lambda name: _fit_rule(name, train[name], target, overall), names)
    scores = parallel_map(
        lambda rule: _score(follow(rule, validation), validation["target"], calibration, metric), rules
    )
    return Baselines(tuple(overall.tolist()), rules[int(np.argmax(scores))] if rules else None)


def follow(rule: OneRule, columns: Columns) -> Array:
    """What the rule foretells for each row, float64 (rows, outputs)."""
    values = columns[rule.column]
    if values.dtype == object:
        means = [rule.levels.get(v, rule.means[0]) for v in values]
        return np.array(means, dtype=np.float64).reshape(-1, len(rule.means[0]))
    return np.array(rule.means)[_bin_of(_numbers(values), rule.edges)]


def follow_dummy(baselines: Baselines, columns: Columns) -> Array:
    """What knowing nothing foretells for each row, float64 (rows, outputs)."""
    return np.tile(baselines.dummy, (rows(columns), 1))


def _score(predicted: Array, target: Array, calibration: Calibration, metric: str) -> float:
    """The metric, turned so that more is better; one that cannot be had, as with one class, loses to all others."""
    value = measured(predicted, target, calibration, BINS)[metric]
    return better(task_metrics(len(calibration.classes)), metric, value, 0.0) if value == value else -np.inf


def _fit_rule(name: str, values: Array, target: Array, overall: Array) -> OneRule:
    if values.dtype == object:
        found = coded(values)
        at = found.positions(found.known)
        means = _means(at[at >= 0], target[at >= 0], len(found.known), overall)
        return OneRule(name, (), dict(zip(found.known, means, strict=True)), (tuple(overall.tolist()),))
    numbers = _numbers(values)
    present = numbers[~np.isnan(numbers)]
    borders = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1])) if len(present) else np.zeros(0)
    edges = tuple(borders.tolist())
    return OneRule(name, edges, {}, tuple(_means(_bin_of(numbers, edges), target, len(edges) + 2, overall)))


def _numbers(values: Array) -> Array:
    """Numbers as they are; times in days since 1970, so that 6 digits in a file still tell the hour."""
    if values.dtype.kind != "M":
        return values
    days = values.astype("datetime64[s]").astype(np.int64) / 86400
    return np.where(np.isnat(values), np.nan, days)


def _bin_of(numbers: Array, edges: tuple[float, ...]) -> Array:
    return np.where(np.isnan(numbers), len(edges) + 1, np.searchsorted(edges, numbers, side="left"))


def _means(at: Array, target: Array, length: int, overall: Array) -> list[tuple[float, ...]]:
    """Mean target of each bin or level."""
    count = np.bincount(at, minlength=length) + SMOOTHING
    columns = [
        (np.bincount(at, weights=values, minlength=length) + SMOOTHING * mean) / count
        for values, mean in zip(target.T, overall, strict=True)
    ]
    return [tuple(float(v) for v in row) for row in zip(*columns, strict=True)]
