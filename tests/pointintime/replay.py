"""Events and observations in the order in which they became known, and each row asked about at its moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array, Columns, take
from fullcircle.pointintime.observed import known_at
from fullcircle.pointintime.recent import due_at, happened_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fullcircle.pointintime.state import State

DAY = 86_400


def replay(
    state: State, events: Columns, observed: Columns, only: Array | None = None
) -> Iterator[tuple[Array, Columns]]:
    """Positions of the rows that are asked about at one moment, and the columns that the state computes for them.

    The timetable of a day (UTC) becomes known at noon of the day before; an event when it happens. `only`: a mask of
    the rows to ask about.
    """
    spec = state.spec
    assert spec.history is not None
    assert spec.observations is not None
    due = due_at(events, spec.moment)
    delay = events[spec.history.delay]
    planned = due // DAY * DAY - DAY // 2
    happened = happened_at(due, delay)
    moment = due - round(spec.moment.lead_hours * 3600)
    seen = known_at(observed, spec.observations)
    unknown = events | {spec.history.delay: np.full(len(due), np.nan)}
    asked = np.flatnonzero(np.ones(len(due), bool) if only is None else only)
    left = np.flatnonzero(~np.isnan(delay))
    queues = {
        "timetable": (planned, np.argsort(planned, kind="stable")),
        "observation": (seen, np.argsort(seen, kind="stable")),
        "event": (happened, left[np.argsort(happened[left], kind="stable")]),
    }
    at = dict.fromkeys(queues, 0)
    order = asked[np.argsort(moment[asked], kind="stable")]
    borders = np.flatnonzero(np.diff(moment[order])) + 1
    for group in np.split(order, borders):
        now = moment[group[0]]
        for name, (times, queue) in queues.items():
            end = int(np.searchsorted(times[queue], now, "right"))
            if end > at[name]:
                part = queue[at[name] : end]
                table = spec.observations.table if name == "observation" else spec.events
                source = {"timetable": unknown, "observation": observed, "event": events}[name]
                state.add(table, take(source, part))
                at[name] = end
        if len(group) > 1 and len(due) < 2000:  # one by one, as a service is asked
            for row in group:
                yield row, state.compute(take({n: events[n] for n in spec.needed}, np.array([row])))
        else:
            columns = state.compute(take({n: events[n] for n in spec.needed}, group))
            yield (group[0] if len(due) < 2000 else group), columns
