"""The verdict on a model: each gate with its threshold, value and margin. `validate` writes it for the bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Status: TypeAlias = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate. `margin`: distance of the value from the threshold, negative if the gate failed, None if unknown.

    `reason`: why the gate was passed over, such as that no champion is registered; empty of every other gate.
    """

    metric: str
    value: float | None
    min: float | None
    max: float | None
    margin: float | None
    status: Status
    why: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rejected` if any gate failed; `unknown` if a value that a gate needs is not available.

    If every gate was passed: `blessed`, or `draft` while the problem has parts that are still to be filled in;
    `unfinished` are their keys. A gate against a champion that there is no comparison with is passed
    over: its value is None, and its `reason` says why.
    """

    status: Literal["blessed", "draft", "rejected", "unknown"]
    gates: tuple[GateResult, ...]
    unfinished: tuple[str, ...] = ()
