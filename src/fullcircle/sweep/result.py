"""The result of a sweep, and its statistics: the best trials, the gain, and what of it holds on test rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from fullcircle.core.tables import rounded
from fullcircle.report import formatting
from fullcircle.sweep.formatting import decimals
from fullcircle.sweep.trials import Direction, Trial, completed, ranked, running_best

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Incumbent:
    """A trial that was the best so far: its `value` on validation rows, and its score on `test` rows.

    Test rows choose nothing. `interval`: of the test score, None if not computed.
    """

    number: int
    value: float
    test: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class SweepResult:
    """A finished sweep.

    `space`: key -> the text of its override, such as range(3,11); `log`: the keys searched on a logarithmic scale.
    `importance`: key -> share, empty if there are too few trials. `seconds`: wall-clock time.
    """

    name: str
    metric: str
    direction: Direction
    sampler: str
    seed: int
    workers: int
    repeats: int
    seconds: float
    space: dict[str, str]
    log: tuple[str, ...]
    trials: tuple[Trial, ...]
    importance: dict[str, float]
    incumbents: tuple[Incumbent, ...]
    adopt_command: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Statistics of the trials. `gain`: the best minus the first and minus the median trial, above 0 if better."""

    complete: list[Trial]
    pruned: list[Trial]
    failed: list[Trial]
    running_best: list[Trial]  # each complete trial that was better than all before it
    best: Trial | None
    ranked: list[Trial]
    gain: tuple[float, float]
    near: int | None  # other trials within one standard deviation of the best; None if it has no deviation
    span: tuple[float, float]  # range of values that charts show
    outliers: int  # values outside it
    digits: int


def summarize(sweep: SweepResult) -> Summary:
    """Group the trials by state, and compare the best with the others."""
    higher = sweep.direction == "maximize"
    sign = 1.0 if higher else -1.0
    complete, improvements = completed(sweep.trials), running_best(sweep.trials, sweep.direction)
    values = [value_of(trial) for trial in complete]
    best = improvements[-1] if improvements else None
    gain, near = (0.0, 0.0), None
    if best is not None:
        gain = sign * (value_of(best) - values[0]), sign * (value_of(best) - median(values))
        if best.deviation is not None and math.isfinite(best.deviation) and len(values) > 1:
            near = sum(abs(value - value_of(best)) <= best.deviation for value in values) - 1
    span = without_outliers(values, higher=higher)
    return Summary(
        complete=complete,
        pruned=[t for t in sweep.trials if t.state == "pruned"],
        failed=[t for t in sweep.trials if t.state == "failed"],
        running_best=improvements,
        best=best,
        ranked=ranked(complete, sweep.direction),
        gain=gain,
        near=near,
        span=span,
        outliers=sum(not span[0] <= value <= span[1] for value in rounded(values)),
        digits=decimals(values),
    )


def value_of(trial: Trial) -> float:
    """The value of a trial, NaN if it has none."""
    return trial.value if trial.value is not None else math.nan


def without_outliers(values: Sequence[float], *, higher: bool) -> tuple[float, float]:
    """The range of values to show: all but outliers on the bad side; 0 to 1 for no values.

    An outlier is more than three interquartile ranges beyond the worse quartile (Tukey 1977).
    """
    ordered = sorted(rounded(list(values)))  # differences in the last digits of a mean make no axis
    if not ordered:
        return 0.0, 1.0
    low, high = _quantile(ordered, 0.25), _quantile(ordered, 0.75)
    reach = 3 * (high - low)
    if reach == 0:
        return ordered[0], ordered[-1]
    if higher:
        return min(v for v in ordered if v >= low - reach), ordered[-1]
    return ordered[0], max(v for v in ordered if v <= high + reach)


def _quantile(ordered: Sequence[float], share: float) -> float:
    at = share * (len(ordered) - 1)
    low, high = ordered[math.floor(at)], ordered[math.ceil(at)]
    return low + (high - low) * (at - math.floor(at))


def with_scores(incumbents: Iterable[Incumbent]) -> list[Incumbent]:
    """The incumbents whose value and test score are finite, by number."""
    known = [one for one in incumbents if math.isfinite(one.value) and math.isfinite(one.test)]
    return sorted(known, key=lambda one: one.number)


def gain_on_test(incumbents: Sequence[Incumbent], direction: Direction) -> str:
    """How much of the gain on validation rows, from the first trial to the best, holds on test rows; as a sentence."""
    known = with_scores(incumbents)
    if not known:
        return ""
    first, last = known[0], known[-1]
    if len(known) == 1:
        return f"No later trial was better than trial {first.number}: there is no gain to compare."
    sign = 1.0 if direction == "maximize" else -1.0
    on_validation, on_test = sign * (last.value - first.value), sign * (last.test - first.test)
    digits = decimals([first.value, last.value, first.test, last.test])
    part = on_test / on_validation if on_validation > 0 else 0.0
    held = "all" if part >= 1 else formatting.share(part, 0) if on_test > 0 else "none"
    sentence = (
        f"From trial {first.number} to the best, trial {last.number}, the metric improved by "
        f"{formatting.number(on_validation, digits)} on validation rows and "
        f"{'improved' if on_test >= 0 else 'got worse'} by {formatting.number(abs(on_test), digits)} on test rows: "
        f"{held} of the gain holds."
    )
    low, high = last.interval or (math.nan, math.nan)
    if low <= first.test <= high:
        sentence += (
            f" The interval of the best on test rows, {formatting.interval((low, high), digits)}, contains the score "
            f"of trial {first.number}, {formatting.number(first.test, digits)}: the difference may be chance."
        )
    return sentence


def keys_of(sweep: SweepResult, trials: Iterable[Trial]) -> list[str]:
    """The swept keys that `trials` have: those of the space in its order, then any other."""
    had = dict.fromkeys(key for trial in trials for key in trial.choices)
    return [key for key in sweep.space if key in had] + [key for key in had if key not in sweep.space]


def metric_columns(sweep: SweepResult, trials: Sequence[Trial]) -> dict[str, int]:
    """The metrics to show in the table, with their decimals; the swept one only if it differs from the value."""
    columns = {}
    for name in sorted({name for trial in trials for name in trial.metrics}):
        if name != sweep.metric or any(t.metrics.get(name) != t.value for t in trials if name in t.metrics):
            columns[name] = decimals(trial.metrics.get(name) for trial in trials)
    return columns


def top_decile(trials: Sequence[Any]) -> int:
    """How many trials the best 10% are: at least one."""
    return math.ceil(len(trials) / 10)
