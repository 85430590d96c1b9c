"""Pieces of the page that every task fills in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fullcircle.report.formatting import share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.report.facts import Facts
    from fullcircle.report.terms import Wording

TILES = 4


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart as SVG, under its heading; `note` says how to read it."""

    name: str
    heading: str
    svg: str
    note: str = ""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A metric at the head of the page, with its interval and what it says."""

    name: str
    value: str
    interval: str
    about: str


def tiles(facts: Facts, say: Wording, metrics: Sequence[str], about: dict[str, str]) -> list[Tile]:
    """The first of `metrics` that were measured, each once; `about`: what to say of one instead of its meaning."""
    known = [name for name in dict.fromkeys(metrics) if name in facts.tested.metrics][:TILES]
    return [
        Tile(
            say.title(name),
            say.value(name, facts.tested.metrics[name], fewer=1),
            say.interval(name, facts.tested.intervals.get(name), fewer=1),
            about.get(name) or say.meaning(name),
        )
        for name in known
    ]


def largest(shares: dict[str, float], count: int) -> list[str]:
    """The names of the `count` largest shares, in the order of `shares`."""
    kept = sorted(shares, key=lambda name: -shares[name])[:count]
    return [name for name in shares if name in kept]


def most(shares: dict[str, float]) -> str:
    """The most frequent class and its share; a dash where there is none."""
    name = max(shares, key=lambda name: shares[name], default=None)
    return "–" if name is None else f"{name}, {share(shares[name])}"
