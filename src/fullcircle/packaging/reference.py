"""Reference statistics: what each input looked like in training, to hold live data against later."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.columns import is_null
from fullcircle.base.statistics import bin_of, quantile_edges
from fullcircle.base.threads import parallel_map

if TYPE_CHECKING:
    from fullcircle.base.checks import Column
    from fullcircle.base.columns import Array, Columns

BINS = 10


def reference(train: Columns, inputs: dict[str, Column]) -> dict[str, Any]:
    """For each input: rows, share of nulls, and its distribution.

    A number has `edges` (its deciles without repeats) and `counts` of the bins between them, the first and the
    last open; so has a time, in seconds since 1970 (UTC), and a text, of its length in characters. A category has
    `counts` by level, the most frequent first.
    """
    made = parallel_map(lambda name: _distribution(train[name], inputs[name].kind), inputs)
    return dict(zip(inputs, made, strict=True))


def _distribution(values: Array, kind: str) -> dict[str, Any]:
    if kind == "category":
        return _category(values)
    if kind == "text":
        values = np.array([np.nan if v is None else len(v) for v in values], dtype=float)
    elif kind == "time":
        values = np.where(is_null(values), np.nan, values.astype("datetime64[s]").astype(np.int64).astype(float))
    return _number(values, "number" if kind == "integer" else kind)


def _number(values: Array, kind: str) -> dict[str, Any]:
    known = values[~is_null(values)]
    edges = quantile_edges(known, BINS)
    counts = np.bincount(bin_of(known, edges), minlength=len(edges) + 1)
    return _common(values) | {"kind": kind, "edges": edges.tolist(), "counts": counts.tolist()}


def _category(values: Array) -> dict[str, Any]:
    counts = Counter(v for v in values if v is not None)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return _common(values) | {"kind": "category", "counts": dict(ordered)}


def _common(values: Array) -> dict[str, Any]:
    return {"rows": len(values), "null": float(is_null(values).mean())}
