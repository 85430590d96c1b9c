"""Selection of features: drops what is constant, what repeats another, and what tells nothing of the target."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .created import Array

BINS = 16


@dataclass(frozen=True, slots=True)
class Dropped:
    """A feature that was left out, and why."""

    feature: str
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """`selected` in the order given, `dropped`, and the `information` of every candidate, in bits."""

    selected: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    information: dict[str, float]


def select(features: dict[str, Array], target: Array, max_correlation: float, min_information: float) -> Selection:
    """Choose among `features` (1-D float arrays, NaN for null) by what training rows show.

    A feature goes if it has one value, if it tells less than `min_information` bits about `target` (0.0 or
    1.0), or if its Pearson correlation with an earlier one that stays is above `max_correlation`.
    """
    dropped, left = [], []
    with ThreadPoolExecutor(2) as pool:  # NumPy sorts and searches without Python's lock
        bits = dict(zip(features, pool.map(lambda values: information(values, target), features.values()), strict=True))
    for name, values in features.items():
        if _constant(values):
            dropped.append(Dropped(name, "has one value"))
        elif bits[name] < min_information:
            dropped.append(Dropped(name, f"tells {bits[name]:.5f} bits about the target"))
        else:
            left.append(name)
    alike = _repeats([features[name] for name in left], max_correlation)
    dropped += [Dropped(left[i], f"correlates {r:.4f} with {left[j]}") for i, (j, r) in alike.items()]
    return Selection(tuple(n for i, n in enumerate(left) if i not in alike), tuple(dropped), bits)


def information(values: Array, target: Array) -> float:
    """Mutual information of a feature and a binary target in bits, over 16 bins of equal count and one for null.

    Plug-in estimate (Cover and Thomas 2006, eq. 2.28); 0 for a constant.
    """
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return 0.0
    edges = np.unique(np.quantile(known[:: max(1, len(known) // 20_000)], np.linspace(0, 1, BINS + 1)[1:-1]))
    at = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
    joint = np.bincount(at * 2 + target.astype(np.int64), minlength=2 * (len(edges) + 2)).reshape(-1, 2) / len(values)
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    return max(0.0, float((joint[seen] * np.log2(joint[seen] / expected[seen])).sum()))


def _constant(values: Array) -> bool:
    known = values[~np.isnan(values)]
    return len(known) in (0, len(values)) and (len(known) == 0 or bool(np.all(known == known[0])))


def _repeats(columns: list[Array], max_correlation: float) -> dict[int, tuple[int, float]]:
    """Position of a repeating column -> the earlier one it repeats, and their correlation. Nulls count as the mean."""
    if not columns:
        return {}
    standard = np.empty((len(columns), len(columns[0])))
    for i, values in enumerate(columns):
        centred = np.nan_to_num(values - np.nanmean(values))
        standard[i] = centred / max(float(np.sqrt((centred**2).mean())), 1e-300)
    correlation = np.abs(standard @ standard.T) / standard.shape[1]
    repeats: dict[int, tuple[int, float]] = {}
    for i in range(len(columns)):
        for j in range(i):
            if j not in repeats and correlation[i, j] > max_correlation:
                repeats[i] = (j, float(correlation[i, j]))
                break
    return repeats
