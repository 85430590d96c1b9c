"""CSV in blocks: columns are read as their kinds, or as text from the block on where a value is not of its kind."""

from __future__ import annotations

import csv as lines
import io
import re
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from fullcircle.base.cells import pointed
from fullcircle.base.errors import SourceError
from fullcircle.core.arrow import cast
from fullcircle.sources.readahead import csv_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from fullcircle.base.checks import Column
    from fullcircle.base.dialect import Dialect

Opener: TypeAlias = "Callable[[], AbstractContextManager[BinaryIO]]"
BLOCK = 1 << 22  # bytes; a row must fit in it
_NO_UTF8 = "invalid UTF8"
_KINDS = ("integer", "number", "time")
_CODE = r"^[-+]?0\d"  # a number with a leading zero is a code, such as a postcode


def read_csv(
    opener: Opener, dialect: Dialect, where: str, columns: dict[str, Column] | None
) -> Iterator[pa.RecordBatch]:
    """Batches of a CSV file. Raises SourceError for a file that is no table in this dialect.

    A column has the type of its kind, or is text in batches with a value that is not: `cast` then shows which ones.
    Without `columns`, it has the first kind that all of its values are (the file is read twice).
    """
    if columns is None:
        names = _all_names(opener, dialect, where)
        kinds = _inferred(opener, dialect, where, names)
        found = {name for name, kind in kinds.items() if kind in ("integer", "number")}
        for batch in _texts(opener, dialect, where, names):
            numeric = with_points(batch, dialect, found)
            arrays = [cast(a, kinds[n])[0] for n, a in zip(batch.schema.names, numeric.columns, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, batch.schema.names)
        return
    names = dialect.names or (() if dialect.header else tuple(columns))
    numbers = {name for name, c in columns.items() if c.kind in ("integer", "number") and c.format is None}
    for batch in _texts(opener, dialect, where, names):
        yield _as_kinds(with_points(batch, dialect, numbers), columns)


def _as_kinds(batch: pa.RecordBatch, columns: dict[str, Column]) -> pa.RecordBatch:
    """Columns with the type of their kind; one with a value that is not of its kind stays text."""
    arrays = []
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        typed, wrong = _typed(values, columns[name]) if name in columns else (values, None)
        arrays.append(typed if wrong is None else values)
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)


def _typed(values: pa.Array, column: Column) -> tuple[pa.Array, pa.Array | None]:
    return cast(values, column.kind, column.format, column.nulls)


def header(opener: Opener, dialect: Dialect, where: str) -> list[str]:
    """The cells of the first line that is not skipped."""
    try:
        with opener() as file, io.TextIOWrapper(file, dialect.encoding, newline="") as text:
            return next(_rows(text, dialect), [])
    except UnicodeError as error:
        raise SourceError(_other_encoding(opener, dialect, where, error)) from None


def _texts(opener: Opener, dialect: Dialect, where: str, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    """Batches in which every cell is text, or null."""
    try:
        found = names or tuple(header(opener, dialect, where))
        yield from _blocks(opener, dialect, where, names, dict.fromkeys(found, pa.string()))
    except pa.ArrowInvalid as error:
        raise SourceError(_unreadable(opener, dialect, where, error)) from None
    except UnicodeError as error:
        raise SourceError(_other_encoding(opener, dialect, where, error)) from None


def _blocks(
    opener: Opener, dialect: Dialect, where: str, names: tuple[str, ...], types: dict[str, pa.DataType]
) -> Iterator[pa.RecordBatch]:
    with (
        opener() as file,
        csv_reader(
            file,
            csv.ReadOptions(
                block_size=BLOCK,
                skip_rows=dialect.skip + bool(dialect.names and dialect.header),
                column_names=list(names) or None,
                encoding=dialect.encoding,
            ),
            csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                newlines_in_values=True,  # or a quoted line break at the end of a block would end a row
            ),
            csv.ConvertOptions(
                column_types=types,
                null_values=list(dialect.nulls),
                strings_can_be_null=True,
                decimal_point=dialect.decimal,
            ),
        ) as reader,
    ):
        got = reader.schema.names
        if twice := sorted({name for name in got if got.count(name) > 1}):
            raise SourceError(f"{where} has columns of one name: {', '.join(twice)}. Give `names` in its dialect.")
        yield from reader


