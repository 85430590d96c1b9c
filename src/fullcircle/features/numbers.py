"""Encoders of numbers: as they are, whether they are missing, two of them, and one beside its group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from ..base.columns import Array, Columns, Rows

LARGEST = 1e30  # features are float32, and so are sums of columns inside models: what is larger is kept at this
DAY = np.timedelta64(86400, "s")


@dataclass(frozen=True, slots=True)
class Number:
    """The feature as it is; null stays null. Infinity does not come here: the column's check rejects it."""

    kind: Literal["number"]
    feature: str
    name: str = ""  # of the output, where the feature's own is taken

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        return (self.name or self.feature,)

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        return {self.outputs[0]: finite(rows[self.feature])}


@dataclass(frozen=True, slots=True)
class Missing:
    """1 where the feature, of any kind, is null, and 0 elsewhere."""

    kind: Literal["missing"]
    feature: str
    name: str = ""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        return (f"{self.name or self.feature}~missing",)

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        return {self.outputs[0]: rows.null(self.feature).astype(float)}


@dataclass(frozen=True, slots=True)
class Ratio:
    """`feature` / `other`; null where either is, and where the divisor is 0."""

    kind: Literal["ratio"]
    feature: str
    other: str
    name: str = ""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        return (f"{self.name or self.feature}/{self.other}",)

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        divisor = rows[self.other]
        with np.errstate(over="ignore"):
            return {self.outputs[0]: finite(rows[self.feature] / np.where(divisor == 0, np.nan, divisor))}


@dataclass(frozen=True, slots=True)
class Difference:
    """`feature` - `other`; null where either is. The difference of two times is in days."""

    kind: Literal["difference"]
    feature: str
    other: str
    name: str = ""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        return (f"{self.name or self.feature}-{self.other}",)

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        found = rows[self.feature] - rows[self.other]
        return {self.outputs[0]: finite(found / DAY if found.dtype.kind == "m" else found)}


@dataclass(frozen=True, slots=True)
class Group:
    """Mean and standard deviation of a number among training rows of one level of `by`, and the row's own difference.

    `of`: level -> mean and deviation; `default`: those of all rows, for a rare or unknown level and for null.
    The difference, number - mean, is null where the number is.
    """

    kind: Literal["group"]
    feature: str
    by: str
    of: dict[str, tuple[float, float]]
    default: tuple[float, float]
    name: str = ""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        name = self.name or self.feature
        return tuple(f"{name}~{what}~{self.by}" for what in ("mean", "deviation", "difference"))

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        found = rows.coded(self.by)
        table = [self.default if level is None else self.of.get(level, self.default) for level in found.levels]
        mean, deviation = np.array(table, dtype=float).reshape(-1, 2)[found.at].T
        return dict(zip(self.outputs, (mean, deviation, finite(rows[self.feature] - mean)), strict=True))


def fit_group(feature: str, by: str, rows: Rows, levels: tuple[str, ...]) -> Group:
    """Means and deviations of a number by `levels` of the category `by`; one that has no number has those of all."""
    values, known = finite(rows[feature]), ~np.isnan(rows[feature])
    default = (_mean(values[known]), _deviation(values[known]))
    at = rows.coded(by).positions(levels)
    of = {}
    for i, level in enumerate(levels):
        here = values[known & (at == i)]
        of[level] = (_mean(here), _deviation(here)) if len(here) else default
    return Group("group", feature, by, of, default)


def finite(values: Array) -> Array:
    """Numbers with what float32 cannot hold moved to its ends; null stays null."""
    return np.clip(values, -LARGEST, LARGEST)


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else 0.0


def _deviation(values: Array) -> float:
    return float(values.std()) if len(values) else 0.0
