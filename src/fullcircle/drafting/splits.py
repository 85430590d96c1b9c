"""The split that the columns suggest: by time where there is a date, by group where rows share an identifier."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fullcircle.drafting.yaml import shown

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.drafting.roles import Drafted

BORDERS = 0.70, 0.85  # shares of the rows that lie before validation and before test rows
MOMENTS = 10  # dates that differ, at least
SIDE = 10  # rows of a side, at least
REPEATS = 0.1  # share of rows that repeat what another was learnt from; copies are rarer
_BIRTH = re.compile(r"birth|born|dob\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Suggested:
    """Which rows are to train, validate and test. `borders`: of a split by time, as text; `why`: in words."""

    kind: Literal["time", "group", "random"]
    columns: tuple[str, ...]
    why: str
    borders: tuple[str, str] | None = None


def suggest(columns: list[Drafted], y: Array, n_classes: int) -> Suggested:
    """By the date column with the most moments, else by the identifier that rows share, else at random by the key."""
    dates = [c for c in columns if c.seen.kind == "time" and c.role == "input" and _tells_time(c)]
    reasons = []
    for date in sorted(dates, key=lambda c: -c.seen.distinct):
        borders, against = _borders(date.seen.values, y, n_classes)
        if borders is not None:
            return Suggested(
                "time",
                (date.seen.name,),
                f"{shown(date.seen.name)} is a date: the future is foretold from the past",
                borders,
            )
        reasons.append(f"not by time: {against}")
    if groups := [c for c in columns if c.group]:
        name = groups[0].seen.name
        return Suggested("group", (name,), f"rows share {shown(name)}: one that was trained on must not be tested on")
    keys = tuple(c.seen.name for c in columns if c.identifier and not c.seen.nulls and c.seen.distinct == c.seen.rows)
    why = "; ".join([*reasons, "no date tells which rows came first" if not dates else "so by a hash of the row"])
    return Suggested("random", keys[:1], why)


def _tells_time(column: Drafted) -> bool:
    return not column.seen.nulls and column.seen.distinct >= MOMENTS and not _BIRTH.search(column.seen.name)


def _borders(moments: Array, y: Array, n_classes: int) -> tuple[tuple[str, str] | None, str]:
    """The first moments of validation and of test rows as text, or None and what speaks against them."""
    known = ~np.isnan(y)
    times, target = moments[known], y[known]
    ordered = np.sort(times)
    first, second = (ordered[int(share * len(ordered))] for share in BORDERS)
    days = first.astype("datetime64[D]"), second.astype("datetime64[D]")
    whole = ordered[0] < days[0] < days[1]
    if whole:
        first, second = (day.astype("datetime64[s]") for day in days)
    sides = times < first, (times >= first) & (times < second), times >= second
    if min(side.sum() for side in sides) < SIDE:
        return None, "too many rows are of one moment"
    if n_classes:
        held = [len(np.unique(target[side])) for side in sides]
        if held[0] < n_classes or min(held) < 2:
            return None, "before or after the borders a class does not occur"
    return (str(days[0]), str(days[1])) if whole else (str(first), str(second)), ""
