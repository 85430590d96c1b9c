"""Out-of-fold predictions of a year of flights, and what their days become when something changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xgboost

from fullcircle.base.columns import Array
from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.evaluation.intervals import groups_of
from fullcircle.features.transform import apply
from fullcircle.monitoring.streams import streams_of, values_of
from fullcircle.scoring.predictions import Calibration
from fullcircle.scoring.scorer import Scorer

if TYPE_CHECKING:
    from collections.abc import Callable

    from fullcircle.base.columns import Columns
    from fullcircle.monitoring.measure import Measure

FOLDS = 4
ROUNDS = 120
WEATHER = ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")
EVENTS = ("origin_", "carrier_", "dest_delay", "dest_waiting", "city_", "timetable")


@dataclass(frozen=True, slots=True)
class Year:
    """A year of rows in order of time. `predicted`: (rows,), by a model fitted without the row's month.

    `dark`: what it predicts where the columns of a feed are null. `days`: positions of the rows of each day.
    """

    predicted: Array
    target: Array
    dark: dict[str, Array]
    days: list[Array]
    calibration: Calibration


def year_of_flights() -> Year:
    """Fit one model per fold of months on every second row of the other months, and predict the fold."""
    scorer = Scorer.load(paths.SCORER)
    names = list(dict.fromkeys([*scorer.plan.inputs, "target", "year", "month", "day"]))
    parts = [read_columns(path, names) for path in (paths.TRAIN, paths.VALIDATION, paths.TEST)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in names}
    inputs = {name: columns[name] for name in scorer.plan.inputs}
    tables = {"": apply(scorer.plan, inputs)}
    tables |= {
        "weather": apply(scorer.plan, nulled(inputs, WEATHER)),
        "events": apply(scorer.plan, nulled(inputs, EVENTS)),
    }
    target, fold = columns["target"].astype(np.float64), columns["month"].astype(int) % FOLDS
    predicted = {name: np.zeros(len(target)) for name in tables}
    settings = {
        "objective": "binary:logistic", "eta": 0.1, "max_depth": 6, "subsample": 0.8, "colsample_bytree": 0.5,
        "max_bin": 128, "min_child_weight": 20, "nthread": 1, "seed": 0,
    }  # fmt: skip
    for held in range(FOLDS):
        rest, inside = np.flatnonzero(fold != held)[::2], fold == held
        booster = xgboost.train(settings, xgboost.DMatrix(tables[""][rest], target[rest]), ROUNDS)
        for name, table in tables.items():
            predicted[name][inside] = booster.predict(xgboost.DMatrix(table[inside]))
    group = groups_of([columns[name].astype(np.int64) for name in ("month", "day")], len(target))
    days = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    dark = {name: values for name, values in predicted.items() if name}
    return Year(predicted[""], target, dark, days, scorer.spec.calibration)


def nulled(inputs: Columns, starts: tuple[str, ...]) -> Columns:
    """The columns, those of numbers whose name starts so all null."""
    return {
        name: np.full(len(values), np.nan) if name.startswith(starts) and values.dtype.kind == "f" else values
        for name, values in inputs.items()
    }


Rows = tuple["Array", "Array"]  # predicted (rows,), target (rows,)


def changes(year: Year) -> dict[str, Callable[[Array, np.random.Generator], Rows]]:
    """Kind of change -> predictions and outcomes of the rows of a day after it. "": no change."""
    low, high = np.quantile(year.predicted, [0.25, 0.75])

    def concept(share: float) -> Callable[[Array, np.random.Generator], Rows]:
        def changed(rows: Array, random: np.random.Generator) -> Rows:
            target = year.target[rows].copy()
            chosen = random.random(len(rows)) < share
            target[chosen] = random.permutation(target[chosen])
            return year.predicted[rows], target

        return changed

    def flipped(share: float) -> Callable[[Array, np.random.Generator], Rows]:
        def changed(rows: Array, random: np.random.Generator) -> Rows:
            target = year.target[rows]
            return year.predicted[rows], np.where(random.random(len(rows)) < share, 1 - target, target)

        return changed

    def dark(feed: str) -> Callable[[Array, np.random.Generator], Rows]:
        return lambda rows, _: (year.dark[feed][rows], year.target[rows])

    def shifted(by: float) -> Callable[[Array, np.random.Generator], Rows]:
        def changed(rows: Array, _: np.random.Generator) -> Rows:
            p = year.predicted[rows]
            return 1 / (1 + (1 - p) / p * np.exp(-by)), year.target[rows]

        return changed

    def harder(share: float) -> Callable[[Array, np.random.Generator], Rows]:
        def changed(rows: Array, random: np.random.Generator) -> Rows:
            p = year.predicted[rows]
            kept = rows[((p >= low) & (p <= high)) | (random.random(len(rows)) >= share)]
            return year.predicted[kept], year.target[kept]

        return changed

    return {
        "": lambda rows, _: (year.predicted[rows], year.target[rows]),
        "concept: 20% of rows follow the inputs no more": concept(0.2),
        "concept: 50% of rows": concept(0.5),
        "concept: 100% of rows": concept(1.0),
        "label noise: 5% flipped": flipped(0.05),
        "label noise: 10% flipped": flipped(0.10),
        "label noise: 20% flipped": flipped(0.20),
        "input dark: weather": dark("weather"),
        "input dark: events of the last hours": dark("events"),
        "calibration: log odds + 0.5": shifted(0.5),
        "calibration: log odds + 1": shifted(1.0),
        "covariates: half of the clear rows vanish": harder(0.5),
        "covariates: all clear rows vanish": harder(1.0),
    }


def day_values(measure: Measure, year: Year, seed: int) -> dict[str, dict[str, Array]]:
    """Kind of change -> stream -> value of each day (days,); NaN where it is not available."""
    random = np.random.default_rng(seed)
    found = {}
    for name, change in changes(year).items():
        values = []
        for rows in year.days:
            predicted, target = change(rows, random)
            values.append(values_of(measure, predicted[:, None], target))
        found[name] = {stream: np.array([value[stream] for value in values]) for stream in streams_of(measure)}
    return found
