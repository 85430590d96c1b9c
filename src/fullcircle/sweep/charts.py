"""Charts of a sweep as inline SVG: history, parallel coordinates, and the best trials on test rows."""

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
NONE = "none"  # label below the axis, for trials that do not have its key
FEW = 60  # deviations are drawn for at most so many trials

Span = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ParallelAxis:
    """One axis of parallel coordinates: the position of each value (0 at the bottom, 1 at the top), and its ticks."""

    name: str
    positions: dict[str, float]
    ticks: tuple[tuple[float, str], ...]

    def at(self, value: Any) -> float:
        """The position of a value."""
        return self.positions[repr(value)]


def axis_of(label: str, values: Sequence[float]) -> charts.Axis:
    """An axis that covers the values; 5% on either side of a single value."""
    low, high = min(values), max(values)
    margin = abs(low) / 20 if low == high else 0.0
    return charts.axis(label, [low - margin, high + margin])


def history(complete: Sequence[Trial], pruned: Sequence[Trial], best: Sequence[Trial], y: charts.Axis) -> str:
    """Every value by trial number, and the best so far (`best`) as steps. Values beyond the axis are at its edge.

    Pruned trials have no value and are drawn at the bottom.
    """
    shown = [*complete, *pruned]
    last = max([trial.number for trial in shown], default=1)
    labels = [("dot complete", "complete")] if complete else []
    labels += [("dot pruned", "pruned")] if pruned else []
    labels += [("s1", "best so far")] if best else []
    entries, top = charts.legend(labels, WIDE)
    frame = charts.Frame(WIDE, charts.HEIGHT, top, _numbers(last), y)
    radius = 3 if len(shown) <= 200 else 2.2
    parts = [*entries, *frame.axes()]
    if len(shown) <= FEW:
        parts += [_whisker("deviation", frame, trial.number, _ends(trial)) for trial in complete if _spread(trial)]
    parts += [svg.dot("pruned", frame.at(trial.number, y.low), radius) for trial in pruned]
    parts += [svg.dot("complete", frame.at(trial.number, trial.value or 0.0), radius) for trial in complete]
    steps = [(float(trial.number), trial.value or 0.0) for trial in best]
    parts.append(svg.path("s1", [frame.at(*point) for point in _steps(steps, last)]))
    parts += [svg.dot("s1", frame.at(*point), radius + 0.5) for point in steps]
    return svg.image("Value of every trial by its number, and the best so far", WIDE, charts.HEIGHT, parts)


def _spread(trial: Trial) -> float:
    return trial.deviation if trial.deviation is not None and math.isfinite(trial.deviation) else 0.0


def _ends(trial: Trial) -> Span:
    value = trial.value or 0.0
    return value - _spread(trial), value + _spread(trial)


def validation_and_test(
    on_validation: Sequence[Point], on_test: Sequence[Point], intervals: dict[float, Span], last: int, label: str
) -> str:
    """Two step lines over trial numbers: the validation value of each running best, and its test score.

    `intervals`: trial number -> interval of the test score. `last`: the last trial number on the axis.
    """
    ends = [value for _, value in [*on_validation, *on_test]] + [end for span in intervals.values() for end in span]
    y = axis_of(label, rounded(ends))
    labels = [("s1", "on validation rows, which select it"), ("s2", "the same trial on test rows")]
    entries, top = charts.legend([*labels, ("interval", "interval on test rows")] if intervals else labels, WIDE)
    frame = charts.Frame(WIDE, charts.HEIGHT, top, _numbers(last), y)
    parts = [*entries, *frame.axes()]
    parts += [_whisker("interval", frame, number, span) for number, span in intervals.items()]
    for kind, points in (("s2", on_test), ("s1", on_validation)):
        parts.append(svg.path(kind, [frame.at(*point) for point in _steps(points, last)]))
        parts += [svg.dot(kind, frame.at(*point), 3.5) for point in points]
    return svg.image("The running best on validation and on test rows", WIDE, charts.HEIGHT, parts)


def _numbers(last: int) -> charts.Axis:
    """The axis of trial numbers, from 0 on; at least 5 long, so that ticks are whole numbers."""
    return charts.axis("trial", [0, max(last, 5)])


def _steps(points: Sequence[Point], last: int) -> list[Point]:
    """The corners of a step line: constant until the next point, the last value until trial `last`."""
    corners: list[Point] = []
    for x, y in points:
        corners += [(x, corners[-1][1]), (x, y)] if corners else [(x, y)]
    return [*corners, (float(last), corners[-1][1])] if corners else []


def _whisker(kind: str, frame: charts.Frame, x: float, span: Span) -> str:
    return svg.path(kind, [frame.at(x, span[0]), frame.at(x, span[1])])


