"""Targets of every task as numbers for encoders, selection and baselines.

`n_classes`: 2, and a target is 0.0 or 1.0; more, and it is the position of a class; 0, and it is a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..base.statistics import bin_of, quantile_edges

if TYPE_CHECKING:
    from ..base.columns import Array


def indicators(target: Array, n_classes: int) -> Array:
    """What can be averaged: float64 (rows, outputs); one column per class above two, else the target itself.

    A row without a target is of no class.
    """
    if n_classes <= 2:
        return np.asarray(target, dtype=np.float64).reshape(-1, 1)
    return np.asarray(np.asarray(target)[:, None] == np.arange(n_classes), dtype=np.float64)


def codes(target: Array, n_classes: int, bins: int = 8) -> Array:
    """What can be counted: int64 (rows,), the class, or for a number one of `bins` bins of equal count."""
    if n_classes:
        return np.asarray(target, dtype=np.int64)
    return bin_of(target, quantile_edges(target, bins))
