"""Prediction-powered estimates: all predictions of a window, corrected by the few outcomes that are known.

The expected metric of all rows, plus the rectifier: realized less expected metric of the rows with outcomes
(Angelopoulos et al. 2023, PPI). The expected part counts by a factor `lambda`, tuned so that the estimate varies least
(PPI++, Angelopoulos et al. 2024). For metrics that are no means, the same difference of metrics is resampled, as in
prediction-powered bootstrap (Zrnic 2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import take
from fullcircle.monitoring.estimates import Estimate, Window, few_groups, interval, numbered, undefined
from fullcircle.monitoring.expected import prepare

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.monitoring.estimates import EstimateConfig, Reference
    from fullcircle.monitoring.expected import Fitted, Method
    from fullcircle.monitoring.measure import Measure


def powered(
    reference: Reference, window: Window, measure: Measure, config: EstimateConfig, method: Method = "cbpe"
) -> Estimate:
    """The metric of rows such as the window's, by all of its predictions and the outcomes that are known.

    The interval resamples whole groups of the window (single rows, if it has one group). It holds whatever the
    calibrator is worth, if outcomes are known at random. Where they are known of some groups only, such as the older
    days, lambda is 1, and it is assumed that realized and expected metric differ in the other groups as in these.
    Values are None with fewer than `min_outcomes` outcomes, or where the metric is not defined; `note` has the reason.
    """
    known = np.flatnonzero(window.known)
    rows, outcomes = len(window.predicted), len(known)
    if outcomes < config.min_outcomes or window.target is None:
        return undefined("powered", rows, f"{outcomes} outcomes are known; {config.min_outcomes} are needed", outcomes)
    fitted = prepare(reference, window, measure, config, method)
    if isinstance(fitted, str):
        return undefined("powered", rows, fitted, outcomes)
    at_random = known_at_random(window.known, window.group)
    differences = _differences(fitted, window, window.target, known, config)
    (realized, expected), resamples = differences[0], differences[1:]
    factor = _lambda(resamples) if at_random else 1.0
    value = float(realized + factor * expected)
    if not np.isfinite(value):
        return undefined("powered", rows, f"{measure.metric} is not defined for the rows with outcomes", outcomes)
    least, most = measure.task.RANGES[measure.metric]
    value = float(np.clip(value, least, most))
    moved = (resamples @ np.array([1.0, factor]) - value) * few_groups(_drawn(window.group[known]), config.level)
    low, high = interval(measure, value, moved, config.level)
    return Estimate(value, low, high, "powered", rows, outcomes, fitted.effective, _note(factor, at_random, low))


def known_at_random(known: Array, group: Array) -> bool:
    """Whether the share of known outcomes differs between groups by chance only: chi-squared, four deviations.

    `known`: bool (rows,), `group`: (rows,). True where all are known, none, or there is one group.
    """
    at = numbered(group)
    share = float(known.mean())
    if share in (0.0, 1.0):
        return True
    rows = np.bincount(at)
    expected = rows * share
    statistic = ((np.bincount(at, weights=known) - expected) ** 2 / (expected * (1 - share))).sum()
    return bool(statistic <= len(rows) - 1 + 4 * np.sqrt(2 * max(len(rows) - 1, 1)))


def _differences(fitted: Fitted, window: Window, target: Array, known: Array, config: EstimateConfig) -> Array:
    """Realized metric of the known rows, and expected metric of all rows less that of the known: (1 + resamples, 2).

    The first line is of the window itself.
    """
    of, group = fitted.expectation, numbered(window.group)
    groups = int(group.max()) + 1
    if groups < 2:
        group, groups = np.arange(len(group)), len(group)
    part = take({"predicted": window.predicted, "target": target, "group": group}, known)
    last = int(part["group"].max()) + 1  # later groups have no outcome
    realized = of.realized_by(part["predicted"], part["target"], part["group"])
    whole = of.expected_by(of.side(window.predicted), group, fitted.fitted)
    few = of.expected_by(of.side(part["predicted"]), part["group"], fitted.fitted)
    random, equal = np.random.default_rng(config.seed), np.full(groups, 1 / groups)
    lines = []
    for i in range(config.resamples + 1):
        drawn = (random.multinomial(groups, equal) if i else np.ones(groups)).astype(np.float64)
        lines.append((realized(drawn[:last]), whole(drawn) - few(drawn[:last])))
    return np.array(lines)


def _lambda(resamples: Array) -> float:
    """The factor of the second column with which the sum varies least, within 0..1; 0 if it does not vary."""
    kept = resamples[np.isfinite(resamples).all(axis=1)]
    if len(kept) < 2:
        return 1.0
    covariance = np.cov(kept.T)
    return float(np.clip(-covariance[0, 1] / covariance[1, 1], 0.0, 1.0)) if covariance[1, 1] > 1e-18 else 0.0


def _note(factor: float, at_random: bool, low: float | None) -> str:
    missing = (
        ""
        if at_random
        else "outcomes of some groups only: the others are assumed to differ from the expectation as these do"
    )
    return "; ".join(n for n in (f"lambda {factor:.2f}", missing, "" if low is not None else "no interval") if n)


def _drawn(group: Array) -> int:
    """How many groups with outcomes are resampled; of one group its rows are."""
    groups = len(np.unique(group))
    return groups if groups > 1 else len(group)
