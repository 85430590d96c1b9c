"""Gates: the verdict. A file to compare, not an exception: a model that fails is a result too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fullcircle.base.errors import ConfigError, difference
from fullcircle.evaluation.champion import NO_CHAMPION
from fullcircle.evaluation.tasks import check_metric
from fullcircle.scoring.verdict import GateResult, Verdict

if TYPE_CHECKING:
    from fullcircle.core.problem import Gate
    from fullcircle.evaluation.tasks import TaskMetrics

OVER_CHAMPION = ("over_champion", "over_champion_low", "over_champion_slice")
"""How much better than the champion on the same rows: overall, the lower end of its interval, in the worst slice."""

DIFFERENCES = ("slice_gap", "train_gap", "over_dummy", "over_rule", *OVER_CHAMPION)
"""Values in the primary metric, and a gate may name them: above 0 the whole, or the model, is better."""

SHARES = ("invariance", "direction")
"""Shares of the behaviour checks that passed."""

GATED = (*DIFFERENCES, *SHARES)
"""Values a gate may name besides the metrics of metrics/test.json."""


def check_gates(gates: tuple[Gate, ...], task: TaskMetrics, metric: str) -> None:
    """Refuse a gate on a value that does not exist, or that it could never fail or never pass. Raises ConfigError.

    `metric`: the primary one, which is refused too if the task has none of that name.
    """
    check_metric(task, metric)
    ranges = task.RANGES | dict.fromkeys(DIFFERENCES, _apart(*task.RANGES[metric])) | dict.fromkeys(SHARES, (0.0, 1.0))
    for gate in gates:
        if gate.metric not in ranges:
            differs = difference(ranges, [gate.metric], "value", missing=False)
            raise ConfigError(f"problem.gates: {differs}\n  known: {', '.join(ranges)}")
        (low, high), threshold = ranges[gate.metric], gate.min if gate.min is not None else gate.max
        if threshold is None or not (math.isfinite(threshold) and low <= threshold <= high):
            raise ConfigError(
                f"problem.gates: {gate.metric}: threshold {threshold} is outside {low:g}..{high:g}, where its value "
                "will be: the gate could never fail, or never be passed"
            )


def _apart(low: float, high: float) -> tuple[float, float]:
    """The range of the difference of two values in a range; without an end where the range has none."""
    return (low - high, high - low) if math.isfinite(high - low) else (-math.inf, math.inf)


def evaluate_gates(
    gates: tuple[Gate, ...],
    values: dict[str, float | None],
    unfinished: tuple[str, ...] = (),
    uncompared: str = NO_CHAMPION,
) -> Verdict:
    """Hold every gate against its value; a value that is missing or NaN is unknown.

    `unfinished`: keys of the problem that are still to be filled in; while there are any, no model is blessed.
    `uncompared`: why there was no comparison with a champion; its gates are passed over then. Empty if there was one:
    a value of it that is unknown makes the verdict unknown, as any other does.
    """
    reasons = dict.fromkeys(OVER_CHAMPION, uncompared)
    results = tuple(_evaluate_gate(gate, values.get(gate.metric), reasons.get(gate.metric, "")) for gate in gates)
    if any(gate.status == "failed" for gate in results):
        return Verdict("rejected", results, unfinished)
    unknown = [gate for gate in results if gate.status == "unknown" and not gate.reason]
    return Verdict("unknown" if unknown else "draft" if unfinished else "blessed", results, unfinished)


def _evaluate_gate(gate: Gate, value: float | None, reason: str) -> GateResult:
    if value is None or value != value:
        return GateResult(gate.metric, None, gate.min, gate.max, None, "unknown", gate.why, reason)
    margin = value - gate.min if gate.min is not None else (gate.max or 0.0) - value
    return GateResult(gate.metric, value, gate.min, gate.max, margin, "passed" if margin >= 0 else "failed", gate.why)
