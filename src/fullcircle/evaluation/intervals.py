"""Bootstrap intervals: how far a metric would move if other rows, or other days, had been drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fullcircle.core.threads import side_by_side
from fullcircle.evaluation.metrics import Predictions, evaluate

if TYPE_CHECKING:
    from fullcircle.runtime.columns import Array


def bootstrap(
    sorted_: Predictions, group: Array, resamples: int, level: float, seed: int
) -> dict[str, tuple[float, float]]:
    """Percentile interval of every metric (Efron 1979), whole groups drawn with replacement (Field and Welsh 2007).

    `group`: int64 (rows,), the number of each row's group, 0 to groups - 1; give each row its own to draw rows.
    Rows of one day share its weather: drawn one by one they would seem to tell more than they do.
    """
    random = np.random.default_rng(seed)
    groups = int(group.max()) + 1
    drawn = random.multinomial(groups, np.full(groups, 1 / groups), size=resamples)
    results = side_by_side(lambda counts: evaluate(sorted_, counts[group]), drawn)
    tail = (1 - level) / 2
    intervals = {}
    for name in results[0]:
        low, high = np.nanquantile([r[name] for r in results], [tail, 1 - tail])
        intervals[name] = (float(low), float(high))
    return intervals


def groups_of(columns: list[Array]) -> Array:
    """Number the distinct rows of `columns`: int64 (rows,)."""
    code = np.zeros(len(columns[0]), np.int64)
    for values in columns:
        levels, at = np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)
        code = code * len(levels) + at
    return np.unique(code, return_inverse=True)[1].astype(np.int64)
