"""Fitting of lookup tables: what is typical of training rows, for keys that the table does not have."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.columns import Array, coded
from fullcircle.features.plan import LookupTable

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns
    from fullcircle.core.problem import Lookup


def fit_lookup(lookup: Lookup, table: Columns, train: Columns) -> LookupTable:
    """A reference table with the medians of training rows for unknown keys.

    A column of which no training row has a value gets 0.
    """
    values = {out: _floats(table[column]) for column, out in lookup.columns.items()}
    plain = LookupTable(
        lookup.key,
        tuple(table[lookup.matches]),
        {k: tuple(v) for k, v in values.items()},
        None,
        {},
        dict.fromkeys(values, np.nan),
    )
    return replace(plain, **_typical(plain, lookup.fallback, train))


def _typical(table: LookupTable, fallback: str | None, train: Columns) -> dict[str, Any]:
    at = coded(train[table.key]).positions(table.keys)
    typical: dict[str, dict[str, float]] = {}
    default: dict[str, float] = {}
    for name, values in table.values.items():
        seen = np.array([np.nan if v is None else v for v in values] + [np.nan])[at]
        known = ~np.isnan(seen)
        default[name] = float(np.median(seen[known])) if known.any() else 0.0
        if fallback is not None:
            group = coded(train[fallback][known])
            at_level, of_level = group.positions(group.known), seen[known]
            typical[name] = {level: float(np.median(of_level[at_level == i])) for i, level in enumerate(group.known)}
    return {"fallback": fallback, "typical": typical, "default": default}


def _floats(values: Array) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in values]
