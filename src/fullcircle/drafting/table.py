"""The table to draft from: read once in batches, and of a long one rows that are evenly spaced."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json

from fullcircle.core.source import Dialect, File, Source
from fullcircle.runtime.csvfile import NULLS
from fullcircle.runtime.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


ROWS = 200_000  # at most so many are looked at
DELIMITERS = ",;\t|"


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
    batches, origin = read(source)
    table, rows, step = thinned(batches, limit, origin)
    if rows == 0:
        raise SourceError(f"{origin} has no rows. Give a table with a header and rows.")
    if empty := [kind for kind in table.schema.types if pa.types.is_nested(kind)]:
        raise SourceError(f"{origin} has columns of {empty[0]}; a table has one value a cell. Flatten them first.")
    return Taken(source, origin, table, rows, step)


def thinned(batches: Iterable[pa.RecordBatch], limit: int, origin: str) -> tuple[pa.Table, int, int]:
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
    if not kept:
        raise SourceError(f"{origin} has no rows. Give a table with a header and rows.")
    return pa.concat_tables(kept, promote_options="permissive"), rows, step


def source_of(data: str, encoding: str) -> Source:
    """The source that `data` names, as the problem file would say it: relative to the repository where it is inside."""
    path = Path(data)
    if path.is_absolute() and path.resolve().is_relative_to(Path.cwd()):
        path = path.resolve().relative_to(Path.cwd())
    if path.suffix.lower() not in (".csv", ".tsv", ".txt"):
        return File("file", path.as_posix())
    nulls = tuple(sorted(NULLS))  # what the scorer reads as null is null in training too
    return File("file", path.as_posix(), dialect=Dialect(_delimiter(path, encoding), encoding=encoding, nulls=nulls))


def read(source: Source) -> tuple[Iterator[pa.RecordBatch], str]:
    """Batches of a source as it is, and its name in words."""
    assert isinstance(source, File)  # noqa: S101
    path = Path(source.path)
    if not path.is_file():
        raise SourceError(f"{path} cannot be read: there is no such file.")
    readers = {".csv": _csv, ".tsv": _csv, ".txt": _csv, ".parquet": _parquet, ".jsonl": _lines, ".ndjson": _lines}
    if path.suffix.lower() not in readers:
        raise SourceError(f"{path}: its name does not say what it is; one of {', '.join(readers)} can be read.")
    return _told(readers[path.suffix.lower()](source, path), path), str(path)


def _told(batches: Iterator[pa.RecordBatch], path: Path) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except (UnicodeError, LookupError) as error:
        raise SourceError(
            f"{path} cannot be read: {error}. Say how it is written, such as --encoding latin-1, or save it as UTF-8."
        ) from None
    except (pa.ArrowInvalid, pa.ArrowException, OSError, csv.Error) as error:
        said = str(error).removeprefix("CSV parse error: ")
        advice = (
            "Say how it is written by --encoding." if "UTF8" in said else "Mend the file; each row needs its cells."
        )
        raise SourceError(f"{path} cannot be read: {said.rstrip('.')}. {advice}") from None


def _header(path: Path, dialect: Dialect) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding) as file:
        names = next(csv.reader(file, delimiter=dialect.delimiter), [])
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise SourceError(f"{path} has columns of one name: {', '.join(map(repr, twice))}. Name each once.")
    return names


def _delimiter(path: Path, encoding: str) -> str:
    """The delimiter that the first line holds most of; a comma where it holds none."""
    try:
        with path.open(newline="", encoding=encoding, errors="replace") as file:
            line = file.readline(1_000_000)
    except (OSError, LookupError):
        return ","  # whoever reads it says what is wrong
    return max(DELIMITERS, key=line.count)


def _csv(source: File, path: Path) -> Iterator[pa.RecordBatch]:
    dialect = source.dialect
    names = _header(path, dialect)
    if not names:
        raise SourceError(f"{path} is empty: it has no header.")
    with path.open("rb") as file:
        yield from arrow_csv.open_csv(
            file,
            arrow_csv.ReadOptions(encoding=dialect.encoding, block_size=1 << 22),
            arrow_csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=True),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=list(dialect.nulls),
                strings_can_be_null=True,
            ),
        )


def _parquet(source: File, path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches()


def _lines(source: File, path: Path) -> Iterator[pa.RecordBatch]:
    yield from arrow_json.read_json(path).to_batches()
