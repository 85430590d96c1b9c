"""Batch scoring: rows of a file that can be scored go into one file, those set aside, with reasons, into another."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..base.checks import Column, nulls
from ..base.columns import Array, Columns
from ..base.dialect import Dialect
from ..base.errors import DataError, difference
from ..base.files import replacing
from ..pointintime.state import State
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
    """

    score: Callable[[Columns], Scored]
    read: dict[str, Column]
    dialect: Dialect = field(default_factory=Dialect)
    optional: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    strict: bool = False
    state: State | None = None

    @classmethod
    def of(cls, bundle: Bundle, columns: tuple[str, ...] | None = None, state: State | None = None) -> Job:
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
        return cls(score, read, bundle.dialect, optional, ignored, shown, columns is not None, state)

    @classmethod
    def of_scorer(cls, scorer: Scorer, dialect: Dialect | None = None) -> Job:
        """The job of a scorer without a bundle: no columns are shown beside the prediction."""
        return cls(scorer.score, dict(scorer.plan.inputs), dialect or Dialect(), ignored=scorer.plan.ignored)

    def check_names(self, names: Sequence[str], where: str, advice: str = "") -> None:
        """Refuse a file with other columns. Raises DataError."""
        required = [name for name in self.read if name not in self.optional]
        known = {*self.ignored, *self.optional}
        if differs := difference(required, [name for name in names if name not in known]):
            raise DataError(f"{where}: these are not the columns that the model takes\n  {differs}{advice}")
        if self.strict and (absent := [name for name in self.shown if name not in names]):
            raise DataError(f"{where} has no column {', '.join(absent)} to show; it has {', '.join(names)}")

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
    """How many rows were scored and set aside; `reasons` counts each distinct reason."""

    scored: int
    rejected: int
    reasons: dict[str, int]
    rejected_file: Path


def rejected_path(out: Path) -> Path:
    """Where the rows that are set aside go: `answers.csv` -> `answers.rejected.csv`."""
    return out.with_name(f"{out.stem}.rejected{out.suffix}")


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
    aside, reasons, scored, total = rejected_path(out), Counter[str](), 0, 0
    shown = job.shown_of(header)
    cells = [header.index(name) for name in shown]
    with (
        replacing(out) as part,
        replacing(aside) as part_aside,
        part.open("w", newline="", encoding="utf-8") as good,
        part_aside.open("w", newline="", encoding="utf-8") as bad,
    ):
        answers, losses = csv.writer(good, lineterminator="\n"), csv.writer(bad, lineterminator="\n")
        empty = job.score({name: nulls(column, 0) for name, column in job.read.items()})
        answers.writerow(["row", *shown.values(), *empty.columns])
        losses.writerow(["row", "reasons", *header])
        for chunk in read():
            result = job.score(chunk.columns)
            lost = np.setdiff1d(chunk.readable, chunk.readable[result.kept])
            why = chunk.reasons | dict(zip(lost.tolist(), result.reasons, strict=True))
            kept = chunk.readable[result.kept].tolist()
            written = zip(*(_written(*column) for column in result.columns.items()), strict=True)
            for i, prediction in zip(kept, written, strict=True):
                given = chunk.given(i) if cells else ()
                answers.writerow((chunk.first + i, *(given[at] for at in cells), *prediction))
            losses.writerows((chunk.first + i, why[i], *chunk.given(i)) for i in sorted(why))
            reasons.update(why.values())
            scored, total = scored + len(kept), total + chunk.rows
        if total == 0:
            raise DataError(f"{source} has a header and no rows")
    return Summary(scored, total - scored, dict(reasons.most_common()), aside)


def _written(name: str, values: Array) -> list[str]:
    """A column of the prediction as text: 6 decimals of a probability, 9 digits of any other number."""
    if values.dtype == object:
        return [str(v) for v in values]
    return [format(v, ".6f" if name.startswith("probability_") else ".9g") for v in values.tolist()]
