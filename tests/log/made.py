"""A log with made requests of a made bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.checks import Column
from fullcircle.log.bundles import LoggedBundle
from fullcircle.log.database import connect
from fullcircle.log.entries import Entry, new_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import sqlalchemy as sql

READ = {"amount": Column("number", missing="keep"), "shop": Column("category", missing="keep"), "at": Column("time")}
BUNDLE = LoggedBundle(
    "b" * 64, "orders", "1.0.0", "returned", ("no", "yes"), ("order", "at"), {"at": READ["at"]}, (), {"code": "c"}
)


def opened(folder: Path) -> sql.Engine:
    return connect(f"sqlite:///{folder}/log.sqlite")


def entry(orders: Sequence[Any], made: float = 1_400_000_000.0, aside: dict[int, str] | None = None) -> Entry:
    """One request about orders; with `aside` further rows that were not scored."""
    count = len(orders)
    at = ["2014-05-13T16:53:20"] * count
    inputs = {
        "amount": np.array([float(i) if i % 3 else np.nan for i in range(count)]),
        "shop": np.array(["north" if i % 2 else None for i in range(count)], object),
        "at": np.array(at, "datetime64[s]"),
    }
    probability = np.linspace(0.1, 0.9, count)
    answer = {"prediction": np.where(probability > 0.5, "yes", "no").astype(object), "probability_yes": probability}
    identity = {"order": [*orders], "at": at}
    return Entry(
        new_id(made),
        made,
        "request",
        1.5,
        count + len(aside or {}),
        [(inputs, answer, 0, count)],
        identity,
        aside or {},
    )
