"""Scores a CSV file: rows that can be scored into one file, those set aside with their reasons into another."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .columns import Array
from .errors import DataError, difference
from .files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO, TypeAlias

    from .columns import Column, Columns
    from .plan import Plan
    from .scorer import Scorer

    _Reader: TypeAlias = Iterator[list[str]]

NULLS = frozenset({"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "null", "NULL", "None", "?"})
CHUNK = 50_000  # rows held at a time


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the rows; `reasons` counts each distinct reason."""

    scored: int
    rejected: int
    reasons: dict[str, int]
    rejected_file: Path


def rejected_beside(out: Path) -> Path:
    """Where the rows that are set aside go: `answers.csv` -> `answers.rejected.csv`."""
    return out.with_name(f"{out.stem}.rejected{out.suffix}")


def score_file(scorer: Scorer, source: Path, out: Path) -> Summary:
    """Score the CSV file `source` into `out`: row, prediction, and a probability for each class.

    `row` counts the data rows of `source` from 1. Rows that cannot be scored go to `rejected_beside(out)`, with
    their reasons; the file is written in any case. Raises DataError, and then neither file is written, for other
    columns than the model's, a file that cannot be read, and a file without rows.
    """
    aside, reasons, scored, total = rejected_beside(out), Counter[str](), 0, 0
    with _opened(source) as file, replacing(out) as part, replacing(aside) as part_aside:
        reader = csv.reader(file, strict=True)
        header = _header(reader, scorer.plan, source)
        with (
            part.open("w", newline="", encoding="utf-8") as good,
            part_aside.open("w", newline="", encoding="utf-8") as bad,
        ):
            answers, losses = csv.writer(good, lineterminator="\n"), csv.writer(bad, lineterminator="\n")
            answers.writerow(["row", *scorer.score({n: np.array([]) for n in scorer.plan.inputs}).columns])
            losses.writerow(["row", "reasons", *header])
            for first, lines in _chunks(reader, source):
                done = _score(scorer, header, lines)
                answers.writerows(zip((first + done.kept).tolist(), *done.cells, strict=True))
                losses.writerows((first + i, why, *lines[i]) for i, why in done.reasons.items())
                reasons.update(done.reasons.values())
                scored, total = scored + len(done.kept), total + len(lines)
        if total == 0:
            raise DataError(f"{source} has a header and no rows")
    return Summary(scored, total - scored, dict(reasons.most_common()), aside)


@dataclass(frozen=True, slots=True)
class _Done:
    kept: Array
    cells: list[list[str]]  # the columns of the answer, as text
    reasons: dict[int, str]


def _score(scorer: Scorer, header: list[str], lines: list[list[str]]) -> _Done:
    whole = [i for i, line in enumerate(lines) if len(line) == len(header)]
    reasons = {
        i: f"has {len(line)} cells, the header has {len(header)}"
        for i, line in enumerate(lines)
        if len(line) != len(header)
    }
    columns: Columns = {}
    for at, name in enumerate(header):
        if name not in scorer.plan.inputs:
            continue  # one that the plan ignores
        cells = [lines[i][at] for i in whole]
        columns[name], wrong = _read(cells, scorer.plan.inputs[name])
        what = "time" if scorer.plan.inputs[name].kind == "time" else "number"
        for i in wrong:
            reasons[whole[i]] = "; ".join(filter(None, [reasons.get(whole[i]), f"{name} is no {what}"]))
    readable = np.array([i not in reasons for i in whole], dtype=bool)
    position = np.array(whole, dtype=np.int64)[readable]
    result = scorer.score({name: columns[name][readable] for name in scorer.plan.inputs})
    aside = np.setdiff1d(np.arange(len(position)), result.kept)
    reasons |= {int(position[i]): why for i, why in zip(aside, result.reasons, strict=True)}
    answers = [_written(name, values) for name, values in result.columns.items()]
    return _Done(position[result.kept], answers, dict(sorted(reasons.items())))


def _written(name: str, values: Array) -> list[str]:
    """A column of the answer as text: 6 decimals of a probability, 9 digits of any other number."""
    if values.dtype == object:
        return [str(v) for v in values]
    return [format(v, ".6f" if name.startswith("probability_") else ".9g") for v in values.tolist()]


def _read(cells: list[str], column: Column) -> tuple[Array, list[int]]:
    """The cells as the column holds them, and the positions of those that cannot be read, which become null."""
    if column.kind in ("category", "text"):
        return np.array([None if cell in NULLS else cell for cell in cells], dtype=object), []
    null = np.datetime64("NaT") if column.kind == "time" else np.nan
    parse = float if column.kind != "time" else partial(moment_of, written=column.format)
    values, wrong = np.full(len(cells), null, "datetime64[s]" if column.kind == "time" else float), []
    for i, cell in enumerate(cells):
        try:
            values[i] = parse(cell) if cell not in NULLS else null
        except ValueError:
            wrong.append(i)
    return values, wrong


def moment_of(cell: str, written: str | None) -> np.datetime64:
    """A time in UTC, to the second; one without a zone is UTC. `written`: its format (None: ISO 8601). ValueError."""
    moment = datetime.fromisoformat(cell) if written is None else datetime.strptime(cell, written)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(moment.replace(microsecond=0), "s")


def _header(reader: _Reader, plan: Plan, source: Path) -> list[str]:
    try:
        header = next(reader)
    except StopIteration:
        raise DataError(f"{source} is empty: it has no header") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{source} is no CSV in UTF-8: {error}") from None
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise DataError(f"{source} has columns of one name: {', '.join(twice)}")
    if differs := difference(plan.inputs, [name for name in header if name not in plan.ignored]):
        raise DataError(f"{source}: these are not the columns that the model takes\n  {differs}")
    return header


def _chunks(reader: _Reader, source: Path) -> Iterator[tuple[int, list[list[str]]]]:
    """Data rows, `CHUNK` at a time, each chunk with the number of its first row."""
    first, lines = 1, []
    try:
        for line in reader:
            lines.append(line)
            if len(lines) == CHUNK:
                yield first, lines
                first, lines = first + CHUNK, []
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{source} is no CSV in UTF-8, after row {first + len(lines) - 1}: {error}") from None
    if lines:
        yield first, lines


def _opened(source: Path) -> TextIO:
    try:
        return source.open(newline="", encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}") from None
