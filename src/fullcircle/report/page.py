"""The page: one run as one HTML file that needs nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from fullcircle.evaluation.reports import Interval
from fullcircle.evaluation.slices import Slice
from fullcircle.evaluation.tasks import better
from fullcircle.report import charts
from fullcircle.report import formatting as words
from fullcircle.report.charts import Axis, Mark, Series
from fullcircle.report.components import Figure
from fullcircle.report.tasks import task_text
from fullcircle.report.terms import IN_UNIT, Wording, wording_of

if TYPE_CHECKING:
    from jinja2 import Template

    from fullcircle.report.facts import Facts
    from fullcircle.scoring.verdict import GateResult

BARS = 15  # as many features as a chart of them shows
SHOWN = (words.number, words.share, words.count)
FILTERS = {function.__name__: function for function in SHOWN}


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One line of the table of metrics."""

    metric: str
    value: float | None
    interval: Interval | None
    validation: float | None
    without: str  # what is had without a model
    strip: str


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One level of a slice; `strip` is empty where it was not evaluated."""

    slice: Slice
    mean: str
    strip: str
    worst: bool


@dataclass(frozen=True, slots=True)
class SliceTable:
    """The levels of one column; `metrics`: those that are shown, the primary one first."""

    column: str
    metrics: tuple[str, ...]
    rows: list[SliceRow]


def render(facts: Facts) -> str:
    """The page as HTML: self-contained, without scripts, the same bytes for the same facts."""
    say, texts = wording_of(facts), task_text(facts.calibration.task)
    return _template().render(
        facts=facts,
        words=words,
        say=say,
        texts=texts,
        problem=facts.problem,
        tested=facts.tested,
        verdict=facts.verdict,
        tiles=texts.tiles(facts, say),
        metrics=metric_rows(facts, say),
        slices=slice_tables(facts, say),
        unsure={gate.metric: unsure(gate, facts) for gate in facts.verdict.gates},
        closest=words.margin_to_spare(facts.verdict.gates),
        withheld=facts.withheld,
        checks={check.name: check for check in facts.problem.behaviour},
        curves=[*texts.curves(facts, say), *_learning(facts)],
        months=texts.months(facts, say) if facts.by_month else None,
        features=features(facts),
        members=words.members(facts.model, facts.fit),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("fullcircle.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    return environment.get_template("page.html.jinja")


def metric_rows(facts: Facts, say: Wording) -> list[MetricRow]:
    """Every metric with its interval, beside what unseen rows said and what is had without a model."""
    tested, rows = facts.tested, []
    levels = tested.baselines.dummy | task_text(facts.calibration.task).promises(facts)
    for name, value in tested.metrics.items():
        bounds, dummy = tested.intervals.get(name), tested.baselines.dummy.get(name)
        without = [] if dummy is None else [say.value(name, dummy)]
        if name == say.primary and tested.baselines.rule:
            without.append(f"best rule {say.value(name, tested.baselines.rule.get(name))}")
        strip = _metric_strip(name, value, bounds, levels.get(name), say)
        validation = facts.fit.validation.get(name)
        rows.append(MetricRow(name, value, bounds, validation, " · ".join(without), strip))
    return rows


def _metric_strip(name: str, value: float | None, bounds: Interval | None, level: float | None, say: Wording) -> str:
    """A metric on a line from 0 to 1, or in the target's unit from 0 to where knowing nothing gets."""
    low, high = bounds or (None, None)
    around = (low, high) if low is not None and high is not None else None
    end = level if name in IN_UNIT else 1.0
    if value is None or not end or min(around or (value,)) < 0 or max(around or (value,)) > end:
        return ""  # it lies outside, as a log loss or an R² may
    shown = level if level is not None and 0 <= level <= end else None
    return charts.strip(f"{say.name(name)} {say.value(name, value)}", Axis("", 0, end), value, around, shown)


