"""Reference statistics: the distribution of each input among training rows, to compare live data with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers, times (seconds since 1970, UTC) or texts (their length in characters), in bins of equal count.

    `null`: share of the `rows`, 0..1. `edges`: the borders between bins, deciles without repeats; `counts`: rows per
    bin, one more than there are edges: the first and the last bin are open.
    """

    kind: Literal["number", "time", "text"]
    rows: int
    null: float
    edges: tuple[float, ...]
    counts: tuple[int, ...]


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
