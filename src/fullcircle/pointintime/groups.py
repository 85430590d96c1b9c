"""Groups of rows: each distinct combination of some columns' values has a number."""

from __future__ import annotations

import numpy as np

from ..base.columns import Array, Columns, coded, is_null, rows

UNKNOWN = -1  # of a combination that was never numbered


class Groups:
    """Numbers the combinations of the columns `by`, in the order of their first appearance.

    Null is a value like any other. Without columns all rows are group 0.

    >>> groups = Groups(("origin",))
    >>> groups.add({"origin": np.array(["JFK", "EWR", "JFK", None], dtype=object)}).tolist()
    [0, 1, 0, 2]
    >>> groups.find({"origin": np.array(["LGA", "EWR"], dtype=object)}).tolist()
    [-1, 1]
    """

    def __init__(self, by: tuple[str, ...]) -> None:
        self.by = by
        self._numbers: dict[tuple[object, ...], int] = {}

    def add(self, columns: Columns) -> Array:
        """The number of each row's group, int64 (rows,); a new combination gets the next number."""
        found, at = self._combinations(columns)
        numbers = [self._numbers.setdefault(values, len(self._numbers)) for values in found]
        return np.array(numbers, np.int64)[at]

    def find(self, columns: Columns) -> Array:
        """The number of each row's group, int64 (rows,); UNKNOWN for a combination that was not added."""
        found, at = self._combinations(columns)
        return np.array([self._numbers.get(values, UNKNOWN) for values in found], np.int64)[at]

    def _combinations(self, columns: Columns) -> tuple[list[tuple[object, ...]], Array]:
        """The distinct combinations, and which of them each row has."""
        if not self.by:
            return [()], np.zeros(rows(columns), np.int64)
        if rows(columns) == 1:
            return [tuple(_level(columns[name]) for name in self.by)], np.zeros(1, np.int64)
        levels, at = _distinct(columns[self.by[0]])
        found: list[tuple[object, ...]] = [(level,) for level in levels]
        for name in self.by[1:]:
            levels, more = _distinct(columns[name])
            both, at = np.unique(at * len(levels) + more, return_inverse=True)
            found = [(*found[i // len(levels)], levels[i % len(levels)]) for i in both.tolist()]
        return found, at


def _level(values: Array) -> object:
    return None if is_null(values)[0] else values[0].item() if values.dtype != object else values[0]


def _distinct(values: Array) -> tuple[list[object], Array]:
    """The distinct values, None for null, and which of them each row has."""
    if values.dtype == object:
        found = coded(values)
        return [*found.levels], found.at
    null = is_null(values)
    known, at = np.unique(values[~null], return_inverse=True)
    places = np.full(len(values), len(known))
    places[~null] = at
    return [*known.tolist(), None], places
