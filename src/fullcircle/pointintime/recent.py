"""Recent events: how late they were, how many wait, and what the timetable holds, at a row's moment of prediction.

All sums are of whole numbers, so that a value does not depend on which other events are in the table, nor on the
order of events of one time: sorts need not be stable.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..base.columns import Array, Columns
from ..base.threads import parallel_map
from .groups import Groups
from .observed import FAR

if TYPE_CHECKING:
    from .spec import History, Moment, Recent

FINE = 1024  # delays are averaged in 1/1024 minutes: whole numbers add up exactly, in any order
NEVER = np.iinfo(np.int64).max // 4


def due_at(columns: Columns, moment: Moment) -> Array:
    """When each row's event is due, int64 seconds since 1970 (UTC)."""
    hour = columns[moment.hour].astype("datetime64[s]").astype(np.int64)
    return hour + (columns[moment.minute] * 60).astype(np.int64)


def happened_at(due: Array, delay: Array) -> Array:
    """When each event happened, int64 seconds: `delay` minutes after it was due; NEVER where the delay is null."""
    return np.where(np.isnan(delay), NEVER, due + (np.nan_to_num(delay) * 60).astype(np.int64))


@dataclass(frozen=True)
class Asked:
    """The rows whose columns are computed, sorted by group and time, so that sorted arrays are searched in order.

    `order`: the row of each entry. `base`: group * FAR. `due`, `moment`: seconds, int64 (rows,).
    """

    order: Array
    base: Array
    due: Array
    moment: Array

    @classmethod
    def of(cls, group: Array, due: Array, moment: Array) -> Asked:
        """Sort rows by group and time."""
        order = np.argsort(group * FAR + due, kind="stable") if len(due) > 1 else np.zeros(len(due), np.int64)
        return cls(order, group[order] * FAR, due[order], moment[order])

    def in_order_of_rows(self, values: Array) -> Array:
        """Put values, computed in the sorted order, into the order of the rows."""
        result = np.empty_like(values)
        result[self.order] = values
        return result


@dataclass(frozen=True)
class Events:
    """Events of one grouping. `base`: group * FAR; `due` in seconds, int64; `delay` in minutes, NaN for none (yet).

    `happened`: what `happened_at` says of them.
    """

    groups: Groups
    base: Array
    due: Array
    delay: Array
    happened: Array

    @classmethod
    def of(cls, events: Columns, by: tuple[str, ...], due: Array, delay: Array, happened: Array) -> Events:
        """Group a table of events."""
        groups = Groups(by)
        return cls(groups, groups.add(events) * FAR, due, delay, happened)

    @cached_property
    def _order(self) -> Array:
        """Positions of the events by group and due time."""
        return np.argsort(self.base + self.due)

    @cached_property
    def _planned(self) -> Array:
        """`base + due`, sorted."""
        return (self.base + self.due)[self._order]

    @cached_property
    def _happened(self) -> tuple[Array, Array]:
        """`base` + when of the events that happened, sorted, and their delays in the same order."""
        there = np.flatnonzero(self.happened < NEVER)
        when = self.base[there] + self.happened[there]
        order = np.argsort(when)
        return when[order], self.delay[there][order]

    def timetable(self, asked: Asked, span: int) -> Array:
        """Events due within `span` seconds of the row's own time, before or after it: float64 (rows,)."""
        key = asked.base + asked.due
        count = np.searchsorted(self._planned, key + span, "right") - np.searchsorted(self._planned, key - span, "left")
        return count.astype(float)

    def mean(self, asked: Asked, span: int, clip: tuple[float, float]) -> Array:
        """Mean delay, clipped, of the events that happened in (moment - span, moment]; NaN where none did."""
        return self._mean(np.rint(np.clip(self._happened[1], *clip) * FINE).astype(np.int64), asked, span) / FINE

    def late(self, asked: Asked, span: int, minutes: float) -> Array:
        """Share of the events that happened in (moment - span, moment] `minutes` or more late; NaN where none did."""
        return self._mean((self._happened[1] >= minutes).astype(np.int64), asked, span)

    def _mean(self, value: Array, asked: Asked, span: int) -> Array:
        when, total, at = self._happened[0], _cumulated(value), asked.base + asked.moment
        last, first = np.searchsorted(when, at, "right"), np.searchsorted(when, at - span, "right")
        count = last - first
        return np.where(count > 0, (total[last] - total[first]) / np.maximum(count, 1), np.nan)

    def waiting(self, asked: Asked, span: int) -> tuple[Array, Array]:
        """Events due in (moment - span, moment] that had not happened at `moment`: how many, and for how long.

        Each waits from when it was due until it happened or left the span; those that wait at `moment` are those
        that have begun to less those that have ended. Returns their number and the mean minutes that they are
        overdue (0 where there is none), each float64 (rows,).
        """
        at = asked.base + asked.moment
        begun = np.searchsorted(self._planned, at, "right")
        ended_at, sums_begun, sums_ended, start = self._waits(span)
        ended = np.searchsorted(ended_at, at, "right")
        waiting = begun - ended
        overdue = waiting * (asked.moment - start) - (sums_begun[begun] - sums_ended[ended])
        return waiting.astype(float), np.where(waiting > 0, overdue / np.maximum(waiting, 1) / 60, 0.0)

    def _waits(self, span: int) -> tuple[Array, Array, Array, int]:
        """When waiting ends (sorted), and sums of due times in the order of its begin and of its end."""
        found = self._waits_by_span.get(span)
        if found is None:
            ended = self.base + np.maximum(self.due, np.minimum(self.happened, self.due + span))
            order = np.argsort(ended)
            start = int(self.due.min(initial=NEVER)) if len(self.due) else 0  # small numbers cannot overflow
            sums = _cumulated(self.due[self._order] - start), _cumulated(self.due[order] - start)
            found = self._waits_by_span[span] = ended[order], *sums, start
        return found

    @cached_property
    def _waits_by_span(self) -> dict[int, tuple[Array, Array, Array, int]]:
        return {}

    def column(self, column: Recent, history: History, asked: Asked) -> Array:
        """One point-in-time column, float64, in the order of the rows."""
        span = round(column.hours * 3600)
        if column.what == "timetable":
            values = self.timetable(asked, span)
        elif column.what == "mean":
            values = self.mean(asked, span, history.clip)
        elif column.what == "late":
            values = self.late(asked, span, history.late_minutes)
        else:
            values = self.waiting(asked, span)[column.what == "waited"]
        return asked.in_order_of_rows(values)


def groupings(history: History) -> list[tuple[str, ...]]:
    """The distinct `by` of the columns, in order."""
    return list({column.by: None for column in history.columns})


def recent(rows: Columns, due: Array, moment: Array, history: History) -> Columns:
    """The point-in-time columns of `history` for each row of a table that holds all events; times int64 seconds."""
    found, delay = groupings(history), rows[history.delay]
    happened = happened_at(due, delay)
    events = parallel_map(lambda by: Events.of(rows, by, due, delay, happened), found)
    asked = parallel_map(lambda each: Asked.of(each.base // FAR, due, moment), events)
    at = {by: i for i, by in enumerate(found)}
    made = parallel_map(lambda c: events[at[c.by]].column(c, history, asked[at[c.by]]), history.columns)
    return {column.name: values for column, values in zip(history.columns, made, strict=True)}


def _cumulated(values: Array) -> Array:
    """Sums of the first 0, 1, 2, ... values."""
    return np.concatenate([[0], np.cumsum(values)])