def slice_tables(facts: Facts, say: Wording) -> list[SliceTable]:
    """The slices by column, that of most levels first; the worst of several evaluated levels is marked."""
    metric, texts = say.primary, task_text(facts.calibration.task)
    overall = facts.tested.metrics.get(metric)
    known = [v for s in facts.tested.slices if (v := s.values[metric]) is not None]
    whole = say.value(metric, overall)
    scale = charts.axis("", [*known, *([overall] if overall is not None else [])])
    columns: dict[str, list[Slice]] = {}
    for s in facts.tested.slices:
        columns.setdefault(s.column, []).append(s)
    tables = []
    for column, of_column in columns.items():
        worst = worst_of([s.values[metric] for s in of_column], metric, say)
        rows = []
        for s in of_column:
            value = s.values[metric]
            title = f"{say.name(metric)} of {column} {s.level}: {say.value(metric, value)}; of all rows {whole}"
            strip = "" if value is None else charts.strip(title, scale, value, None, overall, 110)
            rows.append(SliceRow(s, texts.mean(s.mean, facts, say), strip, value is not None and value == worst))
        tables.append(SliceTable(column, tuple(of_column[0].values), rows))
    return sorted(tables, key=lambda table: -len(table.rows))


def worst_of(values: list[float | None], metric: str, say: Wording) -> float | None:
    """The worst of several values of a metric; None where fewer than two are known."""
    known = [v for v in values if v is not None]
    return min(known, key=lambda v: better(say.metrics, metric, v, 0.0)) if len(known) > 1 else None


def unsure(gate: GateResult, facts: Facts) -> bool:
    """Whether a gate's threshold lies inside the interval of its metric: other rows might have turned it."""
    low, high = (facts.tested.intervals | _against_champion(facts)).get(gate.metric, (None, None))
    threshold = gate.min if gate.min is not None else gate.max
    return low is not None and high is not None and threshold is not None and low < threshold < high


def _against_champion(facts: Facts) -> dict[str, Interval]:
    compared = facts.tested.champion
    overall, worst = (compared.overall, compared.worst) if compared else (None, None)
    found = {"over_champion": overall, "over_champion_slice": worst}
    return {name: difference.interval for name, difference in found.items() if difference}


def features(facts: Facts) -> list[Figure]:
    """What each feature tells, and what the model makes of them."""
    known = [(name, bits) for name, bits in facts.selection.information.items() if bits is not None]
    tells = sorted(known, key=lambda feature: -feature[1])[:BARS]
    importance = [(name, value) for name, value in facts.curves.importance if math.isfinite(value)][:BARS]
    figures = []
    if tells:
        note = "Mutual information with the target on training rows, in bits, one feature at a time."
        svg = charts.bars("Information about the target, in bits", tells, 4)
        figures.append(Figure("information", "Information of each feature", svg, note))
    if any(value > 0 for _, value in importance):
        note = "Share of the model's own measure of importance. Features with the same information share it."
        svg = charts.bars("Importance of features to the model", importance)
        figures.append(Figure("importance", "Importance in the model", svg, note))
    return figures


def _learning(facts: Facts) -> list[Figure]:
    curves, rounds = facts.curves.learning, facts.fit.rounds
    if not any(curves.values()):
        return []
    loss = "error" if facts.calibration.task == "regression" else "log loss"
    series = [Series(f"{side} rows", points) for side, points in curves.items()]
    losses = [value for s in series for _, value in s.points]
    steps = charts.axis("round", [step for s in series for step, _ in s.points])
    last = (rounds or 0) - 1  # the curve counts rounds from 0
    marks = [Mark(f"chosen: {rounds} rounds", x, y) for x, y in curves.get("validation", ()) if x == last]
    title = f"Learning curve: {loss} by round"
    svg = charts.line_chart(title, series, steps, charts.axis(loss, losses), marks=marks)
    folds = facts.fit.folds
    fold = f" Of the first of {folds} folds; the rounds are those of the median fold." if folds > 1 else ""
    return [Figure("learning", "Learning curve", svg, task_text(facts.calibration.task).learning_note(facts) + fold)]
