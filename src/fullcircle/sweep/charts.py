"""Charts of a sweep as inline SVG: history, parallel coordinates, and what luck had to do with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fullcircle.core.tables import rounded
from fullcircle.report import charts, svg

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fullcircle.sweep.trials import Trial

WIDE = charts.WIDTH * 2
NONE = "none"  # where a trial lies on the axis of a key that it does not have
FEW = 60  # up to as many trials are drawn with their deviations

Span = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Upright:
    """One axis of parallel coordinates: where each value lies (0 at the foot, 1 at the head), and its ticks.

    A key that a trial does not have lies at -0.12: below the foot, at the word "none".
    """

    name: str
    places: dict[str, float]
    ticks: tuple[tuple[float, str], ...]

    def at(self, value: Any) -> float:
        """Where a value lies."""
        return self.places[repr(value)]


def fenced(values: Sequence[float], *, higher: bool) -> Span:
    """The span of values worth drawing: all, but for those far out on the bad side.

    Far out is more than three interquartile ranges beyond the worse quartile (Tukey 1977). Of no values: 0 to 1.
    """
    ordered = sorted(rounded(list(values)))  # the last digits of a mean make no axis
    if not ordered:
        return 0.0, 1.0
    low, high = _quantile(ordered, 0.25), _quantile(ordered, 0.75)
    reach = 3 * (high - low)
    if reach == 0:
        return ordered[0], ordered[-1]
    if higher:
        return min(v for v in ordered if v >= low - reach), ordered[-1]
    return ordered[0], max(v for v in ordered if v <= high + reach)


def _quantile(ordered: Sequence[float], share: float) -> float:
    at = share * (len(ordered) - 1)
    low, high = ordered[math.floor(at)], ordered[math.ceil(at)]
    return low + (high - low) * (at - math.floor(at))


def around(label: str, values: Sequence[float]) -> charts.Axis:
    """An axis of values; of a single one, a twentieth to either side."""
    low, high = min(values), max(values)
    room = abs(low) / 20 if low == high else 0.0
    return charts.axis(label, [low - room, high + room])


def history(complete: Sequence[Trial], pruned: Sequence[Trial], records: Sequence[Trial], y: charts.Axis) -> str:
    """Every value by trial number, and the best so far as steps. Values beyond the axis lie at its edge.

    What was pruned has no value, and stands at the foot.
    """
    shown = [*complete, *pruned]
    last = max([trial.number for trial in shown], default=1)
    named = [("dot seen", "complete")] if complete else []
    named += [("dot pruned", "pruned")] if pruned else []
    named += [("s1", "best so far")] if records else []
    entries, top = charts.legend(named, WIDE)
    frame = charts.Frame(WIDE, charts.HEIGHT, top, _numbers(last), y)
    radius = 3 if len(shown) <= 200 else 2.2
    parts = [*entries, *frame.axes()]
    if len(shown) <= FEW:
        parts += [_whisker("around", frame, trial.number, _ends(trial)) for trial in complete if _spread(trial)]
    parts += [svg.dot("pruned", frame.at(trial.number, y.low), radius) for trial in pruned]
    parts += [svg.dot("seen", frame.at(trial.number, trial.value or 0.0), radius) for trial in complete]
    steps = [(float(trial.number), trial.value or 0.0) for trial in records]
    parts.append(svg.path("s1", [frame.at(*point) for point in _steps(steps, last)]))
    parts += [svg.dot("s1", frame.at(*point), radius + 0.5) for point in steps]
    return svg.image("Value of every trial by its number, and the best so far", WIDE, charts.HEIGHT, parts)


def _spread(trial: Trial) -> float:
    return trial.deviation if trial.deviation is not None and math.isfinite(trial.deviation) else 0.0


def _ends(trial: Trial) -> Span:
    value = trial.value or 0.0
    return value - _spread(trial), value + _spread(trial)


def gained(
    chosen: Sequence[Point], tested: Sequence[Point], intervals: dict[float, Span], last: int, label: str
) -> str:
    """Two lines of steps over trial numbers: the value each running best was chosen for, and its test score."""
    spread = [value for _, value in [*chosen, *tested]] + [end for span in intervals.values() for end in span]
    y = around(label, rounded(spread))
    named = [("s1", "on validation, by which it was chosen"), ("s2", "the same trial on test rows")]
    entries, top = charts.legend([*named, ("between", "interval on test rows")] if intervals else named, WIDE)
    frame = charts.Frame(WIDE, charts.HEIGHT, top, _numbers(last), y)
    parts = [*entries, *frame.axes()]
    parts += [_whisker("between", frame, number, span) for number, span in intervals.items()]
    for kind, points in (("s2", tested), ("s1", chosen)):
        parts.append(svg.path(kind, [frame.at(*point) for point in _steps(points, last)]))
        parts += [svg.dot(kind, frame.at(*point), 3.5) for point in points]
    return svg.image("The running best on validation and on test rows", WIDE, charts.HEIGHT, parts)


def _numbers(last: int) -> charts.Axis:
    """The axis of trial numbers: from 0, with ticks at whole numbers."""
    return charts.axis("trial", [0, max(last, 5)])


def _steps(points: Sequence[Point], last: int) -> list[Point]:
    """A line that keeps its height until the next point, and from the last on to trial `last`."""
    corners: list[Point] = []
    for x, y in points:
        corners += [(x, corners[-1][1]), (x, y)] if corners else [(x, y)]
    return [*corners, (float(last), corners[-1][1])] if corners else []


def _whisker(kind: str, frame: charts.Frame, x: float, span: Span) -> str:
    return svg.path(kind, [frame.at(x, span[0]), frame.at(x, span[1])])


def upright(name: str, values: Sequence[Any], *, log: bool = False) -> Upright:
    """An axis for the `values` of a key.

    Numbers lie as on a scale, of logarithms if `log` and all are above 0; anything else (truth values, words,
    null, a mix) lies evenly spaced, numbers first.
    """
    if values and all(_is_number(value) for value in values):
        return _scale(name, [float(value) for value in values], values, log=log and min(values) > 0)
    order = sorted({repr(v): v for v in values}.items(), key=lambda item: (not _is_number(item[1]), *_rank(item[1])))
    step = 1 / max(len(order) - 1, 1)
    places = {text: i * step if len(order) > 1 else 0.5 for i, (text, _) in enumerate(order)}
    return Upright(name, places, tuple((places[text], plain(value)) for text, value in order))


def _scale(name: str, numbers: Sequence[float], values: Sequence[Any], *, log: bool) -> Upright:
    low, high = min(numbers), max(numbers)

    def at(number: float) -> float:
        if not low < high:
            return 0.5
        return math.log(number / low) / math.log(high / low) if log else (number - low) / (high - low)

    few = sorted(set(numbers)) if len(set(numbers)) <= 8 else [low, *_between(low, high, log=log), high]
    digits = next((n for n in range(4, 9) if len({plain(number, n) for number in few}) == len(few)), 9)
    return Upright(
        name,
        {repr(value): at(number) for value, number in zip(values, numbers, strict=True)},
        tuple((at(number), plain(number, digits)) for number in few),
    )


def _between(low: float, high: float, *, log: bool) -> list[float]:
    """Round numbers inside a span: where it is of logarithms, powers of ten."""
    if log:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [10.0**power for power in powers]
        if len([tick for tick in found if low < tick < high]) < 2:
            found = [10.0**power * digit for power in powers for digit in (1, 2, 5)]
    else:
        found = charts.ticks(low, high) if high - low > 1e-9 else []
    return [tick for tick in found if low < tick < high]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _rank(value: Any) -> tuple[float, str]:
    return (value, "") if _is_number(value) else (0.0, plain(value))


def plain(value: Any, digits: int = 4) -> str:
    """A choice in few characters: `digits` significant digits, and words as Hydra writes them."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        text = f"{value:.{digits}g}"
        return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return str(value)


