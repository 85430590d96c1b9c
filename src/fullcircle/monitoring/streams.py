"""Streams that alarms watch: of each window the metric, and the metric less what the predictions promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.base.errors import DataError
from fullcircle.evaluation.tasks import better
from fullcircle.monitoring.alarm import Alarm, AlarmSettings, alarm_of
from fullcircle.monitoring.threshold import Spread, spread_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fullcircle.monitoring.measure import Measure

METRIC, SURPRISE = "metric", "surprise"
RESAMPLES = 600  # of rows, over all windows: the error of their variance is then 6%
MOST_ROWS = 2000  # of a window that are resampled
PARTS = 8  # random parts of a reference window that has more rows than the traffic
CHUNKS = 40  # windows that a reference without groups is cut into, at most
SHARE = 0.5  # of the gain over the dummy model; its loss is worth an alarm, if no loss is given


@dataclass(frozen=True, slots=True)
class Rows:
    """Test rows, which the model was not fitted on. `group`: int64 (rows,), numbers of windows in order of time.

    None: the rows are independent, and are cut into windows as they come. `predicted`: (rows, outputs).
    """

    predicted: Array
    target: Array
    group: Array | None

    def windows(self, rows: float, min_rows: int) -> list[Array]:
        """Positions of the rows of each window of at least `min_rows` rows."""
        if self.group is None:
            count = max(1, min(CHUNKS, len(self.target) // max(min_rows, min(int(rows), 200))))
            return np.array_split(np.arange(len(self.target)), count)
        order = np.argsort(self.group, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(self.group[order])) + 1)
        return [part for part in parts if len(part) >= min_rows]


def streams_of(measure: Measure) -> tuple[str, ...]:
    """The streams of a task: predictions of a number promise no value of a metric."""
    return (METRIC, SURPRISE) if measure.classes else (METRIC,)


def values_of(measure: Measure, predicted: Array, target: Array) -> dict[str, float]:
    """Each stream's value of one window. `predicted`: (rows, outputs); `target`: (rows,). NaN: not available."""
    return _values(measure, predicted, target, 1, np.random.default_rng(0))[0]


def _resampled(
    measure: Measure, predicted: Array, target: Array, times: int, random: np.random.Generator
) -> dict[str, Array]:
    """Each stream's value in `times` bootstrap samples of the rows: (times,)."""
    values = _values(measure, predicted, target, times + 1, random)[1:]
    return {name: np.array([value[name] for value in values]) for name in streams_of(measure)}


def _values(
    measure: Measure, predicted: Array, target: Array, times: int, random: np.random.Generator
) -> list[dict[str, float]]:
    """Values with the rows as they are, and then of `times` - 1 bootstrap samples; each is sorted once."""
    rows = len(target)
    if rows == 0:
        return [dict.fromkeys(streams_of(measure), float("nan"))] * times
    weights = [np.ones(rows, np.int64), *random.multinomial(rows, np.full(rows, 1 / rows), size=times - 1)]
    task = measure.task
    actual = task.predictions(predicted, target, measure.calibration, measure.bins)
    values = [{METRIC: task.evaluate(actual, weight)[measure.metric]} for weight in weights]
    if measure.classes:
        promised, share = _promised(measure, predicted)
        for value, weight in zip(values, weights, strict=True):
            expected = task.evaluate(promised, np.repeat(weight, measure.classes) * share)[measure.metric]
            value[SURPRISE] = value[METRIC] - expected
    return values


def _promised(measure: Measure, predicted: Array) -> tuple[Any, Array]:
    """Each row once per class, weighted by the probability that the model gives to that class.

    The metric of these is what a model whose probabilities are right would have, as CBPE estimates it (NannyML).
    """
    shares = np.column_stack([1 - predicted[:, 0], predicted[:, 0]]) if measure.classes == 2 else predicted
    repeated = np.repeat(predicted, measure.classes, axis=0)
    outcome = np.tile(np.arange(measure.classes, dtype=np.float64), len(predicted))
    return measure.task.predictions(repeated, outcome, measure.calibration, measure.bins), shares.ravel()


def _of_dummy(measure: Measure, target: Array, frequency: Array) -> float:
    """The metric of one window by the dummy model. `frequency`: of each class, or the mean of a number."""
    predicted = np.tile(frequency[1:] if measure.classes == 2 else frequency, (len(target), 1))
    made = measure.task.predictions(predicted, target, measure.calibration, measure.bins)
    return measure.task.evaluate(made)[measure.metric]


