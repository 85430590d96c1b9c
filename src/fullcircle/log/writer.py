"""Writes entries in a thread of its own. No answer waits for it: what its queue cannot take is dropped, and counted."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
import sqlalchemy as sql
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from .database import BLOCKS, CHUNK, OUTCOMES, RECORDS
from .entries import block_of, first_id, utc

if TYPE_CHECKING:
    from collections.abc import Callable

    from .bundles import LoggedBundle
    from .entries import Entry

log = logging.getLogger("fullcircle")

MOST = 5_000  # rows of one transaction
_LONGEST_PAUSE = 30.0  # seconds, after several failures
_PURGE_EVERY = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """`flush_seconds`: the longest that an entry waits. `queue_rows`: how many rows may. `keep_days`: None: all."""

    flush_seconds: float = 0.5
    queue_rows: int = 100_000
    keep_days: float | None = None


class Writer:
    """The writer of one process. `count(what, rows)` is called with `written` and `dropped`, in any thread."""

    def __init__(
        self,
        engine: sql.Engine,
        bundle: LoggedBundle,
        settings: WriterSettings,
        count: Callable[[str, int], None],
    ) -> None:
        self._engine, self._bundle, self._settings, self._count = engine, bundle, settings, count
        self._queue: deque[Entry] = deque()
        self._lock = threading.Lock()
        self._waiting = 0  # rows in the queue and in the batch that is being written
        self._wake = threading.Event()
        self._closing = False
        self._deadline = float("inf")
        self.failures = 0  # in a row
        self._purged = 0.0
        self._thread = threading.Thread(target=self._run, name="prediction-log", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def offer(self, entry: Entry) -> bool:
        """Put an entry into the queue, if there is space for it. Never waits."""
        with self._lock:
            fits = self._waiting + entry.rows <= self._settings.queue_rows and not self._closing
            if fits:
                self._waiting += entry.rows
                self._queue.append(entry)
        if not fits:
            self._count("dropped", entry.rows)
        elif self._waiting >= MOST:
            self._wake.set()
        return fits

    def close(self, seconds: float) -> None:
        """Write what waits, for so many seconds at most; what is left then is dropped and counted."""
        self._deadline = time.monotonic() + seconds
        self._closing = True
        self._wake.set()
        self._thread.join(seconds + 1)
        if self._waiting:
            self._count("dropped", self._waiting)
            log.error("the prediction log: %d rows could not be written before the end", self._waiting)
        self._engine.dispose()

    def _run(self) -> None:
        batch: list[Entry] = []
        while True:
            self._wake.wait(self._pause())
            self._wake.clear()
            while batch or self._queue:
                batch = batch or self._taken()
                if not self._write(batch):
                    break
                batch = []
            if not (batch or self._queue):
                self._purge()
            if self._closing and (time.monotonic() > self._deadline or not (batch or self._queue)):
                return

    def _pause(self) -> float:
        if not self.failures:
            return 0.0 if self._closing else self._settings.flush_seconds
        longest = 0.2 if self._closing else _LONGEST_PAUSE
        return min(self._settings.flush_seconds * 2.0 ** min(self.failures, 10), longest)

    def _taken(self) -> list[Entry]:
        taken: list[Entry] = []
        rows = 0
        with self._lock:
            while self._queue and rows < MOST:
                taken.append(self._queue.popleft())
                rows += taken[-1].rows
        return taken

    def _write(self, batch: list[Entry]) -> bool:
        try:
            with self._engine.begin() as connection:
                connection.execute(sql.insert(BLOCKS), block_of(batch, self._bundle))
        except (OperationalError, InterfaceError) as error:  # locked, full, gone: it may pass
            self.failures += 1
            if self.failures == 1:
                reason = str(getattr(error, "orig", None) or error).splitlines()[0]
                log.warning("the prediction log cannot be written, and is tried again: %s", reason)
            return False
        except Exception:  # an entry that cannot be written must not stop the others
            if len(batch) > 1:
                return self._write_singly(batch)
            log.exception("an entry of the prediction log cannot be written")
            self._done(batch, "dropped")
            return True
        if self.failures:
            log.warning("the prediction log is written again, after %d attempts", self.failures)
        self.failures = 0
        self._done(batch, "written")
        return True

    def _write_singly(self, batch: list[Entry]) -> bool:
        while batch:
            if not self._write(batch[:1]):
                return False  # what is left of the batch is tried again
            del batch[0]
        return True

    def _done(self, batch: list[Entry], what: str) -> None:
        rows = sum(entry.rows for entry in batch)
        with self._lock:
            self._waiting -= rows
        self._count(what, rows)

    def _purge(self) -> None:
        if self._settings.keep_days is None or time.monotonic() - self._purged < _PURGE_EVERY:
            return
        self._purged = time.monotonic()
        try:
            forget(self._engine, time.time() - self._settings.keep_days * 86400)
        except SQLAlchemyError as error:
            log.warning("old entries of the prediction log could not be removed: %s", str(error).splitlines()[0])


def forget(engine: sql.Engine, before: float) -> None:
    """Remove requests that were made, and outcomes that arrived, before a moment (seconds since 1970)."""
    old = sql.select(BLOCKS.c.id, BLOCKS.c.row_keys).where(BLOCKS.c.last < first_id(before)).limit(50)
    while True:
        with engine.begin() as connection:
            blocks = connection.execute(old).all()
            for block, keys in blocks:
                known = [key for key in orjson.loads(keys) if key is not None]
                for at in range(0, len(known), CHUNK):
                    some = RECORDS.c.record.in_(known[at : at + CHUNK])
                    connection.execute(sql.delete(RECORDS).where(some, RECORDS.c.block == block))
                connection.execute(sql.delete(BLOCKS).where(BLOCKS.c.id == block))
        if not blocks:
            break
    with engine.begin() as connection:
        connection.execute(sql.delete(OUTCOMES).where(OUTCOMES.c.arrived < utc(before)))
