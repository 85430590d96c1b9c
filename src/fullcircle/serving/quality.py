"""Quality of inputs as they come: nulls, and values outside what was seen in training, counted by column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..scoring.reference import Levels

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..base.columns import Array, Columns
    from ..scoring.reference import Reference
    from .metrics import Metrics


class Quality:
    """Compares rows with the bundle's reference statistics, all numbers at once."""

    def __init__(self, reference: Reference, metrics: Metrics) -> None:
        self._metrics = metrics
        self._ranges = {
            name: (seen.low, seen.high)
            for name, seen in reference.inputs.items()
            if not isinstance(seen, Levels) and seen.kind == "number" and seen.low is not None and seen.high is not None
        }
        levels = {name: seen for name, seen in reference.inputs.items() if isinstance(seen, Levels)}
        self._levels = {name: {*seen.counts} for name, seen in levels.items()}
        self._of: dict[tuple[str, ...], tuple[list[str], Array, Array]] = {}

    def note(self, columns: Columns) -> None:
        """Count the nulls and the values outside of rows that could be read."""
        names, low, high = self._bounds(tuple(columns))
        if names:
            table = np.array([columns[name] for name in names])
            self._count(names, np.isnan(table), self._metrics.nulls)
            self._count(names, (table < low) | (table > high), self._metrics.outside)
        for name, levels in self._levels.items():
            if name in columns:
                values = columns[name].tolist()
                if gone := values.count(None):
                    self._metrics.nulls(name, gone)
                if not levels.issuperset(values) and (
                    unseen := sum(value is not None and value not in levels for value in values)
                ):
                    self._metrics.outside(name, unseen)

    def _bounds(self, given: tuple[str, ...]) -> tuple[list[str], Array, Array]:
        found = self._of.get(given)
        if found is None:
            names = [name for name in given if name in self._ranges]
            low, high = (np.array([self._ranges[name][i] for name in names]).reshape(-1, 1) for i in (0, 1))
            found = self._of[given] = names, low, high
        return found

    @staticmethod
    def _count(names: list[str], wrong: Array, note: Callable[[str, int], None]) -> None:
        if wrong.any():
            for at in np.flatnonzero(wrong.any(axis=1)).tolist():
                note(names[at], int(wrong[at].sum()))
