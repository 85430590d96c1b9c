"""`fullcircle score`: CSV as the bundle itself reads it, and the other kinds of files that sources can be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.errors import DataError
from fullcircle.scoring.batch import Chunk, Summary, score_chunks
from fullcircle.scoring.csvfile import score_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from fullcircle.scoring.batch import Job


def score_any(job: Job, source: Path, out: Path) -> Summary:
    """Score a CSV, Parquet, JSON-lines or Excel file by its name. Predictions are written as CSV in any case.

    Raises DataError and SourceError, and then no file is written.
    """
    from fullcircle.core.source import File, format_of  # the sources are a second to import, which a CSV needs not

    if format_of(source.name) in (None, "csv"):
        return score_file(job, source, out)
    from fullcircle.sources.file import read

    def batches() -> Iterator[pa.RecordBatch]:
        return read(File("file", str(source)), job.read)[0]

    some, where = read(File("file", str(source)), job.read)
    first = next(some, None)
    if first is None:
        raise DataError(f"{where} has no rows")
    header = first.schema.names
    job.check_names(header, where)
    return score_chunks(job, header, partial(_chunks, batches, job, header), out, where)


def _chunks(batches: Callable[[], Iterator[pa.RecordBatch]], job: Job, header: list[str]) -> Iterator[Chunk]:
    first = 1
    for batch in batches():
        yield _chunk(first, batch.select(header), job)
        first += batch.num_rows


def _chunk(first: int, batch: pa.RecordBatch, job: Job) -> Chunk:
    import pyarrow as pa

    from fullcircle.core.arrow import cast
    from fullcircle.core.tables import columns_of

    made, why = dict[str, pa.Array](), dict[int, list[str]]()
    for name, column in job.read.items():
        if name not in batch.schema.names:
            continue
        # What is no whole number is a number that the checks refuse, in the words they have for it.
        kind = "number" if column.kind == "integer" else column.kind
        made[name], wrong = cast(batch.column(name), kind, column.format, column.nulls)
        for i in [] if wrong is None else np.flatnonzero(wrong.to_numpy(zero_copy_only=False)).tolist():
            why.setdefault(i, []).append(f"{name} is no {kind}")
    readable = np.setdiff1d(np.arange(batch.num_rows), list(why))
    table = pa.Table.from_arrays([*made.values()], [*made]).take(pa.array(readable))
    reasons = {i: "; ".join(found) for i, found in why.items()}
    return Chunk(first, batch.num_rows, columns_of(table), readable, reasons, partial(_cells, batch))


def _cells(batch: pa.RecordBatch, row: int) -> list[object]:
    return ["" if value is None else value for value in (_cell(column[row]) for column in batch.columns)]


def _cell(value: pa.Scalar) -> object:
    """A value as it is written; one that Python has no type for, as the number or the bytes behind it."""
    try:
        return value.as_py()
    except UnicodeDecodeError:
        return value.as_buffer().to_pybytes().decode("utf-8", "backslashreplace")
    except (OverflowError, ValueError):
        return value.value
