"""Gates: the verdict. A file to compare, not an exception: a model that fails is a result too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fullcircle.core.problem import Gate

GATED = ("slice_gap", "train_gap", "over_dummy", "over_rule", "over_champion", "invariance", "direction")
"""Values a gate may name besides the metrics of metrics/test.json."""

Status = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One gate, judged. `margin`: how far the value is on the right side of its threshold, negative if it failed."""

    metric: str
    value: float | None
    min: float | None
    max: float | None
    margin: float | None
    status: Status
    why: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rejected` if any gate failed, else `blessed`; `unknown` if a value that a gate needs could not be had.

    A gate against a champion is no obstacle while there is none: its value is None, and it is passed over.
    """

    status: Literal["blessed", "rejected", "unknown"]
    gates: tuple[Judged, ...]


def judge(gates: tuple[Gate, ...], values: dict[str, float | None]) -> Verdict:
    """Hold every gate against its value; a value that is missing or NaN is unknown."""
    judged = tuple(_judge(gate, values.get(gate.metric)) for gate in gates)
    if any(gate.status == "failed" for gate in judged):
        return Verdict("rejected", judged)
    unknown = [gate for gate in judged if gate.status == "unknown" and gate.metric != "over_champion"]
    return Verdict("unknown" if unknown else "blessed", judged)


def _judge(gate: Gate, value: float | None) -> Judged:
    if value is None or value != value:
        return Judged(gate.metric, None, gate.min, gate.max, None, "unknown", gate.why)
    margin = value - gate.min if gate.min is not None else (gate.max or 0.0) - value
    return Judged(gate.metric, value, gate.min, gate.max, margin, "passed" if margin >= 0 else "failed", gate.why)
