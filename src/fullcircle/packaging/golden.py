"""Some training rows as JSON values, with the scorer's answers: what a service checks itself with, and an example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.columns import is_null, rows, take
from fullcircle.scoring.bundle import Golden
from fullcircle.scoring.rows import to_columns

if TYPE_CHECKING:
    from fullcircle.base.checks import Column
    from fullcircle.base.columns import Array, Columns
    from fullcircle.scoring.scorer import Scorer

STORED = 8


def spaced(train: Columns, count: int) -> Columns:
    """At most so many rows of a table, evenly spaced, the first of them not at its beginning."""
    there = rows(train)
    taken = min(count, there)
    return take(train, ((np.arange(taken) + 0.5) * there / max(taken, 1)).astype(np.int64))


def records(columns: Columns, inputs: dict[str, Column]) -> list[dict[str, Any]]:
    """Rows as JSON values by column, which read back as they are: times as the column's `format` or ISO 8601."""
    values = [_values(columns[name], column) for name, column in inputs.items()]
    return [dict(zip(inputs, row, strict=True)) for row in zip(*values, strict=True)]


def _values(column: Array, spec: Column) -> list[Any]:
    if spec.kind == "time":
        moments = column.astype("datetime64[s]").tolist()
        written = [None if m is None else m.strftime(spec.format) if spec.format else m.isoformat() for m in moments]
    elif spec.kind == "integer":
        written = [None if value != value else int(value) for value in column.tolist()]
    else:
        written = column.tolist()
    null = is_null(column)
    return [None if gone else value for value, gone in zip(written, null, strict=True)] if null.any() else written


def golden(scorer: Scorer, train: Columns) -> Golden:
    """A few rows, evenly spaced, and their predictions to 9 digits: those of another CPU may differ later on."""
    inputs = scorer.plan.inputs
    stored = records(spaced(train, STORED), inputs)
    scored = scorer.score(to_columns(stored, inputs))
    kept = [stored[at] for at in scored.kept.tolist()]
    predicted = tuple(tuple(float(f"{value:.9g}") for value in row) for row in scored.predicted.tolist())
    return Golden(tuple(kept), predicted)
