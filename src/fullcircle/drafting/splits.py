"""The split that fits the columns: by time with a date, by group with an identifier that rows share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fullcircle.base.columns import is_null
from fullcircle.base.errors import ConfigError, DataError, listed
from fullcircle.drafting.yaml import shown

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.drafting.roles import ColumnDraft

BORDERS = 0.70, 0.85  # shares of the rows before the validation and before the test rows
MOMENTS = 10  # least number of distinct dates
SIDE = 10  # least number of rows of each split
REPEATS = 0.1  # share of rows with equal inputs from which they are independent rows, not copies
GAPS = 0.2  # share of rows without a date, at most, of one that orders the rows
_BIRTH = re.compile(r"birth|born|dob\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SplitSuggestion:
    """A split into training, validation and test rows. `borders`: of a split by time, as text; `why`: the reason."""

    kind: Literal["time", "group", "random"]
    columns: tuple[str, ...]
    why: str
    borders: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SplitBy:
    """What a user says about the split: rows are ordered by a date, or belong together."""

    kind: Literal["time", "group"]
    column: str


def split_by(date: str | None, group: str | None) -> SplitBy | None:
    """The options --date and --group; None where neither is given. Raises ConfigError for both."""
    if date is not None and group is not None:
        raise ConfigError("give --date or --group, not both: a split is by one of them")
    if date is not None:
        return SplitBy("time", date)
    return None if group is None else SplitBy("group", group)


def split_of(columns: list[ColumnDraft], y: Array, n_classes: int, by: SplitBy) -> SplitSuggestion:
    """The split that the user wants. Raises DataError where the column cannot give it."""
    column = next((c for c in columns if c.profile.name == by.column), None)
    option = f"--{'date' if by.kind == 'time' else 'group'} {shown(by.column)}"
    if column is None:
        raise DataError(f"{option}: that is the target")
    if by.kind == "group":
        return SplitSuggestion("group", (by.column,), f"given by {option}")
    if column.profile.kind != "time":
        seen = [str(value) for value in column.profile.values[~is_null(column.profile.values)][:3].tolist()]
        raise DataError(f"{option}: the column is read as {column.profile.kind}, not as dates, e.g. {listed(seen)}")
    borders, against = _borders(column.profile.values, y, n_classes)
    if borders is None:
        raise DataError(f"{option}: rows cannot be split by it: {against}")
    return SplitSuggestion("time", (by.column,), f"given by {option}", borders)


def suggest_split(columns: list[ColumnDraft], y: Array, n_classes: int) -> SplitSuggestion:
    """By the date that orders the rows, else by a group identifier, else random by a hash of the key."""
    dates = [c for c in columns if c.profile.kind == "time" and c.role == "input" and _orders_rows(c)]
    reasons = []
    for date in _in_order(dates):
        borders, against = _borders(date.profile.values, y, n_classes)
        if borders is not None:
            name, nulls = shown(date.profile.name), date.profile.nulls
            why = f"{name} is a date: the model is tested on later rows"
            why += f"; {nulls:,} without it are set aside" if nulls else ""
            return SplitSuggestion("time", (date.profile.name,), why, borders)
        reasons.append(f"not by time: {against}")
    if groups := [c for c in columns if c.group]:
        name = groups[0].profile.name
        return SplitSuggestion(
            "group", (name,), f"rows share {shown(name)}: a group must not be in both training and test rows"
        )
    keys = tuple(
        c.profile.name for c in columns if c.identifier and not c.profile.nulls and c.profile.distinct == c.profile.rows
    )
    why = "; ".join([*reasons, "no date orders the rows" if not dates else "so by a hash of the row"])
    return SplitSuggestion("random", keys[:1], why)


def _orders_rows(column: ColumnDraft) -> bool:
    profile = column.profile
    few = profile.nulls <= GAPS * len(profile.values)
    return few and profile.distinct >= MOMENTS and not _BIRTH.search(profile.name)


def _in_order(dates: list[ColumnDraft]) -> list[ColumnDraft]:
    """Dates, the one that orders the rows first: in which the file is sorted, else the earlier ones of each row."""
    if len(dates) < 2:
        return dates
    values = np.stack([date.profile.values.astype("datetime64[s]").astype(np.int64) for date in dates])
    known = ~np.stack([np.isnat(date.profile.values) for date in dates]).any(axis=0)
    rank = values[:, known].argsort(axis=0, kind="stable").argsort(axis=0, kind="stable").mean(axis=1)
    rising = [bool((np.diff(row[known]) >= 0).all()) for row in values]
    order = sorted(range(len(dates)), key=lambda i: (not rising[i], rank[i], -dates[i].profile.distinct))
    return [dates[i] for i in order]


def _borders(moments: Array, y: Array, n_classes: int) -> tuple[tuple[str, str] | None, str]:
    """The first moments of validation and test rows as text; None and the reason if a split by time is not possible."""
    known = ~np.isnan(y) & ~np.isnat(moments)
    times, target = moments[known], y[known]
    ordered = np.sort(times)
    first, second = (ordered[int(share * len(ordered))] for share in BORDERS)
    days = first.astype("datetime64[D]"), second.astype("datetime64[D]")
    whole = ordered[0] < days[0] < days[1]
    if whole:
        first, second = (day.astype("datetime64[s]") for day in days)
    sides = times < first, (times >= first) & (times < second), times >= second
    if min(side.sum() for side in sides) < SIDE:
        return None, "too many rows have the same time"
    if n_classes:
        held = [len(np.unique(target[side])) for side in sides]
        if held[0] < n_classes or min(held) < 2:
            return None, "a class is missing before or after a border"
    return (str(days[0]), str(days[1])) if whole else (str(first), str(second)), ""
