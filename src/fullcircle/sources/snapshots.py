"""Mode append: which rows are new, and whether the next snapshot fits the earlier ones of the manifest.

A snapshot is a Parquet part named by its `as_of`. Earlier parts are never written again.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from fullcircle.base.errors import SourceError
from fullcircle.base.typed import plain
from fullcircle.core.arrow import cast, times
from fullcircle.core.tables import rounded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fullcircle.base.checks import Column
    from fullcircle.core.data import Table
    from fullcircle.core.manifest import Part, RawTable
    from fullcircle.core.source import File, Http, Sql
    from fullcircle.sources import Mark


def request_of(source: File | Sql | Http) -> dict[str, Any]:
    """The settings of a source that all parts of a table must share."""
    ways = ("as_of", "timeout", "rows", "retries", "wait", "storage", "url", "url_env", "password_env", "headers_env")
    return {key: rounded(value) for key, value in plain(source).items() if key not in ways}


def earlier(known: RawTable | None, source: File | Sql | Http, schema: pa.Schema, folder: Path) -> tuple[Part, ...]:
    """The parts in `folder`, of the manifest's entry. Raises SourceError if the next snapshot does not fit them."""
    if known is None or not known.parts or not folder.is_dir():
        return ()
    advice = f"Take the change back, or remove {folder} to begin afresh."
    if known.request != request_of(source):
        raise SourceError(f"the earlier snapshots were requested with other settings ({known.request}). {advice}")
    if known.schema != schema_of(schema):
        raise SourceError(f"the earlier snapshots have other columns ({known.schema}). {advice}")
    last = known.parts[-1].as_of
    if source.as_of is not None and source.as_of < last:
        raise SourceError(f"as_of {source.as_of} lies before the last snapshot, {last}. Snapshots go forward.")
    return known.parts


def schema_of(schema: pa.Schema) -> dict[str, str]:
    """Columns and types, as the manifest holds them."""
    return {field.name: str(field.type) for field in schema}


class Past:
    """The rows of batches that lie past a mark; `last` is the largest value of the column so far, or the mark.

    It yields batches as they arrive, so `last` is final once all are read. Raises SourceError for a null.
    """

    def __init__(self, name: str, spec: Table, after: str | None) -> None:
        if name not in spec.columns:
            raise SourceError(f"the watermark {name} is no column; there are {', '.join(spec.columns)}")
        self.name, self.column = name, spec.columns[name]
        self.last = mark_of(after, self.column)

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Filter the batches."""
        after = self.last
        for batch in batches:
            if self.name not in batch.schema.names or not batch.num_rows:
                yield batch
                continue
            values = _ordered(batch.column(self.name), self.column)
            if values.null_count:
                example = batch.filter(values.is_null()).slice(0, 1).to_pylist()[0]
                raise SourceError(
                    f"{values.null_count:,} rows have no {self.name}, e.g. {example}. "
                    "Without a watermark it is unknown whether a row is new: leave them out, or use mode full."
                )
            fresh = batch
            if after is not None:
                keep = pc.greater(values, pa.scalar(after, values.type))
                fresh, values = batch.filter(keep), values.filter(keep)
            if fresh.num_rows:
                highest = pc.max(values).as_py()
                self.last = highest if self.last is None else max(self.last, highest)
            yield fresh


def written(mark: Mark | None) -> str | None:
    """A mark as the manifest holds it, to the last digit."""
    return None if mark is None else mark.isoformat() if isinstance(mark, datetime) else str(mark)


def mark_of(text: str | None, column: Column) -> Mark | None:
    """The mark that `written` wrote."""
    if text is None:
        return None
    read: dict[str, Any] = {"time": datetime.fromisoformat, "integer": int, "number": float}
    return read.get(column.kind, str)(text)  # type: ignore[no-any-return]


def _ordered(values: pa.Array, column: Column) -> pa.Array:
    """Values that can be compared; times to the microsecond, for those of the same second differ."""
    if column.kind == "time":
        moments = times(values, column.format)
        return pa.nulls(len(values), pa.timestamp("us", tz="UTC")) if moments is None else moments
    return cast(values, column.kind)[0]
