"""What an estimate of a metric is made from, and what it says: rows with and without outcomes, value and interval."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array, Columns
from fullcircle.base.errors import ConfigError, DataError

if TYPE_CHECKING:
    from fullcircle.monitoring.measure import Measure


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows with outcomes that the model did not see, such as the test rows.

    `inputs`: columns of (rows,). `predicted`: float64 (rows, outputs). `target`: (rows,), a class's position or a
    number. `group`: int64 (rows,), rows of one group (such as one day) depend on each other.
    """

    inputs: Columns
    predicted: Array
    target: Array
    group: Array

    def __post_init__(self) -> None:
        _check_lengths("reference", self.inputs, len(self.predicted), target=self.target, group=self.group)


@dataclass(frozen=True, slots=True)
class Window:
    """Logged predictions of one span of time, and the outcomes that have arrived.

    As `Reference`; `target` is NaN where the outcome is not known yet, and None if none is.
    """

    inputs: Columns
    predicted: Array
    group: Array
    target: Array | None = None

    def __post_init__(self) -> None:
        target = np.zeros(len(self.predicted)) if self.target is None else self.target
        _check_lengths("window", self.inputs, len(self.predicted), target=target, group=self.group)

    @property
    def known(self) -> Array:
        """Which rows have an outcome: bool (rows,)."""
        return np.zeros(len(self.predicted), bool) if self.target is None else ~np.isnan(self.target.astype(np.float64))


@dataclass(frozen=True, slots=True)
class EstimateConfig:
    """How estimates are made.

    `level`: of intervals. `resamples`: of each interval. `classifier_rows`: of the window, and of the reference, that
    the classifier of PAPE is fitted on. `reference_rows`: of the reference at most. `copies`: rows times classes of
    a problem of several classes at most. Each takes evenly spaced rows. `max_weight`: a row counts as so many of the
    mean row at most. `min_effective`: with weights that are worth fewer rows, PAPE falls back to CBPE,
    and so it does if reference rows resemble less than the share `min_covered` of the window. `min_outcomes`:
    with fewer outcomes they are not used.
    """

    level: float = 0.95
    resamples: int = 200
    classifier_rows: int = 10_000
    reference_rows: int = 100_000
    copies: int = 100_000
    max_weight: float = 20.0
    min_effective: float = 200.0
    min_covered: float = 0.5
    min_outcomes: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ConfigError(f"level {self.level:g} is outside 0..1")
        if self.resamples < 20:
            raise ConfigError(f"resamples {self.resamples} is below 20")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric of a window. `value`, `low` and `high` are None where they are not defined; `note` says why.

    `method`: cbpe, pape, weighted (a number: the metric of reference rows), powered or realized. `rows`: of the window.
    `outcomes`: of them that are used. `effective`: how many reference rows the weights are worth, None without weights.
    `note`: a reason, a fallback or an assumption; empty if there is none.
    """

    value: float | None
    low: float | None
    high: float | None
    method: str
    rows: int
    outcomes: int = 0
    effective: float | None = None
    note: str = ""


def undefined(method: str, rows: int, note: str, outcomes: int = 0) -> Estimate:
    """An estimate without a value, and the reason."""
    return Estimate(None, None, None, method, rows, outcomes, None, note)


def interval(measure: Measure, value: float, moved: Array, level: float) -> tuple[float | None, float | None]:
    """`value` moved by the percentiles of `moved`, (resamples,), kept in the metric's range and around `value`.

    NaN in `moved` is left out; None for both ends if fewer than half of the resamples have a value.
    """
    known = moved[np.isfinite(moved)]
    if len(known) < max(1, len(moved) / 2):
        return None, None
    least, most = measure.task.RANGES[measure.metric]
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(np.clip(value + min(low, 0.0), least, most)), float(np.clip(value + max(high, 0.0), least, most))


def few_groups(groups: int, level: float) -> float:
    """By how much an interval from resampling so many groups is widened, as a t interval is (Student 1908).

    Resampled means vary by a factor sqrt((groups - 1) / groups) too little. At least 2 groups; 1 for very many.

    >>> round(few_groups(20, 0.95), 2)
    1.09
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    return float(np.sqrt(groups / (groups - 1)) * (1 + (z**2 + 1) / (4 * (groups - 1))))


def spaced(rows: int, most: int) -> Array:
    """Positions of at most `most` of `rows` rows, evenly spaced: int64, ascending, the same for the same numbers.

    >>> spaced(10, 4).tolist()
    [0, 3, 6, 9]
    """
    return np.arange(rows) if rows <= most else np.linspace(0, rows - 1, most).round().astype(np.int64)


def numbered(group: Array) -> Array:
    """Groups as numbers from 0 without gaps: int64 (rows,)."""
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def _check_lengths(what: str, inputs: Columns, rows: int, **arrays: Array) -> None:
    wrong = {name: len(values) for name, values in {**inputs, **arrays}.items() if len(values) != rows}
    if wrong:
        name, length = next(iter(wrong.items()))
        raise DataError(f"{what}: {rows:,} predictions, but {name} has {length:,} rows. Give one value per prediction")
