"""Columns of other tables beside the rows of the main one, many rows to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fullcircle.base.columns import Array, rows
from fullcircle.base.errors import ConfigError, DataError, difference

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns
    from fullcircle.core.data import Data, Join


def check_joins(data: Data, table: str) -> None:
    """Refuse joins of tables or columns that are not there, and names that are taken. Raises ConfigError."""
    taken = set(data.tables[table].columns)
    if data.observations is not None:
        taken |= set(data.observations.columns)
    if data.history is not None:
        taken |= {column.name for column in data.history.columns}
    for join in data.joins:
        if join.table not in data.tables or join.table == table:
            others = ", ".join(other for other in data.tables if other != table)
            raise ConfigError(f"joins: {join.table} is no other table than {table}; there are {others}")
        wanted = {
            table: (taken, join.by),
            join.table: (data.tables[join.table].columns, (*join.by.values(), *join.named)),
        }
        for name, (there, asked) in wanted.items():
            if differs := difference(there, asked, missing=False):
                raise ConfigError(f"joins: {join.table} with {table}: of {name}, {differs}")
        if twice := sorted(taken & set(join.named.values())):
            raise ConfigError(
                f"joins: {join.table} brings {', '.join(twice)}, and {table} has columns of that name. "
                "Give them another: columns: {column of the other: new name}."
            )
        taken |= set(join.named.values())


def joined(kept: Columns, others: dict[str, Columns], joins: tuple[Join, ...]) -> tuple[Columns, dict[str, int]]:
    """The rows with the columns of each join; also how many rows of each joined table found none.

    Rows, their order and their number stay. A null in a key matches nothing. Raises DataError where a key comes
    more than once in the other table.
    """
    unmatched = {}
    for join in joins:
        other = others[join.table]
        at = _matches(kept, other, join)
        found = at >= 0
        kept = kept | {new: _taken(other[old], at, found) for old, new in join.named.items()}
        unmatched[join.table] = int((~found).sum())
    return kept, unmatched


def _matches(kept: Columns, other: Columns, join: Join) -> Array:
    """For each row the position of its match in the other table, -1 for none."""
    here, there = np.zeros(rows(kept), np.int64), np.zeros(rows(other), np.int64)
    for mine, theirs in join.by.items():
        a, b = kept[mine], other[theirs]
        if a.dtype != b.dtype:
            raise DataError(
                f"joins: {mine} is {a.dtype}, and {theirs} of {join.table} is {b.dtype}; give both one kind"
            )
        codes, _ = pd.factorize(np.concatenate([a, b]))
        step = len(codes) + 1
        # Numbered anew after each column, so that the product of their counts cannot overflow; null is no key.
        both = np.concatenate([here, there])
        both = np.where((codes < 0) | (both < 0), -1, both * step + codes)
        both = np.where(both < 0, -1, pd.factorize(both)[0])
        here, there = both[: len(a)], both[len(a) :]
    sound = np.flatnonzero(there >= 0)
    order = sound[np.argsort(there[sound], kind="stable")]
    keys = there[order]
    repeated = np.flatnonzero(keys[1:] == keys[:-1])
    if len(repeated):
        first = order[repeated[0]]
        example = ", ".join(f"{name}={other[name][first]}" for name in join.by.values())
        raise DataError(
            f"joins: {len(np.unique(keys[repeated])):,} keys come more than once in {join.table}, e.g. {example}: "
            f"a row would become several. Join by all that tells its rows apart, or make it the key of {join.table}."
        )
    if not len(keys):
        return np.full(len(here), -1)
    place = np.minimum(np.searchsorted(keys, here), len(keys) - 1)
    return np.where((here >= 0) & (keys[place] == here), order[place], -1)


def _taken(values: Array, at: Array, found: Array) -> Array:
    null = None if values.dtype == object else np.datetime64("NaT") if values.dtype.kind == "M" else np.nan
    taken = np.full(len(at), null, dtype=values.dtype)
    taken[found] = values[at[found]]
    return taken
