"""Scores a CSV file, written as the source was that the model learnt from."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from ..base.cells import read_texts
from ..base.errors import DataError, difference, listed
from ..pointintime.state import Added
from .batch import CHUNK, Chunk, Job, Summary, score_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO, TypeAlias

    from ..base.checks import Column
    from ..base.columns import Array, Columns
    from ..base.dialect import Dialect
    from ..pointintime.state import State

    _Reader: TypeAlias = Iterator[list[str]]

LONGEST = 1 << 24  # characters of a row
BLANK_LINES = 1_000_000  # in a row; each takes as long as a row does
CELLS, LETTERS = 1 << 24, 16  # of the rows held at a time; so many letters count as a cell
_UNREADABLE = (csv.Error, UnicodeError, EOFError, gzip.BadGzipFile, zlib.error)


def score_file(job: Job, source: Path, out: Path) -> Summary:
    """Score the CSV file `source`, which may be packed as .gz, into `out`, as `score_chunks` says.

    Its first line that is not skipped names the columns, whatever the dialect's `header` and `names`. Raises
    DataError, and then no file is written, for other columns than the model's, a file that cannot be read, and a file
    without rows.
    """
    dialect = job.dialect
    with _opened(source, dialect) as file:
        header = _header(_reader(file, dialect), source, dialect)
    sep = f"\nIts header is one cell: {dialect.delimiter!r} stands between cells, as in the model's source."
    job.check_names(header, str(source), sep if len(header) == 1 < len(job.read) else "")
    return score_chunks(job, header, partial(_chunks, source, dialect, job.read), out, str(source))


def add_events(state: State, table: str, dialect: Dialect, source: Path) -> Added:
    """Add the rows of a CSV file to a state; cells that cannot be read count as reasons. Raises DataError."""
    columns, total, reasons = state.columns_of(table), 0, Counter[str]()
    with _opened(source, dialect) as file:
        header = _header(_reader(file, dialect), source, dialect)
    if missing := difference(columns, [name for name in header if name in columns]):
        raise DataError(f"{source}: these are not the columns of {table}\n  {missing}")
    for chunk in _chunks(source, dialect, columns):
        added = state.add(table, chunk.columns)
        total += added.rows
        reasons.update(added.rejected)
        reasons.update(chunk.reasons.values())
    return Added(total, dict(reasons))


def read_text(text: TextIO, dialect: Dialect, names: list[str] | None = None) -> tuple[list[str], list[list[str]]]:
    """The header and all rows of a CSV text. With `names` it has no header. Raises DataError and csv.Error."""
    reader = _reader(text, dialect)
    header = _header(reader, "it", dialect) if names is None else names
    return header, [*reader]


def _chunks(source: Path, dialect: Dialect, wanted: dict[str, Column]) -> Iterator[Chunk]:
    with _opened(source, dialect) as file:
        reader = _reader(file, dialect)
        header = _header(reader, source, dialect)
        for first, lines in _lines(reader, source, dialect):
            yield _chunk(first, lines, header, wanted, dialect)


def _chunk(first: int, lines: list[list[str]], header: list[str], wanted: dict[str, Column], dialect: Dialect) -> Chunk:
    whole = [i for i, line in enumerate(lines) if len(line) == len(header)]
    reasons = {
        i: f"has {len(line)} cells, the header has {len(header)}"
        for i, line in enumerate(lines)
        if len(line) != len(header)
    }
    columns: Columns = {}
    for at, name in enumerate(header):
        if name not in wanted:
            continue  # one that is ignored
        columns[name], wrong = _read([lines[i][at] for i in whole], wanted[name], dialect)
        what = "time" if wanted[name].kind == "time" else "number"
        for i in wrong:
            reasons[whole[i]] = "; ".join(filter(None, [reasons.get(whole[i]), f"{name} is no {what}"]))
    readable = np.array([i not in reasons for i in whole], dtype=bool)
    inputs = {name: columns[name][readable] for name in wanted if name in columns}
    return Chunk(first, len(lines), inputs, np.array(whole, dtype=np.int64)[readable], reasons, lines.__getitem__)


def _read(cells: list[str], column: Column, dialect: Dialect) -> tuple[Array, list[int]]:
    """The cells as the column holds them, and the positions of those that cannot be read, which become null.

    What is no whole number is a number that the checks refuse, in their words.
    """
    kind = "number" if column.kind == "integer" else column.kind
    return read_texts(cells, kind, column.format, (*dialect.nulls, *column.nulls), dialect.decimal)


def _header(reader: _Reader, source: Path | str, dialect: Dialect) -> list[str]:
    try:
        header = next(reader)
    except StopIteration:
        raise DataError(f"{source} is empty: it has no header") from None
    except _UNREADABLE as error:
        raise DataError(f"{source} is no CSV in {dialect.encoding}: {error}") from None
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}") from None
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise DataError(f"{source} has columns of one name: {listed(twice)}")
    return header


def _lines(reader: _Reader, source: Path, dialect: Dialect) -> Iterator[tuple[int, list[list[str]]]]:
    """Data rows, at most `CHUNK` at a time and fewer of long ones, each time with the number of the first."""
    first, lines, cells = 1, list[list[str]](), 0
    try:
        for line in reader:
            lines.append(line)
            cells += len(line) + sum(map(len, line)) // LETTERS
            if len(lines) == CHUNK or cells > CELLS:
                yield first, lines
                first, lines, cells = first + len(lines), [], 0
    except _UNREADABLE as error:
        raise DataError(
            f"{source} is no CSV in {dialect.encoding}, after row {first + len(lines) - 1}: {error}"
        ) from None
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}") from None
    if lines:
        yield first, lines


class _Lines:
    """Lines of a file. A row, which may be of several lines, has at most LONGEST characters.

    A few kilobytes of gzip may be gigabytes of one line.
    """

    def __init__(self, file: TextIO) -> None:
        self._file, self.row = file, 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST)
        if not line:
            raise StopIteration
        self.row += len(line)
        if self.row >= LONGEST:
            raise csv.Error(f"a row has more than {LONGEST:,} characters; perhaps a quote is not closed")
        return line


def _reader(file: TextIO, dialect: Dialect) -> _Reader:
    """Rows; lines without a cell are none, as where a source is read."""
    lines, blank = _Lines(file), 0
    for _ in zip(range(dialect.skip), lines, strict=False):
        lines.row = 0
    quoted = {"quotechar": dialect.quote} if dialect.quote else {"quoting": csv.QUOTE_NONE}
    for row in csv.reader(lines, delimiter=dialect.delimiter, strict=True, **quoted):
        lines.row = 0
        if row:
            blank = 0
            yield row
            continue
        blank += 1
        if blank > BLANK_LINES:
            raise csv.Error(f"more than {BLANK_LINES:,} blank lines follow each other")


def _opened(source: Path, dialect: Dialect) -> TextIO:
    encoding = "utf-8-sig" if dialect.encoding.lower() in ("utf-8", "utf8") else dialect.encoding
    opener = gzip.open if source.suffix == ".gz" else open
    try:
        return cast("TextIO", opener(source, "rt", encoding=encoding, newline=""))
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror}") from None
