"""When a prediction is made, and which point-in-time columns a row gets: what `conf/` may say of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..base.checks import Column


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
