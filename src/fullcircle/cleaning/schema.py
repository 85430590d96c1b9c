"""The problem's columns as pandera schemas: what `ingest` demands of raw tables, and `clean` of its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
from pandera.errors import SchemaError, SchemaErrors

from fullcircle.runtime.errors import DataError, difference

if TYPE_CHECKING:
    from fullcircle.core.problem import Table
    from fullcircle.runtime.columns import Column

_TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "category": pa.string(),
    "time": pa.timestamp("s", tz="UTC"),
}
_SAFE = {(pa.int64(), pa.float64())}  # a number whose values all happen to be whole


def check_raw(table: pa.Table, spec: Table, where: str) -> pa.Table:
    """Demand the columns, their types, at least one row, and a unique key where the problem says so.

    Values are left to `clean`. Returns the table with the types of the problem. Raises DataError.
    """
    if differs := difference(spec.columns, table.column_names):
        raise DataError(f"{where}: the raw columns are not those of the problem\n  {differs}")
    if table.num_rows == 0:
        raise DataError(f"{where}: the table is empty; a source that gives no rows is broken")
    for i, (name, got) in enumerate(zip(table.column_names, table.schema.types, strict=True)):
        wanted = _TYPES[spec.columns[name].kind]
        if pa.types.is_null(got) or (got, wanted) in _SAFE:
            table = table.set_column(i, name, table.column(i).cast(wanted))
    schema = pandera.DataFrameSchema(
        {
            name: pandera.Column(pd.ArrowDtype(_TYPES[column.kind]), nullable=True)
            for name, column in spec.columns.items()
        },
        unique=list(spec.key) if spec.duplicates == "error" else None,
    )
    try:
        schema.validate(table.to_pandas(types_mapper=pd.ArrowDtype), lazy=True)
    except SchemaErrors as errors:
        lines = [_raw_failure(table, spec, error) for error in errors.schema_errors]
        raise DataError(f"{where}: the raw table is not what the problem says\n" + "\n".join(lines)) from None
    return table


def _raw_failure(table: pa.Table, spec: Table, error: SchemaError) -> str:
    name = getattr(error.schema, "name", None)
    if name in spec.columns:
        seen = [str(v) for v in table.column(name).drop_null().unique()[:3].to_pylist()]
        got = table.schema.field(name).type
        return f"  {name}: expected {spec.columns[name].kind}, read as {got}, e.g. {', '.join(seen)}"
    repeated = table.group_by(list(spec.key)).aggregate([([], "count_all")]).to_pylist()
    twice = [row for row in repeated if row["count_all"] > 1]
    example = ", ".join(f"{k}={twice[0][k]}" for k in spec.key)
    return f"  {', '.join(spec.key)} must be unique: {len(twice)} keys come more than once, e.g. {example}"


def check_clean(frame: pd.DataFrame, columns: dict[str, Column], where: str) -> None:
    """Demand of a cleaned table what the problem promises of it: types, ranges, levels, nulls. Raises DataError."""
    schema = pandera.DataFrameSchema({name: _column(column) for name, column in columns.items()})
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases.groupby(["column", "check"]).agg(
            count=("failure_case", "size"), example=("failure_case", "first")
        )
        lines = [f"  {c} {k}: {r['count']} values, e.g. {r['example']}" for (c, k), r in cases.iterrows()]
        raise DataError(f"{where}: the result breaks its schema\n" + "\n".join(lines)) from None


def _column(column: Column) -> pandera.Column:
    checks = []
    if column.kind in ("integer", "number"):
        low = float("-inf") if column.min is None else column.min
        high = float("inf") if column.max is None else column.max
        bounded = column.min is not None, column.max is not None
        checks.append(pandera.Check.in_range(low, high, include_min=bounded[0], include_max=bounded[1]))
    if column.kind == "integer":
        checks.append(pandera.Check(lambda values: values == values.round(), error="whole numbers"))
    if column.levels is not None:
        checks.append(pandera.Check.isin(column.levels))
    kind = {"category": None, "time": "datetime64[s]"}.get(column.kind, "float64")
    return pandera.Column(kind, checks=checks, nullable=column.missing == "keep" or column.impossible == "blank")
