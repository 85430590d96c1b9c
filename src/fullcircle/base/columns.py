"""Columns of values: NumPy arrays by name, and the levels of a category, found once however many encoders read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Columns: TypeAlias = dict[str, Array]
"""Name -> 1-D array, all of one length: float64 with NaN for null, object of str with None, datetime64[s] with NaT."""


def rows(columns: Columns) -> int:
    """Return the number of rows."""
    return len(next(iter(columns.values()))) if columns else 0


def take(columns: Columns, index: Array) -> Columns:
    """Return the rows that `index` (positions or a mask) names."""
    return {name: values[index] for name, values in columns.items()}


def is_null(values: Array) -> Array:
    """Return a mask of null values: NaN, NaT or None."""
    if values.dtype == object:
        return np.asarray(values == None)  # noqa: E711  elementwise
    return np.isnat(values) if values.dtype.kind in "mM" else np.isnan(values)


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of text: its distinct values (None among them where there is a null), and each row's place there."""

    levels: tuple[str | None, ...]
    at: Array  # int64 (rows,)

    @property
    def known(self) -> tuple[str, ...]:
        """The levels that are not null, in alphabetical order."""
        return tuple(sorted(level for level in self.levels if level is not None))

    def positions(self, known: tuple[str, ...]) -> Array:
        """Each row's place in `known`; -1 for null and for what is not there."""
        place = {level: i for i, level in enumerate(known)}
        return np.array([-1 if level is None else place.get(level, -1) for level in self.levels], np.int64)[self.at]


def coded(values: Array) -> Coded:
    """Find the levels of a column of text (object, None for null), in order of appearance."""
    place: dict[str | None, int] = {}
    at = np.fromiter((place.setdefault(value, len(place)) for value in values), np.int64, len(values))
    return Coded(tuple(place), at)


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns that several encoders read."""

    columns: Columns
    _coded: dict[str, Coded] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def null(self, name: str) -> Array:
        """Which rows are null: NaN, NaT or None."""
        return is_null(self.columns[name])

    def coded(self, name: str) -> Coded:
        """The levels of a column of text."""
        if name not in self._coded:
            self._coded[name] = coded(self.columns[name])
        return self._coded[name]
