"""NumPy arrays as columns: converted where no value changes, and refused in words where one would be guessed."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import DataError, listed, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .cells import Kind
    from .columns import Array, Columns

NUMBERS = ("number", "integer")
FLOAT, SECONDS, OBJECT = np.dtype(float), np.dtype("datetime64[s]"), np.dtype(object)
WANTED: dict[Kind, str] = {
    "number": "an array of numbers, or of objects that are numbers or None",
    "integer": "an array of numbers, or of objects that are numbers or None",
    "category": "an array of str, or of objects that are str or None",
    "text": "an array of str, or of objects that are str or None",
    "time": "an array of datetime64, in UTC",
}
_TEXTS = {str, type(None)}
_NUMBERS = (int, float, np.integer, np.floating, Decimal)
_FINER = ("s", "ms", "us", "ns", "ps", "fs", "as")


def as_columns(given: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Columns:
    """Arrays by name as columns of their `kinds`. Raises DataError for other arrays, and for different lengths."""
    made: Columns = dict(given)
    for name, values in given.items():
        kind = kinds[name]
        if kind not in NUMBERS or type(values) is not np.ndarray or values.dtype is not FLOAT or values.ndim != 1:
            made[name] = as_column(name, values, kind)
    check_lengths(made)
    return made


def check_lengths(columns: Mapping[str, Sequence[object] | Array]) -> None:
    """Raises DataError where columns have different lengths.

    >>> check_lengths({"a": [1, 2], "b": [1, 2], "c": [1]})
    Traceback (most recent call last):
    fullcircle.base.errors.DataError: the columns have different lengths: 2 (a, b), 1 (c)
    """
    if len({*map(len, columns.values())}) > 1:
        found: dict[int, list[str]] = {}
        for name, values in columns.items():
            found.setdefault(len(values), []).append(name)
        lengths = [f"{count:,} ({listed(names, 3)})" for count, names in found.items()]
        raise DataError(f"the columns have different lengths: {listed(lengths)}")


def as_column(name: str, values: object, kind: Kind) -> Array:
    """One array as a column of a kind.

    Numbers: integers and floats, or objects with None for null. Texts: str, or objects; None and NaN are null. Times:
    datetime64 of any unit, cut off to seconds. Raises DataError for anything else, such as truth values.

    >>> as_column("distance", np.array([1, None, 2.5], object), "number").tolist()
    [1.0, nan, 2.5]
    >>> as_column("carrier", np.array(["AA", 5], object), "category")
    Traceback (most recent call last):
    fullcircle.base.errors.DataError: column carrier: position 1 holds 5 (int); wanted is an array of str, or of \
objects that are str or None
    """
    if type(values) is not np.ndarray or values.ndim != 1:
        raise DataError(f"column {name} is {_described(values)}; wanted is {WANTED[kind]}, of one dimension")
    if kind in NUMBERS:
        return values if values.dtype == FLOAT else _numbers(name, values, kind)
    if kind == "time":
        return values if values.dtype == SECONDS else _times(name, values)
    if values.dtype == OBJECT and {*map(type, values.tolist())} <= _TEXTS:
        return values
    return _texts(name, values, kind)


def _numbers(name: str, values: Array, kind: Kind) -> Array:
    if values.dtype.kind in "iuf":
        return values.astype(float)
    if values.dtype != OBJECT:
        raise _refused(name, values, kind)
    return np.array(_converted(name, values, kind, _number), float)


def _number(value: object) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise TypeError
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _texts(name: str, values: Array, kind: Kind) -> Array:
    if values.dtype.kind not in "UTO":
        raise _refused(name, values, kind)
    return np.array(_converted(name, values.astype(object), kind, _text), object)


def _text(value: object) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if not isinstance(value, str):
        raise TypeError
    return str(value)


def _times(name: str, values: Array) -> Array:
    if values.dtype == OBJECT and not any(value is not None for value in values.tolist()):
        return np.full(len(values), "NaT", SECONDS)
    if values.dtype.kind != "M":
        raise _refused(name, values, "time")
    seconds = values.astype(SECONDS)
    if np.datetime_data(values.dtype)[0] in _FINER:
        return seconds
    with np.errstate(all="ignore"):  # of a coarser unit, seconds may have no room for it
        changed = np.flatnonzero((seconds.astype(values.dtype) != values) & ~np.isnat(values))
    if len(changed):
        raise DataError(
            f"column {name}: position {changed[0]} holds {values[changed[0]]}, beyond what seconds can count"
        )
    return seconds


def _converted(name: str, values: Array, kind: Kind, convert: Callable[[object], object]) -> list[object]:
    made: list[object] = []
    for position, value in enumerate(values.tolist()):
        try:
            made.append(convert(value))
        except (TypeError, ValueError):
            held = f"{shortened(value)} ({type(value).__name__})"
            raise DataError(f"column {name}: position {position} holds {held}; wanted is {WANTED[kind]}") from None
    return made


def _refused(name: str, values: Array, kind: Kind) -> DataError:
    first = next(((i, value) for i, value in enumerate(values.tolist()) if value is not None), None)
    held = "" if first is None else f", and position {first[0]} holds {shortened(first[1])}"
    return DataError(f"column {name} is an array of {values.dtype}{held}; wanted is {WANTED[kind]}")


def _described(values: object) -> str:
    if isinstance(values, np.ma.MaskedArray):
        return "a masked array, whose masked values would be read"
    if isinstance(values, np.ndarray):
        return f"an array of shape {values.shape}"
    return f"of type {type(values).__name__}"
