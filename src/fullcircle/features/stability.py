"""Stability selection: which features a model finds important on most random halves of the rows.

Meinshausen and Buehlmann (2010), on complementary halves (Shah and Samworth 2013). On each half a feature is chosen if
it is more important there than every shadow, a feature whose values were permuted over the rows (Kursa and Rudnicki
2010), so the number of features to choose need not be guessed.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .selection import Dropped, Selection

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..base.columns import Array, Columns

    Importance = Callable[[Array, Array, int], Array]
    """Matrix (rows, features), target (rows,) and a seed -> how important each feature is, 0 for not at all."""

PAIRS = 10  # of halves
SHADOWS = 30
CELLS = 4_000_000  # of a half's matrix; more rows add no information


def frequencies(matrix: Array, target: Array, importance: Importance, seed: int = 0) -> Array:
    """Share of the halves in which each feature is chosen: float64 (features,), 0..1.

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


def select_stable(
    chosen: Selection, encoded: Columns, target: Array, importance: Importance, least: float
) -> Selection:
    """Drop selected features that are important in less than the share `least` of the halves.

    `encoded`: the outputs, of which `chosen.selected` are considered. If all would go, those with the highest share
    are kept.
    """
    matrix = np.stack([encoded[name] for name in chosen.selected], axis=1).astype(np.float32)
    found = frequencies(matrix, target, importance)
    kept = found >= min(least, found.max())
    rare = [
        Dropped(name, f"is important in {share:.2f} of the halves")
        for name, share, stays in zip(chosen.selected, found, kept, strict=True)
        if not stays
    ]
    selected = tuple(name for name, stays in zip(chosen.selected, kept, strict=True) if stays)
    return replace(
        chosen,
        selected=selected,
        dropped=(*chosen.dropped, *rare),
        doubtful=tuple(name for name in chosen.doubtful if name in selected),
        stability=dict(zip(chosen.selected, found.tolist(), strict=True)),
    )
