"""The application: the bundle that is deployed, behind the guard."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.typed import build, plain
from . import platforms
from .deployed import Deployed
from .guard import Guard
from .metrics import Metrics
from .protocol import Protocol
from .settings import Settings, keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PASSED = "FULLCIRCLE_SERVING"
"""How the command passes bundle and settings to its workers."""

log = logging.getLogger("fullcircle")


def create_app(folder: Path, settings: Settings) -> Guard:
    """The application of the bundle in a folder. Raises BundleError for one that does not verify or is not blessed."""
    _log_to_stderr()
    Protocol.head_seconds = settings.limits.head_seconds
    deployed = Deployed(folder, settings, Metrics())

    @contextlib.asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        deployed.start()
        watching = asyncio.create_task(deployed.watch())
        with contextlib.suppress(NotImplementedError, RuntimeError):  # no signals, or not the main thread
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, lambda: looking.add(loop.create_task(deployed.look())))
        server = None
        if settings.grpc_port is not None:
            from .grpc_v2 import start  # an extra

            server = await start(deployed, keys(), settings.host, settings.grpc_port)
        yield
        watching.cancel()
        if server is not None:
            await server.stop(settings.limits.drain_seconds)
        deployed.close()

    looking: set[asyncio.Task[None]] = set()
    health = platforms.vertex_paths().get(platforms.VERTEX_HEALTH)
    return Guard(deployed, lifespan, settings, keys(), frozenset([health] if health else []))


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
