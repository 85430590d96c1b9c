"""Requests a second of the service beside BentoML and MLflow: same rows, as many trees, one worker each, 8 connections.

`make bench-serving` makes the peers' environments and runs it. It needs `wrk` (Debian's package of that name). Peers
serve the pipeline of `serving_peers/fit.py`, which computes no features: they do less than the service does.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import ROOT, Figure
from fullcircle.core import paths
from fullcircle.core.tables import read_columns, read_json
from fullcircle.packaging.golden import records, spaced
from fullcircle.scoring.bundle import Bundle
from fullcircle.serving.app import PASSED, passed
from fullcircle.serving.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 6  # of each load
TURNS = 3  # in which all are loaded, one after the other
CONNECTIONS = 8
SCRIPT = """\
wrk.method = "POST"
local file = io.open("{body}")
wrk.body = file:read("*a")
file:close()
wrk.headers["Content-Type"] = "application/json"
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server to load: its command, port, path, and the form of its body."""

    name: str
    command: list[str]
    port: int
    path: str
    form: str
    environment: dict[str, str]


@dataclass(frozen=True, slots=True)
class Load:
    """What a load gave: requests a second, and latency in milliseconds."""

    rate: float
    p50: float
    p99: float


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ours(config: str = os.devnull, name: str = "fullcircle") -> Server:
    """The service, with its log of requests on, and without a prediction log where the configuration has none."""
    port = free_port()
    command = [sys.executable, "-m", "fullcircle.serving", str(paths.BUNDLE), "--port", str(port), "--config", config]
    return Server(name, command, port, "/predict", "rows", {})


def on_granian(command: Path) -> Server:
    """The same application on another server, in the same environment (`uv pip install granian`)."""
    port = free_port()
    environment = {PASSED: passed(paths.BUNDLE, Settings())}
    options = ["--interface", "asgi", "--loop", "uvloop", "--factory", "--port", str(port), "--log-level", "warning"]
    return Server(
        "granian", [str(command), *options, "fullcircle.serving.app:create"], port, "/predict", "rows", environment
    )


def bentoml(python: Path, model: Path) -> Server:
    """BentoML, one worker."""
    port = free_port()
    service = str(ROOT / "benchmarks/serving_peers/bento.py:Flights")
    command = [str(python.parent / "bentoml"), "serve", service, "--port", str(port)]
    environment = {"MODEL": str(model / "model.joblib"), "BENTOML_DO_NOT_TRACK": "1"}
    return Server("BentoML", command, port, "/predict", "rows", environment)


def mlflow(python: Path, model: Path) -> Server:
    """MLflow, one worker."""
    port = free_port()
    command = [str(python.parent / "mlflow"), "models", "serve", "-m", str(model / "mlflow"), "-p", str(port)]
    command += ["--env-manager", "local", "-w", "1"]
    environment = {"PATH": f"{python.parent}:{os.environ['PATH']}"}
    return Server("MLflow", command, port, "/invocations", "dataframe_records", environment)


@contextmanager
def running(server: Server, log: Path) -> Iterator[float]:
    """The seconds until it answers a row; it is killed, with its children, at the end."""
    begun = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(
            server.command, stdout=out, stderr=out, env=os.environ | server.environment, start_new_session=True
        )
    try:
        yield _until_it_answers(server, process, log) - begun
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


def _until_it_answers(server: Server, process: subprocess.Popen[bytes], log: Path) -> float:
    body = json.dumps({server.form: rows_of_test(1)}).encode()
    url = f"http://127.0.0.1:{server.port}{server.path}"
    while time.perf_counter():
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                answer.read()
                return time.perf_counter()
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{server.name}: {error.code} {error.read()[:500]!r}") from None
        except OSError:
            time.sleep(0.02)
        if process.poll() is not None:
            raise SystemExit(f"{server.name} ended:\n{log.read_text()[-2000:]}")
    raise AssertionError


def rows_of_test(count: int) -> list[dict[str, Any]]:
    """Rows of the test months."""
    inputs = Bundle.load(paths.BUNDLE).scorer.plan.inputs
    return records(spaced(read_columns(paths.TEST, list(inputs)), count), inputs)


def load(server: Server, rows: int, folder: Path) -> Load:
    """Load a server with requests of so many rows."""
    body = folder / f"{server.form}-{rows}.json"
    if not body.is_file():
        body.write_text(json.dumps({server.form: rows_of_test(rows)}))
    script = folder / f"{server.form}-{rows}.lua"
    script.write_text(SCRIPT.format(body=body))
    url = f"http://127.0.0.1:{server.port}{server.path}"
    command = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{SECONDS}s",
        "--timeout",
        "30s",
        "--latency",
        "-s",
        str(script),
        url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout:
        raise SystemExit(f"{server.name}: {done.stdout}")
    return Load(
        _found(done.stdout, r"Requests/sec:\s+([\d.]+)()"),
        *(_found(done.stdout, rf"{p}%\s+([\d.]+)(\w+)") for p in (50, 99)),
    )


def _found(text: str, pattern: str) -> float:
    match = re.search(pattern, text)
    assert match, text
    return float(match[1]) * {"": 1.0, "us": 1e-3, "ms": 1.0, "s": 1e3}[match[2]]


def resident(server: Server) -> float:
    """Megabytes of the process that listens on the server's port."""
    found = subprocess.run(["pgrep", "-f", f"port {server.port}"], capture_output=True, text=True, check=True).stdout
    return max(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20 for pid in found.split())


