"""Sources: readers of data. Each returns Arrow batches as a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa

from fullcircle.core.source import Bundled, File, Sql

if TYPE_CHECKING:
    from datetime import datetime

    from fullcircle.core.data import Table
    from fullcircle.core.source import Source

Mark: TypeAlias = "str | int | float | datetime"
"""The largest value of a watermark column that was read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of a reader: `batches`, which can be read once, and their `origin` as text for the manifest.

    Errors may occur until the last batch is read: a failing source raises SourceError.
    """

    batches: Iterator[pa.RecordBatch]
    origin: str

    def table(self) -> pa.Table:
        """All batches as one table, for small sources; consumes them."""
        tables = [pa.Table.from_batches([batch]) for batch in self.batches]
        return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})


def read(source: Source, spec: Table | None, after: Mark | None = None) -> Reading:
    """Start to read a source. Raises SourceError.

    `spec`: the columns of the table; their kinds are requested if the source supports it, and the caller checks them.
    None for an unknown table: types are inferred from the values of each batch.
    `after`: sources that can filter return only rows whose watermark is above it; others return all rows.
    """
    columns = None if spec is None else spec.columns
    # Imported here, because SQLAlchemy and fsspec take long to import and few sources need both.
    if isinstance(source, Bundled):
        from fullcircle.sources.bundled import read as read_bundled

        return Reading(*read_bundled(source, columns))
    if isinstance(source, File):
        from fullcircle.sources.file import read as read_file

        return Reading(*read_file(source, columns))
    if isinstance(source, Sql):
        from fullcircle.sources.sql import read as read_sql

        return Reading(*read_sql(source, columns, after))
    from fullcircle.sources.http import read as read_http

    return Reading(*read_http(source, columns, after))
