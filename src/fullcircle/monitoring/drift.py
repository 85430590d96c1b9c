"""Drift: how far each input and each prediction of a window lies from the baseline, against what chance does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fullcircle.monitoring.bins import OUTSIDE, label
from fullcircle.monitoring.counts import Counted
from fullcircle.monitoring.draws import (
    DRAWS,
    compare,
    distance,
    drawn_shares,
    note_of,
    plan_draws,
    row_spread,
    seeded,
)
from fullcircle.monitoring.window import Tally, outputs_of

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.monitoring.baseline import Baseline
    from fullcircle.monitoring.window import Window

SHIFTED = 0.1  # of a mean, in standard deviations, from which on it is the change to name


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """The drift of one column.

    `effect`: Hellinger distance of the window's shares of bins from the baseline's, 0 (equal) to 1 (no bin shared);
    it does not grow with the number of rows. `threshold`: of the effect, for this window. `p_value`: the probability
    that in a window without drift any column lies as far beyond chance. `drifted`: effect above threshold. `shift`: of
    the mean of a number, in standard deviations of the baseline's rows; None where there is none. `change`: the
    largest change in words.
    """

    name: str
    kind: Literal["input", "prediction"]
    effect: float
    threshold: float
    p_value: float
    drifted: bool
    shift: float | None
    change: str


@dataclass(frozen=True, slots=True)
class Drift:
    """The drift of a window. `columns`: the furthest beyond chance first. `note`: what the thresholds do not cover."""

    rows: int
    groups: int
    false_alarm: float
    columns: tuple[ColumnDrift, ...]
    note: str = ""

    @property
    def drifted(self) -> tuple[ColumnDrift, ...]:
        """The columns that drifted."""
        return tuple(column for column in self.columns if column.drifted)


def drift(baseline: Baseline, window: Window, *, false_alarm: float, seed: int, draws: int = DRAWS) -> Drift:
    """Compare a window with the baseline: inputs with training rows, predictions with those of test rows.

    `false_alarm`: the probability that a window without drift has a drifted column, above 1 / (draws + 1); else raises
    ConfigError. A window without rows has no columns.
    """
    if not window.rows:
        return Drift(0, 0, false_alarm, (), "the window has no rows")
    outputs = outputs_of(baseline)
    sides = [_Side(name, "input", window.inputs[name], base) for name, base in baseline.train.items()]
    sides += [_Side(name, "prediction", window.outputs[name], base) for name, base in outputs.items()]
    drawn = [
        drawn_effects(family, window.groups, draws, seed, kind)
        for kind, family in (("input", baseline.train), ("prediction", outputs))
        if family
    ]
    effect = np.array([distance(_shares(side.tally.counts), _shares(side.base.total)) for side in sides])
    least = np.array([row_spread(window.rows, int(side.base.total.sum())) for side in sides])
    compared = compare(effect, np.concatenate(drawn), least, false_alarm)
    found = [
        ColumnDrift(
            side.name,
            side.kind,
            float(effect[i]),
            float(compared.threshold[i]),
            float(compared.p_value[i]),
            bool(compared.p_value[i] <= false_alarm),
            shift_of(side.tally, side.base),
            change_of(side.tally, side.base),
        )
        for i, side in enumerate(sides)
    ]
    order = sorted(found, key=lambda column: (column.p_value, column.threshold - column.effect, column.name))
    note = next((note for side in sides if (note := note_of(side.base))), "")
    return Drift(window.rows, len(window.groups), false_alarm, tuple(order), note)


@dataclass(frozen=True, slots=True)
class _Side:
    """A column in the window and in the baseline."""

    name: str
    kind: Literal["input", "prediction"]
    tally: Tally
    base: Counted


def _shares(counts: Array) -> Array:
    return np.asarray(counts / max(1, counts.sum()))


def drawn_effects(family: dict[str, Counted], groups: Array, draws: int, seed: int, kind: str) -> Array:
    """The effect of each column in each window that chance draws, float64 (columns, draws).

    The columns of a `family` are counted on the same rows, so each draw takes the same groups for all of them.
    `groups`: int64 (groups,), the rows of each group of the window.
    """
    plan = plan_draws(next(iter(family.values())), groups, draws, seeded(seed, f"groups of {kind}s"))
    rows = []
    for name, base in family.items():
        shares = drawn_shares(plan, base, seeded(seed, f"{kind} {name}"))
        rows.append(distance(shares, _shares(base.total)))
    return np.stack(rows)


def shift_of(tally: Tally, base: Counted) -> float | None:
    """Mean of the window minus mean of the baseline, in standard deviations of the baseline's rows.

    None of what is no number, of a column without numbers, and of one that was constant.
    """
    bins = base.bins
    if tally.mean is None or bins.mean is None or not bins.deviation:
        return None
    return (tally.mean - bins.mean) / bins.deviation


def change_of(tally: Tally, base: Counted) -> str:
    """The largest change in words: the bin that adds most to the effect, or the shift of a number's mean."""
    now, before = _shares(tally.counts), _shares(base.total)
    added = (np.sqrt(now) - np.sqrt(before)) ** 2
    at = int(np.lexsort((now > before, added))[-1])  # of equal ones, a bin that grew
    shift = shift_of(tally, base)
    if at < base.bins.count + OUTSIDE and shift is not None and abs(shift) >= SHIFTED:
        return f"mean {shift:+.1f} sd ({base.bins.mean:.4g} -> {tally.mean:.4g})"
    if now[at] == before[at]:
        return "none"
    return f"{label(base.bins, at, tally.outside)} {percent(before[at])} -> {percent(now[at])}"


def percent(share: float) -> str:
    """A share in words: whole percents, one digit below 10%, two below 1%.

    >>> percent(0.123), percent(0.031), percent(0.0004), percent(0.0)
    ('12%', '3.1%', '0.04%', '0%')
    """
    if share in (0, 1):
        return f"{share:.0%}"
    if 0 < share < 0.00005:
        return "under 0.01%"
    return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}" if share >= 0.00995 else f"{share:.2%}"
