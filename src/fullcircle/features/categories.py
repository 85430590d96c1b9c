"""Encoders of categories: what stands for each level, for a rare one, for an unknown one and for null.

A level is rare if training has it in too few rows, and unknown if training does not have it at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .crossfit import mean_of, out_of_fold, smoothed_means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.columns import Array, Coded, Columns, Rows


@dataclass(frozen=True, slots=True)
class OneHot:
    """One column of 0 and 1 a level, and one for all `rare` levels if there are any; unknown and null are 0 in all."""

    kind: Literal["onehot"]
    feature: str
    levels: tuple[str, ...]
    rare: tuple[str, ...] = ()
    name: str = ""  # that outputs begin with, where the feature's own is taken

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        name = self.name or self.feature
        return (*(f"{name}={level}" for level in self.levels), *([f"{name}~rare"] if self.rare else []))

    @property
    def known(self) -> tuple[str, ...]:
        """The levels that are not unknown."""
        return self.levels + self.rare

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        at = np.minimum(rows.coded(self.feature).positions(self.known), len(self.levels))
        return {name: (at == i).astype(float) for i, name in enumerate(self.outputs)}


@dataclass(frozen=True, slots=True)
class TargetMean:
    """The level's smoothed mean of the target in training; `default` for an unknown level, and for null.

    Share of positives, or mean of the number; for several classes a tuple with one share per class.
    """

    kind: Literal["target"]
    feature: str
    means: dict[str, float] | dict[str, tuple[float, ...]]
    default: float | tuple[float, ...]
    name: str = ""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives; a class is named by its position."""
        name = f"{self.name or self.feature}~target"
        return tuple(f"{name}={i}" for i in range(len(self.default))) if isinstance(self.default, tuple) else (name,)

    @property
    def known(self) -> tuple[str, ...]:
        """The levels that are not unknown."""
        return tuple(self.means)

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        found = _by_level(rows.coded(self.feature), self.means, self.default, self.default)
        return self.named(found.reshape(-1, len(self.outputs)))

    def named(self, means: Array) -> Columns:
        """Means (rows, outputs) by the names of the outputs."""
        return dict(zip(self.outputs, means.T, strict=True))


@dataclass(frozen=True, slots=True)
class Order:
    """The level's place, from 0, among levels in the order of the target; `default` for an unknown one, and null."""

    kind: Literal["order"]
    feature: str
    places: dict[str, int]
    default: float
    name: str = ""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        return (f"{self.name or self.feature}~order",)

    @property
    def known(self) -> tuple[str, ...]:
        """The levels that are not unknown."""
        return tuple(self.places)

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        return {self.outputs[0]: _by_level(rows.coded(self.feature), self.places, self.default, self.default)}


@dataclass(frozen=True, slots=True)
class Frequency:
    """The level's share of training rows: 0 for an unknown level, `null` for null."""

    kind: Literal["frequency"]
    feature: str
    shares: dict[str, float]
    null: float
    name: str = ""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        return (f"{self.name or self.feature}~frequency",)

    @property
    def known(self) -> tuple[str, ...]:
        """The levels that are not unknown."""
        return tuple(self.shares)

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        return {self.outputs[0]: _by_level(rows.coded(self.feature), self.shares, 0.0, self.null)}


def _by_level(found: Coded, numbers: Mapping[str, Any], unknown: Any, null: Any) -> Array:
    """Of each row its level's number, or tuple of numbers: float64 (rows,) or (rows, outputs)."""
    of_levels = [null if level is None else numbers.get(level, unknown) for level in found.levels]
    return np.asarray(np.array(of_levels, dtype=float)[found.at])


def fit_frequency(feature: str, found: Coded) -> Frequency:
    """The share of each level, however rare, and of null."""
    rows = max(1, len(found.at))
    counts = np.bincount(found.at, minlength=len(found.levels))
    shares = {level: int(count) / rows for level, count in zip(found.levels, counts, strict=True)}
    null = shares.pop(None, 0.0)
    return Frequency("frequency", feature, {str(level): shares[level] for level in found.known}, null)


def levels_of(found: Coded, min_rows: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The levels of `min_rows` rows or more, and the rare ones, in alphabetical order. The commonest is never rare."""
    known = found.known
    at = found.positions(known)
    counts = np.bincount(at[at >= 0], minlength=len(known))
    least = min(min_rows, counts.max(initial=0))
    common = {level for level, count in zip(known, counts, strict=True) if count >= least}
    return tuple(v for v in known if v in common), tuple(v for v in known if v not in common)


def fit_order(
    feature: str, found: Coded, levels: tuple[str, ...], rare: tuple[str, ...], y: Array, smoothing: float
) -> Order:
    """Put levels in the order of their smoothed target means, so that a tree parts them at one cut (Fisher 1958).

    Of several classes it is the order along the first principal axis of the levels' class shares (Coppersmith et al.
    1999). One order that is fixed beforehand does trees as well as a new one at each node (Wright and König 2019).
    All of `rare` have one place, and the default is the mean place of the rows. `y`: float64 (rows, outputs), of
    `targets.indicators`.
    """
    at = np.minimum(found.positions(levels + rare), len(levels))
    groups = len(levels) + bool(rare)
    counts = np.bincount(at[at >= 0], minlength=groups)
    place = np.empty(groups, dtype=np.int64)
    place[_ascending(smoothed_means(at, groups, y, smoothing, mean_of(y)), counts)] = np.arange(groups)
    middle = round(float(counts @ place) / max(1, int(counts.sum())), 6)
    places = {level: int(place[min(i, len(levels))]) for i, level in enumerate(levels + rare)}
    return Order("order", feature, places, middle)


def _ascending(means: Array, counts: Array) -> Array:
    """Positions of levels that are of `counts` rows, from low to high along the line on which `means` vary most.

    Means that agree to ten digits count as equal, because the bits beyond depend on the machine.
    """
    apart = means - counts @ means / max(1, counts.sum())
    axis = np.linalg.svd(apart * np.sqrt(counts)[:, None], full_matrices=False)[2][:1].sum(axis=0)
    along = apart @ axis * np.sign(axis[np.abs(axis).argmax()])
    return np.argsort(np.round(along / (np.abs(means).max(initial=0) or 1), 10), kind="stable")


def fit_target_mean(
    feature: str, found: Coded, levels: tuple[str, ...], rare: tuple[str, ...], y: Array, smoothing: float, folds: int
) -> tuple[TargetMean, Array]:
    """The target mean of each of `levels`, with one mean for all of `rare`; and what training rows are to learn from.

    `y`: float64 (rows, outputs), of `targets.indicators`. The second is float64 (rows, outputs): with `folds` above 1
    the means of the other folds, else the very means that the encoder has.
    """
    groups = len(levels) + bool(rare)
    at = np.minimum(found.positions(levels + rare), len(levels))
    mean = mean_of(y)
    means = smoothed_means(at, groups, y, smoothing, mean)
    learnt = out_of_fold(at, groups, y, smoothing, mean, folds) if folds > 1 else np.vstack([means, mean])[at]
    by_level = {level: means[min(i, len(levels))] for i, level in enumerate(levels + rare)}
    if y.shape[1] == 1:
        return TargetMean(
            "target", feature, {level: float(m[0]) for level, m in by_level.items()}, float(mean[0])
        ), learnt
    several = {level: tuple(m.tolist()) for level, m in by_level.items()}
    return TargetMean("target", feature, several, tuple(mean.tolist())), learnt
