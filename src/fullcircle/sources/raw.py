"""What `ingest` demands of a raw table, batch by batch: its columns, their types, some rows, and a unique key."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from fullcircle.base.errors import DataError, difference
from fullcircle.core.arrow import TYPES, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fullcircle.base.checks import Column
    from fullcircle.core.data import Table


def schema_raw(spec: Table) -> pa.Schema:
    """The Arrow schema that a raw table has, in the order of the problem's columns."""
    return pa.schema([(name, TYPES[column.kind]) for name, column in spec.columns.items()])


def check_raw(
    batches: Iterable[pa.RecordBatch], spec: Table, where: str, *, may_be_empty: bool = False
) -> Iterator[pa.RecordBatch]:
    """Give the batches on with the types and in the order of the problem's columns.

    Values are left to `clean`. Raises DataError: for other columns, for values that are not of their column's kind,
    and, when the last batch was taken, for a table without rows and a key that repeats where the problem says so.
    """
    keys: list[pa.RecordBatch] = []
    names = list(spec.columns)
    rows = 0
    for batch in batches:
        if differs := difference(names, batch.schema.names):
            raise DataError(f"{where}: the raw columns are not those of the problem\n  {differs}")
        typed = _typed(batch.select(names), spec, where, rows)
        rows += batch.num_rows
        if spec.duplicates == "error":
            keys.append(typed.select(list(spec.key)))
        yield typed
    if not rows and not may_be_empty:
        raise DataError(f"{where}: the table is empty; a source that gives no rows is broken")
    if keys:
        _check_unique(pa.Table.from_batches(keys), spec, where)


def _typed(batch: pa.RecordBatch, spec: Table, where: str, before: int) -> pa.RecordBatch:
    made, lines = [], []
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        column = spec.columns[name]
        cast_values, wrong = cast(values, column.kind, column.format, column.nulls)
        made.append(cast_values)
        if wrong is not None:
            lines.append(_line(name, column, values, wrong, before))
    if lines:
        raise DataError(f"{where}: the raw table is not what the problem says\n" + "\n".join(lines))
    return pa.RecordBatch.from_arrays(made, batch.schema.names)


def _line(name: str, column: Column, values: pa.Array, wrong: pa.Array, before: int) -> str:
    at = [i for i, bad in enumerate(wrong.to_pylist()) if bad]
    examples = dict.fromkeys(str(values[i].as_py()) for i in at)
    line = f"  {name}: expected {column.kind}, read as {values.type}, e.g. {', '.join(list(examples)[:3])}"
    line += f" (row {before + at[0] + 1:,}; {len(at):,} of rows {before + 1:,} to {before + len(values):,})"
    if column.kind not in ("time", "integer", "number") or not pa.types.is_string(values.type):
        return line
    if column.kind != "time":
        advice = "Correct the source, or give the column a `format`, such as '$1,234.5'."
        return f"{line}\n    {column.format or '1234.5'} is wanted. {advice}"
    shapes = Counter(_shape(text) for text in values.drop_null().to_pylist())
    ways = ", ".join(f"{shape} ({count:,} times)" for shape, count in shapes.most_common(5))
    wanted = column.format or "ISO 8601"
    if len(shapes) > 1:
        return f"{line}\n    {wanted} is wanted, and it is written in {len(shapes)} ways: {ways}. Correct the source."
    return f"{line}\n    {wanted} is wanted, and it is written as {ways}. Give the column that `format`."


def _shape(text: str) -> str:
    """How a text is written: 2013-01-02 is 9999-99-99."""
    return re.sub(r"[^\W\d]", "a", re.sub(r"\d", "9", text))[:30]


def _check_unique(keys: pa.Table, spec: Table, where: str) -> None:
    codes = np.zeros(keys.num_rows, np.int64)
    for column in keys.columns:
        code = column.combine_chunks().dictionary_encode(null_encoding="encode").indices
        # Numbered anew after each column, so that the product of their counts cannot overflow.
        _, codes = np.unique(codes * (keys.num_rows + 1) + np.from_dlpack(code), return_inverse=True)
    repeated, counts = np.unique(codes, return_counts=True)
    twice = repeated[counts > 1]
    if len(twice):
        first = int(np.flatnonzero(codes == twice[0])[0])
        example = ", ".join(f"{k}={keys.column(k)[first].as_py()}" for k in spec.key)
        raise DataError(
            f"{where}: the raw table is not what the problem says\n"
            f"  {', '.join(spec.key)} must be unique: {len(twice):,} keys come more than once, e.g. {example}"
        )
