"""The made tables of the departures, as CSV files: 90 days, three airports, storms that last for hours."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

DAYS, FLIGHTS = 90, 5_400
ORIGINS, CARRIERS = ("EWR", "JFK", "LGA"), ("AA", "B6", "DL", "UA")
DESTS = ("ATL", "BOS", "DEN", "LAX", "MIA", "ORD", "SEA", "SFO")
START = np.datetime64("2013-01-01T00", "s")


def write_tables(folder: Path) -> None:
    """Write flights.csv, weather.csv, planes.csv and airlines.csv; always the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(7)
    storm = _storms(draw)
    _write(folder / "weather.csv", *_weather(draw, storm))
    planes = [f"N{i:03}AA" for i in range(120)]
    built, seats = draw.integers(1985, 2013, 120), draw.choice([50, 140, 180, 300], 120)
    _write(folder / "planes.csv", ("tailnum", "year", "seats"), zip(planes, built, seats, strict=True))
    _write(folder / "airlines.csv", ("carrier", "name"), ((code, f"{code} Air Lines") for code in CARRIERS))
    _write(folder / "flights.csv", *_flights(draw, storm, planes))


def _storms(draw: np.random.Generator) -> np.ndarray:
    """How stormy it is, by airport and hour: an autoregression."""
    storm = np.zeros((len(ORIGINS), DAYS * 24))
    shocks = draw.normal(0, 0.35, storm.shape)
    for hour in range(1, storm.shape[1]):
        storm[:, hour] = 0.93 * storm[:, hour - 1] + shocks[:, hour]
    return storm


def _weather(draw: np.random.Generator, storm: np.ndarray) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
    rows = []
    for hour in range(DAYS * 24):
        for i, origin in enumerate(ORIGINS):
            force = storm[i, hour]
            wind = round(max(0.0, 8 + 6 * force + draw.normal(0, 2)), 1)
            visib = round(float(np.clip(10 - 3 * max(force, 0) + draw.normal(0, 0.5), 0.1, 10)), 2)
            temp = "" if draw.random() < 0.02 else round(40 + 10 * np.sin(hour / 24 * 2 * np.pi) + draw.normal(0, 3), 1)
            precip = round(max(0.0, 0.1 * force + draw.normal(0, 0.02)), 2)
            rows.append((origin, _hour(hour), temp, int(draw.integers(0, 37)) * 10, wind, precip, visib))
    return ("origin", "time_hour", "temp", "wind_dir", "wind_speed", "precip", "visib"), rows


def _flights(
    draw: np.random.Generator, storm: np.ndarray, planes: list[str]
) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
    minutes = np.sort(draw.integers(0, DAYS * 19 * 60, FLIGHTS))
    rows = []
    for number, minute in enumerate(minutes):
        day, at = divmod(int(minute), 19 * 60)
        hour, minute_of_hour = at // 60 + 5, at % 60 // 5 * 5
        origin, carrier = draw.choice(3), draw.choice(CARRIERS)
        force = storm[origin, day * 24 + hour] + 0.3 * (carrier == "UA") + 0.04 * (hour - 12)
        delay = float(np.round(draw.gamma(0.6, 14 * np.exp(0.7 * force)) - 4))
        cancelled = draw.random() < 0.01 * np.exp(force)
        date = START.astype("datetime64[D]") + day
        year, month, day_of_month = str(date).split("-")
        arrival = delay + np.round(draw.normal(-4, 8))
        rows.append(
            (
                int(year),
                int(month),
                int(day_of_month),
                hour * 100 + minute_of_hour,
                "" if cancelled else delay,
                "" if cancelled else arrival,
                carrier,
                number % 9000 + 1,
                draw.choice(planes),
                ORIGINS[origin],
                draw.choice(DESTS),
                int(draw.choice([190, 540, 760, 1600, 2450])),
                hour,
                minute_of_hour,
                _hour(day * 24 + hour),
            )
        )
    names = "year,month,day,sched_dep_time,dep_delay,arr_delay,carrier,flight,tailnum,origin,dest,distance,hour,minute"
    return [*names.split(","), "time_hour"], rows


def _hour(hours: int) -> str:
    return f"{START + np.timedelta64(hours, 'h')}Z"


def _write(file: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
