"""The command `serve`: reads its settings, refuses what must not be served, and runs uvicorn."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from argparse import ArgumentParser
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import ConfigError, FullCircleError
from .settings import (
    KEYS,
    SHARED,
    Settings,
    StateSettings,
    check_keys,
    find_bundle,
    of_platform,
    read_settings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

BACKLOG = 2048  # connections that wait to be accepted


def parser(program: str) -> ArgumentParser:
    """The options of the command."""
    made = ArgumentParser(program, description="Serve a bundle over HTTP. GET /docs of the service lists its routes.")
    made.add_argument("bundle", nargs="?", type=Path, help="folder of a bundle; by default dist/bundle")
    made.add_argument("--host", help="address to listen on; by default 127.0.0.1. Others need keys, see --no-auth")
    made.add_argument("--port", type=int, help="by default 8080; 0: any free one")
    made.add_argument("--workers", type=int, help="processes; by default 1")
    made.add_argument("--config", type=Path, help="YAML file of settings; by default conf/serving.yaml")
    made.add_argument("--state", metavar="FOLDER", help="where events are kept over restarts")
    made.add_argument("--allow-unblessed", action="store_true", help="serve a bundle whose verdict is not blessed")
    made.add_argument("--no-auth", action="store_true", help=f"need no keys; else {KEYS} has them, with commas between")
    return made


def settings_of(given: Any) -> Settings:
    """The settings of a command line. Raises ConfigError."""
    found = of_platform(read_settings(given.config))
    changes: dict[str, Any] = {
        name: getattr(given, name) for name in ("host", "port", "workers") if getattr(given, name) is not None
    }
    if given.state is not None:
        changes["state"] = StateSettings(given.state, found.state.stale_hours)
    changes |= {name: True for name in ("allow_unblessed", "no_auth") if getattr(given, name)}
    try:
        return replace(found, **changes)
    except ValueError as error:
        raise ConfigError(str(error)) from None


def main(arguments: Sequence[str], program: str = "fullcircle serve", packaged: Path | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; exit code 1 and a message where it cannot. `packaged`: the bundle of a wheel."""
    given = parser(program).parse_args(arguments)
    try:
        settings = settings_of(given)
        check_keys(settings)
        if settings.grpc_port is not None and find_spec("grpc") is None:
            raise ConfigError("grpc_port needs gRPC: install the extra `grpc` (grpcio and protobuf), or leave it out")
        serve(find_bundle(given.bundle, packaged), settings)
    except FullCircleError as error:
        sys.exit(f"serve: {error}")


def serve(folder: Path, settings: Settings) -> None:
    """Run the service. Raises FullCircleError where it cannot begin."""
    if settings.workers == 1:
        _serve(folder, settings)
        return
    with tempfile.TemporaryDirectory(prefix="fullcircle-") as shared:
        os.environ[SHARED] = shared  # before prometheus_client is imported
        if settings.state.folder is None:
            settings = replace(settings, state=StateSettings(f"{shared}/state", settings.state.stale_hours))
        _serve(folder, settings)


def _serve(folder: Path, settings: Settings) -> None:
    import uvicorn

    from . import app as application
    from .protocol import Protocol

    os.environ[application.PASSED] = application.passed(folder, settings)
    # One process makes the application here, so that an error is a message and not a traceback of a worker.
    made = application.create_app(folder, settings)
    config = uvicorn.Config(
        made if settings.workers == 1 else f"{application.__name__}:create",
        factory=settings.workers > 1,
        workers=settings.workers,
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.limits.drain_seconds,
    )
    listening = _listening(settings)  # who connects from now on waits until the workers have begun
    print(f"serving {folder} on http://{settings.host}:{listening.getsockname()[1]}", flush=True)
    if settings.workers == 1:
        uvicorn.Server(config).run(sockets=[listening])
        return
    from uvicorn.supervisors import Multiprocess

    Multiprocess(config, sockets=[listening]).run()


def _listening(settings: Settings) -> socket.socket:
    """A socket that listens on the address. Raises ConfigError where none can."""
    version = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        made = socket.create_server((settings.host, settings.port), family=version, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}") from None
    made.set_inheritable(True)
    return made
