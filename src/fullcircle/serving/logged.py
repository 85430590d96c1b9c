"""The prediction log of a service: what is answered goes in, and outcomes are added to it."""

from __future__ import annotations

import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..base.typed import plain
from . import windows

if TYPE_CHECKING:
    from ..log.outcomes import Arrived
    from ..log.shown import Shown
    from ..scoring.batch import Job
    from ..scoring.bundle import Bundle
    from .answers import Answer
    from .metrics import Metrics
    from .settings import PredictionSettings
    from .tables import Table

log = logging.getLogger("fullcircle")


@dataclass(frozen=True, slots=True)
class Call:
    """The request that is being answered. `made`: seconds since 1970, where the caller says when; else None."""

    request: str
    made: float | None = None


CALL: ContextVar[Call | None] = ContextVar("call", default=None)


class PredictionLog:
    """Logs the answers of one bundle. `job`: how its columns are read."""

    def __init__(self, bundle: Bundle, job: Job, settings: PredictionSettings, metrics: Metrics) -> None:
        # SQLAlchemy and orjson are needed where there is a log, and are not in the scorer's wheel otherwise.
        from ..log.bundles import LoggedBundle, note_bundle
        from ..log.database import connect
        from ..log.entries import Entry, new_id, utc
        from ..log.monitored import read_kept  # its tables are made with the others
        from ..log.shown import Shown, shown
        from ..log.writer import Writer, WriterSettings

        self._entry, self._new_id, self._shown, self._read_kept = Entry, new_id, shown, read_kept
        self.unread = Shown()  # what monitoring has found, before it was read
        about, identity = bundle.about, bundle.about.row or bundle.about.records
        self.bundle = LoggedBundle(
            bundle.id,
            about.problem,
            bundle.version,
            about.target,
            bundle.scorer.spec.calibration.classes,
            identity,
            {name: job.read[name] for name in identity if name in job.read},
            settings.redact,
            plain(bundle.provenance),
        )
        self._engine = connect(settings.url or "", settings.url_env)
        note_bundle(self._engine, self.bundle, utc(time.time()))
        # Requests that bring their own time are not old because of it.
        keep_days = settings.keep_days if settings.clock == "system" else None
        kept = WriterSettings(settings.flush_seconds, settings.queue_rows, keep_days)
        self._writer = Writer(self._engine, self.bundle, kept, metrics.logged)

    def start(self) -> None:
        """Begin to write, in the process that answers."""
        self._writer.start()

    def note(self, table: Table, answer: Answer, seconds: float) -> None:
        """Log an answer, and give it an identifier. Never waits."""
        call = CALL.get()
        made = (call.made if call else None) or time.time()
        answer.id = self._new_id(made)
        request = call.request if call else None
        entry = self._entry(
            answer.id, made, request, round(seconds * 1000, 3), table.count, answer.parts, answer.identity, answer.aside
        )
        self._writer.offer(entry)

    def add_outcomes(self, table: Table) -> Arrived:
        """Add outcomes; waits for the database. Raises UnavailableError where it cannot be written now."""
        from ..log.outcomes import add_outcomes

        call = CALL.get()
        now = (call.made if call else None) or time.time()
        return add_outcomes(self._engine, self.bundle, table.columns, now)

    def shown(self, before: Shown) -> Shown:
        """What monitoring has found of the bundle; waits for the database, and raises its errors."""
        return self._shown(self._engine, self.bundle.id, before)

    def monitored(self) -> dict[str, Any]:
        """What the page of monitoring shows; waits for the database. Raises UnavailableError."""
        return windows.shown(self._read_kept(self._engine, windows.MOST))

    def close(self, seconds: float) -> None:
        """Write what waits."""
        self._writer.close(seconds)
