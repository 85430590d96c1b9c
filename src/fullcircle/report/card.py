"""The model card: what somebody who did not make the model must know to use it (Mitchell et al. 2019)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from fullcircle.evaluation.tasks import better
from fullcircle.report import formatting as words
from fullcircle.report.page import FILTERS, slice_tables
from fullcircle.report.tasks import task_text
from fullcircle.report.terms import wording_of

if TYPE_CHECKING:
    from jinja2 import Template

    from fullcircle.report.facts import Facts
    from fullcircle.report.page import SliceTable
    from fullcircle.report.terms import Wording


def render(facts: Facts) -> str:
    """The card as Markdown: the same text for the same facts."""
    say, texts = wording_of(facts), task_text(facts.calibration.task)
    slices = [slice_line(table, say) for table in slice_tables(facts, say)]
    return _template().render(
        facts=facts,
        words=words,
        say=say,
        texts=texts,
        slices=slices,
        sliced=slice_metrics(facts),
        members=words.members(facts.model, facts.fit),
    )


@dataclass(frozen=True, slots=True)
class SliceLine:
    """A column of slices: levels evaluated, the worst value of each metric with its level, and the levels left out."""

    column: str
    evaluated: int
    worst: list[str]
    left_out: list[str]


def slice_metrics(facts: Facts) -> tuple[str, ...]:
    """The metrics of slices, the primary one first."""
    return tuple(facts.tested.slices[0].values) if facts.tested.slices else ()


def slice_line(table: SliceTable, say: Wording) -> SliceLine:
    """What the card says of a column of slices."""
    levels = [row.slice for row in table.rows]
    evaluated = [s for s in levels if s.values[table.metrics[0]] is not None]
    worst = [_worst([(s.values[name], s.level) for s in evaluated], name, say) for name in table.metrics]
    return SliceLine(table.column, len(evaluated), worst, [s.level for s in levels if s not in evaluated])


def _worst(values: list[tuple[float | None, str]], metric: str, say: Wording) -> str:
    """The worst value and its level; of a metric by which nothing is better, the one furthest from 0."""
    known = [(value, level) for value, level in values if value is not None]
    if not known:
        return "–"
    unranked = metric in say.metrics.UNRANKED
    value, level = min(known, key=lambda of: -abs(of[0]) if unranked else better(say.metrics, metric, of[0], 0.0))
    return f"{say.value(metric, value, 1)} ({level})"


def plain(value: Any) -> Any:
    """Text that stays in its cell of a table and is no markup, whatever the data holds. Other values pass."""
    if not isinstance(value, str):
        return value
    line = re.sub(r"\s*[\r\n]+\s*", " ", value).replace("|", "\\|")
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", re.sub(r"\](?=[(\[:])", "\\]", line))  # a link needs `](`


@cache
def _template() -> Template:
    environment = Environment(  # noqa: S701  Markdown: `plain` escapes every value
        loader=PackageLoader("fullcircle.report", ""),
        undefined=StrictUndefined,
        finalize=plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment.get_template("card.md.jinja")
