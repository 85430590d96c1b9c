"""Charts of several shares at once, and of values with a band around them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fullcircle.report import svg
from fullcircle.report.charts import HEIGHT, LEFT, RIGHT, WIDTH, Axis, Frame, legend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.report.charts import Series

LOW = 230  # height of a chart that is twice as wide as others


@dataclass(frozen=True, slots=True)
class Stack:
    """Shares over a named place, from the foot up."""

    name: str
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A value and the band around it, over `at`."""

    at: float
    low: float
    value: float
    high: float


def stacks(title: str, names: Sequence[str], values: Sequence[Stack], y: Axis) -> str:
    """Upright columns of shares on top of each other, a colour for each of `names`; twice as wide as others."""
    entries, top = legend([(f"box s{i + 1}", name) for i, name in enumerate(names)], WIDTH * 2)
    frame = Frame(WIDTH * 2, LOW + int(top), top, Axis("", 0, max(len(values), 1)), y)
    parts = [*entries, *frame.axes(upright=False)]
    place = (frame.width - LEFT - RIGHT) / max(len(values), 1)
    parts += named_places(frame, [stack.name for stack in values])
    for i, stack in enumerate(values):
        foot = 0.0
        for kind, value in enumerate(stack.shares):
            (left, high), (_, base) = frame.at(i, foot + value), frame.at(i, foot)
            parts.append(svg.box(f"s{kind + 1}", left + place * 0.14, high, place * 0.72, base - high))
            foot += value
    return svg.image(title, frame.width, frame.height, parts)


def months(title: str, values: Sequence[tuple[str, Band]], y: Axis, names: tuple[str, str]) -> str:
    """A point and a whisker over each named place; `names`: of the points and of the whiskers."""
    entries, top = legend([("dot s1", names[0]), ("whisker", names[1])], WIDTH * 2)
    frame = Frame(WIDTH * 2, LOW, top, Axis("", 0, max(len(values), 1)), y)
    parts = [*entries, *frame.axes(upright=False), *named_places(frame, [name for name, _ in values])]
    for i, (_, band) in enumerate(values):
        parts += _whisker(frame, Band(i + 0.5, band.low, band.value, band.high))
    return svg.image(title, frame.width, frame.height, parts)


def bands(
    title: str, values: Sequence[Band], x: Axis, y: Axis, names: tuple[str, str], lines: Sequence[tuple[str, Series]]
) -> str:
    """Points with whiskers over two axes, above `lines` (class and series; those of one name have one entry)."""
    named = dict.fromkeys((kind, line.name) for kind, line in lines)
    entries, top = legend([("dot s1", names[0]), ("whisker", names[1]), *named])
    frame = Frame(WIDTH, HEIGHT, top, x, y)
    parts = [*entries, *frame.axes()]
    parts += [svg.path(kind, [frame.at(a, b) for a, b in line.points]) for kind, line in lines]
    for band in values:
        parts += _whisker(frame, band)
    return svg.image(title, WIDTH, HEIGHT, parts)


def named_places(frame: Frame, names: Sequence[str]) -> list[str]:
    """The names of evenly spaced places below a chart, as many as there is room for."""
    place = (frame.width - LEFT - RIGHT) / max(len(names), 1)
    every = math.ceil(max([len(name) for name in names], default=1) * svg.LETTER * 1.2 / place)
    _, base = frame.at(0, frame.y.low)
    kept = [(i, name) for i, name in enumerate(names) if i % every == 0]
    return [svg.text("tick", frame.at(i, frame.y.low)[0] + place / 2, base + 16, name, "middle") for i, name in kept]


def _whisker(frame: Frame, band: Band) -> list[str]:
    ends = [frame.at(band.at, band.low), frame.at(band.at, band.high)]
    return [svg.path("whisker", ends), svg.dot("s1", frame.at(band.at, band.value), 3)]
