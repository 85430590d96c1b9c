"""Makes the reference statistics of a bundle: the distribution of each input among training rows."""

from __future__ import annotations

import math
from collections import Counter
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import is_null
from fullcircle.base.statistics import bin_of, quantile_edges
from fullcircle.base.threads import parallel_map
from fullcircle.scoring.reference import Levels, Numbers, Reference

if TYPE_CHECKING:
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
        (_outward(float(known.min()), ROUND_FLOOR), _outward(float(known.max()), ROUND_CEILING))
        if len(known)
        else (None, None)
    )
    return Numbers(kind, count, null, tuple(edges.tolist()), tuple(counts.tolist()), low, high)  # type: ignore[arg-type]


def _outward(value: float, rounding: str) -> float:
    """The value, or the next one outside of it that has 6 digits: to the nearest one, it may be inside.

    >>> _outward(0.12345678, ROUND_CEILING), _outward(-98765.4321, ROUND_FLOOR), _outward(1363000.0, ROUND_CEILING)
    (0.123457, -98765.5, 1363000)
    """
    if not math.isfinite(value) or value == math.floor(value):
        return int(value) if math.isfinite(value) else value  # whole numbers are written with all of their digits
    return float(Context(prec=6, rounding=rounding).create_decimal(Decimal(value)))
