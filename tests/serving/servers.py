"""The real server in a process of its own, and a client that speaks plain HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PYTHON = (sys.executable, "-m", "fullcircle.serving")
ENVIRONMENT: dict[str, str] = {}
"""Of every server: where the code of the project is that made the bundle."""

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json["error"])


@dataclass
class Server:
    process: subprocess.Popen[str]
    port: int
    log: IO[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> Reply:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] = {}) -> Reply:
        return self.request("GET", path, None, headers)

    def post(self, path: str, value: Any, headers: Mapping[str, str] = JSON) -> Reply:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", path, body, headers)

    def stop(self, with_signal: int = signal.SIGTERM) -> str:
        """End it; what it wrote to stderr."""
        self.process.send_signal(with_signal)
        self.process.wait(60)
        return self.written()

    def written(self) -> str:
        """What it wrote to stderr."""
        self.log.seek(0)
        return self.log.read()


@contextmanager
def serving(
    bundle: Path | None, *options: str, env: Mapping[str, str] = {}, by: Sequence[str] = PYTHON
) -> Iterator[Server]:
    """A server while the block runs, on a free port if the options name none. `by`: the command that starts it."""
    port = [] if "--port" in options or "SAGEMAKER_BIND_TO_PORT" in env or "AIP_HTTP_PORT" in env else ["--port", "0"]
    named = [] if bundle is None else [str(bundle)]
    config = [] if "--config" in options else ["--config", os.devnull]
    command = [*by, *named, *port, *config, *options]
    environment = os.environ | ENVIRONMENT | dict(env)
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            server = Server(process, int(line.rsplit(":", 1)[1]) if line else 0, log)
            assert line, server.written()
            yield server
        finally:
            process.terminate()
            process.wait(60)


def refused(bundle: Path | None, *options: str, env: Mapping[str, str] = {}) -> str:
    """What the server says when it does not begin."""
    named = [] if bundle is None else [str(bundle)]
    command = [sys.executable, "-m", "fullcircle.serving", *named, "--port", "0", "--config", os.devnull, *options]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | ENVIRONMENT | dict(env), timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr
