"""Created features of the departures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def minute_of_day(sched_dep_time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minutes after midnight of an hhmm time."""
    return np.asarray(sched_dep_time // 100 * 60 + sched_dep_time % 100)


def wind_from_north(wind_speed: NDArray[np.float64], wind_dir: NDArray[np.float64]) -> NDArray[np.float64]:
    """Component of the wind that blows from the north; null if speed or direction is."""
    return np.asarray(wind_speed * np.cos(np.radians(wind_dir)))


def day_of_week(year: NDArray[np.float64], month: NDArray[np.float64], day: NDArray[np.float64]) -> NDArray[np.float64]:
    """Day of the week, 0 (Monday) to 6; null if any part of the date is."""
    known = ~np.isnan(year + month + day)
    months = np.where(known, (year - 1970) * 12 + month - 1, 0).astype("int64").astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + np.where(known, day, 1).astype(np.int64) - 1
    return np.where(known, (days + 3) % 7, np.nan)
