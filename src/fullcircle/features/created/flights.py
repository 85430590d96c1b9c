"""Features of flights. An argument's name is the column it takes; each is a float64 array with NaN for null."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ...base.columns import Array


def departure_minute(sched_dep_time: Array) -> Array:
    """Minutes after local midnight of an hhmm time: 0..1440."""
    return np.asarray(sched_dep_time // 100 * 60 + sched_dep_time % 100)


def arrival_minute(sched_arr_time: Array) -> Array:
    """Minutes after midnight at the destination of an hhmm time: 0..1440."""
    return np.asarray(sched_arr_time // 100 * 60 + sched_arr_time % 100)


def scheduled_minutes(sched_dep_time: Array, sched_arr_time: Array) -> Array:
    """Minutes from departure to arrival by the two local clocks, 0..1439; time zones stay in it."""
    return (arrival_minute(sched_arr_time) - departure_minute(sched_dep_time)) % 1440


def weekday(year: Array, month: Array, day: Array) -> Array:
    """Day of the week, 0 (Monday) to 6; null if any part of the date is."""
    known = ~np.isnan(year + month + day)
    months = np.where(known, (year - 1970) * 12 + month - 1, 0).astype("int64").astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + np.where(known, day, 1).astype(np.int64) - 1
    return np.where(known, (days + 3) % 7, np.nan)  # 1 January 1970 was a Thursday


def wind_north(wind_speed: Array, wind_dir: Array) -> Array:
    """Component of the wind that blows from the north, in the unit of `wind_speed`; null if either is."""
    return wind_speed * np.cos(np.radians(wind_dir))


def wind_east(wind_speed: Array, wind_dir: Array) -> Array:
    """Component of the wind that blows from the east, in the unit of `wind_speed`; null if either is."""
    return wind_speed * np.sin(np.radians(wind_dir))
