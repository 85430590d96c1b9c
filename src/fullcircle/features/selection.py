"""Selection of features: drops constants, near-copies, and features without information about the target."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..base.statistics import bin_of, quantile_edges
from .targets import codes

if TYPE_CHECKING:
    from ..base.columns import Array

BINS = 16
ERRORS = 2.0  # standard errors by which the information must be too low before a feature is dropped
LN2 = float(np.log(2))
BIN_ROWS = 25
FEW = 5
CELLS, ROWS = 2**19, 256  # of columns that are multiplied at a time: so many values, and at least so many rows
BLOCK = 2000  # columns whose correlations with all earlier ones are in memory together


@dataclass(frozen=True, slots=True)
class Dropped:
    """A feature that was left out, and why."""

    feature: str
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """`selected` in the order given, `dropped`, and the `information` of every candidate, in bits.

    `doubtful`: those of `selected` with too little information, kept because no feature has more. `stability`: share
    of the halves in which a feature was important (0..1); empty without stability selection.
    """

    selected: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    information: dict[str, float]
    doubtful: tuple[str, ...] = ()
    stability: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeaturizeReport:
    """What `featurize` writes to reports/features.json: a `Selection`, and what it was made from.

    `candidates`: number of features before selection. `cross_fitted`: selected features that training rows have out
    of fold. `train_rows`: rows that the plan was fitted on.
    """

    candidates: int
    selected: tuple[str, ...]
    doubtful: tuple[str, ...]
    cross_fitted: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    information: dict[str, float]
    train_rows: int
    stability: dict[str, float] = field(default_factory=dict)


def select(
    features: dict[str, Array], target: Array, n_classes: int, max_correlation: float, min_information: float
) -> Selection:
    """Choose among `features` (1-D float arrays, NaN for null) by training rows.

    A feature is dropped if it has one value, if it has less than `min_information` bits about `target` (see
    `targets`), or if its Pearson correlation with an earlier one that stays is above `max_correlation`. Its information
    must be too low by two standard errors, so that a table of few rows drops nothing by chance. If no feature has as
    much, the `FEW` with the most are kept, because a model needs inputs.
    """
    known = codes(target, n_classes, bins_of(len(target)))
    with ThreadPoolExecutor(2) as pool:  # NumPy sorts and searches without Python's lock
        estimates = pool.map(lambda values: _information(values, known), features.values())
        found = dict(zip(features, estimates, strict=True))
    bits = {name: estimate for name, (estimate, _) in found.items()}
    constant = {name for name, values in features.items() if is_constant(values)}
    informative = {
        name for name in features if name not in constant and bits[name] + ERRORS * found[name][1] >= min_information
    }
    doubtful: set[str] = set()
    if not informative:  # sorting is stable: of equals, the first given
        doubtful = set(sorted((n for n in features if n not in constant), key=lambda name: -bits[name])[:FEW])
    left = [name for name in features if name in informative | doubtful]
    dropped = [
        Dropped(name, "has one value" if name in constant else f"has {bits[name]:.5f} bits about the target")
        for name in features
        if name not in informative | doubtful
    ]
    copies = _repeats([features[name] for name in left], max_correlation)
    dropped += [Dropped(left[i], f"correlates {r:.4f} with {left[j]}") for i, (j, r) in copies.items()]
    selected = tuple(name for i, name in enumerate(left) if i not in copies)
    return Selection(selected, tuple(dropped), bits, tuple(name for name in selected if name in doubtful))


def bins_of(rows: int) -> int:
    """Number of bins for a target that is a number: 8, down to 2 in a table of few rows, where more would fit noise."""
    return min(8, max(2, rows // 100))


def information(values: Array, target: Array) -> float:
    """Mutual information of a feature and a target in bits, over bins of equal count and one for null; 0 or above."""
    return _information(values, target)[0]


def _information(values: Array, target: Array) -> tuple[float, float]:
    """Mutual information in bits, and its standard error if the two are independent.

    `target`: int64 (rows,), of `targets.codes`. There are 16 bins, fewer if they would have less than 25 rows each.
    The plug-in estimate (Cover and Thomas 2006, eq. 2.28) finds something in noise, the more the fewer rows there are:
    (cells seen - bins seen - codes seen + 1) / (2 rows ln 2) bits on average (Miller 1955), which is taken off. It
    is distributed as chi-squared / (2 rows ln 2) with (bins - 1) (codes - 1) degrees of freedom.
    """
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return 0.0, 0.0
    bins = min(BINS, max(2, len(known) // BIN_ROWS))
    edges = quantile_edges(known[:: max(1, len(known) // 20_000)], bins)
    at = bin_of(values, edges)
    width = int(target.max()) + 1
    counts = np.bincount(at * width + target, minlength=width * (len(edges) + 2)).reshape(-1, width)
    joint = counts / len(values)
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    seen = joint > 0
    found = float((joint[seen] * np.log2(joint[seen] / expected[seen])).sum())
    bins_seen, codes_seen, unit = int(seen.any(axis=1).sum()), int(seen.any(axis=0).sum()), 1 / (2 * len(values) * LN2)
    chance = max(0, int(seen.sum()) - bins_seen - codes_seen + 1) * unit
    return max(0.0, found - chance), float(np.sqrt(2 * (bins_seen - 1) * (codes_seen - 1))) * unit


def is_constant(values: Array) -> bool:
    """Whether a feature is one value in all rows, or null in all."""
    known = values[~np.isnan(values)]
    return len(known) in (0, len(values)) and (len(known) == 0 or bool(np.all(known == known[0])))


def _repeats(columns: list[Array], max_correlation: float) -> dict[int, tuple[int, float]]:
    """Position of a repeating column -> the earlier one it repeats, and their correlation. Nulls count as the mean."""
    repeats: dict[int, tuple[int, float]] = {}
    stays = np.ones(len(columns), dtype=bool)
    means = np.array([np.nanmean(values) for values in columns])
    length = np.empty(len(columns))  # of each centred column, as a vector
    for start in range(0, len(columns), BLOCK):
        end = min(start + BLOCK, len(columns))
        product = _products(columns[:end], means[:end], start)
        length[start:end] = np.maximum(np.sqrt(product.diagonal(start)), 1e-300)
        correlation = np.abs(product) / length[start:end, None] / length[:end]
        for i, row in enumerate(correlation, start):
            copied = stays[:i] & (row[:i] > max_correlation)
            if copied.any():
                j = int(copied.argmax())
                repeats[i], stays[i] = (j, float(row[j])), False
    return repeats


def _products(columns: list[Array], means: Array, start: int) -> Array:
    """Products of the centred columns from `start` on with all of them: float64 (columns - start, columns).

    They are added up over few rows at a time, which stay in the processor's cache: all of them would be new memory.
    """
    product = np.zeros((len(columns) - start, len(columns)))
    step = max(ROWS, CELLS // len(columns))
    for row in range(0, len(columns[0]), step):
        centred = np.stack([values[row : row + step] for values in columns]) - means[:, None]
        np.nan_to_num(centred, copy=False)
        product += centred[start:] @ centred.T
    return product
