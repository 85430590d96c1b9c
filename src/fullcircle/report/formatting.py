"""Words and numbers as people read them, the same on the page and in the card."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullcircle.base.checks import Column
    from fullcircle.core.problem import Behaviour
    from fullcircle.evaluation.reports import TrainReport
    from fullcircle.report.facts import Facts
    from fullcircle.scoring.verdict import GateResult

VERDICTS = {
    "blessed": "Every gate that could be evaluated was passed.",
    "draft": "Every gate that could be evaluated was passed, but the problem is not finished.",
    "rejected": "At least one gate failed: this model must not be used.",
    "unknown": "A value that a gate needs is not available: nothing is promised.",
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


def margin_to_spare(gates: tuple[GateResult, ...]) -> GateResult | None:
    """The gate passed most narrowly. One that must reach 1 has nothing to spare, and does not count."""
    passed = [gate for gate in gates if gate.status == "passed" and gate.min != 1.0]
    return min(passed, key=lambda gate: gate.margin or 0.0, default=None)


def change(check: Behaviour) -> str:
    """What a behaviour check does to its column."""
    if check.set is not None:
        return f"{check.column} = {check.set}"
    return f"{check.column} {check.add:+g}".replace("-", "−")


def expectation(check: Behaviour) -> str:
    """What the forecast must do in answer; of several classes the probability of which is named, if it is."""
    whose = f"of {check.of} " if check.of else ""
    if check.expect == "same":
        return f"{whose}stays within {check.tolerance:g}"
    against = "down" if check.expect == "up" else "up"
    slack = f", or {against} by at most {check.tolerance:g}" if check.tolerance else ""
    return f"{whose}goes {check.expect}{slack}"


def possible(column: Column) -> str:
    """The values that a column may hold, in a few words."""
    if column.levels is None and column.min is None and column.max is None:
        return "any"
    return column.possible.removeprefix("one of ").removeprefix("in ")


@dataclass(frozen=True, slots=True)
class MemberLine:
    """A model of an ensemble: its `weight` (0..1), its name, and its parameters and rounds in words."""

    weight: float
    name: str
    parameters: str
    rounds: int | None


def model(config: dict[str, Any], fit: TrainReport) -> str:
    """What was fitted, in a line: name, parameters and rounds; of an ensemble how many models of which name."""
    if not fit.members:
        said = _parameters(config)
        rounds = f", {fit.rounds} rounds" if fit.rounds else ""
        return f"{config['name']}" + (f" ({said})" if said else "") + rounds
    names = Counter(line.name for line in members(config, fit))
    left_out = len(config["members"]) - len(fit.members)
    kinds = " + ".join(f"{many} × {name}" if many > 1 else name for name, many in names.items())
    return f"{config['name']} of {kinds}" + (f", {left_out} not picked" if left_out else "")


def members(config: dict[str, Any], fit: TrainReport) -> list[MemberLine]:
    """The models of an ensemble that were picked, the heaviest first; none of another model."""
    parts = sorted(fit.members, key=lambda member: -member.weight)
    chosen = [(member, config["members"][member.place]) for member in parts]
    return [MemberLine(m.weight, c["name"], _parameters(c), m.rounds) for m, c in chosen]


def _parameters(config: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in config.items() if key != "name")


def unfitted(fit: TrainReport) -> str:
    """Which rows the numbers called `validation` are of, as the head of a column."""
    return "Out of fold" if fit.folds > 1 else "On validation"


def optimistic(fit: TrainReport) -> str:
    """What is to be known of those numbers, in a sentence."""
    if fit.folds > 1:
        return (
            f"Out of fold: on training and validation rows, each predicted by a model fitted on the other "
            f"{fit.folds - 1} of {fit.folds} folds. They are slightly optimistic, because weights and calibration were "
            "chosen on them"
        )
    return "Validation numbers are optimistic, because rounds and calibration were chosen on those rows"


def resampled(facts: Facts) -> str:
    """What an interval is, in a few sentences."""
    by, draws = facts.tested.resampled_by, count(facts.evaluation["resamples"])
    if not by:
        drawn = "single rows"
    elif by == ("year", "month", "day"):
        drawn = "whole days"
    else:
        drawn = f"all rows of a {' and '.join(by)} together"
    timed = facts.split.kind == "time"
    others, never = ("from the same span", "another season") if timed else ("from the same source", "another source")
    return (
        f"Intervals: {share(facts.tested.interval, 0)}, percentiles of {draws} bootstrap resamples of the "
        f"test rows that draw {drawn}. They say how far a number would move had others been drawn {others}; "
        f"they do not say what {never}, or a model trained anew, would do."
    )
