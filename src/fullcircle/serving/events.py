"""Events and observations as they happen: read, kept in a journal, and known to the next prediction of every worker."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.checks import check
from ..base.errors import DataError, difference
from ..base.typed import plain
from ..pointintime.recent import due_at
from ..pointintime.state import State
from .errors import NotFoundError, RowsError
from .journal import Journal
from .tables import read_columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..base.checks import Column
    from ..base.columns import Columns
    from ..pointintime.spec import StateSpec
    from ..scoring.scorer import Scorer
    from .tables import Table

log = logging.getLogger("fullcircle")


class Events:
    """A state of past events, shared by the workers of one machine through a folder.

    `folder`: None keeps it in memory, for one worker. `stale_hours`: see `Settings`.
    """

    def __init__(self, spec: StateSpec, folder: Path | None, stale_hours: Mapping[str, float]) -> None:
        self.state = State(spec)
        self._stale_hours = stale_hours
        if unknown := difference([spec.events, *_observed(spec)], stale_hours, "table", missing=False):
            raise DataError(f"state.stale_hours: {unknown}")
        self._journal = None if folder is None else Journal(folder / _name(spec))
        self._latest: dict[str, int] | None = None
        if self._journal is not None:
            with self._journal.locked():
                self._load()
                self.catch_up()

    def _load(self) -> None:
        """Begin with the state before the journal's current file."""
        if self._journal is not None and self._journal.snapshot().is_file():
            self.state, self._latest = State.load(self._journal.snapshot()), None

    def add(self, name: str, table: Table) -> dict[str, Any]:
        """Add rows of one table; returns how many were taken, and why each other one was not.

        Raises NotFoundError for another table, and RowsError for missing columns.
        """
        wanted = self.columns_of(name)
        if missing := difference(wanted, [column for column in table.columns if column in wanted]):
            raise RowsError(f"{name}: {missing}")
        columns = {column: table.columns[column] for column in wanted}
        aside = _unreadable(wanted, columns, table)
        kept = [at for at in range(table.count) if at not in aside]
        if kept:
            chosen = {column: [values[at] for at in kept] for column, values in columns.items()}
            self._keep(name, chosen)
        set_aside = [{"row": at, "reasons": aside[at]} for at in sorted(aside)]
        return {"rows": table.count, "added": len(kept), "set_aside": set_aside}

    def columns_of(self, name: str) -> dict[str, Column]:
        """The columns that rows of a table must bring. Raises NotFoundError for another table."""
        try:
            return self.state.columns_of(name)
        except DataError as error:
            raise NotFoundError(str(error)) from None

    def _keep(self, name: str, columns: dict[str, list[Any]]) -> None:
        if self._journal is None:
            self._apply(name, columns)
        else:
            line = json.dumps({"table": name, "columns": columns}).encode()
            self._journal.append(line, self.catch_up, self._save)

    def _apply(self, name: str, columns: dict[str, list[Any]]) -> None:
        self.state.add(name, read_columns(columns, self.columns_of(name), {}))
        self._latest = None

    def catch_up(self) -> None:
        """Add what other workers have written down."""
        if self._journal is None:
            return
        for line in self._journal.new_lines(self._load):
            try:
                found = json.loads(line)
                self._apply(found["table"], found["columns"])
            except (ValueError, KeyError, TypeError, DataError):
                log.warning("a line of the journal of events cannot be read, and was left out: %d bytes", len(line))

    def current(self) -> State:
        """The state with all that any worker has been given; it may be another object than before."""
        self.catch_up()
        return self.state

    def _save(self, path: Path) -> None:
        self.state.save(path)

    def freshness(self) -> dict[str, Any]:
        """How many rows are known of each table, and the latest of them."""
        self.catch_up()
        return {name: {"rows": f.rows, "latest": f.latest} for name, f in self.state.freshness().items()}

    def stale(self, asked: Columns) -> dict[str, float | None]:
        """Table -> hours from its latest row to the latest moment of prediction, where that is more than allowed.

        None where the table is empty. Rows that bring their point-in-time columns do not depend on the state.
        """
        spec = self.state.spec
        if all(name in asked for name in spec.outputs) or not self._stale_hours:
            return {}
        moments = due_at(asked, spec.moment) - round(spec.moment.lead_hours * 3600)
        if self._latest is None:
            fresh = self.state.freshness()
            self._latest = {n: int(np.datetime64(f.latest, "s").astype(int)) for n, f in fresh.items() if f.latest}
        behind: dict[str, float | None] = {}
        for table, allowed in self._stale_hours.items():
            latest = self._latest.get(table)
            hours = None if latest is None else (int(moments.max()) - latest) / 3600
            if hours is None or hours > allowed:
                behind[table] = None if hours is None else round(hours, 2)
        return behind

    def completed(self, scorer: Scorer, read: Columns) -> Columns:
        """The inputs of rows that were scored, with those that the state computes."""
        inputs = scorer.plan.inputs
        if all(name in read for name in inputs):
            return {name: read[name] for name in inputs}
        known = self.state.compute(read)
        return {name: read[name] if name in read else known[name] for name in inputs}

    def close(self) -> None:
        """Write the state down."""
        if self._journal is not None:
            self._journal.close(self.catch_up, self._save)


def _observed(spec: StateSpec) -> list[str]:
    return [] if spec.observations is None else [spec.observations.table]


def _name(spec: StateSpec) -> str:
    """The folder of a spec: a model that needs other columns of the events begins with an empty state."""
    return hashlib.sha256(json.dumps(plain(spec), sort_keys=True).encode()).hexdigest()[:12]


def _unreadable(wanted: dict[str, Column], columns: dict[str, list[Any]], table: Table) -> dict[int, str]:
    """Why rows cannot be added, by position: cells that cannot be read, and checks that they break."""
    aside = dict(table.aside)
    checked = check(read_columns(columns, wanted, aside), wanted)
    if checked.broken:
        for at, reasons in zip(np.flatnonzero(checked.rejected).tolist(), checked.reasons(), strict=True):
            aside.setdefault(at, reasons)
    return aside
