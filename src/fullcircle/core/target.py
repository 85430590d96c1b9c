"""What is predicted, typed: one of two classes, one of several, or a number; and what a mistake costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class BinaryTarget:
    """One of two classes: `positive` where the condition `holds`, or where `column` says so."""

    task: Literal["binary"]
    name: str
    positive: str
    negative: str
    holds: str | None = None  # a pandas expression over the columns of a row
    column: str | None = None  # or: a category with the two classes as its values
    about: str = ""

    def __post_init__(self) -> None:
        if (self.holds is None) == (self.column is None):
            raise ValueError("give either `holds` or `column`")
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
    """A number: the values of a column. `coverage`: share of the rows that the prediction interval is to hold."""

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
"""What is predicted. `len(target.classes)` tells the task wherever only numbers go: 0 is regression, 2 binary.

In tables it is the column `target`, float64: the position of the class, or the number itself.
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """What a mistake costs, in any unit: only the ratio counts."""

    missed: float  # a positive that was not foretold
    false_alarm: float  # a negative that was foretold as positive

    def __post_init__(self) -> None:
        if self.missed <= 0 or self.false_alarm <= 0:
            raise ValueError("costs must be above 0")

    @property
    def threshold(self) -> float:
        """Probability above which an alarm costs less than silence (Elkan 2001)."""
        return self.false_alarm / (self.false_alarm + self.missed)
