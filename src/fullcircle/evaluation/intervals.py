"""Bootstrap intervals: how far a metric would move if other rows, or other days, had been drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.threads import parallel_map

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.evaluation.tasks import TaskMetrics


def bootstrap(
    task: TaskMetrics, predictions: Any, group: Array, resamples: int, level: float, seed: int
) -> dict[str, tuple[float, float]]:
    """Percentile interval of every metric (Efron 1979), whole groups drawn with replacement (Field and Welsh 2007).

    `predictions`: what the task's `predictions` made. `group`: int64 (rows,), the number of each row's group, as
    `groups_of` has it. Rows of one day share its weather: drawn one by one they would seem to tell more than they do.
    Resamples in which a metric is not available, such as those of one class, do not count. Both ends are NaN where
    none is left, and where there is one group only: it says nothing of others.
    """
    random = np.random.default_rng(seed)
    groups = int(group.max()) + 1
    if groups < 2:
        return dict.fromkeys(task.NAMES, (float("nan"), float("nan")))
    drawn = random.multinomial(groups, np.full(groups, 1 / groups), size=resamples)
    results = parallel_map(lambda counts: task.evaluate(predictions, counts[group]), drawn)
    tail = (1 - level) / 2
    return {name: _percentiles([r[name] for r in results], tail) for name in results[0]}


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
