"""The report of one window: what one bundle answered in it, against what is normal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array, take
from fullcircle.evaluation.intervals import bootstrap, groups_of
from fullcircle.evaluation.slices import Slice, Slicing, slices
from fullcircle.evaluation.tasks import task_metrics
from fullcircle.monitoring.accuracy import accuracy as best_estimate
from fullcircle.monitoring.baseline import Baseline
from fullcircle.monitoring.drift import Drift, drift
from fullcircle.monitoring.estimates import Estimate, EstimateConfig, Reference, Window
from fullcircle.monitoring.estimates import Measure as Wanted
from fullcircle.monitoring.outliers import Outliers, outliers
from fullcircle.monitoring.quality import Quality, quality
from fullcircle.monitoring.streams import Measure
from fullcircle.monitoring.window import count_window

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns
    from fullcircle.log.reading import Window as Logged
    from fullcircle.monitoring.settings import MonitoringSettings

Value = float | None
RESAMPLES = 200
PORTIONS = 1000  # that the rows of one day are drawn in, at most: rows that are independent may be drawn together


@dataclass(frozen=True, slots=True)
class Accuracy:
    """What is known of the predictions of a window whose outcomes are in.

    `rows`: with outcomes. `metrics`, `intervals`: of all metrics of the task; None where one is not available.
    `streams`: the values that alarms watch. `expected`, `observed`: the mean probability of the positive class, and
    its share (or the mean number, predicted and true); None for several classes.
    """

    rows: int
    metrics: dict[str, Value]
    intervals: dict[str, tuple[Value, Value]]
    streams: dict[str, Value]
    slices: tuple[Slice, ...] = ()
    expected: Value = None
    observed: Value = None


@dataclass(frozen=True, slots=True)
class WindowReport:
    """One window of one bundle. `label`: its first day, as 2013-11-05. `complete`: no more outcomes are waited for.

    `ms`: percentiles of the time to answer. `set_aside`: reason -> rows. `estimate`: of the primary metric, without the
    outcomes, or with the few that are known.
    """

    label: str
    bundle: str
    version: str
    complete: bool
    requests: int
    rows: int
    scored: int
    set_aside: dict[str, int]
    ms: dict[str, float]
    drift: Drift
    quality: Quality
    outliers: Outliers
    estimate: Estimate | None = None
    accuracy: Accuracy | None = None
    redacted: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Watch:
    """What a bundle's windows are held against."""

    baseline: Baseline
    measure: Measure
    version: str
    slices: tuple[str, ...] = ()


def report(watch: Watch, logged: Logged, label: str, settings: MonitoringSettings, *, complete: bool) -> WindowReport:
    """The report of what one bundle answered in one window."""
    baseline, measure = watch.baseline, watch.measure
    classes = measure.calibration.classes
    predicted = predicted_of(logged.answer, classes)
    target = target_of(logged.outcome, classes)
    group = groups_of(_together(baseline, logged), len(predicted))
    counted = count_window(baseline, logged.inputs, predicted, group)
    chance, seed = settings.false_alarm, settings.seed
    reasons = [reason for reason, rows in sorted(logged.set_aside.items()) for _ in range(rows)]
    return WindowReport(
        label,
        logged.bundle,
        watch.version,
        complete,
        len(logged.ms),
        logged.rows,
        len(predicted),
        logged.set_aside,
        {f"p{p}": round(float(np.percentile(logged.ms, p)), 3) for p in (50, 95, 99)},
        drift(baseline, counted, false_alarm=chance, seed=seed),
        quality(baseline, counted, reasons, false_alarm=chance, seed=seed),
        outliers(baseline, counted, logged.inputs, false_alarm=chance, seed=seed),
        estimated(watch, logged.inputs, predicted, target, group, settings) if len(predicted) else None,
        accuracy(watch, logged.inputs, predicted, target, group, settings),
        logged.redacted,
    )


def accuracy(
    watch: Watch, inputs: Columns, predicted: Array, target: Array, group: Array, settings: MonitoringSettings
) -> Accuracy | None:
    """The accuracy of the rows whose outcome is known (`target` is not NaN); None where none is."""
    known = np.flatnonzero(~np.isnan(target))
    if not len(known):
        return None
    calibration = watch.measure.calibration
    task = task_metrics(len(calibration.classes))
    predicted, target = predicted[known], target[known]
    made = task.predictions(predicted, target, calibration, watch.measure.bins)
    metrics = task.evaluate(made)
    drawn = groups_of([group[known]], len(known))
    if drawn.max() < 1:  # one day: its rows are all there is to draw from
        drawn = np.arange(len(known)) % PORTIONS
    intervals = bootstrap(task, made, drawn, RESAMPLES, settings.interval, settings.seed)
    slicing = Slicing(watch.measure.metric, watch.measure.bins, settings.slice_rows)
    columns = take({name: inputs[name] for name in watch.slices if name in inputs}, known)
    return Accuracy(
        len(known),
        {name: _value(value) for name, value in metrics.items()},
        {name: (_value(low), _value(high)) for name, (low, high) in intervals.items()},
        {name: _value(value) for name, value in watch.measure.of(predicted, target).items()},
        tuple(slices(columns, predicted, target, calibration, slicing)),
        _value(predicted.mean()) if predicted.shape[1] == 1 else None,
        _value(target.mean()) if predicted.shape[1] == 1 else None,
    )


def estimated(
    watch: Watch, inputs: Columns, predicted: Array, target: Array, group: Array, settings: MonitoringSettings
) -> Estimate | None:
    """The primary metric as it can be known before all outcomes are; None where it is not wanted.

    While some outcomes are known, prediction-powered; before that, and again when all are, from the predictions alone,
    so that it can be compared with the truth.
    """
    if settings.estimate == "none":
        return None
    baseline = watch.baseline
    names = [*baseline.train]
    reference = Reference(
        {name: baseline.test[name] for name in names}, baseline.predicted, baseline.target, baseline.group
    )
    some = 0 < np.isnan(target).sum() < len(target)
    window = Window({name: inputs[name] for name in names}, predicted, group, target if some else None)
    measure = Wanted(watch.measure.metric, watch.measure.calibration, watch.measure.bins)
    config = EstimateConfig(level=settings.interval, seed=settings.seed)
    return best_estimate(reference, window, measure, config, settings.estimate)


def predicted_of(answer: dict[str, Array], classes: tuple[str, ...]) -> Array:
    """The predictions of logged answers as the scorer gives them, float64 (rows, outputs)."""
    if not classes:
        return answer["prediction"].astype(float).reshape(-1, 1)
    names = classes[1:] if len(classes) == 2 else classes
    return np.stack([answer[f"probability_{name}"].astype(float) for name in names], axis=1)


def target_of(outcome: Array, classes: tuple[str, ...]) -> Array:
    """Logged outcomes as evaluation uses them, float64 (rows,): NaN where one is unknown or no class of the bundle."""
    if not classes:
        return np.array([np.nan if value is None else float(value) for value in outcome])
    place = {name: float(at) for at, name in enumerate(classes)}
    return np.array([place.get(value, np.nan) for value in outcome], float)


def _together(baseline: Baseline, logged: Logged) -> list[Array]:
    """The columns whose equal values make rows dependent; where the log lacks one, the day of the request."""
    if all(name in logged.inputs and name not in logged.redacted for name in baseline.together):
        return [logged.inputs[name] for name in baseline.together]
    return [np.floor(logged.made / 86400)]


def _value(value: float) -> Value:
    return float(value) if np.isfinite(value) else None
