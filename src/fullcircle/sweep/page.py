"""The page of a sweep as one HTML file: space, trials, importance, and the best trials on test rows."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined

from fullcircle.core.tables import rounded
from fullcircle.report.charts import bars
from fullcircle.report.formatting import count, interval, number, share
from fullcircle.sweep import charts
from fullcircle.sweep.charts import plain
from fullcircle.sweep.formatting import breakable, duration, metric_name, short_keys, signed
from fullcircle.sweep.result import gain_on_test, keys_of, metric_columns, summarize, top_decile, value_of, with_scores

if TYPE_CHECKING:
    from jinja2 import Template

    from fullcircle.sweep.result import Summary, SweepResult

SHOWN = 20  # trials in a table
AXES = 10  # keys in parallel coordinates, without the metric
BARS = 15  # keys in the chart of importance
LETTERS = 400  # of an error message


def render(sweep: SweepResult) -> str:
    """The page as HTML: self-contained, without scripts, the same bytes for the same sweep."""
    summary = summarize(sweep)
    names = short_keys({*sweep.space, *(key for trial in sweep.trials for key in trial.choices)})
    shown = summary.ranked[:SHOWN]
    return _template().render(
        sweep=sweep,
        summary=summary,
        metric=metric_name(sweep.metric),
        higher=sweep.direction == "maximize",
        names=names,
        keys=keys_of(sweep, sweep.trials),
        shown=shown,
        shown_keys=keys_of(sweep, shown),
        metrics=metric_columns(sweep, shown),
        gain_on_test=gain_on_test(sweep.incumbents, sweep.direction),
        charts=draw(sweep, summary, names),
        limits={"shown": SHOWN, "axes": AXES, "letters": LETTERS},
    )


@cache
def _template() -> Template:
    packages = ("sweep", "report")
    environment = Environment(
        loader=PrefixLoader({package: PackageLoader(f"fullcircle.{package}", "") for package in packages}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = (number, share, count, interval, plain, duration, signed, breakable)
    environment.filters.update({function.__name__: function for function in filters})
    return environment.get_template("sweep/page.html.jinja")


def draw(sweep: SweepResult, summary: Summary, names: dict[str, str]) -> dict[str, str]:
    """The charts of the page that have something to show, as SVG."""
    y = charts.axis_of(metric_name(sweep.metric), summary.span)
    known = [(names.get(key, key), part) for key, part in sweep.importance.items() if math.isfinite(part)]
    important = [(charts.tail(key, 170), part) for key, part in sorted(known, key=lambda item: -item[1])]
    drawn = {
        "history": charts.history(summary.complete, summary.pruned, summary.running_best, y)
        if summary.complete
        else "",
        "importance": bars("Importance of the keys", important[:BARS]) if important else "",
        "parallel": _parallel(sweep, summary, names) if len(summary.complete) > 1 else "",
        "test": _test(sweep) if with_scores(sweep.incumbents) else "",
    }
    return {name: svg for name, svg in drawn.items() if svg}


def _parallel(sweep: SweepResult, summary: Summary, names: dict[str, str]) -> str:
    keys = keys_of(sweep, summary.complete)
    if not keys:
        return ""
    if len(keys) > AXES:
        kept = sorted(keys, key=lambda key: -sweep.importance.get(key, 0.0))[:AXES]
        keys = [key for key in keys if key in kept]
    axes, low, high = [], *summary.span
    for key in keys:
        values = [trial.choices[key] for trial in summary.complete if key in trial.choices]
        axes.append(charts.parallel_axis(names[key], values, log=key in sweep.log))
    results = [min(max(value, low), high) for value in rounded([value_of(trial) for trial in summary.complete])]
    last = charts.parallel_axis(sweep.metric, results)
    lines = [
        [
            *(one.at(t.choices[key]) if key in t.choices else None for key, one in zip(keys, axes, strict=True)),
            last.at(result),
        ]
        for t, result in zip(summary.complete, results, strict=True)
    ]
    top = {trial.number for trial in summary.ranked[: top_decile(summary.ranked)]}
    highlighted = {i for i, trial in enumerate(summary.complete) if trial.number in top}
    return charts.parallel([*axes, last], lines, highlighted, "One line per trial: its choices and its value")


def _test(sweep: SweepResult) -> str:
    incumbents = with_scores(sweep.incumbents)
    spans = {
        float(one.number): one.interval for one in incumbents if one.interval and all(map(math.isfinite, one.interval))
    }
    last = max([trial.number for trial in sweep.trials] + [one.number for one in incumbents], default=1)
    on_validation = [(float(one.number), one.value) for one in incumbents]
    on_test = [(float(one.number), one.test) for one in incumbents]
    label = metric_name(sweep.metric).removesuffix(" on validation")
    return charts.validation_and_test(on_validation, on_test, spans, last, label)
