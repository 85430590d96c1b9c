"""Small tables, a small problem and small scorers, the same for every run: no file is read, and no clock."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.checks import Column
from fullcircle.core.data import Rule, Table
from fullcircle.core.problem import Features, Lookup
from fullcircle.core.target import BinaryTarget
from fullcircle.features.transform import apply
from fullcircle.featurizing.config import FeaturizeConfig
from fullcircle.featurizing.fit import Fitted, fit_plan
from fullcircle.models.configs import DummyConfig, EnsembleConfig, ForestConfig, LinearConfig, XGBoostConfig
from fullcircle.models.sample import Sample
from fullcircle.pointintime.spec import History, Moment, Observations, Recent
from fullcircle.stages.train import Goal, TrainConfig, Trained, train

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns
    from fullcircle.features.plan import Plan
    from fullcircle.models import ModelConfig

AIRPORTS = ("EWR", "JFK", "LGA")

FLIGHTS = Table(
    columns={
        "month": Column("integer", min=1, max=12),
        "carrier": Column("category"),
        "origin": Column("category", levels=AIRPORTS),
        "dest": Column("category"),
        "flight": Column("integer", role="record", min=1, max=9999),
        "tailnum": Column("category", missing="keep"),
        "distance": Column("number", min=10, max=6000),
        "dep_delay": Column("number", role="outcome", missing="keep", min=-120, max=2880),
        "temp": Column("number", missing="keep", min=-40, max=130, impossible="blank"),
        "precip": Column("number", missing="keep", min=0, max=10, usual=(0, 0.5)),
        "minute": Column("integer", role="record", min=0, max=59),
        "time_hour": Column("time", role="record"),
    },
    key=("time_hour", "flight"),
    rules=(Rule("leaves from where it arrives", "origin != dest"),),
)

INPUTS = {
    "year": Column("integer", min=2013, max=2100),
    "month": Column("integer", min=1, max=12),
    "day": Column("integer", min=1, max=31),
    "sched_dep_time": Column("integer", min=0, max=2400),
    "origin": Column("category", levels=AIRPORTS),
    "carrier": Column("category"),
    "tailnum": Column("category", missing="keep"),
    "distance": Column("number", min=10, max=6000),
    "temp": Column("number", missing="keep", min=-40, max=130, impossible="blank"),
    "precip": Column("number", missing="keep", min=0, max=10, usual=(0, 0.5)),
    "wind_speed": Column("number", missing="keep", min=0, max=250),
    "wind_dir": Column("number", missing="keep", min=0, max=360),
    "delay_1h": Column("number", missing="keep", min=-15),
}

FEATURES = Features(
    columns=("origin", "carrier", "tailnum", "distance", "temp", "precip", "delay_1h", "seats"),
    created=("minute_of_day", "day_of_week", "wind_from_north"),
)
PLAIN = replace(FEATURES, created=())
"""Features that another process knows too: without those of the tests' own."""
PLANES = Lookup(table="planes", key="tailnum", matches="tailnum", columns={"seats": "seats"}, fallback="carrier")
TARGET = BinaryTarget("binary", "late", "late", "on_time", holds="arr_delay >= 15")
GOAL = Goal(TARGET, "auc", 0.25)
MOMENT = Moment("time_hour", "minute", 2.0, "two hours before departure")

XGBOOST = XGBoostConfig("xgboost", 40, 10, 0.2, 4, 2, 0.8, 0.7, 1.0, 64, 0)
FOREST = ForestConfig("forest", 15, 6, 3, 0.5, 0.7, 0)
LINEAR = LinearConfig("linear", 1.0, 500)
DUMMY = DummyConfig("dummy")
MODELS: dict[str, ModelConfig] = {
    "xgboost": XGBOOST,
    "forest": FOREST,
    "linear": LINEAR,
    "dummy": DUMMY,
    "ensemble": EnsembleConfig("ensemble", 20, (XGBOOST, FOREST, LINEAR)),
}


def flights(rows: int = 200, seed: int = 0) -> Columns:
    """Sound rows of FLIGHTS: three days, a key of its own each, some nulls where they are allowed."""
    random = np.random.default_rng(seed)
    seconds = np.datetime64("2013-03-01T05", "s").astype(np.int64) + 3600 * random.integers(0, 72, rows)
    delay = random.integers(-10, 120, rows).astype(float)
    return {
        "month": np.full(rows, 3.0),
        "carrier": text(random.choice(["AA", "B6", "UA"], rows)),
        "origin": text(random.choice(AIRPORTS, rows)),
        "dest": text(random.choice(["BOS", "MIA", "ORD"], rows)),
        "flight": np.arange(1.0, rows + 1),
        "tailnum": with_nulls(text(random.choice([f"N{i}" for i in range(9)], rows)), 0.1, random),
        "distance": random.integers(100, 2500, rows).astype(float),
        "dep_delay": with_nulls(delay, 0.1, random),
        "temp": with_nulls(random.integers(20, 60, rows).astype(float), 0.1, random),
        "precip": np.round(random.random(rows) * 0.4, 2),
        "minute": random.integers(0, 60, rows).astype(float),
        "time_hour": seconds.astype("datetime64[s]"),
    }


