"""What was known of a row at its moment of prediction: the last observation, and events that had happened by then.

A column made here for a row may depend on nothing that happened after that row's moment; a test moves every
later event and sees that no column moves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..base.columns import Array, coded, is_null
from ..base.threads import parallel_map

if TYPE_CHECKING:
    from ..base.columns import Columns
    from .spec import History, Moment, Observations, Recent

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
    groupings = list({column.by: None for column in history.columns})
    grouped = parallel_map(lambda by: _grouped(_codes(by, rows)[0], due, moment, rows[history.delay]), groupings)
    events = dict(zip(groupings, grouped, strict=True))
    made = parallel_map(lambda column: _column(events[column.by], column, history), history.columns)
    return {column.name: values for column, values in zip(history.columns, made, strict=True)}


@dataclass(frozen=True, slots=True)
class _Events:
    """The rows of one table as events, a group after the other and each in the order in which they are due.

    Searched in this order, sorted times are walked through once instead of jumped about in. `order`: the row that
    each event is. `base` keeps the groups apart; `due` and `moment` in seconds, `delay` in minutes or NaN.
    `when`: `base` and the time of those that happened, sorted; `then`: their delays, in the same order.
    """

    order: Array
    base: Array
    due: Array
    moment: Array
    delay: Array
    when: Array
    then: Array

    def of_rows(self, values: Array) -> Array:
        """Values in the order of the events as values in the order of the rows."""
        result = np.empty_like(values)
        result[self.order] = values
        return result


def _grouped(group: Array, due: Array, moment: Array, delay: Array) -> _Events:
    base = group * _FAR
    order = np.argsort(base + due, kind="stable")
    base, due, delay = base[order], due[order], delay[order]
    happened = np.flatnonzero(~np.isnan(delay))
    when = base[happened] + due[happened] + (delay[happened] * 60).astype(np.int64)
    by_when = np.argsort(when, kind="stable")
    return _Events(order, base, due, moment[order], delay, when[by_when], delay[happened[by_when]])


def _column(events: _Events, column: Recent, history: History) -> Array:
    span = round(column.hours * 3600)
    if column.what == "timetable":
        key = events.base + events.due
        count = np.searchsorted(key, key + span, "right") - np.searchsorted(key, key - span, "left")
        return events.of_rows(count.astype(float))
    if column.what in ("waiting", "waited"):
        return events.of_rows(_waiting(events, span, minutes=column.what == "waited"))
    value = np.clip(events.then, *history.clip) if column.what == "mean" else events.then >= history.late_minutes
    return events.of_rows(_mean_between(events.when, value.astype(float), events.base + events.moment, span))


def _mean_between(key: Array, value: Array, at: Array, span: int) -> Array:
    """Mean of `value` over keys in (at - span, at]; NaN where there is none. `key` is sorted."""
    total = np.concatenate([[0.0], np.cumsum(value)])
    last, first = np.searchsorted(key, at, "right"), np.searchsorted(key, at - span, "right")
    count = last - first
    return np.where(count > 0, (total[last] - total[first]) / np.maximum(count, 1), np.nan)


def _waiting(events: _Events, span: int, *, minutes: bool) -> Array:
    """Events that were due in (moment - span, moment] and had not happened at `moment`.

    Each waits from when it was due until it happened or left the span; those that wait at `moment` are those that
    have begun to less those that have ended.
    """
    never = np.iinfo(np.int64).max // 4
    delay, begin, at = events.delay, events.due, events.base + events.moment
    happened = np.where(np.isnan(delay), never, begin + np.nan_to_num(delay * 60).astype(np.int64))
    ended_at = events.base + np.maximum(begin, np.minimum(happened, begin + span))
    by_end = np.argsort(ended_at, kind="stable")
    begun = np.searchsorted(events.base + begin, at, "right")
    ended = np.searchsorted(ended_at[by_end], at, "right")
    waiting = begun - ended
    if not minutes:
        return waiting.astype(float)
    start = begin.min()  # small numbers keep the sums exact
    since_begin = np.concatenate([[0], np.cumsum(begin - start)])
    since_end = np.concatenate([[0], np.cumsum(begin[by_end] - start)])
    summed = since_begin[begun] - since_end[ended]
    return np.where(waiting > 0, (events.moment - start - summed / np.maximum(waiting, 1)) / 60, 0.0)


def _codes(by: tuple[str, ...], *tables: Columns) -> list[Array]:
    """Number the groups of `by` alike in every table: int64 codes, one array a table."""
    lengths = [len(next(iter(table.values()))) for table in tables]
    code = np.zeros(sum(lengths), np.int64)
    for name in by:
        codes, count = _numbered(np.concatenate([table[name] for table in tables]))
        code = code * (count + 1) + codes
    return np.split(code, np.cumsum(lengths)[:-1])


def _numbered(values: Array) -> tuple[Array, int]:
    """The distinct values numbered from 1, null being 0: int64 (rows,), and how many there are."""
    if values.dtype == object:
        found = coded(values)
        places = {level: i for i, level in enumerate((v for v in found.levels if v is not None), 1)}
        return np.array([places.get(level, 0) for level in found.levels], np.int64)[found.at], len(places)  # type: ignore[arg-type]
    null = is_null(values)
    levels, at = np.unique(values[~null], return_inverse=True)
    codes = np.zeros(len(values), np.int64)
    codes[~null] = at + 1
    return codes, len(levels)
