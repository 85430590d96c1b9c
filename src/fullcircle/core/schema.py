"""The schema that `clean` writes: what later stages must know of the columns of a kept row."""

from __future__ import annotations

from dataclasses import dataclass

from fullcircle.base.checks import Column


@dataclass(frozen=True, slots=True)
class Schema:
    """What later stages must know of the columns that `clean` leaves.

    `inputs`: the columns that the scorer requires. `outcomes`: what becomes known only after `moment` (in words).
    `observed`: the table of last observations, if there is one. `records`: columns that identify a row.
    """

    inputs: dict[str, Column]
    outcomes: tuple[str, ...]
    moment: str
    observed: str | None = None
    records: tuple[str, ...] = ()
