"""When a prediction is made, and which point-in-time columns a row gets: what `conf/` may say of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..base.checks import Column
from ..base.errors import listed

LONGEST = 100 * 366 * 24  # hours


def check_hours(name: str, hours: float) -> None:
    """Raises ValueError for a span that times in seconds cannot be moved by."""
    if not abs(hours) <= LONGEST:
        raise ValueError(f"{name} {hours:g} is not within {LONGEST:,} hours, a hundred years")


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
        check_hours("lead_hours", self.lead_hours)


@dataclass(frozen=True, slots=True)
class Observations:
    """Columns of another table as last observed, at the same place, before the moment of prediction."""

    table: str
    by: tuple[str, ...]
    time: str
    known_after_hours: float  # an observation stamped 13:00 is known this much later
    within_hours: float  # one that has been known for longer counts as none
    columns: tuple[str, ...]

    def __post_init__(self) -> None:
        check_hours("known_after_hours", self.known_after_hours)
        check_hours("within_hours", self.within_hours)


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
        check_hours("hours", self.hours)


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
class StateSpec:
    """What a state of past events and observations must know; it travels in the bundle.

    `events`: the table whose rows are events, and `event_key`: the columns that tell one from another (none: every
    row is another event). `event_columns`, `observation_columns`: what a row must bring, and its checks.
    """

    moment: Moment
    events: str
    event_key: tuple[str, ...]
    event_columns: dict[str, Column]
    history: History | None = None
    observations: Observations | None = None
    observation_key: tuple[str, ...] = ()
    observation_columns: dict[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        kinds = {self.moment.hour: "time", self.moment.minute: "number"}
        kinds |= {self.history.delay: "number"} if self.history else {}
        _check_columns(self.events, self.event_columns, [*self.needed, *self.event_key], kinds)
        if self.observations is not None:
            names = [*self.observations.by, *self.observations.columns, *self.observation_key]
            kinds = {self.observations.time: "time"}
            _check_columns(self.observations.table, self.observation_columns, names, kinds)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The columns that a state computes."""
        observed = self.observations.columns if self.observations else ()
        return (*observed, *((column.name for column in self.history.columns) if self.history else ()))

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that a row must bring for the others to be computed."""
        by = (*(self.observations.by if self.observations else ()),)
        recent = [name for column in (self.history.columns if self.history else ()) for name in column.by]
        return tuple(dict.fromkeys([self.moment.hour, self.moment.minute, *by, *recent]))

    @property
    def span(self) -> int:
        """Seconds: how far back the longest column looks."""
        hours = [column.hours for column in self.history.columns] if self.history else []
        hours += [self.observations.within_hours] if self.observations else []
        return round(max(hours, default=0.0) * 3600)


def _check_columns(table: str, columns: dict[str, Column], names: list[str], kinds: dict[str, str]) -> None:
    """Raises ValueError where a column that is named, or that must be a time or a number, is not."""
    if absent := [name for name in (*names, *kinds) if name not in columns]:
        raise ValueError(f"table {table} has no column {listed([*dict.fromkeys(absent)])}, which is needed")
    for name, wanted in kinds.items():
        kind = "number" if columns[name].kind == "integer" else columns[name].kind
        if kind != wanted:
            raise ValueError(f"{name} of table {table} must be a {wanted}, and is a {kind}")
