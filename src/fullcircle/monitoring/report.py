"""The report of one window: what one bundle answered in it, against what is normal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
from fullcircle.monitoring.measure import Measure
from fullcircle.monitoring.outliers import Outliers, outliers
from fullcircle.monitoring.quality import Quality, quality
from fullcircle.monitoring.streams import values_of
from fullcircle.monitoring.window import count_window

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns
    from fullcircle.log.reading import Window as Logged
    from fullcircle.monitoring.settings import MonitoringSettings

Value = float | None
RESAMPLES = 200
FEW = 5  # days of equal size, or unequal ones that vary as much: fewer are not drawn from
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


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """What a bundle's windows are held against. Equal to itself alone, so that what follows from it can be kept."""

    baseline: Baseline
    measure: Measure
    version: str
    slices: tuple[str, ...] = ()


def report(
    watch: Watch,
    logged: Logged,
    label: str,
    settings: MonitoringSettings,
    *,
    complete: bool,
    before: WindowReport | None = None,
) -> WindowReport:
    """The report of what one bundle answered in one window.

    `before`: an earlier report of the window, from which is taken what neither new requests nor new outcomes change.
    """
    classes = watch.measure.calibration.classes
    predicted, target = predicted_of(logged.answer, classes), target_of(logged.outcome, classes)
    group = groups_of(_together(watch.baseline, logged), len(predicted))
    same = before is not None and (before.requests, before.rows) == (len(logged.ms), logged.rows)
    made = (
        before if before is not None and same else _without_outcomes(watch, logged, label, predicted, group, settings)
    )
    known, were = int((~np.isnan(target)).sum()), made.accuracy.rows if made.accuracy else 0
    if same and known == were:
        return replace(made, complete=complete)
    estimate = made.estimate
    if estimate is None or not {known, were} <= {0, len(target)}:
        estimate = estimated(watch, logged.inputs, predicted, target, group, settings) if len(predicted) else None
    found = accuracy(watch, logged.inputs, predicted, target, group, settings)
    return replace(made, complete=complete, estimate=estimate, accuracy=found)


def _without_outcomes(
    watch: Watch, logged: Logged, label: str, predicted: Array, group: Array, settings: MonitoringSettings
) -> WindowReport:
    """The part of a report that needs no outcomes, without the estimate of the metric."""
    baseline, chance, seed = watch.baseline, settings.false_alarm, settings.seed
    counted = count_window(baseline, logged.inputs, predicted, group)
    reasons = [reason for reason, rows in sorted(logged.set_aside.items()) for _ in range(rows)]
    return WindowReport(
        label,
        logged.bundle,
        watch.version,
        False,
        len(logged.ms),
        logged.rows,
        len(predicted),
        logged.set_aside,
        {f"p{p}": round(float(np.percentile(logged.ms, p)), 3) for p in (50, 95, 99)},
        drift(baseline, counted, false_alarm=chance, seed=seed),
        quality(baseline, counted, reasons, false_alarm=chance, seed=seed),
        outliers(baseline, counted, logged.inputs, false_alarm=chance, seed=seed),
        redacted=logged.redacted,
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
    if (np.bincount(drawn) ** 2).sum() * FEW > len(known) ** 2:  # rows are all there is to draw from
        drawn = np.arange(len(known)) % PORTIONS
    intervals = bootstrap(task, made, drawn, RESAMPLES, settings.interval, settings.seed)
    slicing = Slicing(watch.measure.metric, watch.measure.bins, settings.slice_rows)
    columns = take({name: inputs[name] for name in watch.slices if name in inputs}, known)
    return Accuracy(
        len(known),
        {name: _value(value) for name, value in metrics.items()},
        {name: (_value(low), _value(high)) for name, (low, high) in intervals.items()},
        {name: _value(value) for name, value in values_of(watch.measure, predicted, target).items()},
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
    config = EstimateConfig(level=settings.interval, seed=settings.seed)
    return best_estimate(reference, window, watch.measure, config, settings.estimate)


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
