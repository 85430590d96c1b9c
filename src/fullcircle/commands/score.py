"""`fullcircle score`: CSV as the bundle itself reads it, and the other kinds of files that sources can be."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.errors import DataError, difference
from fullcircle.scoring.batch import Chunk, Summary, score_chunks
from fullcircle.scoring.csvfile import score_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from fullcircle.base.dialect import Dialect
    from fullcircle.features.plan import Plan
    from fullcircle.scoring.scorer import Scorer


def score_any(scorer: Scorer, dialect: Dialect, source: Path, out: Path) -> Summary:
    """Score a CSV, Parquet, JSON-lines or Excel file by its name; `dialect` is for CSV. Answers are CSV in any case.

    Raises DataError and SourceError, and then no file is written.
    """
    from fullcircle.core.source import File, format_of  # the sources are a second to import, which a CSV needs not

    if format_of(source.name) in (None, "csv"):
        return score_file(scorer, dialect, source, out)
    from fullcircle.sources.file import read

    batches, where = read(File("file", str(source)), scorer.plan.inputs)
    return score_chunks(scorer, list(scorer.plan.inputs), _chunks(batches, scorer.plan, where), out, where)


def _chunks(batches: Iterator[pa.RecordBatch], plan: Plan, where: str) -> Iterator[Chunk]:
    first = 1
    for batch in batches:
        if differs := difference(plan.inputs, [name for name in batch.schema.names if name not in plan.ignored]):
            raise DataError(f"{where}: these are not the columns that the model takes\n  {differs}")
        yield _chunk(first, batch.select(list(plan.inputs)), plan)
        first += batch.num_rows


def _chunk(first: int, batch: pa.RecordBatch, plan: Plan) -> Chunk:
    import pyarrow as pa

    from fullcircle.core.arrow import cast
    from fullcircle.core.tables import columns_of

    made, why = [], dict[int, list[str]]()
    for (name, column), values in zip(plan.inputs.items(), batch.columns, strict=True):
        # What is no whole number is a number that the checks refuse, in the words they have for it.
        kind = "number" if column.kind == "integer" else column.kind
        array, wrong = cast(values, kind, column.format)
        made.append(array)
        for i in [] if wrong is None else np.flatnonzero(wrong.to_numpy(zero_copy_only=False)).tolist():
            why.setdefault(i, []).append(f"{name} is no {kind}")
    readable = np.setdiff1d(np.arange(batch.num_rows), list(why))
    table = pa.Table.from_arrays(made, list(plan.inputs)).take(pa.array(readable))
    reasons = {i: "; ".join(said) for i, said in why.items()}
    return Chunk(first, batch.num_rows, columns_of(table), readable, reasons, partial(_cells, batch))


def _cells(batch: pa.RecordBatch, row: int) -> list[object]:
    return ["" if value is None else value for value in (column[row].as_py() for column in batch.columns)]
