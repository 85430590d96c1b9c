"""The problem and its data, typed: what `conf/problem/NAME.yaml` and `conf/data/NAME.yaml` may say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fullcircle.core.source import Bundled as Bundled
from fullcircle.core.source import Source as Source
from fullcircle.runtime.columns import Column


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition over several columns that every row must meet, as a pandas expression."""

    name: str
    holds: str


@dataclass(frozen=True, slots=True)
class Table:
    """One raw table: its columns, and what makes a row impossible."""

    columns: dict[str, Column]
    key: tuple[str, ...] = ()  # no two rows may share it; empty: nothing tells rows apart, and equal rows are kept
    duplicates: Literal["reject", "error"] = "reject"  # reject keeps the first of a key
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        if self.duplicates == "error" and not self.key:
            raise ValueError("duplicates: error needs a key")


@dataclass(frozen=True, slots=True)
class Moment:
    """When a prediction is made: `lead_hours` before `due`, which is `hour` (UTC) plus `minute`."""

    hour: str
    minute: str
    lead_hours: float
    about: str = ""

    def __post_init__(self) -> None:
        if self.lead_hours < 0:
            raise ValueError(f"lead_hours {self.lead_hours:g} is negative: a prediction comes before the event")


@dataclass(frozen=True, slots=True)
class Observations:
    """Columns of another table as last observed, at the same place, before the moment of prediction."""

    table: str
    by: tuple[str, ...]
    time: str
    known_after_hours: float  # an observation stamped 13:00 is known this much later
    within_hours: float  # one that has been known for longer counts as none
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recent:
    """A point-in-time column over the events of the last `hours` before the moment of prediction.

    `mean`: mean delay of those that happened in the span, `late`: share of them that came `late_minutes` or more
    after they were due (both null where none happened), `waiting`: number of those that were due in the span and
    have not happened yet, `waited`: mean minutes that those are overdue (0 where none is).
    `timetable`: number of events due within `hours` of this one, before or after it: the plan, known ahead.
    """

    name: str
    by: tuple[str, ...]
    hours: float
    what: Literal["mean", "late", "waiting", "waited", "timetable"]

    def __post_init__(self) -> None:
        if self.hours <= 0:
            raise ValueError(f"hours {self.hours:g} must be above 0")


@dataclass(frozen=True, slots=True)
class History:
    """The events behind the point-in-time columns: `delay` minutes after it was due, an event happened.

    A null delay means that it never did.
    """

    delay: str
    late_minutes: float
    clip: tuple[float, float]  # delays are clipped to this range before they are averaged
    columns: tuple[Recent, ...]


@dataclass(frozen=True, slots=True)
class Data:
    """What `conf/data/NAME.yaml` says: the tables, and what was known of a row at its moment of prediction."""

    tables: dict[str, Table]
    observations: Observations | None = None
    history: History | None = None


