"""What is predicted, typed: one of two classes, one of several, or a number; its distribution; the cost of errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from fullcircle.core.conditions import parse

if TYPE_CHECKING:
    from fullcircle.base.columns import Array


@dataclass(frozen=True, slots=True)
class BinaryTarget:
    """One of two classes: `positive` where the condition `holds`, or where `column` has that value."""

    task: Literal["binary"]
    name: str
    positive: str
    negative: str
    holds: str | None = None  # a condition over the columns of a row, see core.conditions
    column: str | None = None  # or: a category with the two classes as its values
    about: str = ""

    def __post_init__(self) -> None:
        if (self.holds is None) == (self.column is None):
            raise ValueError("give either `holds` or `column`")
        if self.holds is not None:
            parse(self.holds)
        if self.positive == self.negative:
            raise ValueError(f"both classes are named {self.positive}")

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes; the second is the positive one."""
        return self.negative, self.positive


@dataclass(frozen=True, slots=True)
class MulticlassTarget:
    """One of three classes or more: the values of a category. A row of another value is an error."""

    task: Literal["multiclass"]
    name: str
    column: str
    classes: tuple[str, ...]
    about: str = ""

    def __post_init__(self) -> None:
        if len(set(self.classes)) < max(3, len(self.classes)):
            raise ValueError(f"classes must be three or more, each named once: {', '.join(self.classes)}")


@dataclass(frozen=True, slots=True)
class RegressionTarget:
    """A number: the values of a column. `coverage`: share of rows that the prediction interval should contain."""

    task: Literal["regression"]
    name: str
    column: str
    unit: str = ""
    coverage: float = 0.9
    about: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.coverage < 1:
            raise ValueError(f"coverage {self.coverage:g} is outside 0..1")

    @property
    def classes(self) -> tuple[str, ...]:
        """None: a number has no classes."""
        return ()


Target: TypeAlias = BinaryTarget | MulticlassTarget | RegressionTarget
"""What is predicted. `len(target.classes)` identifies the task: 0 is regression, 2 binary, more multiclass.

In tables it is the column `target`, float64: the position of the class, or the number itself.
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a mistake costs, in any unit: only the ratio counts."""

    missed: float  # a false negative
    false_alarm: float  # a false positive

    def __post_init__(self) -> None:
        if self.missed <= 0 or self.false_alarm <= 0:
            raise ValueError("costs must be above 0")

    @property
    def threshold(self) -> float:
        """Probability above which an alarm costs less than silence (Elkan 2001)."""
        return self.false_alarm / (self.false_alarm + self.missed)


@dataclass(frozen=True, slots=True)
class TargetDistribution:
    """Distribution of the target over `rows` (at least one). Fields of other tasks keep their defaults.

    `positive`: share of the positive class (binary). `shares`: share of each class by name (multiclass). The others
    are of a number (regression), in its own unit.
    """

    rows: int
    positive: float | None = None
    shares: dict[str, float] = field(default_factory=dict)
    mean: float | None = None
    deviation: float | None = None
    min: float | None = None
    median: float | None = None
    max: float | None = None

    @classmethod
    def of(cls, target: Array, classes: tuple[str, ...]) -> TargetDistribution:
        """The distribution of `target`, float64 (rows,), as the column `target` holds it.

        >>> TargetDistribution.of(np.array([0.0, 1, 1, 1]), ("no", "yes")).positive
        0.75
        """
        rows = len(target)
        if len(classes) == 2:
            return cls(rows, positive=float(target.mean()))
        if classes:
            counts = np.bincount(target.astype(np.int64), minlength=len(classes))
            return cls(rows, shares=dict(zip(classes, (counts / rows).tolist(), strict=True)))
        low, median, high = np.quantile(target, [0, 0.5, 1]).tolist()
        mean, deviation = float(target.mean()), float(target.std())
        return cls(rows, mean=mean, deviation=deviation, min=low, median=median, max=high)


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What `label` writes to reports/label.json.

    `target`, `about`, `task`: of the problem's target. `unlabelled`: rows without a target, which were left out.
    `by_month`: month, as 2013-09 -> distribution; empty if the rows have no date, or span too many months.
    """

    target: str
    task: str
    unlabelled: int
    distribution: TargetDistribution
    about: str = ""
    by_month: dict[str, TargetDistribution] = field(default_factory=dict)
