"""A process whose days differ, as weather does, and baselines and windows drawn from it: no model is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.monitoring.baseline import MOST_RARE, RARE_INPUTS, Baseline
from fullcircle.monitoring.counts import count_bins, count_category, count_number
from fullcircle.monitoring.window import Window, count_window

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns

CARRIERS = np.array(["AA", "B6", "DL", "EV", "UA", "WN"], dtype=object)


@dataclass(frozen=True, slots=True)
class Process:
    """Rows of consecutive days.

    `effect`: standard deviation of a day's mean, where that of rows within a day is 1; 0: rows are independent.
    `memory`: correlation of a day's effect with that of the day before. `rows`: of a day. Columns: some numbers that
    share half of the day's effect, a number with nulls, and a category whose shares go by the day.
    """

    effect: float = 1.0
    memory: float = 0.5
    rows: int = 200
    numbers: int = 6

    def draw(self, days: int, random: np.random.Generator, first: int = 0) -> tuple[Columns, Array, Array]:
        """Columns, predictions (rows, 1) and the day of each row."""
        effects = np.empty((days, self.numbers + 2))
        now = random.normal(size=self.numbers + 2)
        for i in range(days):
            fresh = np.sqrt(1 - self.memory**2) * random.normal(size=self.numbers + 2)
            now = self.memory * now + fresh
            effects[i] = (now + now[0]) / np.sqrt(2)
        day = np.repeat(np.arange(days), self.rows)
        shift = self.effect * effects[day]
        noise = random.normal(size=(len(day), self.numbers + 2))
        columns: Columns = {f"x{i}": shift[:, i] + noise[:, i] for i in range(self.numbers)}
        gust = shift[:, -2] + noise[:, -2]
        columns["gust"] = np.where(random.random(len(day)) < 0.2 / (1 + np.exp(-shift[:, -2])), np.nan, gust)
        weight = np.exp(np.outer(0.3 * shift[:, -1], np.arange(6) - 2.5)) * np.array([8, 6, 4, 3, 2, 1])
        share = (weight / weight.sum(axis=1, keepdims=True)).cumsum(axis=1)
        columns["carrier"] = CARRIERS[np.minimum((random.random((len(day), 1)) > share).sum(axis=1), 5)]
        predicted = 1 / (1 + np.exp(1 - 0.5 * columns["x0"] - 0.3 * columns["x1"]))
        return columns, predicted.reshape(-1, 1), first + day


def baseline_of(columns: Columns, predicted: Array, group: Array, test: Columns | None = None) -> Baseline:
    """A baseline whose training rows and test rows are the same rows; `group`: numbers without gaps."""
    counted, rare = {}, np.zeros(len(group), np.int64)
    for name, values in columns.items():
        if values.dtype == object:
            levels, counts = np.unique([v for v in values if v is not None], return_counts=True)
            column = count_category(values, tuple(levels[np.argsort(-counts, kind="stable")].tolist()), group)
        else:
            column = count_number(values, "number", group)
        counted[name] = column.counted
        rare += column.rare
    return Baseline(
        "0" * 64,
        "made",
        "auc",
        ("no", "yes"),
        columns,
        predicted,
        (predicted[:, 0] > 0.5).astype(float),
        group,
        counted,
        rare=count_bins(np.minimum(rare, MOST_RARE), RARE_INPUTS, group),
    )


def drawn_baseline(process: Process, days: int, random: np.random.Generator) -> Baseline:
    """A baseline of so many days; where rows are independent, of as many rows without groups."""
    columns, predicted, day = process.draw(days, random)
    return baseline_of(columns, predicted, day if process.effect else np.arange(len(day)))


def drawn_window(
    baseline: Baseline, process: Process, days: int, random: np.random.Generator, **changes: Any
) -> Window:
    """A window of so many further days; `changes`: column -> what is added to it."""
    columns, predicted, day = process.draw(days, random, 1000)
    for name, added in changes.items():
        columns[name] = columns[name] + added
    return count_window(baseline, columns, predicted, day)
