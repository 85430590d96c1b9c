"""The primary metric once outcomes are known, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fullcircle.evaluation.tasks import measured
from fullcircle.monitoring.estimates import Estimate, Window, interval, numbered, spaced, undefined
from fullcircle.monitoring.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Callable

    from fullcircle.base.columns import Array
    from fullcircle.monitoring.estimates import EstimateConfig
    from fullcircle.monitoring.measure import Measure


def realized(window: Window, measure: Measure, config: EstimateConfig) -> Estimate:
    """The metric of the rows with outcomes; its interval is for rows of other such groups, drawn with replacement.

    Values are None without outcomes and where the metric is not defined (as of one class), the interval where the rows
    are of one group; `note` has the reason. Of a number, and of several classes, `copies` evenly spaced rows at most
    are resampled.
    """
    rows, known = len(window.predicted), window.known
    count = int(known.sum())
    if count == 0 or window.target is None:
        return undefined("realized", rows, "no outcome is known")
    predicted, target, group = window.predicted[known], window.target[known], window.group[known]
    value = measured(predicted, target, measure.calibration, measure.bins)[measure.metric]
    if not np.isfinite(value):
        why = "all outcomes are equal" if len(np.unique(target)) < 2 else "the metric is not defined for these rows"
        return undefined("realized", rows, f"{measure.metric}: {why}", count)
    taken = spaced(count, count if measure.calibration.task == "binary" else config.copies)
    moved = _moved(predicted[taken], target[taken], numbered(group[taken]), measure, config)
    low, high = interval(measure, value, moved, config.level)
    return Estimate(
        value, low, high, "realized", rows, count, None, "" if low is not None else "no interval: one group"
    )


def _moved(predicted: Array, target: Array, group: Array, measure: Measure, config: EstimateConfig) -> Array:
    """By how much each resample of groups moves the metric: (resamples,); NaN of one group."""
    groups = int(group.max()) + 1
    if groups < 2:
        return np.full(config.resamples, np.nan)
    metric, random = _metric(predicted, target, group, measure, config), np.random.default_rng(config.seed)
    start, equal = metric(np.ones(groups)), np.full(groups, 1 / groups)
    drawn = (random.multinomial(groups, equal).astype(np.float64) for _ in range(config.resamples))
    return np.array([metric(count) - start for count in drawn])


def _metric(
    predicted: Array, target: Array, group: Array, measure: Measure, config: EstimateConfig
) -> Callable[[Array], float]:
    if measure.calibration.task == "binary":
        return Scored.of(predicted, measure, config.copies).realized_by(target, group)
    prepared = measure.task.predictions(predicted, target, measure.calibration, measure.bins)
    return lambda drawn: measure.task.evaluate(prepared, drawn[group])[measure.metric]