def with_points(batch: pa.RecordBatch, dialect: Dialect, numbers: set[str]) -> pa.RecordBatch:
    """With a decimal point in the columns `numbers`, as `cast` reads them."""
    if dialect.decimal == ".":
        return batch
    for i, name in enumerate(batch.schema.names):
        if name in numbers:
            coded = batch.column(i).dictionary_encode()
            texts = [pointed(text, dialect.decimal) for text in coded.dictionary.to_pylist()]
            batch = batch.set_column(i, name, pa.array(texts, pa.string()).take(coded.indices))
    return batch


def _all_names(opener: Opener, dialect: Dialect, where: str) -> tuple[str, ...]:
    """The names to read by where no columns are known: none if the header has them."""
    if dialect.header or dialect.names:
        return dialect.names
    return tuple(f"column_{i + 1}" for i in range(len(header(opener, dialect, where))))


def _inferred(opener: Opener, dialect: Dialect, where: str, names: tuple[str, ...]) -> dict[str, str]:
    """The kind of each column: the first of integer, number and time that all its values are, or text."""
    left: dict[str, list[str]] = {}
    seen: set[str] = set()
    for batch in _texts(opener, dialect, where, names):
        numbers = with_points(batch, dialect, set(batch.schema.names))
        for name, values, numeric in zip(batch.schema.names, batch.columns, numbers.columns, strict=True):
            given = {"time": values}
            kinds = [k for k in left.get(name, _KINDS) if cast(given.get(k, numeric), k)[1] is None]
            if kinds and pc.any(pc.match_substring_regex(values, _CODE)).as_py():
                kinds = [kind for kind in kinds if kind == "time"]
            left[name] = kinds
            if values.null_count < len(values):
                seen.add(name)
    return {name: kinds[0] if kinds and name in seen else "text" for name, kinds in left.items()}


def _unreadable(opener: Opener, dialect: Dialect, where: str, error: Exception) -> str:
    said = str(error)
    with opener() as file:
        wide = b"\0" in file.read(4096) and not dialect.encoding.lower().startswith(("utf-16", "utf-32"))
    if wide or _NO_UTF8 in said:
        return _other_encoding(opener, dialect, where, error)
    if counted := re.search(r"Expected (\d+) columns, got (\d+)", said):
        said = f"expected {counted[1]} columns{_first_other(opener, dialect, int(counted[1]))}"
    if "straddling" in said:
        said = f"a row is longer than {BLOCK >> 20} MiB; perhaps a quote is not closed"
    advice = "Correct the file, or give the source's dialect (delimiter, quote, skip, header, names)."
    return f"{where} cannot be read: {said.removeprefix('CSV parse error: ').rstrip('.')}. {advice}"


def _first_other(opener: Opener, dialect: Dialect, count: int) -> str:
    """Where the first row stands that has not `count` cells: Arrow does not say."""
    with opener() as file, io.TextIOWrapper(file, dialect.encoding, errors="replace", newline="") as text:
        try:
            for row in _rows(text, dialect):
                if row and len(row) != count:
                    return f", got {len(row)} in the row that begins with {dialect.delimiter.join(row)[:60]!r}"
        except lines.Error:  # a cell above 128 KiB
            return "; perhaps a quote is not closed"
    return ""


def _rows(text: io.TextIOWrapper, dialect: Dialect) -> Iterator[list[str]]:
    for _ in range(dialect.skip):
        text.readline()
    quote = dialect.quote or None
    if quote is None:
        return lines.reader(text, delimiter=dialect.delimiter, quoting=lines.QUOTE_NONE)
    return lines.reader(text, delimiter=dialect.delimiter, quotechar=quote)


def _other_encoding(opener: Opener, dialect: Dialect, where: str, error: Exception) -> str:
    """Name the first line that is not in the dialect's encoding, where lines can be counted."""
    example = f" ({error})"
    with opener() as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as wrong:
                bad = line[max(0, wrong.start - 12) : wrong.end + 12]
                example = f": line {number:,} holds {bad!r}, which latin-1 would read as {bad.decode('latin-1')!r}"
                break
    return (
        f"{where} cannot be read: it is not written in {dialect.encoding}{example}. "
        "Say in the source's dialect which `encoding` it has, such as latin-1, cp1252 or utf-16."
    )
