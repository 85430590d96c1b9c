"""The borders of a split by time, rolled forward to the end of the data."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.errors import ConfigError

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns

DATE = ("year", "month", "day")


def rolled(columns: Columns, validation_days: int, test_days: int) -> tuple[list[float | str], list[float | str]]:
    """Where validation rows and test rows begin, so that the last days are test rows, and those before validation rows.

    `columns`: those of the split: `year`, `month` and `day`, or one time. Raises ConfigError for others.
    """
    last = _last(columns)
    test = last - timedelta(days=test_days - 1)
    validation = test - timedelta(days=validation_days)
    if tuple(columns) == DATE:
        return [*_numbers(validation)], [*_numbers(test)]
    return [validation.isoformat()], [test.isoformat()]


def _numbers(day: date) -> tuple[float, float, float]:
    return float(day.year), float(day.month), float(day.day)


def _last(columns: Columns) -> date:
    if tuple(columns) == DATE:
        year, month, day = (columns[name] for name in DATE)
        at = np.lexsort((day, month, year))[-1]
        return date(int(year[at]), int(month[at]), int(day[at]))
    values = next(iter(columns.values()))
    if len(columns) > 1 or values.dtype.kind != "M":
        raise ConfigError(
            f"a split by {', '.join(columns)} cannot be rolled forward: problem.time.columns must be year, month and "
            "day, or one time"
        )
    seconds = values[~np.isnat(values)].max().astype("datetime64[s]").astype(int)
    return datetime.fromtimestamp(int(seconds), UTC).date()
