"""Reference statistics: what each input looked like in training, to hold live data against later."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.runtime.columns import is_null

if TYPE_CHECKING:
    from fullcircle.runtime.columns import Array, Columns

BINS = 10


def reference(train: Columns, inputs: list[str]) -> dict[str, Any]:
    """For each input: rows, share of nulls, and its distribution.

    A number has `edges` (its deciles without repeats) and `counts` of the bins between them, the first and the
    last open; a category has `counts` by level, the most frequent first.
    """
    return {name: _number(train[name]) if train[name].dtype != object else _category(train[name]) for name in inputs}


def _number(values: Array) -> dict[str, Any]:
    known = values[~is_null(values)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(0)
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return _common(values) | {"kind": "number", "edges": edges.tolist(), "counts": counts.tolist()}


def _category(values: Array) -> dict[str, Any]:
    counts = Counter(v for v in values if v is not None)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return _common(values) | {"kind": "category", "counts": dict(ordered)}


def _common(values: Array) -> dict[str, Any]:
    return {"rows": len(values), "null": float(is_null(values).mean())}
