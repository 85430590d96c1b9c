"""The alarm contract: false alarms of simulated years without change, and days until a change is caught.

    python -m benchmarks.alarm [--quick]

Days are those of the flights of 2013, predicted out of fold by month (needs `dvc checkout` or `dvc repro`). A reference
and the years that follow are drawn apart, in runs of 7 days. A day with n rows has the value of its own rows plus the
noise of n rows. Prints the tables of docs/monitoring.md; exit code 1 if a rate misses the contract.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.alarm_days import day_values, year_of_flights
from benchmarks.alarm_rules import betting, beyond_three, first_alarm, raised
from fullcircle.monitoring.cusum import Evidence, step
from fullcircle.monitoring.measure import Measure
from fullcircle.monitoring.streams import METRIC, SURPRISE, Rows, spreads_of
from fullcircle.monitoring.threshold import Spread, simulated_loss, spread_of, threshold_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fullcircle.base.columns import Array

DAYS, RUN = 365, 7
USUAL = 1000  # rows of a day of the reference
TRAFFIC = (1_000, 30_000, 1_000_000)
LENGTHS = (14, 30, 60, 240)  # days of the reference
LOSS = {"auc": 0.05, "brier": 0.02}
STREAMS = 20  # years that follow one reference


@dataclass(frozen=True, slots=True)
class Size:
    """How much is simulated."""

    references: int
    delays: int  # references of the table of delays
    years: int  # of a threshold


FULL, QUICK = Size(100, 25, 500), Size(4, 2, 200)


def main() -> None:
    """Print the three tables."""
    size = QUICK if "--quick" in sys.argv[1:] else FULL
    year = year_of_flights()
    held = []
    for metric in LOSS:
        measure = Measure(metric, year.calibration)
        values = day_values(measure, year, seed=0)
        rows = np.concatenate(year.days)
        group = np.repeat(np.arange(len(year.days)), [len(day) for day in year.days])
        reference = Rows(year.predicted[rows, None], year.target[rows], group)
        noise = {name: spread.row for name, spread in spreads_of(measure, reference, USUAL, 50, seed=0).items()}
        sign = -1.0 if measure.lower else 1.0
        values = {kind: {name: sign * of for name, of in found.items()} for kind, found in values.items()}
        if metric == "auc":
            held += [*false_alarms(values[""][SURPRISE], noise[SURPRISE], LOSS[metric], size)]
        traffic = TRAFFIC if metric == "auc" else TRAFFIC[:1]
        held += [delays(metric, values, noise, rows_, size) for rows_ in traffic]
    sys.exit(0 if all(held) or size is QUICK else 1)


def real(days: Array) -> Callable[[int, int, np.random.Generator], Array]:
    """Draws of runs of 7 real days: (windows, streams)."""

    def draw(windows: int, streams: int, random: np.random.Generator) -> Array:
        return np.asarray(days[positions(windows, streams, len(days), random)])

    return draw


def autoregressive(days: Array, correlation: float) -> Callable[[int, int, np.random.Generator], Array]:
    """Draws of a normal AR(1) with the mean and the variance of the days: (windows, streams)."""

    def draw(windows: int, streams: int, random: np.random.Generator) -> Array:
        shocks = random.standard_normal((windows, streams))
        for t in range(1, windows):
            shocks[t] = correlation * shocks[t - 1] + np.sqrt(1 - correlation**2) * shocks[t]
        return np.asarray(days.mean() + days.std() * shocks)

    return draw


def positions(windows: int, streams: int, days: int, random: np.random.Generator) -> Array:
    """Positions of days, in runs of 7 that start anywhere: (windows, streams)."""
    start = random.integers(0, days, (windows // RUN + 2, streams))
    found: Array = (start[:, None, :] + np.arange(RUN)[None, :, None]).reshape(-1, streams) % days
    return np.asarray(found[random.integers(0, RUN) :][:windows])


def noisy(values: Array, row: float, rows: int, random: np.random.Generator) -> Array:
    """Values as they are seen of so many rows a day."""
    return np.asarray(values + np.sqrt(row / rows) * random.standard_normal(values.shape))


def cusum(spread: Spread, x: Array, loss: float, threshold: float) -> Array:
    """Whether the alarm is on after each window: (windows, streams)."""
    evidence, on = Evidence.zero(x.shape[1]), np.zeros(x.shape, np.bool_)
    for t, lost in enumerate((spread.mean - x) / loss):
        evidence = step(evidence, lost, 1.0, threshold)
        on[t] = evidence.alarm
    return on


def certain(spread: Spread) -> Spread:
    """The same spread as if of endless days: no allowance for what the reference does not say."""
    return Spread(spread.mean, 10**6, spread.variance, spread.noise, spread.row, spread.correlation, spread.shocks)


def false_alarms(days: Array, row: float, loss: float, size: Size) -> Iterator[bool]:
    """Table of years without change; yields whether each rate of the contract is held."""
    print(f"\nFalse alarms a year, surprise of auc, loss {loss:g}, 1 allowed; {size.references} references, each with")
    print(f"{STREAMS} years. ±: two standard errors over references.\n")
    print("| days | rows a day | days of the reference | contract | reference taken as certain | 3 SD | e-detector |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    cells = [(TRAFFIC[0], length) for length in LENGTHS] + [(rows, 60) for rows in TRAFFIC[1:]]
    for name, draw in {"real": real(days), "AR(1), 0.5": autoregressive(days, 0.5)}.items():
        for rows, length in cells if name == "real" else cells[::2]:
            counts: dict[str, list[float]] = {}
            for seed in range(size.references):
                random = np.random.default_rng([seed, rows, length])
                seen = noisy(draw(length, 1, random), row, USUAL, random)[:, 0]
                spread = spread_of(seen, np.full(length, USUAL), row)
                x = noisy(draw(DAYS, STREAMS, random), row, rows, random)
                lost = simulated_loss(spread, rows, DAYS, seed, size.years) / loss
                lost_if_certain = simulated_loss(certain(spread), rows, DAYS, seed, size.years // 4) / loss
                on = {
                    "contract": cusum(spread, x, loss, threshold_of(lost, 1)),
                    "certain": cusum(spread, x, loss, threshold_of(lost_if_certain, 1)),
                    "3 SD": beyond_three(spread, x),
                    "e": betting(spread, x, loss),
                }
                for rule, found in on.items():
                    counts.setdefault(rule, []).append(float(raised(found).mean()))
            shown = [f"{np.mean(c):.2f} ± {2 * np.std(c) / np.sqrt(len(c)):.2f}" for c in counts.values()]
            print(f"| {name} | {rows:,} | {length} | {' | '.join(shown)} |", flush=True)
            found_ = np.array(counts["contract"])
            yield bool(found_.mean() - 2 * found_.std() / np.sqrt(len(found_)) <= 1)


def delays(metric: str, values: dict[str, dict[str, Array]], noise: dict[str, float], rows: int, size: Size) -> bool:
    """Table of days until a change of each kind is caught, by either stream, each with half of the false alarms."""
    loss, length = LOSS[metric], 60
    print(
        f"\nDays until a change is caught: {metric}, loss {loss:g}, {rows:,} rows a day, a reference of {length} days,"
    )
    print(f"{size.delays} references with {STREAMS} years each. 3 SD and e-detector: on the metric.\n")
    print("| change | loss of the metric | of the surprise | median days | caught in 30 | 90 | 365 days | 3 SD | e |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    caught: dict[str, dict[str, list[Array]]] = {kind: {"contract": [], "3 SD": [], "e": []} for kind in values}
    count = []
    for seed in range(size.delays):
        random = np.random.default_rng([seed, rows])
        before, after = (positions(n, m, DAYS, random) for n, m in ((length, 1), (DAYS, STREAMS)))
        spread, threshold = dict[str, Spread](), dict[str, float]()
        for name in (METRIC, SURPRISE):
            seen = noisy(values[""][name][before], noise[name], USUAL, random)[:, 0]
            spread[name] = spread_of(seen, np.full(length, USUAL), noise[name])
            lost = simulated_loss(spread[name], rows, DAYS, seed, size.years) / loss
            threshold[name] = threshold_of(lost, 0.5)
        for kind, of in values.items():
            x = {name: noisy(of[name][after], noise[name], rows, random) for name in spread}
            on = {name: cusum(spread[name], x[name], loss, threshold[name]) for name in spread}
            caught[kind]["contract"].append(np.minimum(first_alarm(on[METRIC]), first_alarm(on[SURPRISE])))
            caught[kind]["3 SD"].append(first_alarm(beyond_three(spread[METRIC], x[METRIC])))
            caught[kind]["e"].append(first_alarm(betting(spread[METRIC], x[METRIC], loss)))
            if kind == "":
                count.append(float((raised(on[METRIC]) + raised(on[SURPRISE])).mean()))
    for kind, found in caught.items():
        ours, three, e = (np.concatenate(days) for days in found.values())
        lost_ = [float(np.mean(values[""][name] - values[kind][name])) for name in (METRIC, SURPRISE)]
        shares = " | ".join(f"{np.mean(ours <= days):.0%}" for days in (30, 90, DAYS))
        print(
            f"| {kind or 'none'} | {lost_[0]:.3f} | {lost_[1]:.3f} | {median(ours)} | {shares} | {median(three)} | "
            f"{median(e)} |", flush=True,
        )  # fmt: skip
    error = 2 * np.std(count) / np.sqrt(len(count))
    print(f"\nWithout change, both streams together: {np.mean(count):.2f} ± {error:.2f} alarms a year.")
    return bool(np.mean(count) - error <= 1)


def median(days: Array) -> str:
    """Median delay; "-" if half of the years end before."""
    middle = float(np.median(days))
    return f"{middle:.0f}" if middle <= DAYS else "-"


if __name__ == "__main__":
    main()
