"""Observations: for each row the last one of its place that was known at the row's moment of prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..base.columns import Array, Columns
from .groups import Groups

if TYPE_CHECKING:
    from .spec import Observations

FAR = 10**11  # seconds; keeps the groups of one sorted key apart


@dataclass(frozen=True, slots=True)
class Observed:
    """Observations sorted by place and by the time from which they are known.

    `key`: group * FAR + that time, sorted, int64 (observations,). `columns`: in the same order.
    """

    groups: Groups
    key: Array
    columns: Columns

    @classmethod
    def of(cls, observations: Columns, spec: Observations) -> Observed:
        """Sort a table of observations. Of two of one place and time the later row counts."""
        groups = Groups(spec.by)
        key = groups.add(observations) * FAR + known_at(observations, spec)
        order = np.argsort(key, kind="stable")
        return cls(groups, key[order], {name: observations[name][order] for name in spec.columns})

    def last(self, rows: Columns, moment: Array, spec: Observations) -> tuple[Columns, int]:
        """The columns of the last observation known at `moment` (seconds, int64 (rows,)).

        Null where none became known within `spec.within_hours`. Also returns how many rows have none.
        """
        group = self.groups.find(rows)
        at = np.searchsorted(self.key, group * FAR + moment, side="right") - 1
        if not len(self.key):
            return {name: _nulls(values, len(moment)) for name, values in self.columns.items()}, len(moment)
        found = self.key[np.maximum(at, 0)]
        age = group * FAR + moment - found  # of another group it is far longer than any span, or negative
        fresh = (at >= 0) & (group >= 0) & (age <= spec.within_hours * 3600)
        columns = {}
        for name, values in self.columns.items():
            column = values[np.maximum(at, 0)]
            column[~fresh] = None if values.dtype == object else np.nan
            columns[name] = column
        return columns, int((~fresh).sum())


def last_observed(rows: Columns, observations: Columns, moment: Array, spec: Observations) -> tuple[Columns, int]:
    """`Observed.last` of a whole table."""
    return Observed.of(observations, spec).last(rows, moment, spec)


def known_at(observations: Columns, spec: Observations) -> Array:
    """When each observation became known, int64 seconds since 1970 (UTC)."""
    return observations[spec.time].astype("datetime64[s]").astype(np.int64) + round(spec.known_after_hours * 3600)


def _nulls(values: Array, count: int) -> Array:
    return np.full(count, None if values.dtype == object else np.nan, dtype=values.dtype)
