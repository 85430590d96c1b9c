"""Reference statistics: the distribution of each input among training rows, to compare live data with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ..base.columns import Array, Columns


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers, times (seconds since 1970, UTC) or texts (their length in characters), in bins of equal count.

    `null`: share of the `rows`, 0..1. `edges`: the borders between bins, deciles without repeats; `counts`: rows per
    bin, one more than there are edges: the first and the last bin are open. `low`, `high`: the least and the largest
    number; None where there is none.
    """

    kind: Literal["number", "time", "text"]
    rows: int
    null: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Levels:
    """A category. `counts`: rows per level, the most frequent first. `null`: share of the `rows`, 0..1."""

    kind: Literal["category"]
    rows: int
    null: float
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Reference:
    """The distribution of each input, by name."""

    inputs: dict[str, Numbers | Levels]


def outside(reference: Reference, columns: Columns) -> dict[str, int]:
    """Column -> number of rows with a value outside what was seen in training; only columns that have such rows.

    That is a number below the least or above the largest one, and a level that no row had. Null counts as seen, and
    so do times, since new rows come later, and free texts, since each is another one.
    """
    counts = {name: _outside(seen, columns[name]) for name, seen in reference.inputs.items() if name in columns}
    return {name: count for name, count in counts.items() if count}


def _outside(seen: Numbers | Levels, values: Array) -> int:
    if isinstance(seen, Levels):
        found = Counter(values.tolist())
        return sum(count for level, count in found.items() if level is not None and level not in seen.counts)
    if seen.kind != "number" or seen.low is None or seen.high is None:
        return 0
    return int(((values < seen.low) | (values > seen.high)).sum())
