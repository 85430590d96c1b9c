"""The best estimate of a window's metric that its outcomes allow: realized, prediction-powered, or expected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fullcircle.monitoring.expected import estimate
from fullcircle.monitoring.powered import powered
from fullcircle.monitoring.realized import realized

if TYPE_CHECKING:
    from fullcircle.monitoring.estimates import Estimate, EstimateConfig, Reference, Window
    from fullcircle.monitoring.expected import Method
    from fullcircle.monitoring.measure import Measure


def accuracy(
    reference: Reference, window: Window, measure: Measure, config: EstimateConfig, method: Method = "pape"
) -> Estimate:
    """Realized if all outcomes are known, prediction-powered if some are and it has a value, else expected.

    `method`: of the expected metric, cbpe or pape.
    """
    known = window.known
    if len(known) and known.all():
        return realized(window, measure, config)
    if not known.any():
        return estimate(reference, window, measure, config, method)
    found = powered(reference, window, measure, config)
    if found.value is not None:
        return found
    expected = estimate(reference, window, measure, config, method)
    return replace(expected, note="; ".join(n for n in (expected.note, found.note) if n))
