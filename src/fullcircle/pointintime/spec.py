"""When a prediction is made, and which point-in-time columns a row gets: what `conf/` may say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


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
