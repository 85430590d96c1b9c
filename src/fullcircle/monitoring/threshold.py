"""The threshold of an alarm: so many false alarms a year are expected, by simulated years on the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.errors import DataError
from fullcircle.monitoring.cusum import Evidence, step

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

FEWEST = 8  # windows of a reference
YEARS = 2000  # simulated; the error of a rate of 1 a year is about 3%
HIGHEST = 0.9  # autocorrelation of neighbouring windows; above it, a reference of months says nothing of a year
HALVINGS = 10
RESERVE = 2.0  # over the number of windows, added to the autocorrelation, which few windows do not show
LAGS = 6  # windows over which the long-run variance is estimated
SETTLE = 20  # windows before a simulated year, until the autocorrelation is there


@dataclass(frozen=True, slots=True)
class Spread:
    """How the values of one stream vary over the windows of a reference.

    `mean`: of the windows. `variance`: of their values, corrected for autocorrelation. `noise`: the part of it that is
    due to rows drawn, which falls with the number of rows. `row`: variance per row: a window of n rows has noise row/n.
    `correlation`: of neighbouring windows, 0..0.9. `shocks`: changes that `correlation` does not explain, standardized.
    `independent`: rows have no groups, and windows differ by their rows only.
    """

    mean: float
    windows: int
    variance: float
    noise: float
    row: float
    correlation: float
    shocks: tuple[float, ...]
    independent: bool = False

    @property
    def between(self) -> float:
        """Variance between windows that no number of rows removes; 0 if rows explain it all."""
        return 0.0 if self.independent else max(0.0, self.variance - self.noise)

    def weight(self, rows: float, usual: float) -> float:
        """Weight of a window of `rows` if `usual` is the usual number: inverse variance, at most 1."""
        if rows >= usual or self.row == 0:
            return 1.0
        return (self.between + self.row / usual) / (self.between + self.row / rows)


def spread_of(values: Array, rows: Array, row: float, *, independent: bool = False) -> Spread:
    """Estimate how a stream varies. `values`, `rows`: (windows,), in order of time; NaN is no value.

    `row`: variance per row (see Spread). The variance is corrected for the autocorrelation. Raises DataError if there
    are fewer than 8 values.
    """
    known = np.isfinite(values)
    x, n = values[known], len(values[known])
    if n < FEWEST:
        raise DataError(
            f"alarm: the reference has {n} windows with a value of the metric, and needs {FEWEST}. Give it more test "
            "rows (problem.time, split), or smaller windows (alarm.window)"
        )
    noise = float(np.mean(row / rows[known]))
    e = x - x.mean()
    squares = float(e @ e)
    if squares <= n * (1e-12 * max(1.0, abs(float(x.mean())))) ** 2:  # rounding errors of a constant
        return Spread(float(x.mean()), n, 0.0, noise, row, 0.0, (0.0,), independent)
    first = _correlation(e)
    variance = squares / (n - min((1 + first) / (1 - first), n / 2))
    shocks = e[1:] - first * e[:-1]
    shocks = shocks - shocks.mean()
    between = max(variance - noise, variance / 4)  # noise is not correlated: what is between windows is, more
    correlation = min(first * variance / between, HIGHEST)
    return Spread(
        float(x.mean()), n, variance, noise, row, correlation, shocks / max(shocks.std(), 1e-300), independent
    )


def _correlation(e: Array) -> float:
    """Autocorrelation of neighbours, 0..0.9, of deviations from their mean: the higher of two estimates.

    One is that of lag 1, corrected for its bias in short series (Kendall 1954). The other is that of an AR(1) with the
    long-run variance of the series by Bartlett weights over a week of lags (Newey and West 1987): days of one season
    keep together longer than an AR(1) of lag 1 says. A reserve is added, which matters below a month of windows.
    """
    n, squares = len(e), float(e @ e)
    lags = np.arange(1, min(LAGS, n // 4) + 1)
    found = np.array([float(e[lag:] @ e[:-lag]) / squares for lag in lags])
    first = found[0] + (1 + 3 * found[0]) / n
    long = 2 * float((1 - lags / (len(lags) + 1)) @ (found + 1 / n))  # a sample's autocorrelations are 1/n too low
    return float(np.clip(max(first, long / (2 + long)) + RESERVE / n, 0.0, HIGHEST))


def simulated_loss(spread: Spread, rows: float, windows: int, seed: int, years: int = YEARS) -> Array:
    """Mean of the reference less the value of each window, over years without change: (windows, years).

    The reference is a sample, so each year draws what may be true from what it says: the variance (scaled inverse
    chi-square), the autocorrelation and the mean (normal), as a posterior with a flat prior. The estimate stays as it
    is. Windows follow an autoregression with resampled shocks (Bühlmann 1997), plus the noise of `rows` rows.
    """
    random = np.random.default_rng(seed)
    n = spread.windows
    if spread.independent:
        between, rho = np.zeros(years), np.zeros(years)
    else:
        square = spread.correlation**2
        free = max(n * (1 - square) / (1 + square) - 1, 3.0)  # independent windows' worth of squares (Bartlett 1935)
        variance = spread.variance * free / random.chisquare(free, years)
        between = np.maximum(variance - spread.noise, 0.0)
        error = np.sqrt((1 - spread.correlation**2) / n)
        rho = np.clip(spread.correlation + error * random.standard_normal(years), 0.0, HIGHEST)
    of_mean = np.sqrt((between * (1 + rho) / (1 - rho) + spread.noise) / n)
    lost = np.empty((windows, years))
    effect = random.choice(spread.shocks, years)
    for t in range(-SETTLE, windows):
        effect = rho * effect + np.sqrt(1 - rho**2) * random.choice(spread.shocks, years)
        if t >= 0:
            lost[t] = effect
    lost *= -np.sqrt(between)  # a good window is the opposite of a loss
    lost += of_mean * random.standard_normal(years)
    if spread.row > 0:
        lost += np.sqrt(spread.row / rows) * random.standard_normal((windows, years))
    return lost


def alarms_in(lost: Array, threshold: float) -> Array:
    """Alarms of each year: (years,). `lost`: (windows, years), in units of the loss worth an alarm."""
    evidence = Evidence.zero(lost.shape[1])
    count = np.zeros(lost.shape[1])
    for window in lost:
        after = step(evidence, window, 1.0, threshold)
        count += after.alarm & ~evidence.alarm
        evidence = after
    return count


def delay_in(lost: Array, threshold: float) -> int | None:
    """Windows until half of the years have an alarm because of the full loss, which begins with the first window.

    `lost`: without it, (windows, years), in its units. The share of years with an alarm must be higher by 1/2 than
    without the loss. None if a year is not enough: the loss is too small for what the reference says.
    """
    years = lost.shape[1]
    evidence, caught = Evidence.zero(2 * years), np.zeros(2 * years, np.bool_)
    for number, window in enumerate(lost, 1):
        evidence = step(evidence, np.concatenate([window + 1, window]), 1.0, threshold)
        caught |= evidence.alarm
        if 2 * (np.count_nonzero(caught[:years]) - np.count_nonzero(caught[years:])) >= years:
            return number
    return None


def threshold_of(lost: Array, false_alarms: float) -> float:
    """The lowest threshold with at most `false_alarms` expected a year; two standard errors are kept as a reserve.

    `lost`: (windows, years), in units of the loss worth an alarm. 0 if even that holds: the first window that is
    worse by more than half of the loss is an alarm.
    """

    def held(threshold: float) -> bool:
        count = alarms_in(lost, threshold)
        return float(count.mean() + 2 * count.std() / np.sqrt(len(count))) <= false_alarms

    if held(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while not held(high):
        low, high = high, 2 * high
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if held(middle) else (middle, high)
    return high
