"""What was known of a row at its moment of prediction: the last observation, and events that had happened by then.

A column made here for a row may depend on nothing that happened after that row's moment; a test moves every
later event and sees that no column moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fullcircle.core.threads import side_by_side
from fullcircle.runtime.columns import Array

if TYPE_CHECKING:
    from fullcircle.core.data import History, Observations, Recent
    from fullcircle.core.problem import Moment
    from fullcircle.runtime.columns import Columns

_FAR = 10**11  # seconds; keeps the groups of one sorted key apart


def due_at(columns: Columns, moment: Moment) -> Array:
    """When each row's event is due, int64 seconds since 1970 (UTC)."""
    hour = columns[moment.hour].astype("datetime64[s]").astype(np.int64)
    return hour + (columns[moment.minute] * 60).astype(np.int64)


def last_observed(rows: Columns, observed: Columns, moment: Array, how: Observations) -> tuple[Columns, int]:
    """For each row, the columns of its place's last observation that was known at `moment` (seconds).

    Null where none was made within `how.within_hours`. Also returns how many rows got none.
    """
    count = len(moment)
    here, there = _codes(how.by, rows, observed)
    known = observed[how.time].astype(np.int64) + round(how.known_after_hours * 3600)
    key = there * _FAR + known
    order = np.argsort(key, kind="stable")
    wanted = here * _FAR + moment
    at = np.searchsorted(key[order], wanted, side="right") - 1
    found = order[np.maximum(at, 0)]
    fresh = (at >= 0) & (wanted - key[found] <= how.within_hours * 3600) & (there[found] == here[:count])
    result = {}
    for name in how.columns:
        values = observed[name][found].copy()
        values[~fresh] = None if values.dtype == object else np.nan
        result[name] = values
    return result, int((~fresh).sum())


def recent(rows: Columns, due: Array, moment: Array, history: History) -> Columns:
    """The point-in-time columns of `history` for each row, at `moment`; both times int64 seconds."""
    delay = rows[history.delay]
    events: dict[tuple[str, ...], _Events] = {}
    for by in {column.by: None for column in history.columns}:
        (group,) = _codes(by, rows)
        events[by] = _Events(group * _FAR, due, delay)
    made = side_by_side(lambda c: _column(events[c.by], c, due, moment, history), history.columns)
    return {column.name: values for column, values in zip(history.columns, made, strict=True)}


@dataclass(frozen=True, slots=True)
class _Events:
    """Events of one grouping: `base` keeps its groups apart, `due` in seconds, `delay` in minutes or NaN."""

    base: Array
    due: Array
    delay: Array


def _column(events: _Events, column: Recent, due: Array, moment: Array, history: History) -> Array:
    span = round(column.hours * 3600)
    if column.what == "timetable":
        key, at = np.sort(events.base + events.due), events.base + due
        return (np.searchsorted(key, at + span, "right") - np.searchsorted(key, at - span, "left")).astype(float)
    if column.what in ("waiting", "waited"):
        return _waiting(events, span, moment, minutes=column.what == "waited")
    happened = np.flatnonzero(~np.isnan(events.delay))
    delay = events.delay[happened]
    key = events.base[happened] + events.due[happened] + (delay * 60).astype(np.int64)
    order = np.argsort(key, kind="stable")
    value = np.clip(delay, *history.clip) if column.what == "mean" else delay >= history.late_minutes
    return _mean_between(key[order], value[order].astype(float), events.base + moment, span)


def _mean_between(key: Array, value: Array, at: Array, span: int) -> Array:
    """Mean of `value` over keys in (at - span, at]; NaN where there is none. `key` is sorted."""
    total = np.concatenate([[0.0], np.cumsum(value)])
    last, first = np.searchsorted(key, at, "right"), np.searchsorted(key, at - span, "right")
    count = last - first
    return np.where(count > 0, (total[last] - total[first]) / np.maximum(count, 1), np.nan)


def _waiting(events: _Events, span: int, moment: Array, *, minutes: bool) -> Array:
    """Events that were due in (moment - span, moment] and had not happened at `moment`.

    Each waits from when it was due until it happened or left the span; those that wait at `moment` are those that
    have begun to less those that have ended.
    """
    never = np.iinfo(np.int64).max // 4
    happened = np.where(np.isnan(events.delay), never, events.due + np.nan_to_num(events.delay * 60).astype(np.int64))
    begin, end = events.due, np.maximum(events.due, np.minimum(happened, events.due + span))
    at = events.base + moment
    by_begin, by_end = (
        np.argsort(events.base + begin, kind="stable"),
        np.argsort(events.base + end, kind="stable"),
    )
    begun = np.searchsorted((events.base + begin)[by_begin], at, "right")
    ended = np.searchsorted((events.base + end)[by_end], at, "right")
    waiting = begun - ended
    if not minutes:
        return waiting.astype(float)
    start = begin.min()  # small numbers keep the sums exact
    since_begin = np.concatenate([[0], np.cumsum(begin[by_begin] - start)])
    since_end = np.concatenate([[0], np.cumsum(begin[by_end] - start)])
    summed = since_begin[begun] - since_end[ended]
    return np.where(waiting > 0, (moment - start - summed / np.maximum(waiting, 1)) / 60, 0.0)


def _codes(by: tuple[str, ...], *tables: Columns) -> list[Array]:
    """Number the groups of `by` alike in every table: int64 codes, one array a table."""
    lengths = [len(next(iter(table.values()))) for table in tables]
    code = np.zeros(sum(lengths), np.int64)
    for name in by:
        codes, levels = pd.factorize(np.concatenate([table[name] for table in tables]), sort=False)
        code = code * (len(levels) + 1) + codes + 1
    return np.split(code, np.cumsum(lengths)[:-1])
