"""The page of a sweep: what was searched, what was found, and how much of it luck gave, as one HTML file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup, escape

from fullcircle.core.tables import rounded
from fullcircle.report import formatting as words
from fullcircle.report.charts import bars
from fullcircle.report.terms import name_of_any
from fullcircle.sweep import charts
from fullcircle.sweep.charts import plain
from fullcircle.sweep.trials import Direction, Trial, completed, ranked, running_best

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from jinja2 import Template

SHOWN = 20  # trials in a table
AXES = 10  # keys in parallel coordinates, beside the metric
BARS = 15  # keys in the chart of importance
LETTERS = 400  # of an error message


@dataclass(frozen=True, slots=True)
class Luck:
    """A trial that was the best so far: its value on validation, and its score on rows that chose nothing."""

    number: int
    value: float
    test: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Swept:
    """A finished sweep.

    `space`: key -> the text of its override, such as range(3,11); `log`: the keys searched on a scale of
    logarithms. `importance`: key -> share, empty where there are too few trials. `seconds`: by the clock on the wall.
    """

    name: str
    metric: str
    direction: Direction
    sampler: str
    seed: int
    workers: int
    repeats: int
    seconds: float
    space: dict[str, str]
    log: tuple[str, ...]
    trials: tuple[Trial, ...]
    importance: dict[str, float]
    luck: tuple[Luck, ...]
    adopt_command: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the complete trials say together; `gain` is the best over the first and over the median trial."""

    complete: list[Trial]
    pruned: list[Trial]
    failed: list[Trial]
    records: list[Trial]
    best: Trial | None
    ranked: list[Trial]
    gain: tuple[float, float]
    near: int | None  # other trials within one deviation of the best; None where that is not known
    span: tuple[float, float]  # values that charts show
    beyond: int  # values that lie outside it
    digits: int


