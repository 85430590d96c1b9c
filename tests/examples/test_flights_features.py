"""The created features of the flights."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.features import HOMES, LIBRARY, arguments
from fullcircle.features.created.flights import (  # fmt: skip
    arrival_minute,
    departure_minute,
    scheduled_minutes,
    weekday,
    wind_east,
    wind_north,
)

nan = float("nan")
FLIGHTS = [name for name, homes in HOMES.items() if homes == ["flights"]]


def of(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def test_an_hhmm_time_becomes_minutes_after_midnight() -> None:
    assert departure_minute(of(0, 5, 59, 100, 1259, 2359, 2400)).tolist() == [0, 5, 59, 60, 779, 1439, 1440]
    assert arrival_minute(of(1830)).tolist() == [1110]


def test_a_flight_over_midnight_has_a_positive_length() -> None:
    assert scheduled_minutes(of(2350, 900, 1200), of(20, 1015, 1200)).tolist() == [30, 75, 0]


@settings(max_examples=60, deadline=None)
@given(st.dates(dt.date(1971, 1, 1), dt.date(2100, 12, 31)))
def test_the_weekday_is_the_calendars(date: dt.date) -> None:
    assert weekday(of(date.year), of(date.month), of(date.day)).tolist() == [date.weekday()]


def test_the_wind_is_split_into_its_components() -> None:
    np.testing.assert_allclose(wind_north(of(10, 10, 10), of(0, 90, 180)), [10, 0, -10], atol=1e-12)
    np.testing.assert_allclose(wind_east(of(10, 10, 10), of(0, 90, 270)), [0, 10, -10], atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 250), st.floats(0, 360))
def test_the_components_of_the_wind_keep_its_speed(speed: float, direction: float) -> None:
    both = np.hypot(wind_north(of(speed), of(direction)), wind_east(of(speed), of(direction)))
    assert both[0] == pytest.approx(speed, abs=1e-9)


@pytest.mark.parametrize("name", FLIGHTS)
def test_a_null_argument_gives_a_null_feature_and_leaves_other_rows_alone(name: str) -> None:
    values = {"year": 2013.0, "month": 5.0, "day": 17.0, "wind_dir": 90.0}
    columns = [of(values.get(argument, 830.0), values.get(argument, 830.0)) for argument in arguments(name)]
    expected = LIBRARY[name](*columns)
    for i in range(len(columns)):
        holed = [column.copy() for column in columns]
        holed[i][0] = nan
        result = LIBRARY[name](*holed)
        assert result.dtype == np.float64
        assert np.isnan(result[0])
        assert result[1] == expected[1]
