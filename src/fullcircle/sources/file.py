"""file: CSV, Parquet, JSON lines or Excel; local, or remote through fsspec."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import SourceError
from fullcircle.core.source import SUFFIXES, format_of
from fullcircle.sources.csvfile import read_csv
from fullcircle.sources.errors import masked, missing_extra, source_errors
from fullcircle.sources.filesystem import Place, listed, opened, place_of
from fullcircle.sources.records import batches_of

LONGEST = 1 << 26  # bytes of a line of JSON: a small gzip may hold a line of gigabytes
DIGITS = 4_300  # Python reads no whole number of more

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from fullcircle.base.checks import Column
    from fullcircle.core.source import File


def read(source: File, columns: dict[str, Column] | None) -> tuple[Iterator[pa.RecordBatch], str]:
    """Batches of the files, in order of name, and their origin as text. Raises SourceError, also while reading."""
    path = source.path.replace("{as_of}", source.as_of or "")
    where = masked(path)
    place = place_of(path, source.storage, source.timeout, where)
    form = source.format or format_of(path)
    suffixes = SUFFIXES[form] if form else tuple(s for many in SUFFIXES.values() for s in many)
    names = listed(path, place, suffixes, where)
    form = form or format_of(names[0])
    if form is None:
        raise SourceError(f"{where}: unknown format. Set `format` to one of {', '.join(SUFFIXES)}.")
    if source.sha256 is not None:
        _check_sum(names, place, source.sha256, where)
    origin = where if len(names) == 1 else f"{where}, {len(names)} files"
    return _batches(source, names, place, form, columns), origin


def _batches(
    source: File, names: list[str], place: Place, form: str, columns: dict[str, Column] | None
) -> Iterator[pa.RecordBatch]:
    for name in names:
        shown = masked(name, place.secrets)
        with source_errors(shown, place.secrets):
            if form == "csv":
                yield from read_csv(partial(opened, name, place), source.dialect, shown, columns)
            elif form == "parquet":
                yield from _parquet(name, place)
            elif form == "jsonl":
                yield from batches_of(_lines(name, place, shown), columns, shown)
            else:
                yield from _workbook(source, name, place, shown, columns)


def _parquet(name: str, place: Place) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with opened(name, place, seekable=True) as file, pq.ParquetFile(file) as parquet:
        yield from parquet.iter_batches()


def _lines(name: str, place: Place, where: str) -> Iterator[dict[str, Any]]:
    with opened(name, place) as file:
        for number, line in enumerate(iter(partial(file.readline, LONGEST), b""), 1):
            if len(line) == LONGEST:
                raise SourceError(
                    f"{where}: line {number:,} is longer than {LONGEST >> 20} MiB; it is no JSON lines file"
                )
            if line.strip():
                try:
                    yield _parsed(line)
                except (ValueError, RecursionError) as error:
                    raise SourceError(f"{where}: line {number:,} is not JSON ({error}): {line[:60]!r}") from None


def _parsed(line: bytes) -> Any:
    """The JSON of a line. Raises ValueError and RecursionError."""
    try:
        return json.loads(line)
    except ValueError:  # perhaps for a number of more digits than Python reads: it is infinite as a float
        return json.loads(line, parse_int=lambda text: int(text) if len(text) < DIGITS else float(text))


def _workbook(
    source: File, name: str, place: Place, where: str, columns: dict[str, Column] | None
) -> Iterator[pa.RecordBatch]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise missing_extra(where, "openpyxl", "excel") from None

    dialect = source.dialect
    with opened(name, place, seekable=True) as file:
        book = load_workbook(file, read_only=True, data_only=True)
        try:
            if source.sheet is not None and source.sheet not in book.sheetnames:
                raise SourceError(f"{where} has no sheet {source.sheet!r}; it has {', '.join(book.sheetnames)}")
            sheet = book[source.sheet or book.sheetnames[0]]
            rows = sheet.iter_rows(min_row=dialect.skip + 1, values_only=True)
            found = _header(next(rows, ())) if dialect.header else list(columns or ())
            names = dialect.names or found
            nulls = set(dialect.nulls)
            records = (
                {
                    n: None if isinstance(cell, str) and cell in nulls else cell
                    for n, cell in zip(names, row, strict=False)
                }
                for row in rows
                if any(cell is not None for cell in row)  # a sheet often ends in rows that are only formatted
            )
            yield from batches_of(records, columns, where)
        finally:
            book.close()


def _header(row: tuple[Any, ...]) -> list[str]:
    """The column names of a header; an empty cell gets a name with its position."""
    last = max((i for i, cell in enumerate(row) if cell is not None), default=-1)
    return [f"column_{i + 1}" if cell is None else str(cell) for i, cell in enumerate(row[: last + 1])]


def _check_sum(names: list[str], place: Place, wanted: str, where: str) -> None:
    total = hashlib.sha256()
    with source_errors(where, place.secrets):
        for name in names:
            with opened(name, place, decompress=False) as file:
                while block := file.read(1 << 20):
                    total.update(block)
    if total.hexdigest() != wanted:
        raise SourceError(
            f"{where} differs from the pinned content: its SHA-256 is {total.hexdigest()}, the problem pins {wanted}. "
            "To use the new data, pin the new sum."
        )
