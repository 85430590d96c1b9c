"""Bins of one column: numbers by deciles of the baseline's rows, categories by level, and two bins for what is odd."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fullcircle.base.columns import is_null
from fullcircle.base.statistics import bin_of, quantile_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.base.columns import Array

DECILES = 10
LEVELS = 50
DAY = 86_400
RARE = 0.001
OUTSIDE, NULL = -2, -1
"""The last two bins of every column: values that no row of the baseline had, and null."""


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of a column: those of its values, then one of values outside the baseline, and one of null.

    `edges`: of numbers, of the time of day of times in seconds (the date of a new row is always new), of the length of
    texts in characters; a value on an edge belongs to the bin below. `low`, `high`: the least and the largest number,
    and `mean`, `deviation` of the numbers; None where there are none. `tails`: below and above them a value is rare,
    the outer 0.1% on either side. `levels`: the most frequent ones of a category, one bin per level; `others`: further
    levels, which share one bin. A `key` names groups, such as the date where a day is a group, and has one bin: another
    group has another value, which says nothing. Times, texts and keys are never outside.
    """

    kind: Literal["number", "time", "text", "category", "key"]
    edges: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    deviation: float | None = None
    tails: tuple[float, float] | None = None
    levels: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """The number of bins, at least 3."""
        return len(self.edges) + len(self.levels) + 3


def numeric_bins(
    kind: Literal["number", "time", "text"], values: Array, edges: tuple[float, ...] | None = None
) -> Bins:
    """The bins of a column that is measured; `values`: float64 (rows,), as `measured` has them.

    `edges`: their deciles where they are known; None: they are computed.
    """
    known = values[np.isfinite(values)]
    if edges is None:
        edges = tuple(quantile_edges(known, DECILES).tolist())
    if not len(known):
        return Bins(kind)
    low_tail, high_tail = np.quantile(known, [RARE, 1 - RARE]).tolist()
    tails = (low_tail, high_tail)
    if kind != "number":
        return Bins(kind, edges, tails=tails)
    low, high = float(known.min()), float(known.max())
    with np.errstate(over="ignore"):
        mean, deviation = float(known.mean()), float(known.std())
    if not np.isfinite([mean, deviation]).all():  # of numbers near the largest there is
        return Bins(kind, edges, low, high, tails=tails)
    return Bins(kind, edges, low, high, mean, 0.0 if low == high else deviation, tails)


def category_bins(ordered: Sequence[str]) -> Bins:
    """The bins of a category; `ordered`: all of its levels, the most frequent first."""
    return Bins("category", levels=tuple(ordered[:LEVELS]), others=tuple(ordered[LEVELS:]))


def measured(values: Array, kind: str) -> Array:
    """What the bins of numbers, times and texts are made of, float64 (rows,): NaN for null."""
    if kind == "number":
        return values
    if kind == "time":
        seconds = values.astype("datetime64[s]").astype(np.int64) % DAY
        return np.where(is_null(values), np.nan, seconds)
    return np.fromiter((np.nan if value is None else len(value) for value in values), np.float64, len(values))


def bin_rows(values: Array, bins: Bins) -> Array:
    """Bin of each row, int64 (rows,): 0 to `bins.count` - 1.

    >>> bins = category_bins(["AA", "UA"])
    >>> bin_rows(np.array(["UA", "AA", "ZZ", None], dtype=object), bins).tolist(), bins.count
    ([1, 0, 3, 4], 5)
    """
    outside, null = bins.count + OUTSIDE, bins.count + NULL
    if bins.kind == "category":
        place: dict[str | None, int] = dict.fromkeys(bins.others, len(bins.levels))
        place.update({level: i for i, level in enumerate(bins.levels)})
        place[None] = null
        return np.fromiter((place.get(value, outside) for value in values), np.int64, len(values))
    if bins.kind == "key":
        return np.where(is_null(values), null, 0)
    numbers = measured(values, bins.kind)
    at = bin_of(numbers, np.array(bins.edges))
    at[at == len(bins.edges) + 1] = null
    if bins.low is not None and bins.high is not None:
        at[(numbers < bins.low) | (numbers > bins.high)] = outside
    elif bins.kind == "number":  # no row of the baseline had a number
        at[~np.isnan(numbers)] = outside
    return at


def examples(values: Array, most: int = 3) -> tuple[str, ...]:
    """The most frequent of some values, as text; equal counts in order of the text."""
    counts = Counter(str(value) for value in values)
    return tuple(sorted(counts, key=lambda text: (-counts[text], text))[:most])


def label(bins: Bins, at: int, outside: tuple[str, ...] = ()) -> str:
    """A bin in words; `outside`: examples of values outside.

    >>> label(Bins("number", edges=(1.0, 2.5)), 1), label(category_bins(["AA"]), 0), label(category_bins(["AA"]), 3)
    ('1 to 2.5', 'AA', 'null')
    """
    if at == bins.count + NULL:
        return "null"
    if at == bins.count + OUTSIDE:
        unseen = f"unseen levels ({', '.join(outside)})" if outside else "unseen levels"
        return unseen if bins.kind == "category" else "outside the training range"
    if bins.kind == "category":
        return bins.levels[at] if at < len(bins.levels) else "other levels"
    ends = [_text(edge, bins.kind) for edge in bins.edges]
    if not ends:
        return "any value"
    if at == 0:
        return f"up to {ends[0]}"
    return f"above {ends[-1]}" if at == len(ends) else f"{ends[at - 1]} to {ends[at]}"


def _text(edge: float, kind: str) -> str:
    if kind == "time":
        minutes = int(edge) // 60
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{edge:.4g}" + (" characters" if kind == "text" else "")
