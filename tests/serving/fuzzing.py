"""A fuzzer of the service: requests that were right, made wrong, and bytes that never were requests.

`python -m tests.serving.fuzzing` runs 100,000 of them (`make fuzz`), a test some hundreds. An answer is right
when it is HTTP, its status is below 500 (503: the service is busy), an error is words in JSON, and it comes in time.
"""

from __future__ import annotations

import argparse
import json
import random
import socket
import sys
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from tests.serving.servers import serving

INTERESTING: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, -0.0, 1e308, -1e308, 5e-324, 2**53, 2**63, 2**64, 10**400, "", " ", "NA", "nan",
    "1e999", "-inf", "12abc", "0x10", "\0", "\ud800", "é" * 100, "a" * 5000, "2013-02-30", "2013-01-02T03:04:05+99:00",
    "9999-12-31T23:59:59-23:59", [], {}, [1], [[1]], {"a": 1}, [None], -10**400,
)  # fmt: skip
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE")
MEDIA = (
    "application/json", "text/csv", "text/csv; header=absent", "application/jsonlines", "application/octet-stream", "",
    "text/plain", "application/json; charset=latin-1", "é",
)  # fmt: skip
SLOW = 20.0  # seconds


@dataclass(frozen=True)
class Sent:
    """A request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Failure:
    """A request that was answered wrongly."""

    sent: Sent
    why: str

    def __str__(self) -> str:
        sent = self.sent
        return f"{self.why}: {sent.method} {sent.path} {sent.headers} {sent.body[:2000]!r}"


class Fuzzer:
    """Makes requests from those that work. `row`: the values of a row; `model`: its name in V2 paths."""

    def __init__(self, row: dict[str, Any], model: str, tables: tuple[str, ...], seed: int) -> None:
        self._row, self._model, self._random = row, model, random.Random(seed)  # noqa: S311
        self._paths = [
            "/predict", "/predict?explain=true", "/predict?explain=1", "/invocations", f"/v2/models/{model}/infer",
            f"/v2/models/{model}/versions/0.1.0/infer", *(f"/events/{table}" for table in tables), "/events/%00",
            "/v2/models/%2e%2e/infer", "/", "/docs", "/state", "/metrics", "/v2", "/v2/models/x", "/static/../app.py",
            "/static/%2e%2e%2fapp.py", "//", "/predict/", "/ping", "/%ff", "/health/ready",
        ]  # fmt: skip

    def request(self) -> Sent:
        """The next request: mostly a body that nearly works, on a route that takes it."""
        draw = self._random.random()
        path = self._random.choice(self._paths[:8] if draw < 0.85 else self._paths)
        method = "POST" if draw < 0.9 else self._random.choice(METHODS)
        headers = {"Content-Type": "application/json" if draw < 0.8 else self._random.choice(MEDIA)}
        headers = {name: value.encode("latin-1", "replace").decode("latin-1") for name, value in headers.items()}
        body = self._tensors() if "infer" in path else self._rows()
        data = self._csv() if "csv" in headers["Content-Type"] else json.dumps(body).encode()
        if self._random.random() < 0.1:
            headers["Inference-Header-Content-Length"] = str(self._random.choice((0, 1, len(data), len(data) + 1, "x")))
        if self._random.random() < 0.03:
            headers["Content-Encoding"] = self._random.choice(("gzip", "deflate", "br", "identity"))
        if self._random.random() < 0.4:
            data = self._damaged(data)
        return Sent(method, path, headers, data)

    def _rows(self) -> Any:
        rows = [self._changed(self._row) for _ in range(self._random.choice((0, 1, 1, 1, 2, 5)))]
        key = self._random.choice(("rows", "rows", "instances", "dataframe_records", "inputs", "dataframe_split", "x"))
        if key == "dataframe_split":
            return {key: {"columns": [*self._row], "data": [[*row.values()] for row in rows]}}
        if key == "inputs" and rows:
            return {key: {name: [row.get(name) for row in rows] for name in rows[0]}}
        return rows if self._random.random() < 0.1 else self._changed({key: rows}, share=0.1)

    def _tensors(self) -> Any:
        tensors = []
        for name, value in self._row.items():
            kind = (
                "BYTES" if isinstance(value, str) else self._random.choice(("FP64", "FP64", "INT64", "FP32", "BYTES"))
            )
            found = {"name": name, "shape": [1], "datatype": kind, "data": [value]}
            tensors.append(self._changed(found, share=0.02))
        return self._changed({"inputs": tensors, "id": "1"}, share=0.1)

    def _csv(self) -> bytes:
        row = self._changed(self._row)
        return (",".join(row) + "\n" + ",".join(str(value)[:50] for value in row.values()) + "\n").encode(
            errors="replace"
        )

    def _changed(self, found: dict[str, Any], share: float = 0.5) -> dict[str, Any]:
        """Some values replaced, a key left out or added."""
        if self._random.random() > share:
            return dict(found)
        made = dict(found)
        for _ in range(self._random.choice((1, 1, 2, 5))):
            name = self._random.choice([*found])
            draw = self._random.random()
            if draw < 0.7:
                made[name] = self._random.choice(INTERESTING)
            elif draw < 0.85:
                made.pop(name, None)
            else:
                made[self._random.choice(("x", "", "\0", "é" * 50, name + " "))] = self._random.choice(INTERESTING)
        return made

    def _damaged(self, data: bytes) -> bytes:
        """Some bytes flipped, cut out, doubled or put in."""
        made = bytearray(data)
        for _ in range(self._random.choice((1, 1, 3, 10))):
            at = self._random.randrange(len(made) + 1)
            draw = self._random.random()
            if draw < 0.4 and at < len(made):
                made[at] = self._random.randrange(256)
            elif draw < 0.6:
                del made[at : at + self._random.randrange(20)]
            elif draw < 0.8:
                made[at:at] = self._random.choice((b'"', b"[", b"{", b"}", b"NaN", b"1e999", b"\xff", b",", b"\\u0000"))
            else:
                made[at:at] = made[max(0, at - 30) : at]
        return bytes(made)

    def garbage(self) -> bytes:
        """Bytes for a bare connection."""
        heads = (
            b"",
            b"GET / HTTP/1.1\r\n",
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
            b"\x16\x03\x01",
        )
        return self._random.choice(heads) + self._random.randbytes(self._random.randrange(200))


def fuzz(port: int, fuzzer: Fuzzer, count: int, seconds: float = 1e9) -> tuple[int, list[Failure]]:
    """Send so many requests, or for so long; how many were sent, and those that were answered wrongly."""
    failures, begun, sent = list[Failure](), time.perf_counter(), 0
    connection = HTTPConnection("127.0.0.1", port, timeout=SLOW)
    while sent < count and time.perf_counter() - begun < seconds:
        if sent % 50 == 49:
            _throw(port, fuzzer.garbage())
        request = fuzzer.request()
        sent += 1
        try:
            connection.request(request.method, request.path, request.body, request.headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, HTTPException) as error:
            connection.close()
            # A connection that the service closed before is no failure; whether it still answers is seen next.
            if not isinstance(error, (ConnectionError, HTTPException)):
                failures.append(Failure(request, f"no answer: {error!r}"))
            continue
        if why := _wrong(response.status, body, request.method):
            failures.append(Failure(request, why))
    connection.close()
    return sent, failures


def _wrong(status: int, body: bytes, method: str) -> str:
    if status >= 500 and status != 503:
        return f"{status} {body[:200]!r}"
    if status >= 400 and method != "HEAD" and not body.startswith(b"Invalid HTTP"):
        try:
            if not isinstance(json.loads(body)["error"], str):
                return f"{status} without words"
        except (ValueError, KeyError, TypeError):
            return f"{status} whose body is no error in JSON: {body[:200]!r}"
    return ""


def _throw(port: int, garbage: bytes) -> None:
    """Send bytes on a connection of their own, and leave."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=SLOW) as connection:
            connection.sendall(garbage)
            connection.settimeout(0.01)
            connection.recv(1000)
    except OSError:
        pass


def main() -> None:
    """Fuzz the service of a bundle; exit code 1 if any request was answered wrongly."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bundle", type=Path, default=Path("dist/bundle"))
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    stored = json.loads((given.bundle / "golden.json").read_text(encoding="utf-8"))
    about = json.loads((given.bundle / "bundle.json").read_text(encoding="utf-8"))
    with serving(given.bundle, "--allow-unblessed") as server:
        fuzzer = Fuzzer(stored["rows"][0], about["problem"], ("flights", "weather"), given.seed)
        sent, failures = fuzz(server.port, fuzzer, given.count, given.seconds)
        alive = server.get("/health/ready").status == 200
    print(*failures[:20], sep="\n")
    print(f"{sent:,} requests, {len(failures):,} answered wrongly; the service is {'ready' if alive else 'NOT ready'}")
    sys.exit(1 if failures or not alive else 0)


if __name__ == "__main__":
    main()
