"""The table to draft from: read once in batches; a long one is sampled at evenly spaced rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from fullcircle import sources
from fullcircle.base.checks import Column
from fullcircle.base.dialect import Dialect, is_encoding
from fullcircle.base.errors import SourceError
from fullcircle.core.arrow import cast
from fullcircle.core.data import Table
from fullcircle.core.source import SUFFIXES, File, Source, format_of
from fullcircle.sources import location
from fullcircle.sources.csvfile import header
from fullcircle.sources.errors import source_errors
from fullcircle.sources.filesystem import Place, listed, opened, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

ROWS, CELLS = 200_000, 40_000_000  # of the sample at most
DELIMITERS = ",;\t|"
NULLS = ("", "#N/A", "?", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class How:
    """How a file is read where its first line is no header of the usual kind: options of `fullcircle init`.

    `skip`: lines before the header. `header`: whether there is one. `names`: of the columns, in place of the header's.
    `nulls`: further words for null, in every column. `sheet`: of a workbook. `decimal`: what stands before decimals;
    None: guessed.
    """

    encoding: str = "utf-8"
    skip: int = 0
    header: bool = True
    names: tuple[str, ...] = ()
    nulls: tuple[str, ...] = ()
    sheet: str | None = None
    decimal: str | None = None


USUAL = How()


@dataclass(frozen=True, slots=True)
class TableSample:
    """A sample of a source. `rows`: of the source; `table` has every `step`th of them, starting with the first."""

    source: Source
    origin: str
    table: pa.Table
    rows: int
    step: int
    how: How = USUAL

    @property
    def decimal(self) -> str:
        """What is more likely to stand before decimals: a comma where semicolons separate columns."""
        semicolons = isinstance(self.source, File) and self.source.dialect.delimiter == ";"
        return self.how.decimal or ("," if semicolons else ".")


def read_sample(data: str, how: How = USUAL, limit: int = ROWS) -> TableSample:
    """Read a sample of `data`: a file or another source (`source_of`). Raises SourceError with its name."""
    if not is_encoding(how.encoding):
        raise SourceError(f"there is no encoding {how.encoding!r}. `fullcircle init` has the option --encoding.")
    if how.decimal not in (None, ".", ","):
        raise SourceError(f"--decimal {how.decimal!r} must be a point or a comma")
    source = source_of(data, how)
    try:
        reading = read(source)
        thinned = thin(reading.batches, limit)
    except SourceError as error:
        if "encoding" in str(error):
            raise SourceError(f"{error} `fullcircle init` has the option --encoding.") from None
        if "dialect" in str(error):
            raise SourceError(
                f"{error} `fullcircle init` has the options --skip (lines before the header), --names and --no-header."
            ) from None
        raise
    table, rows, step = thinned
    if rows == 0:
        raise SourceError(f"{reading.origin} has no rows. The table must have a header and rows.")
    if nested := [field for field in table.schema if pa.types.is_nested(field.type)]:
        name, kind = nested[0].name, nested[0].type
        raise SourceError(
            f"{reading.origin}: column {name} holds {kind}; a cell must hold one value. Flatten it first."
        )
    return TableSample(source, reading.origin, table, rows, step, how)


def thin(batches: Iterable[pa.RecordBatch], limit: int) -> tuple[pa.Table, int, int]:
    """Every `step`th row, at most `limit` (fewer for a wide table); the number of all rows; the step, a power of 2."""
    kept: list[pa.Table] = []
    rows, step = 0, 1
    for batch in batches:
        table = pa.Table.from_batches([batch])
        limit = min(limit, max(1000, CELLS // max(1, table.num_columns)))
        kept.append(table.take(pa.array(range(-rows % step, table.num_rows, step), pa.int64())))
        rows += table.num_rows
        while sum(table.num_rows for table in kept) > limit:
            table = concatenated(kept)
            kept, step = [table.take(pa.array(range(0, table.num_rows, 2), pa.int64()))], step * 2
    return concatenated(kept) if kept else pa.table({}), rows, step


def concatenated(tables: list[pa.Table]) -> pa.Table:
    """Concatenate tables; a column whose types have no common type, as in JSON, becomes text."""
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException:
        return pa.concat_tables([_as_text(table) for table in tables], promote_options="permissive")


def _as_text(table: pa.Table) -> pa.Table:
    columns = {n: cast(table.column(n).combine_chunks(), "category")[0] for n in table.column_names}
    return pa.table(columns)


def source_of(data: str, how: How) -> Source:
    """The source `data` as the problem file has it; a path inside the repository becomes relative."""
    path = Path(data)
    if "://" not in data and path.is_absolute() and path.resolve().is_relative_to(Path.cwd()):
        data = path.resolve().relative_to(Path.cwd()).as_posix()
    source = location.source_of(data)
    if not isinstance(source, File):
        return source
    names = {"skip": how.skip, "header": how.header, "names": how.names}
    form = format_of(source.path)
    if form == "excel":
        return replace(source, sheet=how.sheet, dialect=Dialect(**names))  # type: ignore[arg-type]
    if form != "csv":
        return source
    nulls = tuple(dict.fromkeys([*NULLS, *how.nulls]))
    dialect = Dialect(_delimiter(data, how), encoding=how.encoding, nulls=nulls, **names)  # type: ignore[arg-type]
    return replace(source, dialect=dialect)


def read(source: Source) -> sources.Reading:
    """Start to read a source. Every column of a CSV is read as text; kinds are guessed from the whole column."""
    if isinstance(source, File) and format_of(source.path) == "csv":
        place = place_of(source.path, source.storage, source.timeout, source.path)
        first = listed(source.path, place, SUFFIXES["csv"], source.path)[0]
        with source_errors(source.path):
            found = header(lambda: opened(first, place), source.dialect, source.path)
        names = list(source.dialect.names) or found
        if not source.dialect.header and not source.dialect.names:
            names = [f"column_{i + 1}" for i in range(len(found))]
        return sources.read(source, Table({name.removeprefix(_BOM): Column("text") for name in names}))
    return sources.read(source, None)


def _delimiter(data: str, how: How) -> str:
    """The most frequent delimiter of the first line; a comma if it has none, or if the file is not local."""
    try:
        with opened(data, Place()) as file:
            for _ in range(how.skip):
                file.readline(1_000_000)
            line = file.readline(1_000_000).decode(how.encoding, errors="replace")
    except (OSError, LookupError):
        return ","  # reading it will report the error
    return max(DELIMITERS, key=line.count)
