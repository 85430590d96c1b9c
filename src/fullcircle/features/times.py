"""Encoders of times (UTC): what the calendar and the clock say, as numbers, as circles, and as days gone by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from ..base.columns import Array, Columns, Rows

Part: TypeAlias = Literal["year", "month", "day", "weekday", "hour"]
Cycle: TypeAlias = Literal["year", "week", "day"]
PARTS: tuple[Part, ...] = ("year", "month", "day", "weekday", "hour")
CYCLES: tuple[Cycle, ...] = ("year", "week", "day")
_DAY = 86_400
_LENGTH = {"year": 365.2425 * _DAY, "week": 7.0 * _DAY, "day": 1.0 * _DAY}


@dataclass(frozen=True, slots=True)
class Time:
    """Outputs of one time; all are null where it is.

    `parts`: as a calendar counts, weekday from 0 (Monday) to 6. `cycles`: sine and cosine of how much of the year, the
    week or the day has passed, so that December lies beside January. `days`: since 1970, with fractions.
    """

    kind: Literal["time"]
    feature: str
    parts: tuple[Part, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    days: bool = False
    name: str = ""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        name = self.name or self.feature
        circles = [f"{name}~{side}~{cycle}" for cycle in self.cycles for side in ("sin", "cos")]
        return (*(f"{name}~{part}" for part in self.parts), *circles, *([f"{name}~days"] if self.days else []))

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        values = rows[self.feature].astype("datetime64[s]")
        null = np.isnat(values)
        known = np.where(null, np.datetime64(0, "s"), values)
        found = [_part(known, part) for part in self.parts]
        for cycle in self.cycles:
            angle = 2 * np.pi * (_passed(known, cycle) / _LENGTH[cycle])
            found += [np.sin(angle), np.cos(angle)]
        if self.days:
            found.append(known.astype(np.int64) / _DAY)
        return {
            name: np.where(null, np.nan, column.astype(float)) for name, column in zip(self.outputs, found, strict=True)
        }


def _part(values: Array, part: Part) -> Array:
    months, days = values.astype("datetime64[M]"), values.astype("datetime64[D]")
    if part == "year":
        return np.asarray(values.astype("datetime64[Y]").astype(np.int64) + 1970)
    if part == "month":
        return months.astype(np.int64) % 12 + 1
    if part == "day":
        return np.asarray((days - months.astype("datetime64[D]")).astype(np.int64) + 1)
    if part == "weekday":
        return (days.astype(np.int64) + 3) % 7  # 1 January 1970 was a Thursday
    return values.astype(np.int64) // 3600 % 24


def _passed(values: Array, cycle: Cycle) -> Array:
    """Seconds since the cycle began."""
    seconds = values.astype(np.int64)
    if cycle == "year":
        return seconds - values.astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64)
    return (seconds + 3 * _DAY) % (7 * _DAY) if cycle == "week" else seconds % _DAY
