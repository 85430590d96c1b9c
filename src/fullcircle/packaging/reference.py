"""Makes the reference statistics of a bundle: the distribution of each input among training rows."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import is_null
from fullcircle.base.statistics import bin_of, quantile_edges
from fullcircle.base.threads import parallel_map
from fullcircle.scoring.reference import Levels, Numbers, Reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from fullcircle.base.checks import Column
    from fullcircle.base.columns import Array, Columns

BINS = 10


def reference(train: Columns, inputs: dict[str, Column]) -> Reference:
    """The distribution of each input of the training rows."""
    made = parallel_map(lambda name: _distribution(train[name], inputs[name].kind), inputs)
    return Reference(dict(zip(inputs, made, strict=True)))


def _distribution(values: Array, kind: str) -> Numbers | Levels:
    null = float(is_null(values).mean())
    if kind == "category":
        counts = Counter(v for v in values if v is not None)
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return Levels("category", len(values), null, dict(ordered))
    if kind == "text":
        known = np.array([len(v) for v in values if v is not None], dtype=float)
        return _numbers(known, "text", len(values), null)
    if kind == "time":
        known = values[~is_null(values)].astype("datetime64[s]").astype(np.int64).astype(float)
        return _numbers(known, "time", len(values), null)
    return _numbers(values[~is_null(values)], "number", len(values), null)


def _numbers(known: Array, kind: str, count: int, null: float) -> Numbers:
    edges = quantile_edges(known, BINS)
    counts = np.bincount(bin_of(known, edges), minlength=len(edges) + 1)
    low, high = (
        (_outward(float(known.min()), math.floor), _outward(float(known.max()), math.ceil))
        if len(known)
        else (None, None)
    )
    return Numbers(kind, count, null, tuple(edges.tolist()), tuple(counts.tolist()), low, high)  # type: ignore[arg-type]


def _outward(value: float, whole: Callable[[float], int]) -> float:
    """The value, or the next one outside of it that has 6 digits: to the nearest one, it may be inside.

    >>> _outward(0.12345678, math.ceil), _outward(-98765.4321, math.floor), _outward(1363000.0, math.ceil)
    (0.123457, -98765.5, 1363000)
    """
    if not math.isfinite(value) or value == math.floor(value):
        return int(value) if math.isfinite(value) else value  # whole numbers are written with all of their digits
    digits = 5 - math.floor(math.log10(abs(value)))
    return whole(value * 10.0**digits) / 10.0**digits if digits < 300 else value
