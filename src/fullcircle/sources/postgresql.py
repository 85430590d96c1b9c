"""PostgreSQL: COPY as CSV into Arrow, with the types of the database columns."""

from __future__ import annotations

import io
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
from pyarrow import csv

from fullcircle.base.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection as Driver
    from psycopg import Copy
    from sqlalchemy import Connection

    from fullcircle.base.checks import Column
    from fullcircle.sources.query import Query

BLOCK = 1 << 22  # bytes
_STEP = 500  # rows
_NUMERIC = 1700
_BY_OID = {
    16: pa.bool_(),
    **dict.fromkeys((20, 21, 23, 26), pa.int64()),
    **dict.fromkeys((700, 701, _NUMERIC), pa.float64()),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"),
}


def configure(connection: Connection, timeout: float) -> None:
    """Configure the session: read-only, one snapshot for all statements, times in UTC, a stable order of rows."""
    for setting in (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        f"SET statement_timeout = {round(timeout * 1000)}",
        "SET TIME ZONE 'UTC'",
        "SET datestyle = 'ISO, YMD'",
        "SET extra_float_digits = 1",
        "SET synchronize_seqscans = off",  # otherwise a scan may start in the middle of a large table
    ):
        _driver(connection).execute(setting)


def types_of(
    connection: Connection, query: Query, columns: dict[str, Column] | None, where: str
) -> dict[str, pa.DataType]:
    """The Arrow type of each column of the result; text for types without an equivalent in Arrow.

    A `numeric` is a float, or text if the problem declares text, so that long codes keep all digits.
    """
    with _driver(connection).cursor() as cursor:
        cursor.execute(*_merged(connection, query, "SELECT * FROM (\n{}\n) AS described LIMIT 0"))
        description = cursor.description or []
    names = [column.name for column in description]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(
            f"{where}: the query returns duplicate column names: {', '.join(twice)}. Rename them with AS."
        )
    types = {}
    for column in description:
        types[column.name] = _BY_OID.get(column.type_code, pa.string())
        wanted = columns[column.name].kind if columns and column.name in columns else None
        if column.type_code == _NUMERIC and wanted in ("category", "text", "time"):
            types[column.name] = pa.string()
    return types


def copied(connection: Connection, query: Query, types: dict[str, pa.DataType]) -> Iterator[pa.RecordBatch]:
    """Batches of the result, a few MiB each; only data that is not yet consumed is held in memory."""
    statement, values = _merged(connection, query, "COPY (\n{}\n) TO STDOUT (FORMAT csv)")
    with _driver(connection).cursor() as cursor, cursor.copy(statement, values) as copy:
        stream = Rows(copy)
        first = stream.read(BLOCK)
        if not first:  # Arrow does not accept an empty CSV
            return
        stream.put_back(first)
        yield from csv.open_csv(
            stream,
            csv.ReadOptions(column_names=list(types), block_size=BLOCK),
            csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types=types,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,  # "" is empty text, an empty cell is null
                true_values=["t"],
                false_values=["f"],
            ),
        )


class Rows(io.RawIOBase):
    """A COPY as a file: single rows, read in blocks."""

    def __init__(self, copy: Copy) -> None:
        self._rows, self._held = iter(copy), memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def put_back(self, block: bytes) -> None:
        """Return `block` again at the next read."""
        self._held = memoryview(block + bytes(self._held))

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; all remaining bytes for -1."""
        if not self._held:
            parts, length, wanted = [], 0, size if size > 0 else 2**62
            # Many rows per step: a step of Python per row would cost more than parsing.
            while length < wanted and (part := b"".join(islice(self._rows, _STEP))):
                parts.append(part)
                length += len(part)
            self._held = memoryview(b"".join(parts))
        block, self._held = (self._held, self._held[:0]) if size < 0 else (self._held[:size], self._held[size:])
        return bytes(block)


def _driver(connection: Connection) -> Driver[Any]:
    return cast("Driver[Any]", connection.connection.driver_connection)


def _merged(connection: Connection, query: Query, form: str) -> tuple[Any, dict[str, Any]]:
    """A statement around the query, with parameters for psycopg: COPY does not support those of the server."""
    from sqlalchemy import text

    compiled = text(query.text).compile(dialect=connection.dialect)
    return form.format(compiled), query.values
