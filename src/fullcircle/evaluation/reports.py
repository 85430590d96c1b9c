"""What `train` and `validate` write for others, typed: reports/train/report.json and reports/test/report.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fullcircle.core.target import TargetDistribution
from fullcircle.evaluation.behaviour import Behaved
from fullcircle.evaluation.champion import Comparison
from fullcircle.evaluation.slices import Slice
from fullcircle.scoring.predictions import Calibration

Value: TypeAlias = float | None
"""A metric; None if it is not defined, as ROC AUC of one class."""

Interval: TypeAlias = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Member:
    """A model of an ensemble: its position among `model.members`, its weight (0..1), the rounds it was fitted for."""

    place: int
    weight: float
    rounds: int | None


@dataclass(frozen=True, slots=True)
class TrainReport:
    """The primary metric on training rows, and every metric on rows that were not fitted on.

    `folds`: 1 if those are the validation rows; more if they are training and validation rows, each predicted by a
    model that was fitted without its fold. `one_rule`: the column of the best rule over one column; None if every
    input is free text. `validation_rows_with_unknown_levels`: by column, validation rows whose level training rows
    do not have. `members`: those of an ensemble with a weight above 0; empty for another model.
    """

    train_score: Value
    validation: dict[str, Value]
    one_rule: str | None
    calibration: Calibration
    validation_rows_with_unknown_levels: dict[str, int]
    rounds: int | None = None
    folds: int = 1
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class BaselineMetrics:
    """Metrics of the baselines on test rows: the mean of training rows, and the best rule over one column.

    `rule` and `rule_column` are None if every input is free text.
    """

    dummy: dict[str, Value]
    rule: dict[str, Value] | None
    rule_column: str | None


@dataclass(frozen=True, slots=True)
class ValidateReport:
    """Everything measured on the test rows, except the verdict.

    `metric`: the primary one. `distribution`: of the target of scored rows. `rejected`: rows not scored, by reason.
    `interval`: a level, as 0.95. `resampled_by`: columns whose equal values are drawn together; empty: single rows
    are drawn. `threshold`: of the positive class, if the task is binary. `champion`: None if none is registered.
    """

    task: str
    metric: str
    distribution: TargetDistribution
    rejected: dict[str, int]
    interval: float
    resampled_by: tuple[str, ...]
    metrics: dict[str, Value]
    intervals: dict[str, Interval]
    baselines: BaselineMetrics
    slices: tuple[Slice, ...]
    behaviour: tuple[Behaved, ...]
    threshold: float | None = None
    champion: Comparison | None = None