def render(sweep: Swept) -> str:
    """The page as HTML: self-contained, without scripts, the same bytes for the same sweep."""
    found = find(sweep)
    names = short({*sweep.space, *(key for trial in sweep.trials for key in trial.choices)})
    shown = found.ranked[:SHOWN]
    return _template().render(
        sweep=sweep,
        found=found,
        metric=named(sweep.metric),
        higher=sweep.direction == "maximize",
        names=names,
        keys=keys_of(sweep, sweep.trials),
        shown=shown,
        shown_keys=keys_of(sweep, shown),
        metrics=metric_columns(sweep, shown),
        arrived=arrived(sweep.luck, sweep.direction),
        charts=draw(sweep, found, names),
        limits={"shown": SHOWN, "axes": AXES, "letters": LETTERS},
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PrefixLoader({room: PackageLoader(f"fullcircle.{room}", "") for room in ("sweep", "report")}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = (words.number, words.share, words.count, words.interval, plain, duration, signed, breakable, wide)
    environment.filters.update({function.__name__: function for function in filters})
    return environment.get_template("sweep/page.html.jinja")


def find(sweep: Swept) -> Found:
    """Sort the trials, and compare the best with the others."""
    higher = sweep.direction == "maximize"
    sign = 1.0 if higher else -1.0
    complete, records = completed(sweep.trials), running_best(sweep.trials, sweep.direction)
    pruned = [t for t in sweep.trials if t.state == "pruned"]
    values = [_value(trial) for trial in complete]
    best = records[-1] if records else None
    gain, near = (0.0, 0.0), None
    if best is not None:
        gain = sign * (_value(best) - values[0]), sign * (_value(best) - median(values))
        if best.deviation is not None and math.isfinite(best.deviation) and len(values) > 1:
            near = sum(abs(value - _value(best)) <= best.deviation for value in values) - 1
    span = charts.fenced(values, higher=higher)
    return Found(
        complete=complete,
        pruned=pruned,
        failed=[t for t in sweep.trials if t.state == "failed"],
        records=records,
        best=best,
        ranked=ranked(complete, sweep.direction),
        gain=gain,
        near=near,
        span=span,
        beyond=sum(not span[0] <= value <= span[1] for value in rounded(values)),
        digits=wide(values),
    )


def _value(trial: Trial) -> float:
    return trial.value if trial.value is not None else math.nan


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def draw(sweep: Swept, found: Found, names: dict[str, str]) -> dict[str, str]:
    """Every chart of the page that there is something to draw of, as SVG."""
    values = charts.around(named(sweep.metric), found.span)
    known = [(names.get(key, key), share) for key, share in sweep.importance.items() if _finite(share)]
    important = [(charts.tail(key, 170), share) for key, share in sorted(known, key=lambda item: -item[1])]
    drawn = {
        "history": charts.history(found.complete, found.pruned, found.records, values) if found.complete else "",
        "importance": bars("Importance of the keys", important[:BARS]) if important else "",
        "parallel": _parallel(sweep, found, names) if len(found.complete) > 1 else "",
        "luck": _luck(sweep) if _known(sweep.luck) else "",
    }
    return {name: svg for name, svg in drawn.items() if svg}


def _parallel(sweep: Swept, found: Found, names: dict[str, str]) -> str:
    keys = keys_of(sweep, found.complete)
    if not keys:
        return ""
    if len(keys) > AXES:
        kept = sorted(keys, key=lambda key: -sweep.importance.get(key, 0.0))[:AXES]
        keys = [key for key in keys if key in kept]
    axes, low, high = [], *found.span
    for key in keys:
        values = [trial.choices[key] for trial in found.complete if key in trial.choices]
        axes.append(charts.upright(names[key], values, log=key in sweep.log))
    results = [min(max(value, low), high) for value in rounded([_value(trial) for trial in found.complete])]
    last = charts.upright(sweep.metric, results)
    lines = [
        [
            *(one.at(t.choices[key]) if key in t.choices else None for key, one in zip(keys, axes, strict=True)),
            last.at(result),
        ]
        for t, result in zip(found.complete, results, strict=True)
    ]
    top = {trial.number for trial in found.ranked[: tenth(found.ranked)]}
    chosen = {i for i, trial in enumerate(found.complete) if trial.number in top}
    return charts.parallel([*axes, last], lines, chosen, "A line a trial: its choices and its value")


def _luck(sweep: Swept) -> str:
    luck = _known(sweep.luck)
    spans = {float(one.number): one.interval for one in luck if one.interval and all(map(_finite, one.interval))}
    last = max([trial.number for trial in sweep.trials] + [one.number for one in luck], default=1)
    chosen = [(float(one.number), one.value) for one in luck]
    tested = [(float(one.number), one.test) for one in luck]
    return charts.gained(chosen, tested, spans, last, named(sweep.metric).removesuffix(" on validation"))


def _known(luck: Iterable[Luck]) -> list[Luck]:
    known = [one for one in luck if _finite(one.value) and _finite(one.test)]
    return sorted(known, key=lambda one: one.number)


def arrived(luck: Sequence[Luck], direction: Direction) -> str:
    """How much of the gain on validation, from the first trial to the best, arrived on test rows; in a sentence."""
    known = _known(luck)
    if not known:
        return ""
    first, last = known[0], known[-1]
    if len(known) == 1:
        return f"Trial {first.number} was never beaten: there is no gain to compare."
    sign = 1.0 if direction == "maximize" else -1.0
    chosen, tested = sign * (last.value - first.value), sign * (last.test - first.test)
    digits = wide([first.value, last.value, first.test, last.test])
    verb = "gained" if tested >= 0 else "lost"
    part = tested / chosen if chosen > 0 else 0.0
    left = "all of it arrived" if part >= 1 else f"{words.share(part, 0)} of it arrived"
    sentence = (
        f"From trial {first.number} to the best, trial {last.number}, validation gained "
        f"{words.number(chosen, digits)} and the test rows {verb} {words.number(abs(tested), digits)}: "
        f"{left if tested > 0 else 'nothing of it arrived'}."
    )
    low, high = last.interval or (math.nan, math.nan)
    if low <= first.test <= high:
        sentence += (
            f" The interval of the best on test rows, {words.interval((low, high), digits)}, holds the score of "
            f"trial {first.number}, {words.number(first.test, digits)}: the difference may be chance."
        )
    return sentence


def keys_of(sweep: Swept, trials: Iterable[Trial]) -> list[str]:
    """The swept keys that `trials` have: those of the space in its order, then any other."""
    had = dict.fromkeys(key for trial in trials for key in trial.choices)
    return [key for key in sweep.space if key in had] + [key for key in had if key not in sweep.space]


def metric_columns(sweep: Swept, trials: Sequence[Trial]) -> dict[str, int]:
    """The metrics to put in the table, with their digits; the swept one only where it says more than the value."""
    columns = {}
    for name in sorted({name for trial in trials for name in trial.metrics}):
        if name != sweep.metric or any(t.metrics.get(name) != t.value for t in trials if name in t.metrics):
            columns[name] = wide(trial.metrics.get(name) for trial in trials)
    return columns


def tenth(trials: Sequence[Any]) -> int:
    """How many the best 10% are: at least one."""
    return math.ceil(len(trials) / 10)


def short(keys: Iterable[str]) -> dict[str, str]:
    """Key -> the key without `model.`, unless that is a key of its own."""
    known = set(keys)
    return {key: key if key.removeprefix("model.") in known else key.removeprefix("model.") for key in sorted(known)}


def named(metric: str) -> str:
    """The full name of a metric; one of validation rows says so."""
    plain_name = metric.removeprefix("val_")
    name = name_of_any(plain_name)
    return name if plain_name == metric else f"{name} on validation"


def wide(values: Iterable[float | None]) -> int:
    """Digits behind the point that show four significant ones of the middle value; none for whole numbers."""
    sizes = [abs(value) for value in values if value is not None and math.isfinite(value)] or [0.0]
    if all(size == int(size) for size in sizes) and max(sizes) > 1:
        return 0
    size = median(sizes) or max(sizes) or 1.0
    return min(max(3 - math.floor(math.log10(size)), 0), 12)


def signed(value: float, digits: int) -> str:
    """A difference with its sign."""
    return ("+" if value >= 0 else "") + words.number(value, digits)


def duration(seconds: float) -> str:
    """A time in its two largest units: 42 s, 3 min 20 s, 2 h 05 min."""
    if not math.isfinite(seconds):
        return "–"
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02d} min"


def breakable(name: str) -> Markup:
    """A key that may break into lines after its underscores and points."""
    safe = str(escape(name))
    return Markup(safe.replace("_", "_<wbr>").replace(".", ".<wbr>"))  # noqa: S704  escaped above
