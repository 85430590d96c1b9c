"""The bundle that answers now; another one takes its place without a request being dropped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import Router

from ..base.errors import BundleError, FullCircleError
from ..base.files import verify
from ..scoring.bundle import CARD, Bundle
from . import about, monitor, native, outcomes, platforms, v2
from .errors import NotFoundError
from .events import Events
from .logged import PredictionLog
from .monitored import MonitoringGauges, MonitoringReader
from .service import Service, check_blessed
from .signature import check_signature

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .metrics import Metrics
    from .settings import Settings

log = logging.getLogger("fullcircle")

ROUTES = (native, outcomes, v2, platforms, monitor, about)
Files = frozenset[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A bundle that can answer. `headers`: what every answer says of it."""

    service: Service
    router: Router
    headers: list[tuple[bytes, bytes]]


class Deployed:
    """The bundle in a folder. Begins with the one that is there.

    Raises FullCircleError where that one cannot answer. When the folder has another bundle, `look` takes it, if it
    verifies and answers its stored rows; else the present one goes on. Requests in flight are answered by the bundle
    that they came to.
    """

    def __init__(self, folder: Path, settings: Settings, metrics: Metrics) -> None:
        self._folder, self._settings, self.metrics = folder, settings, metrics
        self._seen = _files(folder)
        self.now = self._load(None)
        self.metrics.bundle(self.now.service.bundle)
        self._ending: set[asyncio.Task[None]] = set()
        self._logs: list[PredictionLog] = []
        self._reader: MonitoringReader | None = None

    @property
    def service(self) -> Service:
        """The service that answers now."""
        return self.now.service

    def _load(self, before: Service | None) -> Loaded:
        check_signature(self._folder, self._settings)
        bundle = Bundle.load(self._folder)
        headers = check_blessed(bundle, self._settings.allow_unblessed)
        card = self._folder / CARD
        text = card.read_text(encoding="utf-8") if card.is_file() else ""
        service = Service(bundle, self._settings, self.metrics, self._events(bundle, before), text)
        if verify(self._folder) != bundle.id:
            raise BundleError(f"{self._folder} was changed while it was read")
        if self._settings.predictions.on:
            service.log = PredictionLog(bundle, service.job, self._settings.predictions, self.metrics)
        routes = [route for module in ROUTES for route in module.routes(service)]
        name = f"{bundle.about.problem} {bundle.version} {bundle.id[:12]}"
        headers.append((b"x-bundle", name.encode("ascii", "replace")))
        return Loaded(service, Router(routes, redirect_slashes=False, default=_nothing), headers)

    def _events(self, bundle: Bundle, before: Service | None) -> Events | None:
        """The state of past events: the present one goes on where the new bundle needs the same columns."""
        if before is not None and before.bundle.about.problem != bundle.about.problem:
            raise BundleError(
                f"it answers problem {bundle.about.problem}, and {before.bundle.about.problem} is served: restart"
            )
        if bundle.state is None:
            return None
        if before is not None:
            if before.events is None or before.events.state.spec != bundle.state:
                raise BundleError("it needs other columns of past events than the state has: restart the service")
            return before.events
        kept = self._settings.state.folder
        return Events(bundle.state, None if kept is None else Path(kept), self._settings.state.stale_hours)

    def start(self) -> None:
        """Begin to log, in the process that answers."""
        if self.service.log is not None:
            self.service.log.start()
            self._logs.append(self.service.log)
            if self._reader is None:
                self._reader = MonitoringReader(
                    lambda before: self.service.check_log().shown(before),  # of the bundle that answers then
                    self.service.log.unread,
                    MonitoringGauges(self.metrics.registry),
                    self._settings.predictions.alerts_seconds,
                )
                self._reader.start()

    async def watch(self) -> None:
        """Look at the folder again and again."""
        while self._settings.reload_seconds is not None:
            await asyncio.sleep(self._settings.reload_seconds)
            await self.look()

    async def look(self) -> None:
        """Take the bundle that is in the folder, if it is another one and can answer."""
        with contextlib.suppress(OSError):  # it is being replaced
            files = await asyncio.to_thread(_files, self._folder)
            if not files or files == self._seen:
                return
            self._seen = files
            await self._replace()

    async def _replace(self) -> None:
        before = self.now
        try:
            found = await asyncio.to_thread(self._load, before.service)
        except (FullCircleError, OSError) as error:
            self.metrics.reload("refused")
            log.error("the bundle in %s was not taken, and %s goes on: %s", self._folder, _name(before), error)
            return
        if found.service.bundle.id == before.service.bundle.id:
            return
        self.now = found
        self.start()
        self.metrics.bundle(found.service.bundle, before.service.bundle)
        self.metrics.reload("taken")
        log.warning("%s answers now, instead of %s", _name(found), _name(before))
        if before.service.log is not None:
            task = asyncio.create_task(self._end(before.service.log))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _end(self, ending: PredictionLog) -> None:
        """Close the log of a bundle when the requests that it answers are done."""
        await asyncio.sleep(self._settings.limits.answer_seconds)
        await asyncio.to_thread(ending.close, self._settings.limits.drain_seconds)
        self._logs.remove(ending)

    def close(self) -> None:
        """Write down what waits."""
        if self._reader is not None:
            self._reader.stop()
        for task in self._ending:
            task.cancel()
        for each in self._logs:
            each.close(self._settings.limits.drain_seconds)
        if self.service.events is not None:
            self.service.events.close()


def _files(folder: Path) -> Files:
    """Name, size and time of every file: another bundle has others."""
    found = ((path, path.stat()) for path in folder.iterdir())
    return frozenset((path.name, stat.st_size, stat.st_mtime_ns) for path, stat in found)


def _name(loaded: Loaded) -> str:
    bundle = loaded.service.bundle
    return f"version {bundle.version} ({bundle.id[:12]})"


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  as ASGI calls it
    raise NotFoundError("there is nothing at this path; GET /docs lists what there is")
