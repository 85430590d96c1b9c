"""What a state of past events costs: adding rows, asking about rows, and what it keeps, over two months of flights.

    python -m benchmarks.state

Events and observations are added in the order in which they became known, and each test row is asked about at its
moment. `dvc repro` makes the data.
"""

from __future__ import annotations

import time

import numpy as np
from tests.pointintime.replay import replay

from benchmarks.measure import Figure
from fullcircle.base.columns import Columns, rows, take
from fullcircle.base.typed import build
from fullcircle.core import paths
from fullcircle.core.tables import read_columns, read_json
from fullcircle.pointintime.recent import due_at
from fullcircle.pointintime.spec import StateSpec
from fullcircle.pointintime.state import Added, State

FROM = np.datetime64("2013-10-30T05", "s")
BATCH = 1000


class TimedState(State):
    """A state that measures itself."""

    added = asked = adding = asking = most = 0.0

    def add(self, table: str, given: Columns) -> Added:
        """As a state does, timed."""
        start = time.perf_counter()
        found = super().add(table, given)
        self.adding += time.perf_counter() - start
        self.added += rows(given)
        return found

    def compute(self, asked: Columns) -> Columns:
        """As a state does, timed; and how much it keeps."""
        start = time.perf_counter()
        found = super().compute(asked)
        self.asking += time.perf_counter() - start
        self.asked += rows(asked)
        self.most = max(self.most, sum(part.rows for part in self.freshness().values()))
        return found


def measure() -> list[Figure]:
    """Add in batches; then replay two months moment by moment."""
    spec = build(StateSpec, read_json(paths.STATE_SPEC), str(paths.STATE_SPEC))
    kept, test = read_columns(paths.KEPT), read_columns(paths.TEST, [*spec.needed])
    kept = take(kept, kept["time_hour"] >= FROM)
    weather = read_columns(paths.raw("weather"), [*spec.observation_columns])
    weather = take(weather, weather["time_hour"] >= FROM - np.timedelta64(6, "h"))
    batches = TimedState(spec)
    events = {name: kept[name] for name in spec.event_columns}
    for start in range(0, rows(events) - BATCH, BATCH):
        batches.add(spec.events, take(events, np.arange(start, start + BATCH)))
    state = TimedState(spec)
    first = int(due_at(test, spec.moment).min())
    for _ in replay(state, kept, weather, only=due_at(kept, spec.moment) >= first):
        pass
    per_row = batches.adding / batches.added * 1e6
    ask = state.asking / state.asked * 1e3
    bounded = state.most / (rows(kept) + rows(weather))
    return [
        Figure("adding an event to a state in batches, microseconds", per_row, "<= 20", per_row <= 20, f"{BATCH} rows"),
        Figure(
            "asking a state about a row after every change, ms", ask, "<= 0.5", ask <= 0.5, f"{state.asked:,.0f} rows"
        ),
        Figure(
            "rows that a state keeps / rows added in two months",
            bounded,
            "<= 0.1",
            bounded <= 0.1,
            f"{state.most:,.0f}",
        ),
    ]


if __name__ == "__main__":
    for figure in measure():
        print(figure)
