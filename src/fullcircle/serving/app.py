"""The application: the routes of one bundle, behind the guard."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import Router

from ..base.typed import build, plain
from ..scoring.bundle import CARD, Bundle
from . import about, native, outcomes, platforms, v2
from .errors import NotFoundError
from .events import Events
from .guard import Guard
from .logged import PredictionLog
from .metrics import Metrics
from .protocol import Protocol
from .service import Service, check_blessed
from .settings import Settings, keys
from .signature import check_signature

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

PASSED = "FULLCIRCLE_SERVING"
"""How the command passes bundle and settings to its workers."""

log = logging.getLogger("fullcircle")


def create_app(folder: Path, settings: Settings) -> Guard:
    """The application of the bundle in a folder. Raises BundleError for one that does not verify or is not blessed."""
    _log_to_stderr()
    Protocol.head_seconds = settings.limits.head_seconds
    check_signature(folder, settings)
    bundle = Bundle.load(folder)
    said = check_blessed(bundle, settings.allow_unblessed)
    kept = settings.state.folder
    events = None
    if bundle.state is not None:
        events = Events(bundle.state, None if kept is None else Path(kept), settings.state.stale_hours)
    metrics = Metrics(bundle)
    card = (folder / CARD).read_text(encoding="utf-8") if (folder / CARD).is_file() else ""
    service = Service(bundle, settings, metrics, events, card)
    if settings.predictions.on:
        service.log = PredictionLog(bundle, service.job, settings.predictions, metrics)

    @contextlib.asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        server = None
        if service.log is not None:
            service.log.start()
        if settings.grpc_port is not None:
            from .grpc_v2 import start  # an extra

            server = await start(service, keys(), settings.host, settings.grpc_port)
        yield
        if server is not None:
            await server.stop(settings.limits.drain_seconds)
        if service.log is not None:
            service.log.close(settings.limits.drain_seconds)
        if events is not None:
            events.close()

    modules = (native, outcomes, v2, platforms, about)
    routes = [each for module in modules for each in module.routes(service)]
    router = Router(routes, redirect_slashes=False, default=_nothing, lifespan=lifespan)
    health = platforms.vertex_paths().get(platforms.VERTEX_HEALTH)
    name = f"{bundle.about.problem} {bundle.version} {bundle.id[:12]}"
    said.append((b"x-bundle", name.encode("ascii", "replace")))
    return Guard(router, settings, metrics, keys(), said, frozenset([health] if health else []))


def passed(folder: Path, settings: Settings) -> str:
    """What PASSED has to be for a worker."""
    return json.dumps({"folder": str(folder), "settings": plain(settings)})


def create() -> Guard:
    """The application of a worker, from the environment."""
    found = json.loads(os.environ[PASSED])
    return create_app(Path(found["folder"]), build(Settings, found["settings"], "settings"))


class _Lines(logging.Formatter):
    """One JSON object per record, as the guard writes them."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"), "level": record.levelname}
        line["message"] = record.getMessage()
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _log_to_stderr() -> None:
    handler, lines = logging.StreamHandler(), _Lines()
    lines.converter = time.gmtime
    handler.setFormatter(lines)
    for name, level in (("fullcircle", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  as ASGI calls it
    raise NotFoundError("there is nothing at this path; GET /docs lists what there is")