@dataclass(frozen=True, slots=True)
class Lookup:
    """A reference table that travels in the scorer: who asks gives the key, the scorer knows the rest.

    An unknown or missing key falls back on what is typical (the median) of training rows with the same
    `fallback` column, and then of all.
    """

    table: str
    key: str  # column of the raw input
    matches: str  # column of the reference table
    columns: dict[str, str]  # column of the reference table -> name it gets
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Schema:
    """What later stages must know of the columns that `clean` leaves.

    `inputs`: what the scorer asks for. `outcomes`: what becomes known only after `moment` (in words).
    `observed`: the table of last observations, if there is one. `records`: columns that identify a row.
    """

    inputs: dict[str, Column]
    outcomes: tuple[str, ...]
    moment: str
    observed: str | None = None
    records: tuple[str, ...] = ()


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
class Features:
    """What the model sees: columns as they are, and functions of `fullcircle.features` by name."""

    columns: tuple[str, ...]
    created: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Gate:
    """One threshold of the verdict.

    `metric`: a name in metrics/test.json, or one of `slice_gap`, `train_gap`, `over_dummy`, `over_rule`,
    `over_champion` (all in the primary metric, above 0 where the model is better), `invariance`, `direction`.
    Passed when `min` <= value <= `max`.
    """

    metric: str
    min: float | None = None
    max: float | None = None
    why: str = ""

    def __post_init__(self) -> None:
        if (self.min is None) == (self.max is None):
            raise ValueError("a gate has a min or a max, not both and not neither")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A change of one input, and what the prediction must do in answer, for at least `share` of the rows.

    `same`: move by no more than `tolerance`; `up` or `down`: move that way, or not at all (`tolerance` against it).
    `tolerance` is in the unit of the prediction. `of`: the class whose probability is meant, where there are several.
    """

    name: str
    column: str
    expect: Literal["same", "up", "down"]
    add: float | None = None  # number: added to the value
    set: float | str | None = None  # or: the value it is set to
    of: str | None = None
    tolerance: float = 0.0
    share: float = 0.9

    def __post_init__(self) -> None:
        if (self.add is None) == (self.set is None):
            raise ValueError(f"{self.name}: give either `add` or `set`")
        if not 0 < self.share <= 1:
            raise ValueError(f"{self.name}: share {self.share:g} is outside 0..1")


@dataclass(frozen=True, slots=True)
class Time:
    """What a split by time goes by: train before `validation_from`, validation before `test_from`, test from then on.

    Numbers, or dates as text, one a column, compared column by column.
    """

    columns: tuple[str, ...]
    validation_from: tuple[float | str, ...]
    test_from: tuple[float | str, ...]


@dataclass(frozen=True, slots=True)
class SignOff:
    """Who answers for it: a role, and a name and date once somebody has signed."""

    role: str
    name: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One question about one table of data.

    `row`: columns that tell one row from another; empty: all of them. `together`: columns whose equal values make
    rows dependent, such as days that share their weather; empty: no rows are.
    `metric`: the primary one, of `evaluation.metrics`.
    """

    name: str
    question: str
    decision: str
    unit: str
    table: str
    sources: dict[str, Source]
    data: str  # the file in conf/data/ that describes the tables
    target: Target
    features: Features
    metric: str
    gates: tuple[Gate, ...]
    sign_off: SignOff
    moment: Moment | None = None
    lookups: tuple[Lookup, ...] = ()
    row: tuple[str, ...] = ()
    together: tuple[str, ...] = ()
    time: Time | None = None
    costs: Costs | None = None
    slices: tuple[str, ...] = ()
    behaviour: tuple[Behaviour, ...] = ()
    limits: tuple[str, ...] = ()  # what the model must not be used for; shown in its card

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.name):
            raise ValueError(f"name {self.name!r} must be small letters, digits, - and _, for files and wheels bear it")
        if self.costs is not None and self.target.task != "binary":
            raise ValueError("costs set the threshold between two classes; this target has none")


def schema_of(data: Data, table: str, moment: Moment | None) -> Schema:
    """The scorer's inputs are the table's own, those last observed, and the point-in-time columns."""
    columns, observations, history = data.tables[table].columns, data.observations, data.history
    outcomes = tuple(name for name, column in columns.items() if column.role == "outcome")
    records = tuple(name for name, column in columns.items() if column.role == "record")
    inputs = {name: column for name, column in columns.items() if column.role == "input"}
    if observations is not None:
        inputs |= {name: data.tables[observations.table].columns[name] for name in observations.columns}
    if history is not None:
        low, _ = history.clip
        lowest = {"mean": low, "late": 0.0, "waiting": 0.0, "waited": 0.0, "timetable": 0.0}
        inputs |= {
            recent.name: Column(
                kind="number",
                missing="keep",
                min=lowest[recent.what],
                about=f"{recent.what}, {recent.hours:g} h",
            )
            for recent in history.columns
        }
    about = (moment.about if moment else "") or "at the moment of prediction"
    return Schema(inputs, outcomes, about, observations.table if observations else None, records)
