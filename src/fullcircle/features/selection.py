"""Selection of features: drops what is constant, what repeats another, and what tells nothing of the target."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .targets import codes

if TYPE_CHECKING:
    from .columns import Array

BINS = 16
BIN_ROWS = 25
FEW = 5


@dataclass(frozen=True, slots=True)
class Dropped:
    """A feature that was left out, and why."""

    feature: str
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """`selected` in the order given, `dropped`, and the `information` of every candidate, in bits.

    `doubtful`: those of `selected` that tell less than they should, and stayed because nothing tells more.
    """

    selected: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    information: dict[str, float]
    doubtful: tuple[str, ...] = ()


def select(
    features: dict[str, Array], target: Array, classes: int, max_correlation: float, min_information: float
) -> Selection:
    """Choose among `features` (1-D float arrays, NaN for null) by what training rows show.

    A feature goes if it has one value, if it tells less than `min_information` bits about `target` (see `targets`),
    or if its Pearson correlation with an earlier one that stays is above `max_correlation`. Where none tells as much,
    the `FEW` that tell most are kept: a model needs something to see, and a table of few rows may hide what it knows.
    """
    known = codes(target, classes, bins_of(len(target)))
    with ThreadPoolExecutor(2) as pool:  # NumPy sorts and searches without Python's lock
        bits = dict(zip(features, pool.map(lambda values: information(values, known), features.values()), strict=True))
    constant = {name for name, values in features.items() if is_constant(values)}
    telling = {name for name in features if name not in constant and bits[name] >= min_information}
    doubtful: set[str] = set()
    if not telling:  # sorting is stable: of equals, the first given
        doubtful = set(sorted((n for n in features if n not in constant), key=lambda name: -bits[name])[:FEW])
    left = [name for name in features if name in telling | doubtful]
    dropped = [
        Dropped(name, "has one value" if name in constant else f"tells {bits[name]:.5f} bits about the target")
        for name in features
        if name not in telling | doubtful
    ]
    alike = _repeats([features[name] for name in left], max_correlation)
    dropped += [Dropped(left[i], f"correlates {r:.4f} with {left[j]}") for i, (j, r) in alike.items()]
    selected = tuple(name for i, name in enumerate(left) if i not in alike)
    return Selection(selected, tuple(dropped), bits, tuple(name for name in selected if name in doubtful))


def bins_of(rows: int) -> int:
    """Into how many bins a target that is a number goes: 8, and 2 in a table of few rows, where more hold chance."""
    return min(8, max(2, rows // 100))


def information(values: Array, target: Array) -> float:
    """Mutual information of a feature and a target in bits, over bins of equal count and one for null; 0 or above.

    `target`: int64 (rows,), of `targets.codes`. There are 16 bins, fewer where they would have less than 25 rows each.
    The plug-in estimate (Cover and Thomas 2006, eq. 2.28) finds something in noise, the more the fewer rows there are:
    (cells seen - bins seen - codes seen + 1) / (2 rows ln 2) bits on average (Miller 1955), which is taken off.
    """
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return 0.0
    bins = min(BINS, max(2, len(known) // BIN_ROWS))
    edges = np.unique(np.quantile(known[:: max(1, len(known) // 20_000)], np.linspace(0, 1, bins + 1)[1:-1]))
    at = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
    width = int(target.max()) + 1
    counts = np.bincount(at * width + target, minlength=width * (len(edges) + 2)).reshape(-1, width)
    joint = counts / len(values)
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    found = float((joint[seen] * np.log2(joint[seen] / expected[seen])).sum())
    chance = seen.sum() - seen.any(axis=1).sum() - seen.any(axis=0).sum() + 1
    return max(0.0, found - max(0, int(chance)) / (2 * len(values) * float(np.log(2))))


def is_constant(values: Array) -> bool:
    """Whether a feature is one value in all rows, or null in all."""
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
    stays = np.ones(len(columns), dtype=bool)
    for i in range(1, len(columns)):
        alike = stays[:i] & (correlation[i, :i] > max_correlation)
        if alike.any():
            j = int(alike.argmax())
            repeats[i], stays[i] = (j, float(correlation[i, j])), False
    return repeats
