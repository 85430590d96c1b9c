"""Charts as inline SVG: equal bytes on every machine, colours from the page's own style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fullcircle.report import svg

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, BOTTOM, ROW = 44, 14, 40, 16


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: what it shows, from where to where; `share` writes its ticks as per cent."""

    label: str
    low: float
    high: float
    share: bool = False

    def at(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high end."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[tuple[float, str]]:
        """Round numbers along the axis, and how they are written: all with as many digits."""
        values = ticks(self.low, self.high)
        scale, sign = (100.0, "%") if self.share else thousands(max(map(abs, values)))
        digits = max(len(f"{v * scale:.6g}".partition(".")[2]) for v in values)
        texts = [f"{v * scale:,.{digits}f}{sign}".replace("-", "−") for v in values]
        return [(v, "0" if v == 0 and sign not in ("", "%") else text) for v, text in zip(values, texts, strict=True)]


@dataclass(frozen=True, slots=True)
class Series:
    """A named line; points that are not finite are left out."""

    name: str
    points: Sequence[tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Mark:
    """A single named point."""

    name: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Column:
    """A share over a named place; `group` names its colour, and may be empty."""

    name: str
    value: float
    group: str = ""


def thousands(most: float) -> tuple[float, str]:
    """How numbers of this size fit a tick: by what they are multiplied, and the sign behind them."""
    signs = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k"))
    unit, sign = next(((unit, sign) for unit, sign in signs if most >= unit), (1.0, ""))
    return (1e-3 if sign == "k" else 1 / unit), sign


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, at most `count` steps of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def axis(label: str, values: Iterable[float], *, share: bool = False, zero: bool = False) -> Axis:
    """An axis that ends at round numbers around the finite `values`; `zero` makes it begin at 0."""
    finite = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    low, high = (0.0 if zero else min(finite)), max(finite)
    if high <= low:
        low, high = (low, low + 1.0) if zero else (low - 0.5, low + 0.5)
    marks = ticks(low, high)
    step = marks[1] - marks[0] if len(marks) > 1 else high - low
    return Axis(label, math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, share)


def line_chart(
    title: str,
    series: Sequence[Series],
    x: Axis,
    y: Axis,
    *,
    diagonal: str = "",
    level: tuple[str, float] | None = None,
    marks: Sequence[Mark] = (),
    dots: bool = False,
) -> str:
    """Lines over two axes; `diagonal` names a line from corner to corner, `level` one straight across."""
    named = [(f"s{i + 1}", s.name) for i, s in enumerate(series)] if len(series) > 1 else []
    named += [("ref", diagonal)] if diagonal else []
    named += [("ref", level[0])] if level else []
    named += [("mark", mark.name) for mark in marks]
    entries, top = legend(named)
    frame = Frame(WIDTH, HEIGHT, top, x, y)
    parts = [*entries, *frame.axes()]
    if diagonal:
        parts.append(svg.path("ref", [frame.at(x.low, y.low), frame.at(x.high, y.high)]))
    if level:
        parts.append(svg.path("ref", [frame.at(x.low, level[1]), frame.at(x.high, level[1])]))
    for i, line in enumerate(series):
        points = [frame.at(a, b) for a, b in line.points if math.isfinite(a) and math.isfinite(b)]
        parts.append(svg.path(f"s{i + 1}", points))
        parts += [svg.dot(f"s{i + 1}", point, 3) for point in points if dots]
    parts += [svg.dot("mark", frame.at(mark.x, mark.y), 4.5) for mark in marks]
    return svg.image(title, WIDTH, HEIGHT, parts)


def bars(title: str, values: Sequence[tuple[str, float]], digits: int = 3) -> str:
    """Horizontal bars from 0, each with its name before it and its value behind it."""
    finite = [(name, value) for name, value in values if math.isfinite(value)]
    names = min(max([len(name) for name, _ in finite], default=1) * svg.LETTER + 8, WIDTH * 0.45)
    most = max([value for _, value in finite], default=0.0) or 1.0
    room, height = WIDTH - names - svg.LETTER * (digits + 3) - 5, 19
    parts = []
    for i, (name, value) in enumerate(finite):
        middle, width = i * height + height / 2, max(value / most, 0.0) * room
        parts += [
            svg.text("name", names - 8, middle + 4, svg.shortened(name, names - 8), "end"),
            svg.box("s1", names, middle - 6, width, 12),
            svg.text("tick", names + width + 5, middle + 4, f"{value:.{digits}f}"),
        ]
    return svg.image(title, WIDTH, max(len(finite), 1) * height, parts)


def columns(title: str, values: Sequence[Column], y: Axis, level: tuple[str, float]) -> str:
    """Upright columns of shares, coloured by `group`, and a line at `level`; twice as wide as others."""
    width, height, many = WIDTH * 2, 230, max(len(values), 1)
    groups = list(dict.fromkeys(column.group for column in values))
    named = [(f"box s{i + 1}", group) for i, group in enumerate(groups) if group]
    entries, top = legend([*named, ("ref", level[0])])
    frame = Frame(width, height, top, Axis("", 0, many), y)
    parts = [*entries, *frame.axes(upright=False)]
    place = (width - LEFT - RIGHT) / many
    every = math.ceil(max([len(column.name) for column in values], default=1) * svg.LETTER * 1.2 / place)
    for i, column in enumerate(values):
        (left, high), (_, base) = frame.at(i, column.value), frame.at(i, y.low)
        middle, kind = left + place / 2, f"s{groups.index(column.group) + 1}"
        parts.append(svg.box(kind, left + place * 0.14, high, place * 0.72, base - high))
        if place > svg.LETTER * 7:
            parts.append(svg.text("on", middle, high + 15, f"{column.value:.1%}", "middle"))
        if i % every == 0:
            parts.append(svg.text("tick", middle, base + 16, column.name, "middle"))
    parts.append(svg.path("ref", [frame.at(0, level[1]), frame.at(many, level[1])]))
    return svg.image(title, width, height, parts)


def strip(
    title: str,
    x: Axis,
    value: float,
    interval: tuple[float, float] | None = None,
    level: float | None = None,
    width: int = 200,
) -> str:
    """A value as a dot on a line, in a row of text, with its interval and a tick at `level`."""
    shown = [value, *(interval or ()), *([] if level is None else [level])]
    place = {v: 5 + min(max(x.at(v), 0.0), 1.0) * (width - 10) for v in shown}
    parts = [f'<path class="grid" d="M5 8H{width - 5}"/>']
    if level is not None:
        parts.append(f'<path class="level" d="M{place[level]:.1f} 2V14"/>')
    if interval:
        parts.append(f'<path class="span" d="M{place[interval[0]]:.1f} 8H{place[interval[1]]:.1f}"/>')
    return svg.image(title, width, 16, [*parts, svg.dot("s1", (place[value], 8), 3)], "strip")


@dataclass(frozen=True, slots=True)
class Frame:
    """The inside of a chart: where values lie, and the axes around it."""

    width: int
    height: int
    top: float
    x: Axis
    y: Axis

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies in the image; a height outside the axis lies at its edge."""
        across, up = self.x.at(x), min(max(self.y.at(y), 0.0), 1.0)
        bottom = self.height - BOTTOM
        return LEFT + across * (self.width - LEFT - RIGHT), bottom - up * (bottom - self.top)

    def axes(self, *, upright: bool = True) -> list[str]:
        """Both axes with their labels; `upright` draws the ticks of the one below."""
        parts = [svg.text("label", 2, self.top - 12, self.y.label)]
        for value, text in self.y.ticks():
            _, height = self.at(self.x.low, value)
            parts.append(f'<path class="grid" d="M{LEFT} {height:.1f}H{self.width - RIGHT}"/>')
            parts.append(svg.text("tick", LEFT - 6, height + 4, text, "end"))
        bottom = self.height - BOTTOM
        for value, text in self.x.ticks() if upright else []:
            across, _ = self.at(value, self.y.low)
            parts.append(f'<path class="axis" d="M{across:.1f} {bottom}v4"/>')
            parts.append(svg.text("tick", across, bottom + 16, text, "middle"))
        parts.append(f'<path class="axis" d="M{LEFT} {bottom}H{self.width - RIGHT}"/>')
        middle = (LEFT + self.width - RIGHT) / 2
        return [*parts, svg.text("label", middle, self.height - 5, self.x.label, "middle")]


def legend(named: Sequence[tuple[str, str]], width: int = WIDTH) -> tuple[list[str], float]:
    """Entries side by side, wrapped where the row is full; and where the chart may begin below them.

    `named`: class and name; the swatch of `box s1` is a box, that of `dot s1` a point, else a line.
    """
    parts, left, row = [], 2.0, 0
    for kind, name in named:
        wide = 24 + len(name) * svg.LETTER + 14
        if left > 2 and left + wide > width:
            left, row = 2.0, row + 1
        height = row * ROW + 8.0
        parts += [_swatch(kind, left, height), svg.text("name", left + 24, height + 4, name)]
        left += wide
    return parts, (row + 1) * ROW + 30.0 if named else 26.0


def _swatch(kind: str, left: float, middle: float) -> str:
    if kind.startswith("box "):
        return svg.box(kind[4:], left + 4, middle - 5, 11, 11)
    if kind == "mark" or kind.startswith("dot "):
        return svg.dot(kind.removeprefix("dot "), (left + 9, middle), 4.5 if kind == "mark" else 3.5)
    return svg.path(kind, [(left, middle), (left + 18, middle)])