def spreads_of(measure: Measure, reference: Rows, rows: float, min_rows: int, seed: int) -> dict[str, Spread]:
    """How each stream varies over the windows of the reference; the sign is such that higher values are better.

    `rows`: of a usual window of the traffic. A reference window of more rows is cut into random parts of so many, since
    some metrics depend on the number of rows (expected calibration error, R²).
    """
    random = np.random.default_rng(seed)
    windows = reference.windows(rows, min_rows)
    times = max(4, RESAMPLES // max(len(windows), 1))
    values = {name: np.full(len(windows), np.nan) for name in streams_of(measure)}
    spent: dict[str, list[float]] = {name: [] for name in streams_of(measure)}
    for i, window in enumerate(windows):
        predicted, target = reference.predicted[window], reference.target[window]
        found = _in_parts(measure, predicted, target, max(int(rows), min_rows), random)
        few = random.permutation(len(window))[:MOST_ROWS]
        again = _resampled(measure, predicted[few], target[few], times, random)
        for name in streams_of(measure):
            values[name][i] = found[name]
            spent[name].append(len(few) * float(np.var(again[name], ddof=1)))  # NaN if one resample has one class
    size, sign = np.array([len(window) for window in windows], np.float64), -1.0 if measure.lower else 1.0
    independent = reference.group is None
    return {
        name: spread_of(sign * values[name], size, _mean(spent[name]), independent=independent)
        for name in streams_of(measure)
    }


def worth_an_alarm(measure: Measure, reference: Rows, rows: float, min_rows: int) -> float:
    """The loss where none is configured: half of what the model gains over the dummy model in a window.

    Raises DataError if it gains nothing: then the loss must be given.
    """
    target, classes = reference.target, measure.classes
    frequency = np.bincount(target.astype(np.int64), minlength=classes) / len(target) if classes else target.mean()
    gains = []
    for window in reference.windows(rows, min_rows):
        dummy = _of_dummy(measure, target[window], np.atleast_1d(frequency))
        gains.append(
            better(
                measure.task,
                measure.metric,
                values_of(measure, reference.predicted[window], target[window])[METRIC],
                dummy,
            )
        )
    gain = _mean(gains)
    if not gain > 0:
        raise DataError(
            f"alarm.loss: the model is no better than the dummy model within a window of the reference (gain "
            f"{gain:.3g} of {measure.metric}), so no loss follows from it. Set the loss that is worth an alarm"
        )
    return SHARE * gain


def alarms_of(
    measure: Measure, references: Mapping[str, Rows], rows: Mapping[str, float], settings: AlarmSettings,
    bundle: str, *, seed: int = 0,
) -> dict[str, dict[str, Alarm]]:  # fmt: skip
    """Rules for the whole table and its slices: name of the part -> stream -> rule.

    `references`: "" is the whole table, and the first. `rows`: with outcomes in a usual window, of each part. All share
    the false alarms of a year in equal parts, so that their expected sum is as configured, dependent or not.
    Raises DataError if a part has fewer than 8 windows.
    """
    first = next(iter(references))
    loss = settings.loss or worth_an_alarm(measure, references[first], rows[first], settings.min_rows)
    budget = settings.false_alarms_per_year / (len(references) * len(streams_of(measure)))
    return {
        part: {
            name: alarm_of(
                spread, loss, budget, rows[part], settings, bundle,
                lower=measure.lower, seed=seed,
            )
            for name, spread in spreads_of(measure, reference, rows[part], settings.min_rows, seed).items()
        }
        for part, reference in references.items()
    }  # fmt: skip


def _in_parts(
    measure: Measure, predicted: Array, target: Array, rows: int, random: np.random.Generator
) -> dict[str, float]:
    if len(target) <= rows:
        return values_of(measure, predicted, target)
    parts = [random.permutation(len(target))[:rows] for _ in range(PARTS)]
    values = [values_of(measure, predicted[part], target[part]) for part in parts]
    return {name: _mean([value[name] for value in values]) for name in streams_of(measure)}


def _mean(values: list[float]) -> float:
    """Mean of those that are available; NaN if none is."""
    known = [value for value in values if value == value]
    return float(np.mean(known)) if known else float("nan")
