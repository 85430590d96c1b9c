"""What happened, in the order of time: timetable, observations, events, questions, outcomes, snapshots of the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fullcircle.base.columns import Array, Columns, take
from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.log.records import plain_values
from fullcircle.packaging.golden import records
from fullcircle.pointintime.observed import known_at
from fullcircle.pointintime.recent import NEVER, due_at, happened_at
from fullcircle.pointintime.spec import StateSpec
from fullcircle.scoring.bundle import Bundle

if TYPE_CHECKING:
    from collections.abc import Iterator


Rows = list[dict[str, Any]]
HOUR, DAY = 3600, 86400
OUTCOME_DAYS = 2  # after the day of the answer


@dataclass(frozen=True, slots=True)
class Hour:
    """What arrives in one hour. `events`: table and rows. `asked`: positions of the rows that are asked about.

    `moment`: the last second of the hour, since 1970.
    """

    moment: int
    events: list[tuple[str, Rows]]
    asked: Array


@dataclass(frozen=True, slots=True)
class World:
    """The rows of a problem that a run of the pipeline in `root` has read, by the seconds at which things happen.

    `rows`: one per answer. `asked`, `happened`: int64 (rows,). `target`: float64 (rows,). `known`: when each
    observation was. `raw`: rows of the tables as they came, by when they are in a snapshot.
    """

    root: Path
    bundle: Bundle
    spec: StateSpec
    rows: Columns
    target: Array
    asked: Array
    happened: Array
    observations: Columns
    known: Array
    raw: dict[str, tuple[pa.Table, Array]] = field(default_factory=dict)

    @classmethod
    def read(cls, root: Path) -> World:
        """Read what the stages in `root` have written; its bundle needs a state of events and of observations."""
        bundle = Bundle.load(root / paths.BUNDLE)
        spec = bundle.state
        if spec is None or spec.observations is None or spec.history is None:
            raise ValueError("the replay needs a problem with recent events and observations")
        rows = read_columns(root / paths.KEPT)
        due, lead = due_at(rows, spec.moment), round(spec.moment.lead_hours * HOUR)
        observations = read_columns(root / paths.raw(spec.observations.table), [*spec.observation_columns])
        known = known_at(observations, spec.observations)
        events, times = root / paths.raw(spec.events), [spec.moment.hour, spec.moment.minute]
        return cls(
            root,
            bundle,
            spec,
            rows,
            read_columns(root / paths.LABELLED, ["target"])["target"].astype(np.float64),
            due - lead,
            happened_at(due, rows[spec.history.delay]),
            observations,
            known,
            {
                spec.events: (pq.read_table(events), due_at(read_columns(events, times), spec.moment) - lead),
                spec.observations.table: (pq.read_table(root / paths.raw(spec.observations.table)), known),
            },
        )

    def asked_on(self, day: str) -> Array:
        """Positions of the rows that are asked about on a day (UTC), in the order of time."""
        return self._between(self.asked, *span_of(day))

    def hours(self, day: str) -> Iterator[Hour]:
        """The hours of a day (UTC). At midnight comes the timetable of the next day."""
        start, _ = span_of(day)
        tomorrow = (datetime.fromtimestamp(start, UTC) + timedelta(1)).date().isoformat()
        for at in range(start, start + DAY, HOUR):
            events = [(self.spec.events, self.timetable(tomorrow))] if at == start else []
            seen = self._between(self.known, at, at + HOUR)
            table = self.spec.observations.table if self.spec.observations else ""
            events.append((table, records(take(self.observations, seen), self.spec.observation_columns)))
            gone = self._between(self.happened, at, at + HOUR)
            events.append((self.spec.events, records(take(self.rows, gone), self.spec.event_columns)))
            yield Hour(at + HOUR - 1, [each for each in events if each[1]], self._between(self.asked, at, at + HOUR))

    def timetable(self, day: str) -> Rows:
        """The rows that are asked about on a day, of which nothing has happened yet."""
        delay = self.spec.history.delay if self.spec.history else ""
        planned = records(take(self.rows, self.asked_on(day)), self.spec.event_columns)
        return [row | {delay: None} for row in planned]

    def questions(self, at: Array) -> Rows:
        """Rows as their caller knows them: without what happens later, and what the service computes."""
        later = {*self.spec.outputs, self.spec.history.delay if self.spec.history else ""}
        known = self.bundle.scorer.plan.inputs | self.spec.event_columns
        return records(take(self.rows, at), {name: c for name, c in known.items() if name not in later})

    def inputs(self, at: Array) -> Columns:
        """The same rows as the pipeline computes them, for the scorer."""
        return {name: self.rows[name][at] for name in self.bundle.scorer.plan.inputs}

    def outcomes(self, at: Array) -> Rows:
        """Identity and outcome of rows."""
        about, classes = self.bundle.about, self.bundle.scorer.spec.calibration.classes
        columns = {name: plain_values(self.rows[name][at]) for name in about.row}
        columns[about.target] = [classes[int(value)] for value in self.target[at]]
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def snapshot(self, as_of: str, folder: Path) -> None:
        """Write each table as it is known at midnight of a day: rows whose outcomes are in, and observations."""
        midnight, _ = span_of(as_of)
        folder.mkdir(parents=True, exist_ok=True)
        for name, (table, when) in self.raw.items():
            age = OUTCOME_DAYS * DAY if name == self.spec.events else 0
            pq.write_table(table.filter(pa.array(when < midnight - age)), folder / f"{name}-{as_of}.parquet")

    def _between(self, when: Array, start: int, stop: int) -> Array:
        found = np.flatnonzero((when >= start) & (when < stop) & (when != NEVER))
        return found[np.argsort(when[found], kind="stable")]


def span_of(day: str) -> tuple[int, int]:
    """The first second of a day (UTC) and of the next one."""
    start = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    return start, start + DAY


def days_between(first: str, last: str) -> list[str]:
    """All days from one to another, both included."""
    start, stop = span_of(first)[0], span_of(last)[0]
    return [datetime.fromtimestamp(at, UTC).date().isoformat() for at in range(start, stop + 1, DAY)]
