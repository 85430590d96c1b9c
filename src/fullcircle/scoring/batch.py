"""Scores a file's rows: those that can be scored into one file, those set aside with their reasons into another."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..base.columns import Array, Columns
from ..base.errors import DataError
from ..base.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .scorer import Scorer

CHUNK = 50_000  # rows held at a time


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of a file, `first` being the number of the first of `rows` (from 1).

    `columns`: the model's inputs, of the rows at `readable` (positions in the chunk, ascending); `reasons`: why each
    other row cannot be read, by position. `given`: the cells of the row at a position, as the file has them.
    """

    first: int
    rows: int
    columns: Columns
    readable: Array
    reasons: dict[int, str]
    given: Callable[[int], Sequence[object]]


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the rows; `reasons` counts each distinct reason."""

    scored: int
    rejected: int
    reasons: dict[str, int]
    rejected_file: Path


def rejected_path(out: Path) -> Path:
    """Where the rows that are set aside go: `answers.csv` -> `answers.rejected.csv`."""
    return out.with_name(f"{out.stem}.rejected{out.suffix}")


def score_chunks(scorer: Scorer, header: Sequence[str], chunks: Iterable[Chunk], out: Path, source: str) -> Summary:
    """Score chunks into the CSV file `out`: row, prediction, and a probability for each class.

    `header`: of the cells that a chunk gives. Rows that cannot be scored go to `rejected_beside(out)` with their
    reasons; that file is written in any case. Raises DataError for a `source` without rows, and what `chunks` raises;
    then neither file is written.
    """
    aside, reasons, scored, total = rejected_path(out), Counter[str](), 0, 0
    with (
        replacing(out) as part,
        replacing(aside) as part_aside,
        part.open("w", newline="", encoding="utf-8") as good,
        part_aside.open("w", newline="", encoding="utf-8") as bad,
    ):
        answers, losses = csv.writer(good, lineterminator="\n"), csv.writer(bad, lineterminator="\n")
        answers.writerow(["row", *scorer.score({name: np.array([]) for name in scorer.plan.inputs}).columns])
        losses.writerow(["row", "reasons", *header])
        for chunk in chunks:
            result = scorer.score(chunk.columns)
            lost = np.setdiff1d(chunk.readable, chunk.readable[result.kept])
            why = chunk.reasons | dict(zip(lost.tolist(), result.reasons, strict=True))
            rows = (chunk.first + chunk.readable[result.kept]).tolist()
            answers.writerows(zip(rows, *(_written(*column) for column in result.columns.items()), strict=True))
            losses.writerows((chunk.first + i, why[i], *chunk.given(i)) for i in sorted(why))
            reasons.update(why.values())
            scored, total = scored + len(rows), total + chunk.rows
        if total == 0:
            raise DataError(f"{source} has a header and no rows")
    return Summary(scored, total - scored, dict(reasons.most_common()), aside)


def _written(name: str, values: Array) -> list[str]:
    """A column of the answer as text: 6 decimals of a probability, 9 digits of any other number."""
    if values.dtype == object:
        return [str(v) for v in values]
    return [format(v, ".6f" if name.startswith("probability_") else ".9g") for v in values.tolist()]