def parallel_axis(name: str, values: Sequence[Any], *, log: bool = False) -> ParallelAxis:
    """An axis for the `values` of a key.

    Numbers are on a linear scale, logarithmic if `log` and all are above 0; other values (booleans, text, null, a
    mix) are evenly spaced, numbers first.
    """
    if values and all(_is_number(value) for value in values):
        return _scale(name, [float(value) for value in values], values, log=log and min(values) > 0)
    order = sorted({repr(v): v for v in values}.items(), key=lambda item: (not _is_number(item[1]), *_rank(item[1])))
    step = 1 / max(len(order) - 1, 1)
    positions = {text: i * step if len(order) > 1 else 0.5 for i, (text, _) in enumerate(order)}
    return ParallelAxis(name, positions, tuple((positions[text], plain(value)) for text, value in order))


def _scale(name: str, numbers: Sequence[float], values: Sequence[Any], *, log: bool) -> ParallelAxis:
    low, high = min(numbers), max(numbers)

    def at(number: float) -> float:
        if not low < high:
            return 0.5
        return math.log(number / low) / math.log(high / low) if log else (number - low) / (high - low)

    ticks = sorted(set(numbers)) if len(set(numbers)) <= 8 else [low, *_between(low, high, log=log), high]
    digits = next((n for n in range(4, 9) if len({plain(number, n) for number in ticks}) == len(ticks)), 9)
    return ParallelAxis(
        name,
        {repr(value): at(number) for value, number in zip(values, numbers, strict=True)},
        tuple((at(number), plain(number, digits)) for number in ticks),
    )


def _between(low: float, high: float, *, log: bool) -> list[float]:
    """Round numbers inside a span; on a logarithmic scale, powers of ten."""
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
    """A value in few characters: `digits` significant digits; booleans and null as Hydra writes them."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        text = f"{value:.{digits}g}"
        return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return str(value)


def parallel(
    axes: Sequence[ParallelAxis], lines: Sequence[Sequence[float | None]], highlighted: Collection[int], title: str
) -> str:
    """Parallel coordinates: one line per trial; those whose index is in `highlighted` are drawn last, in colour.

    `lines`: for each trial its position on each axis, None if it does not have that key.
    """
    gap = any(position is None for line in lines for position in line)
    step = (WIDE - 84) / max(len(axes) - 1, 1)
    two_rows = len(axes) > 1 and max(len(a.name) for a in axes) * svg.LETTER > step - 12  # of names
    top, bottom = (52.0 if two_rows else 34.0), 330.0
    height = int(bottom + (46 if gap else 14))
    across = [18 + i * step for i in range(len(axes))]

    def points(line: Sequence[float | None]) -> list[Point]:
        heights = [bottom + 28 if at is None else bottom - at * (bottom - top) for at in line]
        return list(zip(across, heights, strict=True))

    rest = [line for i, line in enumerate(lines) if i not in highlighted]
    parts = _faded([svg.path("rest", points(line)) for line in rest], 0.08, 0.4)
    parts += [f'<path class="axis" d="M{x:.1f} {top:.1f}V{bottom:.1f}"/>' for x in across]
    parts += _faded([svg.path("top", points(lines[i])) for i in sorted(highlighted)], 0.5, 0.9)
    for i, (x, one) in enumerate(zip(across, axes, strict=True)):
        parts += _ticks(one, x, top, bottom, step)
        if any(line[i] is None for line in lines):
            parts += [svg.dot("tick", (x, bottom + 28), 2.5), svg.text("tick halo", x + 7, bottom + 32, NONE)]
        name = tail(one.name, min((2 * step if two_rows else step) - 12, WIDE - x + 20))
        parts.append(svg.text("name", x - 4, top - 14 - (16 if two_rows and i % 2 else 0), name))
    return svg.image(title, WIDE, height, parts)


def _faded(lines: list[str], least: float, most: float) -> list[str]:
    """Lines whose opacity falls with their number, so that lines below others stay visible."""
    opacity = max(least, min(most, 12 / max(len(lines), 1)))
    return [f'<g stroke-opacity="{opacity:.2f}">', *lines, "</g>"]


def _ticks(one: ParallelAxis, x: float, top: float, bottom: float, step: float) -> list[str]:
    """The ticks of an axis: the two ends, then those that do not overlap with a tick that is drawn already."""
    parts: list[str] = []
    taken: list[float] = []
    for at, label in sorted(one.ticks, key=lambda tick: (0 < tick[0] < 1, tick[0])):
        height = bottom - at * (bottom - top)
        if all(abs(height - other) >= 14 for other in taken):
            taken.append(height)
            parts.append(f'<path class="axis" d="M{x - 3:.1f} {height:.1f}h6"/>')
            parts.append(svg.text("tick halo", x + 7, height + 4, svg.shortened(label, max(step - 18, 40))))
    return parts


def tail(name: str, width: float) -> str:
    """A key shortened to `width` pixels; the end of a long key is kept, since keys differ there."""
    letters = max(int(width / svg.LETTER), 2)
    return name if len(name) <= letters else "…" + name[1 - letters :]
