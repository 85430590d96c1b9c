"""State: past events and observations, added as they become known; point-in-time columns for single rows.

It computes what `clean` computes of whole tables, by the same code, so the values are equal to the last bit.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..base.arrays import as_columns
from ..base.checks import check, nulls
from ..base.columns import Array, Columns, is_null, rows, take
from ..base.errors import DataError, difference
from ..base.files import replacing
from ..base.typed import build, plain
from .groups import Groups
from .observed import FAR, Observed, known_at
from .recent import NEVER, Asked, Events, due_at, groupings, happened_at
from .spec import StateSpec
from .table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from ..base.checks import Column

FORMAT = 1
SLACK = 24 * 3600  # seconds: rows may be asked about up to a day behind the latest one
LONG_AGO = -(2**62)


@dataclass(frozen=True, slots=True)
class Added:
    """What became of rows that were added: `rows` taken (new or updated), and why others were not, by reason."""

    rows: int
    rejected: dict[str, int]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How much a state holds of one table. `latest`: when the latest row happened (ISO 8601, UTC), None if none has."""

    rows: int
    latest: str | None


class State:
    """Past events and observations of one problem.

    Rows are added in any order; an event whose key is there already is updated (a flight of the timetable, later with
    its delay). What no row can need any more is forgotten, so memory is bounded by the longest span; without `forget`
    all is kept, as scoring a file in any order needs.
    """

    def __init__(self, spec: StateSpec, *, forget: bool = True) -> None:
        self.spec, self._forgets = spec, forget
        by = groupings(spec.history) if spec.history else []
        self._events = Table(spec.event_columns, spec.event_key, map(Groups, by))
        self._observed = Table(spec.observation_columns, spec.observation_key)
        self._clock = self._looked = self._forgotten = LONG_AGO  # the latest moment asked about; what is gone
        self._event_index: dict[tuple[str, ...], Events] | None = None
        self._observed_index: Observed | None = None

    def columns_of(self, table: str) -> dict[str, Column]:
        """The columns that rows of a table must bring. Raises DataError for a table that the state does not know."""
        return self._table(table).spec

    def _table(self, name: str) -> Table:
        observations = self.spec.observations
        if name == self.spec.events:
            return self._events
        if observations is not None and name == observations.table:
            return self._observed
        known = [self.spec.events, *([observations.table] if observations else [])]
        raise DataError(f"there is no table {name} of events or observations; there are {', '.join(known)}")

    def add(self, table: str, given: Columns) -> Added:
        """Add rows of the events' or the observations' table. Columns that are not needed are ignored.

        A row that breaks a check of its columns is not added. Raises DataError for another table, a missing column, and
        arrays that `base.arrays` refuses.
        """
        part = self._table(table)
        if missing := difference(part.spec, [name for name in given if name in part.spec]):
            raise DataError(f"{table}: {missing}")
        checked = check(_arrays({name: given[name] for name in part.spec}, part.spec), part.spec)
        bad = checked.rejected
        part.add(take(checked.columns, ~bad))
        if part is self._events:
            self._event_index = None
        else:
            self._observed_index = None
        self._forget()
        reasons = {rule: int(mask.sum()) for rule, mask in checked.broken.items()}
        return Added(int((~bad).sum()), reasons)

    def plan(self, given: Columns) -> None:
        """Add rows that are asked about as events that are due and have not happened, unless their key is known.

        `given`: the events' columns but for the delay. A row that breaks a check is left out, for it is not scored.
        """
        history = self.spec.history
        unknown = {} if history is None else {history.delay: np.full(rows(given), np.nan)}
        columns = _arrays({name: (unknown | given)[name] for name in self._events.spec} | unknown, self._events.spec)
        checked = check(columns, self._events.spec)
        self._events.add(take(checked.columns, ~checked.rejected), update=False)
        self._event_index = None

    def compute(self, asked: Columns) -> Columns:
        """The point-in-time columns of rows, each at its own moment of prediction.

        `asked`: at least the columns `spec.needed`, checked; with the events' key, a row that has not been added counts
        in its own timetable, as in training. Raises DataError for a moment before which events have
        been forgotten already.
        """
        if not rows(asked):
            return {name: np.zeros(0) for name in self.spec.outputs}
        due = due_at(asked, self.spec.moment)
        moment = due - round(self.spec.moment.lead_hours * 3600)
        oldest = int(moment.min()) - self.spec.span
        if oldest < self._forgotten:
            at = np.datetime64(int(moment.min()), "s")
            raise DataError(
                f"the state has forgotten events that a prediction made at {at} (UTC) needs: it keeps "
                f"{(self.spec.span + SLACK) / 3600:g} hours before the latest moment it was asked about"
            )
        self._clock = max(self._clock, int(moment.max()))
        columns: Columns = {}
        if self.spec.observations is not None:
            columns |= self._observations().last(asked, moment, self.spec.observations)[0]
        if self.spec.history is not None:
            index = self._index()
            places = {by: Asked.of(events.groups.find(asked), due, moment) for by, events in index.items()}
            for column in self.spec.history.columns:
                columns[column.name] = index[column.by].column(column, self.spec.history, places[column.by])
            # A row is in the timetable, whether it has been added or not.
            planned = [column.name for column in self.spec.history.columns if column.what == "timetable"]
            columns |= {name: columns[name] + self._events.unknown(asked) for name in planned}
        return columns

    def freshness(self) -> dict[str, Freshness]:
        """What the state holds, by table."""
        when = due_at(self._events.columns, self.spec.moment)
        if self.spec.history is not None:
            when = happened_at(when, self._events.columns[self.spec.history.delay])
        found = {self.spec.events: _freshness(when, len(self._events))}
        if self.spec.observations is not None:
            found[self.spec.observations.table] = _freshness(
                known_at(self._observed.columns, self.spec.observations), len(self._observed)
            )
        return found

    def save(self, path: Path) -> None:
        """Write the state, whole or not at all."""
        arrays: dict[str, Array] = {}
        for prefix, table in (("events", self._events), ("observations", self._observed)):
            for name in table.spec:
                values = table.columns[name]
                null = is_null(values)
                text = values.dtype == object
                arrays[f"{prefix}/{name}"] = np.where(null, "", values).astype(str) if text else values
                arrays[f"{prefix}/{name}/null"] = null
        head = {"format": FORMAT, "spec": plain(self.spec), "clock": self._clock, "forgotten": self._forgotten}
        arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        with replacing(path) as part:
            part.write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> State:
        """Read what `save` wrote. Raises DataError where it cannot be read."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
                head = json.loads(arrays["head"].tobytes())
                if head["format"] != FORMAT:
                    raise ValueError(f"it is of format {head['format']}, and this version reads format {FORMAT}")
                state = cls(build(StateSpec, head["spec"], str(path)))
                for prefix, table in (("events", state._events), ("observations", state._observed)):
                    table.add({name: _restored(arrays, f"{prefix}/{name}", c) for name, c in table.spec.items()})
                state._clock = state._looked = head["clock"]
                state._forgotten = head["forgotten"]
        except Exception as error:  # a damaged archive of arrays fails in a dozen ways
            raise DataError(f"the state {path} cannot be read: {error}") from None
        return state

    def _index(self) -> dict[tuple[str, ...], Events]:
        if self._event_index is None:
            columns, history = self._events.columns, self.spec.history
            due = due_at(columns, self.spec.moment)
            delay = columns[history.delay] if history else due
            happened = happened_at(due, delay)
            self._event_index = {
                by: Events(groups, self._events.group(by) * FAR, due, delay, happened)
                for by, groups in self._events.groups.items()
            }
        return self._event_index

    def _observations(self) -> Observed:
        if self._observed_index is None and self.spec.observations is not None:
            self._observed_index = Observed.of(self._observed.columns, self.spec.observations)
        assert self._observed_index is not None  # noqa: S101
        return self._observed_index

    def _forget(self) -> None:
        """Forget what no row from the clock less SLACK on can need; looked for each time the clock has moved so far."""
        if not self._forgets or self._clock - self._looked < SLACK:
            return
        self._looked = self._clock
        border = self._forgotten = self._clock - SLACK - self.spec.span
        due = due_at(self._events.columns, self.spec.moment)
        if self.spec.history is not None:
            happened = happened_at(due, self._events.columns[self.spec.history.delay])
            due = np.where(happened < NEVER, np.maximum(due, happened), due)
        self._events.keep(due > border)
        self._event_index = None
        if self.spec.observations is not None:
            self._observed.keep(known_at(self._observed.columns, self.spec.observations) > border)
            self._observed_index = None


def _arrays(given: Columns, spec: dict[str, Column]) -> Columns:
    return as_columns(given, {name: spec[name].kind for name in given})


def _restored(arrays: np.lib.npyio.NpzFile, name: str, column: Column) -> Array:
    values = arrays[name]
    if column.kind not in ("category", "text"):
        return np.asarray(values, dtype=nulls(column, 0).dtype)
    restored = values.astype(object)
    restored[arrays[f"{name}/null"]] = None
    return np.asarray(restored)


def _freshness(when: Array, count: int) -> Freshness:
    there = when[when < NEVER]
    return Freshness(count, str(np.datetime64(int(there.max()), "s")) if len(there) else None)