def labelled(rows: int = 600, seed: int = 0) -> Columns:
    """Rows of INPUTS and a `target` that depends on delay, carrier and hour; nulls where they are allowed."""
    random = np.random.default_rng(seed)
    hour = random.integers(5, 23, rows)
    carrier = random.choice(["AA", "B6", "UA", "DL", "WN", "EV"], rows)
    delay = np.round(random.gamma(1.5, 12, rows) - 10)
    odds = -1.6 + 0.05 * delay + 0.08 * (hour - 14) + np.where(carrier == "EV", 1.2, 0.0)
    return {
        "year": np.full(rows, 2013.0),
        "month": random.integers(1, 13, rows).astype(float),
        "day": random.integers(1, 29, rows).astype(float),
        "sched_dep_time": (hour * 100 + random.integers(0, 60, rows)).astype(float),
        "origin": text(random.choice(AIRPORTS, rows)),
        "carrier": text(carrier),
        "tailnum": with_nulls(text(random.choice([f"N{i}" for i in range(40)], rows)), 0.1, random),
        "distance": random.integers(100, 2500, rows).astype(float),
        "temp": with_nulls(random.normal(50, 15, rows).round(1), 0.2, random),
        "precip": np.round(random.random(rows) * 0.4, 3),
        "wind_speed": with_nulls(random.random(rows) * 30, 0.1, random),
        "wind_dir": with_nulls(random.integers(0, 361, rows).astype(float), 0.1, random),
        "delay_1h": with_nulls(delay, 0.15, random),
        "target": (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(float),
    }


def planes() -> Columns:
    """The reference table of PLANES: N0 to N29 (N30 and above are unknown), with a null among the seats."""
    seats = np.arange(30) * 10.0
    seats[3] = np.nan
    return {"tailnum": text([f"N{i}" for i in range(30)]), "seats": seats}


def featurize(**changes: Any) -> FeaturizeConfig:
    """A configuration under which `carrier` is one-hot encoded and `tailnum` by its target mean."""
    values: dict[str, Any] = {
        "few_levels": 6, "min_level_rows": 5, "smoothing": 10.0, "missing": "keep", "scale": "none",
        "max_correlation": 0.995, "min_information": 0.0,
    }  # fmt: skip
    return FeaturizeConfig(**values | changes)


def history(*columns: Recent) -> History:
    """A history of `dep_delay`, clipped to -15..180."""
    return History("dep_delay", 15.0, (-15.0, 180.0), columns)


def observations(within: float = 6.0) -> Observations:
    """The weather at `origin`, known an hour after its stamp."""
    return Observations("weather", ("origin",), "time_hour", 1.0, within, ("temp",))


def fitted(rows: Columns | None = None, created: bool = True, **changes: Any) -> Fitted:
    """A plan fitted on labelled rows, for two classes."""
    rows = labelled() if rows is None else rows
    return fit_plan(rows, INPUTS, FEATURES if created else PLAIN, [(PLANES, planes())], featurize(**changes), 2)


def only_inputs(columns: Columns) -> Columns:
    """The columns that the scorer asks for."""
    return {name: columns[name] for name in INPUTS}


def silent(train: float, validation: float) -> None:
    """An `on_round` that keeps nothing."""


def train_config(**changes: Any) -> TrainConfig:
    """A configuration that calibrates and refits."""
    values: dict[str, Any] = {"refit": True, "folds": 1, "calibrate": "sigmoid", "parity": 1e-6, "threads": 1}
    return TrainConfig(**values | changes)


@cache
def plan_of(created: bool) -> Plan:
    """A plan with or without created features. Shared by tests: do not change it."""
    return fitted(created=created).plan


@cache
def samples(created: bool = True) -> tuple[Sample, Sample]:
    """Feature matrices of training (600) and validation (300) rows. Shared by tests: do not change them."""
    plan = plan_of(created)
    sides = labelled(600, 0), labelled(300, 1)
    first, second = (Sample(apply(plan, side), side["target"].astype(np.float32)) for side in sides)
    return first, second


@cache
def trained(name: str = "xgboost", refit: bool = True, calibrate: str = "sigmoid", created: bool = True) -> Trained:
    """A scorer of model `name`. Shared by tests: do not change it."""
    config = train_config(refit=refit, calibrate=calibrate)
    return train(plan_of(created), samples(created), MODELS[name], config, GOAL, silent)


def text(values: Any) -> Array:
    """Text as columns hold it: an object array of str."""
    return np.array([str(v) for v in values], dtype=object)


def with_nulls(values: Array, share: float, random: np.random.Generator) -> Array:
    """The same values, some of them null."""
    result = values.copy()
    result[random.random(len(values)) < share] = None if values.dtype == object else np.nan
    return result


def same(first: Columns, second: Columns) -> bool:
    """Whether two tables are equal, null being equal to null, column by column and bit by bit."""
    return list(first) == list(second) and all(equal(first[name], second[name]) for name in first)


def equal(first: Array, second: Array) -> bool:
    """Whether two columns are of one type and equal, null being equal to null."""
    if first.dtype != second.dtype:
        return False
    return first.tolist() == second.tolist() if first.dtype == object else np.array_equal(first, second, equal_nan=True)