def parallel(
    axes: Sequence[Upright], lines: Sequence[Sequence[float | None]], chosen: Collection[int], title: str
) -> str:
    """Parallel coordinates: a line a trial over upright axes; those whose index is in `chosen` are drawn last.

    `lines`: for every trial its place on each axis, None where it does not have that key.
    """
    gap = any(place is None for line in lines for place in line)
    step = (WIDE - 84) / max(len(axes) - 1, 1)
    two = len(axes) > 1 and max(len(a.name) for a in axes) * svg.LETTER > step - 12  # names in two rows
    top, foot = (52.0 if two else 34.0), 330.0
    height = int(foot + (46 if gap else 14))
    across = [18 + i * step for i in range(len(axes))]

    def points(line: Sequence[float | None]) -> list[Point]:
        heights = [foot + 28 if place is None else foot - place * (foot - top) for place in line]
        return list(zip(across, heights, strict=True))

    rest = [line for i, line in enumerate(lines) if i not in chosen]
    parts = _faded([svg.path("rest", points(line)) for line in rest], 0.08, 0.4)
    parts += [f'<path class="axis" d="M{x:.1f} {top:.1f}V{foot:.1f}"/>' for x in across]
    parts += _faded([svg.path("chosen", points(lines[i])) for i in sorted(chosen)], 0.5, 0.9)
    for i, (x, one) in enumerate(zip(across, axes, strict=True)):
        parts += _words(one, x, top, foot, step)
        if any(line[i] is None for line in lines):
            parts += [svg.dot("tick", (x, foot + 28), 2.5), svg.text("tick halo", x + 7, foot + 32, NONE)]
        name = tail(one.name, min((2 * step if two else step) - 12, WIDE - x + 20))
        parts.append(svg.text("name", x - 4, top - 14 - (16 if two and i % 2 else 0), name))
    return svg.image(title, WIDE, height, parts)


def _faded(lines: list[str], least: float, most: float) -> list[str]:
    """Lines that are the fainter the more they are, so that those below are seen."""
    opacity = max(least, min(most, 12 / max(len(lines), 1)))
    return [f'<g stroke-opacity="{opacity:.2f}">', *lines, "</g>"]


def _words(one: Upright, x: float, top: float, foot: float, step: float) -> list[str]:
    """The ticks of an axis; the ends first, then what does not touch a tick that is already there."""
    parts: list[str] = []
    taken: list[float] = []
    for place, words in sorted(one.ticks, key=lambda tick: (0 < tick[0] < 1, tick[0])):
        height = foot - place * (foot - top)
        if all(abs(height - other) >= 14 for other in taken):
            taken.append(height)
            parts.append(f'<path class="axis" d="M{x - 3:.1f} {height:.1f}h6"/>')
            parts.append(svg.text("tick halo", x + 7, height + 4, svg.shortened(words, max(step - 18, 40))))
    return parts


def tail(name: str, room: float) -> str:
    """A key that fits `room`: of a long one the end, which tells it from its neighbours."""
    letters = max(int(room / svg.LETTER), 2)
    return name if len(name) <= letters else "…" + name[1 - letters :]
