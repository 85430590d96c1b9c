"""Batch scoring: rows of a file that can be scored go into one file, those set aside, with reasons, into another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..base.checks import Column, nulls
from ..base.columns import Array, Columns, take
from ..base.dialect import Dialect
from ..base.errors import DataError, difference, listed
from ..base.files import replacing
from ..pointintime.state import State
from .outputs import RowWriter, rejected_path
from .reference import Reference, outside
from .scorer import Scored, Scorer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .bundle import Bundle

CHUNK = 50_000  # rows held at a time


@dataclass(frozen=True, slots=True)
class Job:
    """How the rows of a file are scored.

    `read`: the columns that are read, as what, if the file has them; all but `optional` are required. `ignored`:
    columns that a file may have and that are not read. `shown`: columns that come out beside the prediction, as the
    file has them; with `strict` a file without one of them is refused. `state`: what computes point-in-time columns.
    `ignore_extra`: any other columns are ignored too. `reference`: what was seen in training, to compare rows with.
    """

    score: Callable[[Columns], Scored]
    read: dict[str, Column]
    dialect: Dialect = field(default_factory=Dialect)
    optional: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    strict: bool = False
    state: State | None = None
    ignore_extra: bool = False
    reference: Reference | None = None

    @classmethod
    def of(
        cls,
        bundle: Bundle,
        columns: tuple[str, ...] | None = None,
        state: State | None = None,
        *,
        ignore_extra: bool = False,
    ) -> Job:
        """The job of a bundle. `columns`: shown instead of those that identify a row."""
        scorer, read = bundle.scorer, dict(bundle.scorer.plan.inputs)
        optional: tuple[str, ...] = ()
        if state is not None:
            delay = state.spec.history.delay if state.spec.history else ""
            optional = tuple(name for name in state.spec.outputs if name in read)
            read |= {name: c for name, c in state.spec.event_columns.items() if name != delay and name not in read}
        shown = bundle.about.identity if columns is None else columns
        score = partial(bundle.score, state=state)
        ignored = tuple(name for name in scorer.plan.ignored if name not in read)
        return cls(
            score,
            read,
            bundle.dialect,
            optional,
            ignored,
            shown,
            columns is not None,
            state,
            ignore_extra,
            bundle.reference,
        )

    @classmethod
    def of_scorer(cls, scorer: Scorer, dialect: Dialect | None = None) -> Job:
        """The job of a scorer without a bundle: no columns are shown beside the prediction."""
        return cls(scorer.score, dict(scorer.plan.inputs), dialect or Dialect(), ignored=scorer.plan.ignored)

    def check_names(self, names: Sequence[str], where: str, advice: str = "") -> None:
        """Refuse a file with other columns. Raises DataError."""
        required = [name for name in self.read if name not in self.optional]
        known = {*self.ignored, *self.optional}
        given = [name for name in names if name not in known and (name in self.read or not self.ignore_extra)]
        if differs := difference(required, given):
            extra = any(name not in self.read for name in given)
            advice += "\nColumns that the model does not take are ignored with --ignore-extra." if extra else ""
            raise DataError(f"{where}: these are not the columns that the model takes\n  {differs}{advice}")
        if self.strict and (absent := [name for name in self.shown if name not in names]):
            raise DataError(f"{where} has no column {listed(absent)} to show; it has {listed(names)}")

    def shown_of(self, names: Sequence[str]) -> dict[str, str]:
        """The columns to show that a file has -> how they are called in the output, where no name comes twice."""
        taken = {"row", *self.score({name: nulls(c, 0) for name, c in self.read.items()}).columns}
        return {name: f"input.{name}" if name in taken else name for name in self.shown if name in names}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file, `first` being the number of the first of `rows` (from 1).

    `columns`: what is read, of the rows at `readable` (positions in the chunk, ascending); `reasons`: why each other
    row cannot be read, by position. `given`: the cells of the row at a position, as the file has them.
    """

    first: int
    rows: int
    columns: Columns
    readable: Array
    reasons: dict[int, str]
    given: Callable[[int], Sequence[object]]


@dataclass(frozen=True, slots=True)
class Summary:
    """How many rows were scored and set aside; `reasons` counts each distinct reason.

    `outside`: column -> number of rows that were scored and hold a value outside what was seen in training.
    """

    scored: int
    rejected: int
    reasons: dict[str, int]
    rejected_file: Path
    outside: dict[str, int] = field(default_factory=dict)


def score_chunks(
    job: Job, header: Sequence[str], read: Callable[[], Iterable[Chunk]], out: Path, source: str
) -> Summary:
    """Score chunks into the CSV file `out`: row, the columns to show, prediction, and a probability per class.

    `header`: of the cells that a chunk holds. `read`: gives the chunks, and again for a second pass: with a state the
    rows are first added as events that are due. Rows that cannot be scored go to `rejected_path(out)` with their
    reasons; that file is written in any case. Raises DataError for a `source` without rows, and what `read` raises;
    then neither file is written.
    """
    if job.state is not None:
        for chunk in read():
            job.state.plan(chunk.columns)
    aside, reasons, unseen, scored, total = rejected_path(out), Counter[str](), Counter[str](), 0, 0
    shown = job.shown_of(header)
    cells = [header.index(name) for name in shown]
    with (
        replacing(out) as part,
        replacing(aside) as part_aside,
        # A cell may hold half of a character that UTF-8 has no bytes for.
        part.open("w", newline="", encoding="utf-8", errors="backslashreplace") as good,
        part_aside.open("w", newline="", encoding="utf-8", errors="backslashreplace") as bad,
    ):
        answers, losses = RowWriter(good), RowWriter(bad)
        empty = job.score({name: nulls(column, 0) for name, column in job.read.items()})
        answers.row(["row", *shown.values(), *empty.columns])
        losses.row(["row", "reasons", *header])
        for chunk in read():
            result = job.score(chunk.columns)
            lost = np.setdiff1d(chunk.readable, chunk.readable[result.kept])
            why = chunk.reasons | dict(zip(lost.tolist(), result.reasons, strict=True))
            kept = chunk.readable[result.kept].tolist()
            written = zip(*(_written(*column) for column in result.columns.items()), strict=True)
            for i, prediction in zip(kept, written, strict=True):
                given = chunk.given(i) if cells else ()
                answers.row((chunk.first + i, *(given[at] for at in cells), *prediction))
            for i in sorted(why):
                losses.row((chunk.first + i, why[i], *chunk.given(i)))
            reasons.update(why.values())
            if job.reference is not None:
                unseen.update(outside(job.reference, take(chunk.columns, result.kept)))
            scored, total = scored + len(kept), total + chunk.rows
        if total == 0:
            raise DataError(f"{source} has a header and no rows")
    return Summary(scored, total - scored, dict(reasons.most_common()), aside, dict(unseen.most_common()))


def _written(name: str, values: Array) -> list[str]:
    """A column of the prediction as text: 6 decimals of a probability, 9 digits of any other number."""
    if values.dtype == object:
        return [str(v) for v in values]
    return [format(v, ".6f" if name.startswith("probability_") else ".9g") for v in values.tolist()]
