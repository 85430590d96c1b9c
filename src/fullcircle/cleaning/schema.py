"""The problem's columns as a pandera schema: what `clean` demands of its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandera.pandas as pandera
from pandera.errors import SchemaErrors

from fullcircle.base.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from fullcircle.base.checks import Column


def check_clean(frame: pd.DataFrame, columns: dict[str, Column], where: str) -> None:
    """Demand of a cleaned table what the problem promises of it: types, ranges, levels, nulls. Raises DataError.

    `frame` is not changed, for nothing is coerced; `inplace` only spares pandera a copy of it.
    """
    schema = pandera.DataFrameSchema({name: _column(column) for name, column in columns.items()})
    try:
        schema.validate(frame, lazy=True, inplace=True)
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
    kind = {"category": None, "text": None, "time": "datetime64[s]"}.get(column.kind, "float64")
    return pandera.Column(kind, checks=checks, nullable=column.missing == "keep" or column.impossible == "blank")
