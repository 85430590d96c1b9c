"""Bootstrap intervals: how far a metric would move if other rows, or other days, had been drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.threads import parallel_map
from fullcircle.evaluation.tasks import better

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.evaluation.tasks import TaskMetrics


@dataclass(frozen=True, slots=True)
class Resampling:
    """How often rows are drawn again, the `level` (0..1) of an interval, and the seed."""

    resamples: int
    level: float
    seed: int


def bootstrap(
    task: TaskMetrics, predictions: Any, group: Array, resamples: int, level: float, seed: int
) -> dict[str, tuple[float, float]]:
    """Percentile interval of every metric (Efron 1979), whole groups drawn with replacement (Field and Welsh 2007).

    `predictions`: what the task's `predictions` made. `group`: int64 (rows,), the number of each row's group, as
    `groups_of` has it. Rows of one day share its weather: drawn one by one they would seem to tell more than they do.
    Resamples in which a metric is not available, such as those of one class, do not count. Both ends are NaN where
    none is left, and where there is one group only: it says nothing of others.
    """
    drawn = _drawn(group, resamples, seed)
    if drawn is None:
        return dict.fromkeys(task.NAMES, (float("nan"), float("nan")))
    results = parallel_map(lambda counts: task.evaluate(predictions, counts[group]), drawn)
    tail = (1 - level) / 2
    return {name: _percentiles([r[name] for r in results], tail) for name in results[0]}


def bootstrap_difference(
    task: TaskMetrics, metric: str, predictions: tuple[Any, Any], group: Array, resampling: Resampling
) -> tuple[float, float]:
    """Percentile interval of how much better the first of two predictions of the same rows is than the second.

    Paired (Efron and Tibshirani 1993, chapter 8): each resample draws whole groups, as `bootstrap` does, and both
    predictions are evaluated on it, so what makes rows difficult for both cancels out. Above 0 where the first is
    better, in the metric's unit; (0, 0) of two equal predictions. NaN as in `bootstrap`.
    """
    drawn = _drawn(group, resampling.resamples, resampling.seed)
    if drawn is None:
        return float("nan"), float("nan")

    def over(counts: Array) -> float:
        first, second = (task.evaluate(each, counts[group])[metric] for each in predictions)
        return better(task, metric, first, second)

    return _percentiles(parallel_map(over, drawn), (1 - resampling.level) / 2)


def _drawn(group: Array, resamples: int, seed: int) -> Array | None:
    """How often each group is drawn in each resample, int64 (resamples, groups); None of a single group."""
    groups = int(group.max()) + 1
    if groups < 2:
        return None
    return np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), size=resamples)


def groups_of(columns: list[Array], rows: int) -> Array:
    """Number the distinct rows of `columns`: int64 (rows,), 0 to groups - 1. Of no columns each row is its own."""
    if not columns:
        return np.arange(rows)
    code = np.zeros(rows, np.int64)
    for values in columns:
        levels, at = np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)
        code = np.unique(code * len(levels) + at, return_inverse=True)[1].astype(np.int64)  # small again, in order
    return code


def _percentiles(values: list[float], tail: float) -> tuple[float, float]:
    known = [v for v in values if v == v]
    if not known:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)
