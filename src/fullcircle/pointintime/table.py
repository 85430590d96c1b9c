"""Rows of one table of events or observations, by key, in columns that grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..base.checks import nulls
from ..base.columns import Array, Columns, is_null, rows, take

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..base.checks import Column
    from .groups import Groups


class Table:
    """Rows of one table by key, in columns that grow; a repeated key replaces the row."""

    def __init__(self, columns: dict[str, Column], key: tuple[str, ...], groups: Iterable[Groups] = ()) -> None:
        self.spec, self.key = columns, key
        self.groups = {each.by: each for each in groups}
        self.columns = {name: nulls(column, 0) for name, column in columns.items()}
        self.columns |= {_name(by): np.zeros(0, np.int64) for by in self.groups}
        self._at: dict[tuple[object, ...], int] = {}

    def __len__(self) -> int:
        return rows(self.columns)

    def group(self, by: tuple[str, ...]) -> Array:
        """The group of each row, by some of its columns."""
        return self.columns[_name(by)]

    def add(self, given: Columns, *, update: bool = True) -> None:
        """Append rows; one whose key is there already takes the place of the earlier one, or without `update` not."""
        given = given | {_name(by): groups.add(given) for by, groups in self.groups.items()}
        if not self.key:
            self.columns = {name: np.concatenate([old, given[name]]) for name, old in self.columns.items()}
            return
        size, fresh = len(self), list[int]()
        old_at, new_at = list[int](), list[int]()
        for i, key in enumerate(zip(*(_cells(given[name]) for name in self.key), strict=True)):
            at = self._at.setdefault(key, size + len(fresh))
            if at == size + len(fresh):
                fresh.append(i)
            elif at >= size:
                fresh[at - size] = i  # twice among the rows given: the later one counts
            elif update:
                old_at.append(at)
                new_at.append(i)
        for name, old in self.columns.items():
            if old_at:
                old[old_at] = given[name][new_at]
            if fresh:
                self.columns[name] = np.concatenate([old, given[name][fresh]])

    def unknown(self, asked: Columns) -> Array | float:
        """1 for each row whose key is not there, else 0; 0 where rows have no key."""
        if not self.key or not asked.keys() >= {*self.key}:
            return 0.0
        keys = zip(*(_cells(asked[name]) for name in self.key), strict=True)
        return np.array([key not in self._at for key in keys], float)

    def keep(self, mask: Array) -> None:
        """Forget the rows outside `mask`."""
        self.columns = take(self.columns, mask)
        if self.key:
            cells = zip(*(_cells(self.columns[name]) for name in self.key), strict=True)
            self._at = {key: i for i, key in enumerate(cells)}


def _name(by: tuple[str, ...]) -> str:
    """The name of the column that holds the groups by some columns; no column of a table is called so."""
    return f"\0{by}"


def _cells(values: Array) -> list[object]:
    """Values as keys: null is None, which equals itself."""
    cells: list[object] = values.tolist()
    null = is_null(values)
    return [None if gone else cell for cell, gone in zip(cells, null, strict=True)] if null.any() else cells
