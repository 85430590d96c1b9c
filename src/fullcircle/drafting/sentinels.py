"""Numbers that stand for none: an extreme value that is repeated and lies far from all others, such as -999."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

REPEATED = 3  # times, at least ...
SHARE = 0.002  # ... and in this share of the rows
FAR = 1.5  # times the range of all others, from the nearest of them
USUAL = frozenset({-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0})
LEVELS = 20  # of the others, at least: among few whole numbers nothing is far


def sentinel(values: Array) -> tuple[float, int] | None:
    """The value that stands for none, and how often; None where there is none.

    -1 does where all other numbers are 0 or more. Another value does where its distance from the others is over 1.5
    times their range; half of their range is enough for one of `USUAL`.

    >>> sentinel(np.array([*np.linspace(3, 40, 60), -999, -999, -999]))
    (-999.0, 3)
    >>> sentinel(np.arange(100.0))
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    for extreme in (known.min(), known.max()):
        count = int((known == extreme).sum())
        others = known[known != extreme]
        if count < max(REPEATED, SHARE * len(known)) or len(np.unique(others)) < LEVELS:
            continue
        low, high = float(others.min()), float(others.max())
        away = low - extreme if extreme < low else extreme - high
        if extreme == -1 and low >= 0:
            return -1.0, count
        if away > FAR * (high - low) * (1 / 3 if float(extreme) in USUAL else 1):
            return float(extreme), count
    return None


def doubt(values: Array) -> str:
    """In words; empty where no value stands for none."""
    found = sentinel(values)
    if found is None:
        return ""
    others = values[np.isfinite(values) & (values != found[0])]
    return (
        f"{found[0]:g} in {found[1]:,} rows, and else {others.min():g} to {others.max():g}: does it stand for missing? "
        f'Then `nulls: ["{found[0]:g}"]`'
    )
