"""The table to draft from: read once in batches, and of a long one rows that are evenly spaced."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from fullcircle import sources
from fullcircle.base.checks import Column
from fullcircle.base.dialect import Dialect
from fullcircle.base.errors import SourceError
from fullcircle.core.arrow import cast
from fullcircle.core.data import Table
from fullcircle.core.source import SUFFIXES, File, Source, format_of
from fullcircle.sources import location as named
from fullcircle.sources.csvfile import header
from fullcircle.sources.errors import source_errors
from fullcircle.sources.filesystem import Place, listed, opened, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

ROWS, CELLS = 200_000, 40_000_000  # at most so many are looked at
DELIMITERS = ",;\t|"
NULLS = ("", "#N/A", "?", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Taken:
    """What was looked at. `rows`: of the whole source; `table` holds every `step`th of them, the first included."""

    source: Source
    origin: str
    table: pa.Table
    rows: int
    step: int


def take(data: str, encoding: str, limit: int = ROWS) -> Taken:
    """Read what `data` names: a file, or whatever `source_of` knows. Raises SourceError, naming it."""
    source = source_of(data, encoding)
    try:
        reading, taken = _taken(source, limit)
        if isinstance(source, File) and source.dialect.delimiter != "," and _points_by_comma(taken[0]):
            source = replace(source, dialect=replace(source.dialect, decimal=","))
            reading, taken = _taken(source, limit)
    except SourceError as error:
        if "encoding" in str(error):
            raise SourceError(f"{error} `fullcircle init` is told by --encoding.") from None
        raise
    table, rows, step = taken
    if rows == 0:
        raise SourceError(f"{reading.origin} has no rows. Give a table with a header and rows.")
    if nested := [field for field in table.schema if pa.types.is_nested(field.type)]:
        name, kind = nested[0].name, nested[0].type
        raise SourceError(f"{reading.origin}: column {name} holds {kind}; a cell has one value. Flatten it first.")
    return Taken(source, reading.origin, table, rows, step)


def thinned(batches: Iterable[pa.RecordBatch], limit: int) -> tuple[pa.Table, int, int]:
    """At most `limit` rows, fewer of a wide table: every `step`th; the number of all rows; the step, a power of two."""
    kept: list[pa.Table] = []
    rows, step = 0, 1
    for batch in batches:
        table = pa.Table.from_batches([batch])
        limit = min(limit, max(1000, CELLS // max(1, table.num_columns)))
        kept.append(table.take(pa.array(range(-rows % step, table.num_rows, step), pa.int64())))
        rows += table.num_rows
        while sum(table.num_rows for table in kept) > limit:
            whole = joined(kept)
            kept, step = [whole.take(pa.array(range(0, whole.num_rows, 2), pa.int64()))], step * 2
    return joined(kept) if kept else pa.table({}), rows, step


def joined(tables: list[pa.Table]) -> pa.Table:
    """One table of several; a column that has types which do not go together, as JSON may, is text."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException:
        return pa.concat_tables([_as_text(table) for table in tables], promote_options="permissive")


def _as_text(table: pa.Table) -> pa.Table:
    columns = {n: cast(table.column(n).combine_chunks(), "category")[0] for n in table.column_names}
    return pa.table(columns)


def source_of(data: str, encoding: str) -> Source:
    """The source that `data` names, as the problem file would say it: relative to the repository where it is inside."""
    path = Path(data)
    if "://" not in data and path.is_absolute() and path.resolve().is_relative_to(Path.cwd()):
        data = path.resolve().relative_to(Path.cwd()).as_posix()
    source = named.source_of(data)
    if not isinstance(source, File) or format_of(source.path) != "csv":
        return source
    return replace(source, dialect=Dialect(_delimiter(data, encoding), encoding=encoding, nulls=NULLS))


def read(source: Source) -> sources.Reading:
    """Begin to read a source. All of a CSV is text, for what is a number is to be judged when all of it was seen."""
    if isinstance(source, File) and format_of(source.path) == "csv":
        place = place_of(source.path, source.storage, source.timeout, source.path)
        first = listed(source.path, place, SUFFIXES["csv"], source.path)[0]
        with source_errors(source.path):
            names = header(lambda: opened(first, place), source.dialect, source.path)
        return sources.read(source, Table({name.removeprefix(_BOM): Column("text") for name in names}))
    return sources.read(source, None)


def _taken(source: Source, limit: int) -> tuple[sources.Reading, tuple[pa.Table, int, int]]:
    reading = read(source)
    return reading, thinned(reading.batches, limit)


def _points_by_comma(table: pa.Table) -> bool:
    """Whether a column of text has numbers with a comma before their decimals, and none has them with a point."""
    held = [column.drop_null() for column in table.columns if pa.types.is_string(column.type)]
    return any(_all(v, r"^[-+]?\d+(,\d+)?$") and not _all(v, r"^[^,]*$") for v in held) and not any(
        _all(v, r"^[-+]?\d+(\.\d+)?$") and not _all(v, r"^[^.]*$") for v in held
    )


def _all(values: pa.ChunkedArray, pattern: str) -> bool:
    return len(values) > 0 and bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _delimiter(data: str, encoding: str) -> str:
    """The delimiter that the first line holds most of; a comma where it holds none, or where it is far away."""
    try:
        with opened(data, Place()) as file:
            line = file.readline(1_000_000).decode(encoding, errors="replace")
    except (OSError, LookupError):
        return ","  # whoever reads it says what is wrong
    return max(DELIMITERS, key=line.count)
