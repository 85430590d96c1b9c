"""Sources: where data comes from. Each is one reader behind the same shape: batches, as they come."""

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
    """What a source gives: batches, to be taken once, and where they come from in words for the manifest.

    Nothing is known to be well until the last batch was taken: a source that fails on the way raises SourceError.
    """

    batches: Iterator[pa.RecordBatch]
    origin: str

    def table(self) -> pa.Table:
        """All of it at once, for tables that are known to be small. Takes the batches."""
        tables = [pa.Table.from_batches([batch]) for batch in self.batches]
        return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})


def read(source: Source, spec: Table | None, after: Mark | None = None) -> Reading:
    """Begin to read a source. Raises SourceError.

    `spec`: the table's columns, whose kinds are asked for where the source can be asked; the caller still checks.
    None: a table that nobody knows yet; types are those that its values have, from batch to batch.
    `after`: a source that can be asked gives only rows whose watermark is above it; others give all rows.
    """
    columns = None if spec is None else spec.columns
    # Imported here: bundled data must not pay for SQLAlchemy, nor a database for fsspec.
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
