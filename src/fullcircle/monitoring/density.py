"""Importance weights of reference rows: how much more often rows like each occur in the window.

A classifier is fitted to separate window rows from reference rows by their inputs; the odds that it gives a row are
the ratio of the two densities (Bickel et al. 2009). Each reference row is weighted by a classifier that was fitted
without its group: rows of one day share its weather, and a classifier that has seen the day would recognize it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.columns import Array, coded, is_null
from fullcircle.monitoring.estimates import numbered, spaced

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns
    from fullcircle.monitoring.estimates import EstimateConfig, Reference, Window

FOLDS = 3
LEVELS = 250  # of a category; the classifier takes 255 at most


@dataclass(frozen=True, slots=True)
class Density:
    """`weight`: of each reference row, mean 1, float64 (rows,). `effective`: how many rows they are worth (Kish 1965).

    `covered`: mean of the odds, about 1 where the reference has rows of every kind that the window has, lower where
    it lacks some. `left_out`: columns that share no value or range between window and reference, such as the year:
    they separate the two by construction, and would leave no row that resembles any other.
    """

    weight: Array
    effective: float
    covered: float
    left_out: tuple[str, ...]


def density_ratio(reference: Reference, window: Window, config: EstimateConfig) -> Density:
    """Weights of reference rows by which they resemble the window's. The same inputs give the same weights.

    The classifier is fitted on evenly spaced rows, `classifier_rows` of each at most. Weights are clipped to
    `max_weight` times their mean; `effective` is of the weights before that.
    """
    taken = [spaced(len(rows.predicted), config.classifier_rows) for rows in (reference, window)]
    matrix, categories, left_out = _matrix(reference.inputs, window.inputs, taken)
    if matrix.whole.shape[1] == 0:
        return Density(np.ones(len(reference.predicted)), float(len(reference.predicted)), 1.0, left_out)
    group = numbered(reference.group)
    shuffled = np.random.default_rng(config.seed).permutation(int(group.max()) + 1)
    fold = shuffled[group] % FOLDS if len(shuffled) >= FOLDS else np.arange(len(group)) % FOLDS
    odds = np.ones(len(group))
    for k in range(FOLDS):
        held_out = fold == k
        fitted_on = matrix.reference[fold[taken[0]] != k]
        if held_out.any() and len(fitted_on):
            classifier = _fit(fitted_on, matrix.window, categories, config)
            odds[held_out] = _odds(classifier, matrix.whole[held_out])
    weight = _clipped(odds, config.max_weight)
    return Density(weight, float(odds.sum() ** 2 / (odds**2).sum()), float(odds.mean()), left_out)


@dataclass(frozen=True, slots=True)
class _Matrices:
    """Numbers and codes, float64 (rows, columns): of the rows to fit on, and of the `whole` reference."""

    reference: Array
    window: Array
    whole: Array


def _matrix(reference: Columns, window: Columns, taken: list[Array]) -> tuple[_Matrices, list[bool], tuple[str, ...]]:
    whole, late, categories, left_out = list[Array](), list[Array](), list[bool](), list[str]()
    for name, values in reference.items():
        if values.dtype.kind == "M":
            pairs = zip(_parts(values), _parts(window[name][taken[1]]), strict=True)
        else:
            pairs = zip([values], [window[name][taken[1]]], strict=True)
        for first, second in pairs:
            if not _overlap(first, second):
                left_out.append(name)
                continue
            numbers = _codes(first, second) if first.dtype == object else (first, second)
            whole.append(numbers[0])
            late.append(numbers[1])
            categories.append(first.dtype == object)
    both = [np.stack(c, axis=1) if c else np.zeros((0, 0)) for c in (whole, late)]
    matrices = _Matrices(both[0][taken[0]] if whole else both[0], both[1], both[0])
    return matrices, categories, tuple(left_out)


def _parts(values: Array) -> list[Array]:
    """Of a time, what comes again: hour of the day and day of the week, float64 with NaN for null."""
    seconds = values.astype("datetime64[s]").astype(np.int64)
    null = np.isnat(values)
    return [np.where(null, np.nan, part) for part in (seconds // 3600 % 24, seconds // 86400 % 7)]


def _overlap(first: Array, second: Array) -> bool:
    """Whether there are values, and their ranges (of categories: levels) meet."""
    a, b = first[~is_null(first)], second[~is_null(second)]
    if len(a) == 0 or len(b) == 0:
        return len(a) + len(b) > 0 and len(a) < len(first) and len(b) < len(second)  # they meet in null
    if first.dtype == object:
        return bool(set(a.tolist()) & set(b.tolist()))
    return bool(a.min() <= b.max() and b.min() <= a.max())


def _codes(first: Array, second: Array) -> tuple[Array, Array]:
    """Codes of the most frequent levels; the rarer ones share a code, and null is NaN."""
    found = coded(np.concatenate([first, second]))
    count = np.bincount(found.at, minlength=len(found.levels))
    frequent = [i for i in np.argsort(-count, kind="stable")[: LEVELS + 1].tolist() if found.levels[i] is not None]
    code = np.full(len(found.levels), float(LEVELS))
    code[frequent[:LEVELS]] = np.arange(len(frequent[:LEVELS]))
    code[[i for i, level in enumerate(found.levels) if level is None]] = np.nan
    return code[found.at[: len(first)]], code[found.at[len(first) :]]


def _fit(reference: Array, window: Array, categories: list[bool], config: EstimateConfig) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    rows = len(reference) + len(window)
    weight = np.concatenate([np.full(len(side), rows / len(side) / 2) for side in (reference, window)])
    model = HistGradientBoostingClassifier(
        max_iter=40,
        max_leaf_nodes=15,
        min_samples_leaf=max(5, min(200, rows // 50)),
        l2_regularization=10.0,
        categorical_features=categories,
        early_stopping=False,
        random_state=config.seed,
    )
    target = np.repeat([0, 1], [len(reference), len(window)])
    with threadpool_limits(1):  # more threads spin while they wait: on two busy cores 217 s instead of 5 s
        return model.fit(np.concatenate([reference, window]), target, weight)


def _odds(classifier: Any, matrix: Array) -> Array:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        late = np.asarray(classifier.predict_proba(matrix))[:, 1]
    return np.asarray(late / np.maximum(1 - late, 1e-6))


def _clipped(odds: Array, most: float) -> Array:
    """Mean 1, and none above `most`."""
    weight = odds / odds.mean()
    for _ in range(5):  # clipping lowers the mean, and the new mean the limit
        weight = np.minimum(weight, most)
        weight = weight / weight.mean()
    return np.asarray(weight)
