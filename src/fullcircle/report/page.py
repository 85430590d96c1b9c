"""The page: one run as one HTML file that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from fullcircle.evaluation.slices import Slice
from fullcircle.report import charts, words
from fullcircle.report.charts import Axis, Mark, Series
from fullcircle.report.facts import Interval

if TYPE_CHECKING:
    from jinja2 import Template

    from fullcircle.evaluation.gates import Judged
    from fullcircle.report.facts import Facts, Split

BARS = 15  # as many features as a chart of them shows
SHOWN = (words.number, words.share, words.count, words.interval, words.name_of, words.demand)
FILTERS = {function.__name__: function for function in SHOWN}


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One line of the table of metrics."""

    name: str
    value: float | None
    interval: Interval | None
    validation: float | None
    without: str  # what is had without a model
    strip: str
    lower: bool  # whether lower is better
    meaning: str


@dataclass(frozen=True, slots=True)
class SliceRow:
    """One level of a slice; `strip` is empty where it was not judged."""

    slice: Slice
    strip: str
    worst: bool


def render(facts: Facts) -> str:
    """The page as HTML: self-contained, without scripts, the same bytes for the same facts."""
    return _template().render(
        facts=facts,
        words=words,
        problem=facts.problem,
        tested=facts.tested,
        verdict=facts.verdict,
        metrics=metric_rows(facts),
        slices=slice_tables(facts),
        unsure={gate.metric: unsure(gate, facts) for gate in facts.verdict.gates},
        closest=words.margin_to_spare(facts.verdict.gates),
        withheld=facts.withheld,
        checks={check.name: check for check in facts.problem.behaviour},
        foretold=mean_foretold(facts),
        charts=draw(facts),
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


def metric_rows(facts: Facts) -> list[MetricRow]:
    """Every metric with its interval, beside what validation rows said and what is had without a model."""
    tested, rows = facts.tested, []
    for name, value in tested.metrics.items():
        bounds, dummy = tested.intervals.get(name), tested.baselines.get(f"dummy_{name}")
        without = [] if dummy is None else [words.number(dummy)]
        if name == "auc":
            without.append(f"best rule {words.number(tested.baselines['rule_auc'])}")
        rows.append(
            MetricRow(
                words.name_of(name),
                value,
                bounds,
                facts.fit.validation.get(name),
                " · ".join(without),
                _metric_strip(name, value, bounds, dummy),
                name in words.LOWER_IS_BETTER,
                words.MEANINGS.get(name, ""),
            )
        )
    return rows


def _metric_strip(name: str, value: float | None, bounds: Interval | None, level: float | None) -> str:
    low, high = bounds or (None, None)
    around = (low, high) if low is not None and high is not None else None
    if value is None or max(around or (value,)) > 1:  # a log loss may lie outside
        return ""
    return charts.strip(f"{words.name_of(name)} {words.number(value)}", Axis("", 0, 1), value, around, level)


def slice_tables(facts: Facts) -> dict[str, list[SliceRow]]:
    """The slices by column, that of most levels first; the lowest AUC of several judged levels is marked."""
    overall = facts.tested.metrics.get("auc")
    aucs = [s.auc for s in facts.tested.slices if s.auc is not None]
    scale = charts.axis("", [*aucs, *([overall] if overall is not None else [])])
    tables: dict[str, list[SliceRow]] = {}
    for s in facts.tested.slices:
        judged = [t.auc for t in facts.tested.slices if t.column == s.column and t.auc is not None]
        worst = s.auc is not None and len(judged) > 1 and s.auc == min(judged)
        title = f"ROC AUC of {s.column} {s.level}: {words.number(s.auc)}; of all rows {words.number(overall)}"
        strip = "" if s.auc is None else charts.strip(title, scale, s.auc, None, overall, 110)
        tables.setdefault(s.column, []).append(SliceRow(s, strip, worst))
    return dict(sorted(tables.items(), key=lambda item: -len(item[1])))


def unsure(gate: Judged, facts: Facts) -> bool:
    """Whether a gate's threshold lies inside the interval of its metric: other days might have turned it."""
    low, high = facts.tested.intervals.get(gate.metric, (None, None))
    threshold = gate.min if gate.min is not None else gate.max
    return low is not None and high is not None and threshold is not None and low < threshold < high


def mean_foretold(facts: Facts) -> float | None:
    """Mean probability over the test rows, from the bins of the calibration curve; None where it is empty."""
    rows = sum(n for _, _, n in facts.curves.calibration)
    return sum(predicted * n for predicted, _, n in facts.curves.calibration) / rows if rows else None


def draw(facts: Facts) -> dict[str, str]:
    """Every chart of the page that there is something to draw of, as SVG."""
    curves = facts.curves
    known = [(name, bits) for name, bits in facts.selection.information.items() if bits is not None]
    tells = sorted(known, key=lambda feature: -feature[1])
    importance = curves.importance[:BARS] if any(value > 0 for _, value in curves.importance) else ()
    drawn = {
        "learning": _learning(facts) if any(curves.learning.values()) else "",
        "roc": _roc(facts),
        "precision_recall": _precision_recall(facts),
        "calibration": _calibration(facts) if curves.calibration else "",
        "importance": charts.bars("Importance of features to the model", importance) if importance else "",
        "information": charts.bars("Information about the target, in bits", tells[:BARS], 4) if tells else "",
        "months": _months(facts) if facts.by_month else "",
    }
    return {name: svg for name, svg in drawn.items() if svg}


def _learning(facts: Facts) -> str:
    series = [Series(f"{side} rows", points) for side, points in facts.curves.learning.items()]
    losses = [loss for s in series for _, loss in s.points]
    rounds = charts.axis("round", [step for s in series for step, _ in s.points])
    last = (facts.fit.rounds or 0) - 1  # the curve counts rounds from 0
    name, validation = f"chosen: {facts.fit.rounds} rounds", facts.curves.learning.get("validation", ())
    marks = [Mark(name, step, loss) for step, loss in validation if step == last]
    title = "Learning curve: log loss by round"
    return charts.line_chart(title, series, rounds, charts.axis("log loss", losses), marks=marks)


def _roc(facts: Facts) -> str:
    false, quiet = facts.confusion.false_alarms, facts.confusion.quiet
    recall = facts.tested.metrics.get("rec")
    at = f"threshold {facts.tested.threshold:g}"
    known = recall is not None and false + quiet
    return charts.line_chart(
        "ROC curve on test rows",
        [Series("model", facts.curves.roc)],
        Axis("share of negatives that raise an alarm", 0, 1, share=True),
        Axis("share of positives that raise an alarm (recall)", 0, 1, share=True),
        diagonal="chance",
        marks=[Mark(at, false / (false + quiet), recall or 0.0)] if known else [],
    )


def _precision_recall(facts: Facts) -> str:
    tested = facts.tested
    recall, precision = tested.metrics.get("rec"), tested.metrics.get("prec")
    known = recall is not None and precision is not None
    return charts.line_chart(
        "Precision-recall curve on test rows",
        [Series("model", facts.curves.precision_recall)],
        Axis("recall", 0, 1, share=True),
        Axis("precision", 0, 1, share=True),
        level=(f"chance: {words.share(tested.positive)} positive", tested.positive),
        marks=[Mark(f"threshold {tested.threshold:g}", recall or 0.0, precision or 0.0)] if known else [],
    )


def _calibration(facts: Facts) -> str:
    return charts.line_chart(
        "Calibration on test rows: foretold probability against observed share",
        [Series("model", [(predicted, observed) for predicted, observed, _ in facts.curves.calibration])],
        Axis("foretold probability", 0, 1, share=True),
        Axis("observed share of positives", 0, 1, share=True),
        diagonal="as foretold",
        dots=True,
    )


def side_of(month: str, split: Split) -> str:
    """The side that a month (2013-01) is on; empty where the split is not by month, or cuts one in two."""
    by_day = split.columns == ("year", "month", "day")
    if not split.borders or not (by_day or split.columns == ("year", "month")):
        return ""
    if by_day and not all(border.endswith("-01") for border in split.borders):
        return ""
    return ("train", "validation", "test")[sum(month >= border[:7] for border in split.borders)]


def _months(facts: Facts) -> str:
    months = facts.by_month
    values = [charts.Column(month, s.positive, side_of(month, facts.split)) for month, s in months.items()]
    overall = sum(s.rows * s.positive for s in months.values()) / sum(s.rows for s in months.values())
    y = charts.axis("share of positives", [overall, *(c.value for c in values)], share=True, zero=True)
    level = f"all months: {words.share(overall)}", overall
    return charts.columns("Share of positives by month", values, y, level)
