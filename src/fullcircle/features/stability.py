"""Stability selection: which features a model finds important again and again, on one half of the rows after another.

Meinshausen and Buehlmann (2010), on complementary halves (Shah and Samworth 2013). On each half a feature is chosen if
it is more important there than every shadow, a feature whose values were dealt out to the rows anew (Kursa and Rudnicki
2010): so no number of features to choose has to be guessed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..base.columns import Array

    Importance = Callable[[Array, Array, int], Array]
    """Matrix (rows, features), target (rows,) and a seed -> how important each feature is, 0 for not at all."""

PAIRS = 10  # of halves
SHADOWS = 30
CELLS = 4_000_000  # of a half's matrix: more rows than that leaves room for say nothing new


def frequencies(matrix: Array, target: Array, importance: Importance, seed: int = 0) -> Array:
    """In which share of the halves each feature is chosen: float64 (features,), 0..1.

    `matrix`: (rows, features), NaN for null; `target`: (rows,). The same for the same rows in the same order.
    """
    rows, features = matrix.shape
    half = min(rows // 2, max(200, CELLS // max(1, features)))

    def chosen_on(i: int) -> Array:
        random = np.random.default_rng([seed, i // 2])  # two halves of one order
        part = random.permutation(rows)[i % 2 * half :][:half]
        shadowed = random.choice(features, min(features, SHADOWS), replace=False)
        shadows = np.stack([random.permutation(matrix[part, c]) for c in shadowed], axis=1)
        found = importance(np.hstack([matrix[part], shadows]), target[part], i)
        return np.asarray(found[:features] > found[features:].max(initial=0.0), dtype=float)

    with ThreadPoolExecutor(2) as pool:  # each fit in one thread
        return np.asarray(np.mean([*pool.map(chosen_on, range(2 * PAIRS))], axis=0))
