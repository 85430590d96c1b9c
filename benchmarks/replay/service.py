"""The real service of a project, in a process of its own, and a client."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = "data/log/predictions.sqlite"
SETTINGS = f"""\
reload_seconds: null
log: errors
limits: {{rows: 20000}}
predictions: {{url: "sqlite:///{LOG}", clock: requests, flush_seconds: 0.05, keep_days: null}}
"""
LONGEST = 30.0  # seconds that anything may take


@dataclass
class Service:
    """A running service. `asked`: rows so far, all of which its log must hold."""

    folder: Path
    process: subprocess.Popen[str]
    connection: HTTPConnection
    asked: int = 0

    def post(self, path: str, rows: list[dict[str, Any]], moment: float) -> Any:
        """Send rows at a moment, in seconds since 1970; the answer. Raises RuntimeError for another than 200."""
        when = datetime.fromtimestamp(moment, UTC).isoformat()
        self.connection.request("POST", path, json.dumps({"rows": rows}), _HEADERS | {"x-time": when})
        response = self.connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} at {when}: {response.status} {body[:300]!r}")
        self.asked += len(rows) if path == "/predict" else 0
        return json.loads(body)

    def logged(self) -> None:
        """Wait until every answer is in the log."""
        with sqlite3.connect(self.folder / LOG) as log:
            _until(lambda: log.execute("SELECT coalesce(sum(rows), 0) FROM blocks").fetchone()[0] == self.asked)

    def take(self, bundle: str) -> None:
        """Have it take the bundle that was deployed, and wait until it answers."""
        self.process.send_signal(signal.SIGHUP)
        _until(lambda: bundle.startswith(self._bundle()))

    def _bundle(self) -> str:
        """The beginning of the id of the bundle that answers."""
        self.connection.request("GET", "/health/live")
        response = self.connection.getresponse()
        response.read()
        return response.headers["x-bundle"].split()[-1]


_HEADERS = {"Content-Type": "application/json"}


@contextmanager
def serving(folder: Path, bundle: str, environment: dict[str, str]) -> Iterator[Service]:
    """The service of the folder `bundle` of a project, by its conf/serving.yaml, while the block runs."""
    (folder / LOG).parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fullcircle.serving", bundle, "--port", "0", "--config", "conf/serving.yaml"]
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise RuntimeError("the service did not start")
            connection = HTTPConnection("127.0.0.1", int(line.rsplit(":", 1)[1]), timeout=LONGEST)
            yield Service(folder, process, connection)
        finally:
            process.terminate()
            process.wait(LONGEST)


def _until(holds: Any) -> None:
    end = time.monotonic() + LONGEST
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"the service did not come so far in {LONGEST:g} s")
        time.sleep(0.01)
