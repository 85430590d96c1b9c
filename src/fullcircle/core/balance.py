"""How a target is spread over rows: what reports say of labels, of sides and of test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fullcircle.base.columns import Array


def balance(target: Array, classes: tuple[str, ...]) -> dict[str, Any]:
    """Number of `rows` (at least one), and the share of the `positive` class, the `shares` of all classes by name, or
    of a number (no `classes`) its `mean`, `deviation`, `min`, `median` and `max`, in its own unit.

    `target`: float64 (rows,), as the column `target` has it.
    """
    found: dict[str, Any] = {"rows": len(target)}
    if len(classes) == 2:
        return found | {"positive": float(target.mean())}
    if classes:
        counts = np.bincount(target.astype(np.int64), minlength=len(classes))
        return found | {"shares": dict(zip(classes, (counts / len(target)).tolist(), strict=True))}
    low, median, high = np.quantile(target, [0, 0.5, 1]).tolist()
    return found | {
        "mean": float(target.mean()),
        "deviation": float(target.std()),
        "min": low,
        "median": median,
        "max": high,
    }
