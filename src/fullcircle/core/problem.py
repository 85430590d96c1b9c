"""The problem and its data, typed: what `conf/problem/NAME.yaml` and `conf/data/NAME.yaml` may say."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
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
class Join:
    """Columns of another table beside each row of the main one: many rows to one, by the other's key.

    They are asked for as inputs like the main table's own; a lookup, by contrast, travels in the scorer. A row that
    finds none gets nulls. Joins are done in order, so a later one may stand on what an earlier one brought.
    """

    table: str
    by: dict[str, str]  # column of the main table -> column of the other
    columns: dict[str, str] | tuple[str, ...]  # column of the other -> name it gets; or names that stay

    def __post_init__(self) -> None:
        if not self.by or not self.columns:
            raise ValueError(f"a join of {self.table} needs `by` and `columns`")

    @property
    def named(self) -> dict[str, str]:
        """Column of the other table -> name it gets."""
        return dict(self.columns) if isinstance(self.columns, dict) else {name: name for name in self.columns}


@dataclass(frozen=True, slots=True)
class Data:
    """What `conf/data/NAME.yaml` says: the tables, and what was known of a row at its moment of prediction."""

    tables: dict[str, Table]
    observations: Observations | None = None
    history: History | None = None
    joins: tuple[Join, ...] = ()


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


Encoding: TypeAlias = Literal[
    "number", "missing", "onehot", "target", "frequency", "parts", "cycles", "days", "words", "length"
]


@dataclass(frozen=True, slots=True)
class Features:
    """What the model sees. A column is a raw one, a looked-up one or, but for `columns`, a created one.

    `columns`: as they are, encoded by their kind. `created`: functions of `fullcircle.features.created` by name.
    `encode`: column -> encodings to give it instead of those of its kind. `ratios`, `differences`: pairs of numbers
    (differences also of times). `groups`: pairs of a number and a category to average it by. See docs/features.md.
    """

    columns: tuple[str, ...]
    created: tuple[str, ...] = ()
    encode: dict[str, tuple[Encoding, ...]] = field(default_factory=dict)
    ratios: tuple[tuple[str, str], ...] = ()
    differences: tuple[tuple[str, str], ...] = ()
    groups: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        named = [*self.columns, *self.created]
        if twice := sorted(name for name, count in Counter(named).items() if count > 1):
            raise ValueError(f"named twice: {', '.join(twice)}")
        if lost := [name for name in self.encode if name not in named]:
            raise ValueError(f"encode says how to encode what is no feature: {', '.join(lost)}")
        if empty := [name for name, encodings in self.encode.items() if not encodings]:
            raise ValueError(f"encode names no encoding for {', '.join(empty)}; leave it out for those of its kind")


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


def joined_columns(data: Data) -> dict[str, Column]:
    """The columns that joins bring, by the name they get; null where a row finds none."""
    return {
        new: replace(data.tables[join.table].columns[old], missing="keep")
        for join in data.joins
        for old, new in join.named.items()
    }


def schema_of(data: Data, table: str, moment: Moment | None) -> Schema:
    """The scorer's inputs are the table's own, those joined, those last observed, and the point-in-time columns."""
    columns, observations, history = data.tables[table].columns | joined_columns(data), data.observations, data.history
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
