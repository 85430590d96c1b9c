"""The table to draft from: read once in batches, and of a long one rows that are evenly spaced."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from fullcircle import sources
from fullcircle.core.problem import Table
from fullcircle.core.source import Dialect, File, Source
from fullcircle.runtime.columns import Column
from fullcircle.runtime.csvfile import NULLS
from fullcircle.runtime.errors import SourceError
from fullcircle.sources.csvfile import header
from fullcircle.sources.file import SUFFIXES
from fullcircle.sources.opening import Place, listed, opened, place_of, unpacked
from fullcircle.sources.telling import told

if TYPE_CHECKING:
    from collections.abc import Iterable


ROWS = 200_000  # at most so many are looked at
DELIMITERS = ",;\t|"
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
        reading = read(source)
        table, rows, step = thinned(reading.batches, limit)
    except SourceError as error:
        if "encoding" in str(error):
            raise SourceError(f"{error} `fullcircle init` is told by --encoding.") from None
        raise
    if rows == 0:
        raise SourceError(f"{reading.origin} has no rows. Give a table with a header and rows.")
    if nested := [field for field in table.schema if pa.types.is_nested(field.type)]:
        name, kind = nested[0].name, nested[0].type
        raise SourceError(f"{reading.origin}: column {name} holds {kind}; a cell has one value. Flatten it first.")
    return Taken(source, reading.origin, table, rows, step)


def thinned(batches: Iterable[pa.RecordBatch], limit: int) -> tuple[pa.Table, int, int]:
    """At most `limit` rows, every `step`th; the number of all rows; and the step, a power of two."""
    kept: list[pa.Table] = []
    rows, step = 0, 1
    for batch in batches:
        table = pa.Table.from_batches([batch])
        kept.append(table.take(pa.array(range(-rows % step, table.num_rows, step), pa.int64())))
        rows += table.num_rows
        while sum(table.num_rows for table in kept) > limit:
            whole = pa.concat_tables(kept, promote_options="permissive")
            kept, step = [whole.take(pa.array(range(0, whole.num_rows, 2), pa.int64()))], step * 2
    return pa.concat_tables(kept, promote_options="permissive") if kept else pa.table({}), rows, step


def source_of(data: str, encoding: str) -> Source:
    """The source that `data` names, as the problem file would say it: relative to the repository where it is inside."""
    path = Path(data)
    if "://" not in data and path.is_absolute() and path.resolve().is_relative_to(Path.cwd()):
        data = path.resolve().relative_to(Path.cwd()).as_posix()
    if not unpacked(data).lower().endswith(SUFFIXES["csv"]):
        return File("file", data)
    nulls = tuple(sorted(NULLS))  # what the scorer reads as null is null in training too
    return File("file", data, dialect=Dialect(_delimiter(data, encoding), encoding=encoding, nulls=nulls))


def read(source: Source) -> sources.Reading:
    """Begin to read a source. All of a CSV is text, for what is a number is to be judged when all of it was seen."""
    if isinstance(source, File) and unpacked(source.path).lower().endswith(SUFFIXES["csv"]):
        place = place_of(source.path, source.storage, source.timeout, source.path)
        first = listed(source.path, place, SUFFIXES["csv"], source.path)[0]
        with told(source.path):
            names = header(lambda: opened(first, place), source.dialect, source.path)
        return sources.read(source, Table({name.removeprefix(_BOM): Column("text") for name in names}))
    return sources.read(source, None)


def _delimiter(data: str, encoding: str) -> str:
    """The delimiter that the first line holds most of; a comma where it holds none, or where it is far away."""
    try:
        with opened(data, Place()) as file:
            line = file.readline(1_000_000).decode(encoding, errors="replace")
    except (OSError, LookupError):
        return ","  # whoever reads it says what is wrong
    return max(DELIMITERS, key=line.count)
