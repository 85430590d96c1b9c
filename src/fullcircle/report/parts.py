"""The parts of a run that the page and the card show, besides the reports that stages write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fullcircle.core.problem import Behaviour, SignOff
from fullcircle.core.target import Costs, Target, TargetDistribution
from fullcircle.pointintime.spec import Moment

Points: TypeAlias = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The three sides of the split; `spans` describes in words which rows each holds.

    `columns`: those it goes by; empty: all. `borders`: where validation and test begin, written as 2013-09-01; empty
    if the split is not by time.
    """

    kind: str
    columns: tuple[str, ...]
    sides: dict[str, TargetDistribution]
    spans: dict[str, str]
    borders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Confusion:
    """Test rows by actual and predicted class: `rows[i][j]` of class i were predicted as class j."""

    classes: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]

    @property
    def actual(self) -> tuple[int, ...]:
        """Rows of each class."""
        return tuple(map(sum, self.rows))

    @property
    def predicted(self) -> tuple[int, ...]:
        """Rows predicted as each class."""
        return tuple(map(sum, zip(*self.rows, strict=True)))

    def cost(self, costs: Costs) -> float:
        """Total cost of errors between two classes, in their unit; the second class is the positive one."""
        (_, false_alarms), (missed, _) = self.rows
        return costs.missed * missed + costs.false_alarm * false_alarms

    def cost_of_habit(self, costs: Costs) -> tuple[str, float]:
        """The cheaper of two ways to decide without a model, and its cost."""
        negative, positive = self.actual
        always = "always raise an alarm", costs.false_alarm * negative
        never = "never raise an alarm", costs.missed * positive
        return min(always, never, key=lambda habit: habit[1])


@dataclass(frozen=True, slots=True)
class Curves:
    """Points of each curve, x and y, those of `roc` and `precision_recall` by class.

    `calibration`: predicted, observed and rows per bin. `residuals`: predicted, 5%, 50% and 95% quantile of target
    less prediction, and rows per bin. A curve that the task or the model does not have is empty.
    """

    learning: dict[str, Points]
    roc: dict[str, Points]
    precision_recall: dict[str, Points]
    calibration: Points
    residuals: Points
    importance: tuple[tuple[str, float], ...]

    @property
    def predicted(self) -> float | None:
        """Mean prediction for the test rows, from the bins of `calibration`; None if there are none."""
        rows = sum(row[2] for row in self.calibration)
        return sum(row[0] * row[2] for row in self.calibration) / rows if rows else None


@dataclass(frozen=True, slots=True)
class Question:
    """The part of the problem that people read."""

    name: str
    question: str
    decision: str
    unit: str
    moment: Moment | None
    table: str
    target: Target
    metric: str
    costs: Costs | None
    slices: tuple[str, ...]
    behaviour: tuple[Behaviour, ...]
    sign_off: SignOff
    limits: tuple[str, ...]