def measure(bentoml_python: Path | None, mlflow_python: Path | None, granian: Path | None) -> list[Figure]:
    """Load all servers in turns; the figures of the service against each of those given."""
    if shutil.which("wrk") is None:
        raise SystemExit("this needs wrk: apt-get install wrk")
    with tempfile.TemporaryDirectory() as name:
        folder, peers = Path(name), list[Server]()
        if bentoml_python is not None:
            peers.append(bentoml(bentoml_python, fitted(bentoml_python, folder / "bentoml")))
        if mlflow_python is not None:
            peers.append(mlflow(mlflow_python, fitted(mlflow_python, folder / "mlflow")))
        if granian is not None:
            peers.append(on_granian(granian))
        loads: dict[tuple[str, int], list[Load]] = {}
        starts, memory = list[float](), list[float]()
        for _ in range(TURNS):
            for server in [ours(), *peers]:
                with running(server, folder / "log") as seconds:
                    for rows in (1, 100):
                        loads.setdefault((server.name, rows), []).append(load(server, rows, folder))
                    if server.name == "fullcircle":
                        starts.append(seconds)
                        memory.append(resident(server))
        return [*figures(loads, [peer.name for peer in peers]), *own_figures(starts, memory)]


def fitted(python: Path, folder: Path) -> Path:
    """The peers' pipeline, fitted by their own environment."""
    inputs = Bundle.load(paths.BUNDLE).scorer.plan.inputs
    folder.mkdir()
    (folder / "columns.json").write_text(json.dumps([*inputs]))
    rounds = str(read_json(paths.TRAIN_REPORT)["rounds"])
    script = str(ROOT / "benchmarks/serving_peers/fit.py")
    subprocess.run([python, script, paths.TRAIN, folder / "columns.json", rounds, folder], check=True)
    return folder


def figures(loads: dict[tuple[str, int], list[Load]], peers: list[str]) -> list[Figure]:
    """Ratios of each turn, and their median."""
    made = []
    for peer in peers:
        limits = {(1, "rate"): 25.0, (1, "p99"): 0.1, (100, "rate"): 6.0} if peer == "BentoML" else {}
        for rows in (1, 100):
            pairs = [*zip(loads["fullcircle", rows], loads[peer, rows], strict=True)]
            rates = [own.rate / other.rate for own, other in pairs]
            late = [own.p99 / other.p99 for own, other in pairs]
            own, other = (statistics.median(each.rate for each in side) for side in zip(*pairs, strict=True))
            shown = f"{min(rates):.1f} to {max(rates):.1f}; {own:,.0f} a second against {other:,.0f}"
            made.append(
                _figure(f"{rows} row(s): requests a second / {peer}'s", rates, limits.get((rows, "rate")), shown)
            )
            own, other = (statistics.median(each.p99 for each in side) for side in zip(*pairs, strict=True))
            shown = f"{min(late):.2f} to {max(late):.2f}; {own:.1f} ms against {other:.1f} ms"
            made.append(_figure(f"{rows} row(s): p99 / {peer}'s", late, limits.get((rows, "p99")), shown, below=True))
    return made


def _figure(name: str, values: list[float], limit: float | None, shown: str, *, below: bool = False) -> Figure:
    value = statistics.median(values)
    passed = limit is None or (value <= limit if below else value >= limit)
    sign = "<=" if below else ">="
    return Figure(name, value, "" if limit is None else f"{sign} {limit:g}", passed, shown)


def own_figures(starts: list[float], memory: list[float]) -> list[Figure]:
    """Time to the first answer, and resident memory after the load."""
    started, held = (f"{min(each):.2f} to {max(each):.2f}" for each in (starts, memory))
    return [
        _figure("seconds from start to the first answer", starts, 1.5, started, below=True),
        _figure("resident memory after the load, MB", memory, 150, held, below=True),
    ]


def soak(minutes: float) -> list[Figure]:
    """Full load for so long: how much the memory has grown since the first minute. An answer that is no 200 ends it."""
    held = list[float]()
    with tempfile.TemporaryDirectory() as name:
        folder, server = Path(name), ours()
        with running(server, folder / "log"):
            ends = time.monotonic() + minutes * 60
            begun = time.monotonic()
            requests = 0.0
            while time.monotonic() < ends:
                requests += load(server, 1 if len(held) % 2 else 100, folder).rate * SECONDS
                if time.monotonic() > begun + 60 or time.monotonic() > ends:
                    held.append(resident(server))
    detail = f"{held[0]:.1f} MB after a minute, {max(held):.1f} at most; {requests:,.0f} requests, no error"
    return [
        _figure(
            f"{minutes:g} minutes of full load: memory / after a minute",
            [max(held) / held[0]],
            1.05,
            detail,
            below=True,
        )
    ]


def main() -> None:
    """Print the figures; exit code 1 if one misses its limit."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="only the service, loaded for so long")
    parser.add_argument("--bentoml", type=Path, help="python of BentoML's environment")
    parser.add_argument("--mlflow", type=Path, help="python of MLflow's environment")
    parser.add_argument("--granian", type=Path, help="the command granian, in this environment")
    given = parser.parse_args()
    peers = [None if path is None else path.absolute() for path in (given.bentoml, given.mlflow, given.granian)]
    found = measure(*peers) if given.soak is None else soak(given.soak)
    for figure in found:
        print(figure)
    sys.exit(0 if all(figure.passed for figure in found) else 1)


if __name__ == "__main__":
    main()
