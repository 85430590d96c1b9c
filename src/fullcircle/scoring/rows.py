"""Rows as people hold them -> columns: a DataFrame, lists or NumPy arrays by name, or a list of records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.arrays import as_column, check_lengths
from ..base.cells import read_values
from ..base.checks import Column, nulls
from ..base.errors import DataError, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..base.cells import Kind
    from ..base.columns import Array, Columns


def to_columns(rows: Any, inputs: Mapping[str, Column]) -> Columns:
    """Rows as columns of the kinds that `inputs` have; other columns come along as they are.

    `rows`: a pandas DataFrame; lists or NumPy arrays by name; or a list of records by name, in which a key that is
    missing is null. The values of lists, and of a DataFrame where they are no numbers and no times already, are read as
    JSON values are: text may be a number or a time (ISO 8601, or as the column's `format` says), numbers may be
    levels, None and NaN are null. Arrays are taken as `base.arrays` says. Raises DataError for what cannot be read.

    >>> inputs = {"distance": Column("number"), "carrier": Column("category")}
    >>> to_columns([{"distance": 200, "carrier": "AA"}, {"distance": "1e3"}], inputs)
    {'distance': array([ 200., 1000.]), 'carrier': array(['AA', None], dtype=object)}
    """
    if isinstance(rows, Mapping):
        made = {name: _of_any(name, values, inputs.get(name)) for name, values in rows.items()}
    elif isinstance(rows, (list, tuple)):
        made = _of_records(rows, inputs)
    elif hasattr(rows, "columns") and hasattr(rows, "dtypes"):
        names = [str(name) for name in rows.columns]
        if len({*names}) < len(names):
            raise DataError(
                f"the rows have columns of one name: {', '.join(sorted({n for n in names if names.count(n) > 1}))}"
            )
        made = {n: _of_series(n, rows[label], inputs.get(n)) for n, label in zip(names, rows.columns, strict=True)}
    else:
        raise DataError(
            f"the rows are of type {type(rows).__name__}; wanted is a DataFrame, a dict of lists or NumPy arrays, or a "
            "list of dicts"
        )
    check_lengths(made)
    return made


def are_arrays(rows: Any) -> bool:
    """Whether rows are NumPy arrays by name already."""
    return type(rows) is dict and all(type(values) is np.ndarray and values.ndim == 1 for values in rows.values())


def _of_any(name: str, values: Any, column: Column | None) -> Array:
    if isinstance(values, (list, tuple)):
        return _of_list(name, values, column)
    if hasattr(values, "dtype") and hasattr(values, "to_numpy"):
        return _of_series(name, values, column)
    if column is not None:
        return as_column(name, values, column.kind)
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        raise DataError(
            f"column {name} is of type {type(values).__name__}; wanted is a list or an array of one dimension"
        )
    return values


def _of_records(records: Sequence[Any], inputs: Mapping[str, Column]) -> Columns:
    for position, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise DataError(
                f"row {position} is of type {type(record).__name__}; wanted is a dict of values by column name"
            )
    if not records:
        return {name: nulls(column, 0) for name, column in inputs.items()}
    names = dict.fromkeys(name for record in records for name in record)
    return {name: _of_list(name, [record.get(name) for record in records], inputs.get(name)) for name in names}


def _of_series(name: str, series: Any, column: Column | None) -> Array:
    """A column of a DataFrame."""
    if getattr(series.dtype, "tz", None) is not None:
        values = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    elif isinstance(series.dtype, np.dtype):
        values = series.to_numpy()
    else:
        values = series.to_numpy(dtype=object, na_value=None)
    if column is None:
        return np.asarray(values)
    numbers = column.kind in ("integer", "number") and values.dtype.kind in "iuf"
    if numbers or values.dtype.kind in "mM":
        return as_column(name, np.asarray(values), column.kind)
    return _of_list(name, values.tolist(), column)


def _of_list(name: str, values: Sequence[Any], column: Column | None) -> Array:
    if column is None:
        return np.fromiter(values, object, len(values))
    types = {*map(type, values)}
    # What is no whole number is a number that the checks refuse, in their words.
    kind: Kind = "number" if column.kind == "integer" else column.kind
    plain = values if types <= _JSON else [value if type(value) in _JSON else _plain(value) for value in values]
    if kind == "time" and types & _JSON < types:
        made, wrong = _of_times(plain, column)
    else:
        made, wrong = read_values(plain, kind, column.format, column.nulls)
    if wrong:
        value = values[wrong[0]]
        raise DataError(
            f"column {name}: position {wrong[0]} holds {shortened(value)} ({type(value).__name__}), which is no {kind}"
            + (f"; {len(wrong):,} such values" if len(wrong) > 1 else "")
        )
    return made


_JSON = {str, int, float, bool, type(None)}


def _plain(value: Any) -> Any:
    """A value of another library as the one of Python that says the same; not a number, not a time and NA are None."""
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[s]").item()
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, datetime):
        return None if value != value else value
    if type(value).__name__ == "NAType":
        return None
    return datetime(value.year, value.month, value.day) if isinstance(value, date) else value


def _of_times(values: Sequence[Any], column: Column) -> tuple[Array, list[int]]:
    """Texts and times of Python as a column, and the positions of those that are none."""
    texts = [None if isinstance(value, datetime) else value for value in values]
    made, wrong = read_values(texts, "time", column.format, column.nulls)
    for i, value in enumerate(values):
        if isinstance(value, datetime):
            try:
                in_utc = value if value.tzinfo is None else value.astimezone(UTC)
            except OverflowError:  # the first or the last hours of all years, moved to UTC
                wrong.append(i)
            else:
                made[i] = np.datetime64(in_utc.replace(tzinfo=None, microsecond=0), "s")
    return made, sorted(wrong)
