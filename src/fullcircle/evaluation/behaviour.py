"""Behaviour: what must not change a prediction, and what must move it one way (Ribeiro et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import is_null, rows, take
from fullcircle.base.errors import ConfigError
from fullcircle.base.threads import parallel_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from fullcircle.base.columns import Array, Columns
    from fullcircle.core.problem import Behaviour
    from fullcircle.scoring.predictions import Calibration


ASKED = 5_000


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


def check_behaviour(checks: tuple[Behaviour, ...], classes: tuple[str, ...]) -> None:
    """Refuse a check that does not say what is to move. Raises ConfigError.

    Of three classes or more a check that expects `up` or `down` names the class `of` whose probability moves; `same`
    may. Of other targets no check names one: the probability of the positive class moves, or the number.
    """
    for check in checks:
        known = classes if len(classes) > 2 else ()
        if check.of is not None and check.of not in known:
            may = (
                f"it may be one of {', '.join(known)}"
                if known
                else "this target has one value that moves: leave it out"
            )
            raise ConfigError(f"problem.behaviour: {check.name}: of: {check.of} cannot be; {may}")
        if known and check.of is None and check.expect != "same":
            raise ConfigError(
                f"problem.behaviour: {check.name}: say whose probability goes {check.expect}: "
                f"`of:` one of {', '.join(known)}"
            )


def behave(
    checks: tuple[Behaviour, ...], columns: Columns, calibration: Calibration, predicted: Callable[[Columns], Array]
) -> list[Behaved]:
    """Change one input at a time and see where the forecasts (rows, outputs) go; rows whose value is null are left out.

    What moves is a probability, or the number in its own unit; of several classes without an `of`, half of what all
    probabilities moved together (the total variation distance, 0 to 1).
    Of more than 5,000 rows, evenly spaced ones are asked: enough to tell a share to within a percent.
    """
    check_behaviour(checks, calibration.classes)
    count = rows(columns)
    columns = take(columns, np.linspace(0, count - 1, min(count, ASKED)).round().astype(int))
    before = predicted(columns)
    return parallel_map(lambda check: _behave(check, columns, calibration, before, predicted), checks)


def share_passed(behaved: list[Behaved], kinds: tuple[str, ...]) -> float | None:
    """Share of the checks of these kinds that passed; None where there are none."""
    of_kind = [b.passed for b in behaved if b.expect in kinds]
    return float(np.mean(of_kind)) if of_kind else None


def _behave(
    check: Behaviour, columns: Columns, calibration: Calibration, before: Array, predicted: Callable[[Columns], Array]
) -> Behaved:
    changed = _changed(check, columns)
    move = _move(check, calibration, before, predicted(columns | {check.column: changed}))
    move = move[~is_null(columns[check.column])]
    did = {
        "same": np.abs(move) <= check.tolerance,
        "up": move >= -check.tolerance,
        "down": move <= check.tolerance,
    }[check.expect]
    held, moved = (float(did.mean()), float(np.median(move))) if len(move) else (0.0, 0.0)  # no row to test: not held
    return Behaved(check.name, check.expect, held, check.share, moved)


def _changed(check: Behaviour, columns: Columns) -> Array:
    if check.column not in columns:
        raise ConfigError(f"problem.behaviour: {check.name}: {check.column} is no input of the scorer")
    values = columns[check.column]
    fits = values.dtype.kind == "f" if not isinstance(check.set, str) else values.dtype == object
    if not fits:
        raise ConfigError(
            f"problem.behaviour: {check.name}: {check.add if check.set is None else check.set!r} "
            f"does not fit column {check.column}"
        )
    if check.add is not None:
        return np.asarray(values + check.add)
    return np.full(len(values), check.set, dtype=values.dtype)


def _move(check: Behaviour, calibration: Calibration, before: Array, after: Array) -> Array:
    if before.shape[1] == 1:
        return np.asarray((after - before)[:, 0])
    if check.of is None:
        return np.asarray(np.abs(after - before).sum(axis=1) / 2)
    return np.asarray((after - before)[:, calibration.classes.index(check.of)])
