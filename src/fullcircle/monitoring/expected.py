"""The metric of a window before outcomes are known: CBPE, PAPE, and for numbers the weighted metric of reference rows.

CBPE (confidence-based performance estimation) calibrates the probabilities on reference rows and computes the expected
metric. PAPE (Białek et al. 2024, arXiv 2401.08348) fits the calibrator to reference rows weighted by their likeness to
the window. Both assume that the target depends on the inputs as it did: P(y | x) is unchanged. CBPE assumes further
that calibration depends on the prediction only. A changed P(y | x) cannot be seen without outcomes.

A number has no classes to take an expectation over. Its estimate is the metric of reference rows, weighted so that
their predictions (cbpe) or their inputs too (pape) are distributed as in the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fullcircle.base.columns import Array, take
from fullcircle.monitoring.density import density_ratio
from fullcircle.monitoring.estimates import Estimate, Reference, interval, numbered, spaced, undefined
from fullcircle.monitoring.expectations import Calibrated, Expectation, Reweighted

if TYPE_CHECKING:
    from fullcircle.monitoring.estimates import EstimateConfig, Window
    from fullcircle.monitoring.measure import Measure

Method: TypeAlias = Literal["cbpe", "pape"]


@dataclass(frozen=True, slots=True)
class Fitted:
    """An expectation, fitted to reference rows with weights, float64 (rows,).

    `effective`: how many rows the weights are worth; None without weights. `note`: why PAPE fell back to CBPE, or
    which columns its classifier left out.
    """

    reference: Reference
    expectation: Expectation
    weight: Array
    fitted: Any
    method: str
    effective: float | None
    note: str


def estimate(
    reference: Reference, window: Window, measure: Measure, config: EstimateConfig, method: Method = "pape"
) -> Estimate:
    """The metric to be expected of the window's rows; their outcomes, if any, are not used.

    The interval is for the metric that will be measured once the outcomes of these rows are known. Two things move it:
    the calibrator, fitted anew to reference groups drawn with replacement; and the difference of realized and expected
    metric in as many reference groups as the window has, which holds the noise of outcomes and the effects of days. The
    weights of PAPE are not fitted anew. Values are None where the metric is not defined; `note` has the reason.
    """
    fitted = prepare(reference, window, measure, config, method)
    rows = len(window.predicted)
    if isinstance(fitted, str):
        return undefined(method, rows, fitted)
    side = fitted.expectation.side(window.predicted)
    value = fitted.expectation.expected(side, fitted.fitted)
    if not np.isfinite(value):
        return undefined(fitted.method, rows, f"{measure.metric} is not defined for these rows")
    calibrated, noise = _resampled(fitted, side, window, config)
    if measure.metric == "ece" and np.isfinite(noise).any():
        shift = float(np.nanmean(noise))  # the noise of a finite sample makes a calibration error larger
        value, noise = value + shift, noise - shift
    low, high = interval(measure, value, calibrated + noise, config.level)
    note = fitted.note
    if low is None:
        note = "; ".join([*([note] if note else []), "no interval: too few groups of reference rows"])
    return Estimate(value, low, high, fitted.method, rows, 0, fitted.effective, note)


def prepare(
    reference: Reference, window: Window, measure: Measure, config: EstimateConfig, method: Method
) -> Fitted | str:
    """Fit what estimates of the window need. The reason, if it cannot be fitted."""
    if len(window.predicted) == 0:
        return "the window has no rows"
    if len(reference.target) < 2:
        return f"the reference has {len(reference.target)} rows with outcomes"
    reference = _thinned(reference, config)
    if measure.classes and len(np.unique(reference.target)) < 2:
        return "all reference rows have one class: probabilities cannot be calibrated"
    ones = np.ones(len(reference.target))
    if method == "cbpe":
        return _fit(reference, ones, measure, config, "cbpe", None, "")
    density = density_ratio(reference, window, config)
    if density.effective < config.min_effective or density.covered < config.min_covered:
        worth = f"worth {density.effective:.0f} reference rows, and cover {min(1.0, density.covered):.0%} of the window"
        note = f"CBPE instead of PAPE: the weights are {worth}"
        return _fit(reference, ones, measure, config, "cbpe", density.effective, note)
    note = f"the classifier goes without {', '.join(density.left_out)}" if density.left_out else ""
    return _fit(reference, density.weight, measure, config, "pape", density.effective, note)


def _fit(
    reference: Reference,
    weight: Array,
    measure: Measure,
    config: EstimateConfig,
    method: Method,
    effective: float | None,
    note: str,
) -> Fitted:
    of: Expectation
    if measure.classes:
        of, name = Calibrated(reference, weight, measure, config), str(method)
    else:
        of, name = (
            Reweighted(reference, measure),
            "weighted by inputs" if method == "pape" else "weighted by prediction",
        )
    return Fitted(reference, of, weight, of.fit(weight), name, effective, note)


def _resampled(fitted: Fitted, side: Any, window: Window, config: EstimateConfig) -> tuple[Array, Array]:
    """By how much each resample moves the expected metric, and realized less expected metric: (resamples,) each."""
    of, group = fitted.expectation, numbered(fitted.reference.group)
    groups, drawn = int(group.max()) + 1, len(np.unique(window.group))
    calibrated, noise = np.full(config.resamples, np.nan), np.full(config.resamples, np.nan)
    if groups < 2:
        return calibrated, noise
    thin = min(1.0, len(window.predicted) / drawn / (len(group) / groups))
    random, equal = np.random.default_rng(config.seed), np.full(groups, 1 / groups)
    start = of.expected(side, of.refit(fitted.weight))
    for i in range(config.resamples):
        weight = random.multinomial(groups, equal)[group] * fitted.weight
        calibrated[i] = of.expected(side, of.refit(weight)) - start
        count = random.multinomial(drawn, equal)[group]
        if thin < 1:  # the window's groups have fewer rows, and more noise
            count = random.binomial(count, thin)
        noise[i] = of.residual(count * fitted.weight, fitted.fitted)
    return calibrated, noise


def _thinned(reference: Reference, config: EstimateConfig) -> Reference:
    rows = spaced(len(reference.target), config.reference_rows)
    if len(rows) == len(reference.target):
        return reference
    inputs = take(reference.inputs, rows)
    return Reference(inputs, reference.predicted[rows], reference.target[rows], reference.group[rows])
