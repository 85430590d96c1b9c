"""The parts of a run that the page and the card show, each read from one of its files."""

from __future__ import annotations

from dataclasses import dataclass, field

from fullcircle.core.problem import Behaviour, SignOff
from fullcircle.core.target import Costs, Target
from fullcircle.evaluation.behaviour import Behaved
from fullcircle.evaluation.slices import Slice
from fullcircle.pointintime.spec import Moment

Points = tuple[tuple[float, ...], ...]
Interval = tuple[float | None, float | None]
Value = float | None


@dataclass(frozen=True, slots=True)
class Raw:
    """One table as it was read."""

    origin: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Sifted:
    """One table after its checks: counts of rows, and counts by rule or column."""

    rows: int
    kept: int
    rejected: int
    rules: dict[str, int]
    corrected: dict[str, int]
    missing: dict[str, int]


@dataclass(frozen=True, slots=True)
class Spread:
    """How the target is spread over `rows`, by task, as `core.balance` has it; what is of another task is left out.

    `positive`: share of the positive class; `shares`: share of each class, by name; of a number the others, in its
    own unit.
    """

    rows: int
    positive: Value = None
    shares: dict[str, float] = field(default_factory=dict)
    mean: Value = None
    deviation: Value = None
    min: Value = None
    median: Value = None
    max: Value = None


@dataclass(frozen=True, slots=True)
class Split:
    """The three sides of the split; `spans` says in words which rows each holds.

    `columns`: those it goes by, of none all. `borders`: where validation and test begin, written as 2013-09-01; none
    if the split is not by time.
    """

    kind: str
    columns: tuple[str, ...]
    sides: dict[str, Spread]
    spans: dict[str, str]
    borders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """A feature that the model does not see, and why."""

    feature: str
    why: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Features: how many there were, which were selected, what each tells about the target (bits)."""

    candidates: int
    selected: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    information: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Member:
    """A model of an ensemble: its position among `model.members`, its weight (0..1), the rounds it was fitted for."""

    place: int
    weight: float
    rounds: int | None


@dataclass(frozen=True, slots=True)
class Fit:
    """What training said: the primary metric on training rows, and every metric on rows that had not been fitted on.

    `folds`: 1 where those are the validation rows; more where each of the training and validation rows was foretold
    by a model that saw neither it nor the rest of its fold. `members`: those of an ensemble that were picked; another
    model has none.
    """

    train_score: Value
    validation: dict[str, Value]
    rounds: int | None
    folds: int = 1
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Baselines:
    """What is had without a model, by metric: of the mean of training rows, and of the best rule over one column.

    `rule` and `rule_column` are None where every input is free text.
    """

    dummy: dict[str, Value]
    rule: dict[str, Value] | None
    rule_column: str | None


@dataclass(frozen=True, slots=True)
class Tested:
    """What the test rows said. `interval`: a level, as 0.95. `rejected`: rows not scored, by reason.

    `resampled_by`: columns whose equal values are drawn together; of none, single rows are drawn.
    """

    interval: float
    resampled_by: tuple[str, ...]
    rejected: dict[str, int]
    metrics: dict[str, Value]
    intervals: dict[str, Interval]
    baselines: Baselines
    slices: tuple[Slice, ...]
    behaviour: tuple[Behaved, ...]


@dataclass(frozen=True, slots=True)
class Confusion:
    """Test rows by what came and what was foretold: `rows[i][j]` of class i were taken for class j."""

    classes: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]

    @property
    def actual(self) -> tuple[int, ...]:
        """Rows of each class."""
        return tuple(map(sum, self.rows))

    @property
    def predicted(self) -> tuple[int, ...]:
        """Rows taken for each class."""
        return tuple(map(sum, zip(*self.rows, strict=True)))

    def cost(self, costs: Costs) -> float:
        """What the mistakes between two classes cost, in their unit; the second class is the positive one."""
        (_, false_alarms), (missed, _) = self.rows
        return costs.missed * missed + costs.false_alarm * false_alarms

    def cost_of_habit(self, costs: Costs) -> tuple[str, float]:
        """The cheaper of two ways to do without a model, and its cost."""
        negative, positive = self.actual
        always = "always raise an alarm", costs.false_alarm * negative
        never = "never raise an alarm", costs.missed * positive
        return min(always, never, key=lambda habit: habit[1])


@dataclass(frozen=True, slots=True)
class Curves:
    """Points of each curve, x and y, those of `roc` and `precision_recall` by class.

    `calibration`: predicted, observed and rows of a bin. `residuals`: predicted, 5%, 50% and 95% quantile of target
    less forecast, and rows of a bin. A curve that the task or the model does not have is empty.
    """

    learning: dict[str, Points]
    roc: dict[str, Points]
    precision_recall: dict[str, Points]
    calibration: Points
    residuals: Points
    importance: tuple[tuple[str, float], ...]

    @property
    def predicted(self) -> Value:
        """Mean of what was foretold of the test rows, from the bins of `calibration`; None where there are none."""
        rows = sum(row[2] for row in self.calibration)
        return sum(row[0] * row[2] for row in self.calibration) / rows if rows else None


@dataclass(frozen=True, slots=True)
class Asked:
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
