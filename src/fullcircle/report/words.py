"""Words and numbers as people read them, the same on the page and in the card."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fullcircle.evaluation.binary import NAMES

if TYPE_CHECKING:
    from fullcircle.core.problem import Behaviour
    from fullcircle.evaluation.gates import Judged
    from fullcircle.report.facts import Facts, Fit
    from fullcircle.runtime.columns import Column

MEANINGS = {
    "auc": "how often a positive ranks above a negative; 0.5 is chance",
    "ap": "precision, averaged over all recalls; chance is the share of positives",
    "logloss": "mean surprise at what came, in nats",
    "brier": "mean squared error of the probabilities",
    "ece": "mean distance between foretold and observed share, in bins of equal count",
    "acc": "share of rows foretold right at the threshold",
    "prec": "share of alarms that are right",
    "rec": "share of positives that raise an alarm",
    "f1": "harmonic mean of precision and recall",
}
LOWER_IS_BETTER = ("logloss", "brier", "ece")
GATES = {
    "slice_gap": "AUC gap to the worst slice",
    "train_gap": "AUC gap to training rows",
    "over_dummy": "AUC above knowing nothing",
    "over_rule": "AUC above the best single rule",
    "over_champion": "AUC above the champion",
    "invariance": "invariance checks that hold",
    "direction": "direction checks that hold",
}
VERDICTS = {
    "blessed": "Every gate that could be judged was passed.",
    "rejected": "At least one gate failed: this model must not be used.",
    "unknown": "A value that a gate needs could not be had: nothing is promised.",
}


def number(value: float | None, digits: int = 4) -> str:
    """A number with fixed digits and a true minus sign; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.{digits}f}".replace("-", "−")


def share(value: float | None, digits: int = 1) -> str:
    """A share (0..1) as per cent; one that is not quite none or all is never rounded to 0% or 100%."""
    if value is None or not math.isfinite(value):
        return "–"
    least = 10.0 ** -(digits + 2)
    if 0 < value < least / 2:
        return f"<{number(least * 100, digits)}%"
    if 1 - least / 2 < value < 1:
        return f">{number(100 - least * 100, digits)}%"
    return number(value * 100, digits) + "%"


def count(value: float) -> str:
    """A count with thousands separators."""
    return f"{value:,.0f}"


def interval(bounds: tuple[float | None, float | None] | None, digits: int = 4) -> str:
    """An interval's two ends; a dash where there is none."""
    if bounds is None or None in bounds:
        return "–"
    return f"{number(bounds[0], digits)} – {number(bounds[1], digits)}"


def name_of(metric: str) -> str:
    """The full name of a metric, or of what else a gate may be on."""
    return NAMES.get(metric) or GATES.get(metric) or metric


def demand(gate: Judged) -> str:
    """What a gate asks for."""
    return f"≥ {gate.min:g}" if gate.min is not None else f"≤ {gate.max:g}"


def margin_to_spare(gates: tuple[Judged, ...]) -> Judged | None:
    """The gate passed most narrowly. One that must reach 1 has nothing to spare, and does not count."""
    passed = [gate for gate in gates if gate.status == "passed" and gate.min != 1.0]
    return min(passed, key=lambda gate: gate.margin or 0.0, default=None)


def change(check: Behaviour) -> str:
    """What a behaviour check does to its column."""
    if check.set is not None:
        return f"{check.column} = {check.set}"
    return f"{check.column} {check.add:+g}".replace("-", "−")


def expectation(check: Behaviour) -> str:
    """What the probability must do in answer."""
    if check.expect == "same":
        return f"stays within {check.tolerance:g}"
    against = "down" if check.expect == "up" else "up"
    slack = f", or {against} by at most {check.tolerance:g}" if check.tolerance else ""
    return f"goes {check.expect}{slack}"


def possible(column: Column) -> str:
    """The values that a column may hold, in a few words."""
    if column.levels is None and column.min is None and column.max is None:
        return "any"
    return column.possible.removeprefix("one of ").removeprefix("in ")


def model(config: dict[str, Any], fit: Fit) -> str:
    """What was fitted, in a line: name, parameters and rounds; of an ensemble those of each member and its weight."""
    if not fit.members:
        return _single(config, fit.rounds)
    members = [f"{m.weight:.3g} of {_single(config['members'][m.place], m.rounds)}" for m in fit.members]
    left_out = len(config["members"]) - len(members)
    return f"{config['name']} of {' + '.join(members)}" + (f", {left_out} not picked" if left_out else "")


def _single(config: dict[str, Any], rounds: int | None) -> str:
    values = ", ".join(f"{key} {value}" for key, value in config.items() if key != "name")
    return f"{config['name']}" + (f" ({values})" if values else "") + (f", {rounds} rounds" if rounds else "")


def resampled(facts: Facts) -> str:
    """What an interval is, in a few sentences."""
    by, draws = facts.tested.resampled_by, count(facts.judging["resamples"])
    whole = "whole days" if by == ("year", "month", "day") else f"all rows of a {' and '.join(by)} together"
    return (
        f"Intervals: {share(facts.tested.interval, 0)}, percentiles of {draws} bootstrap resamples of the "
        f"test rows that draw {whole}. They say how far a number would move had others been drawn from the "
        "same span; they do not say what another season, or a model trained anew, would do."
    )
