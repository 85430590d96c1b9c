"""Behaviour: what must not change a prediction, and what must move it one way (Ribeiro et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.core.threads import side_by_side
from fullcircle.runtime.columns import is_null, rows, take
from fullcircle.runtime.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fullcircle.core.problem import Behaviour
    from fullcircle.runtime.columns import Array, Columns


ASKED = 10_000


@dataclass(frozen=True, slots=True)
class Behaved:
    """One check: `held` is the share of rows for which the prediction did as it must, `median_move` how it moved."""

    name: str
    expect: str
    held: float
    needed: float
    median_move: float

    @property
    def passed(self) -> bool:
        """Whether enough rows did."""
        return self.held >= self.needed


def behave(checks: tuple[Behaviour, ...], columns: Columns, probability: Callable[[Columns], Array]) -> list[Behaved]:
    """Change one input at a time and see where the predictions go. Rows whose value is null are left out.

    Of more than 10,000 rows, evenly spaced ones are asked: enough to tell a share to within a percent.
    """
    count = rows(columns)
    columns = take(columns, np.linspace(0, count - 1, min(count, ASKED)).round().astype(int))
    before = probability(columns)
    return side_by_side(lambda check: _behave(check, columns, before, probability), checks)


def share_passed(behaved: list[Behaved], kinds: tuple[str, ...]) -> float | None:
    """Share of the checks of these kinds that passed; None where there are none."""
    of_kind = [b.passed for b in behaved if b.expect in kinds]
    return float(np.mean(of_kind)) if of_kind else None


def _behave(check: Behaviour, columns: Columns, before: Array, probability: Callable[[Columns], Array]) -> Behaved:
    if check.column not in columns:
        raise ConfigError(f"problem.behaviour: {check.name}: {check.column} is no input of the scorer")
    values = columns[check.column]
    if (values.dtype == object) != isinstance(check.set, str):
        raise ConfigError(
            f"problem.behaviour: {check.name}: {check.add if check.set is None else check.set!r} "
            f"does not fit column {check.column}"
        )
    if values.dtype == object:
        changed = np.full(len(values), check.set, dtype=object)
        counted = ~is_null(values)
    else:
        changed = values + check.add if check.add is not None else np.full(len(values), float(check.set or 0.0))
        counted = ~is_null(values)
    move = (probability(columns | {check.column: changed}) - before)[counted]
    did = {
        "same": np.abs(move) <= check.tolerance,
        "up": move >= -check.tolerance,
        "down": move <= check.tolerance,
    }[check.expect]
    held, moved = (float(did.mean()), float(np.median(move))) if len(move) else (0.0, 0.0)  # nobody to ask: not held
    return Behaved(check.name, check.expect, held, check.share, moved)
