"""Keys, limits and deadlines, each by really causing what it is against."""

from __future__ import annotations

import gzip
import json
import socket
import time
from base64 import b64encode
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.serving.servers import JSON, Server, refused, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Rows = list[dict[str, Any]]
LIMITS = """\
limits: {body_bytes: 20000, rows: 5, requests: 2, head_seconds: 0.5, body_seconds: 0.5, answer_seconds: 5}
"""


@pytest.fixture(scope="module")
def limited(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    config = tmp_path_factory.mktemp("limits") / "serving.yaml"
    config.write_text(LIMITS)
    with serving(folder, "--config", str(config)) as made:
        yield made


def raw(server: Server, *parts: bytes, wait: float = 0) -> bytes:
    """Send bytes as they are; what comes back until the connection is closed or nothing comes for a while."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(wait)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def test_a_long_body_is_refused_at_its_length(limited: Server) -> None:
    reply = limited.post("/predict", b"x" * 20_001)
    assert (reply.status, "longer than 20,000 bytes" in reply.error) == (413, True)
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n"
    assert raw(limited, head).startswith(b"HTTP/1.1 413")  # before any of it is sent


def test_a_long_body_in_chunks_is_refused_as_it_comes(limited: Server) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    answer = raw(limited, head, *[chunk] * 5)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer


def test_packed_bodies(limited: Server, server: Server, rows: Rows) -> None:
    packed = JSON | {"Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps({"rows": rows}).encode())
    assert server.post("/predict", body, packed).json["scored"] == len(rows)
    assert limited.post("/predict", gzip.compress(b"x" * 10_000_000), packed).status == 413
    assert limited.post("/predict", b"no gzip", packed).status == 400
    assert limited.post("/predict", body[:200], packed).status == 400
    assert limited.post("/predict", b"x", JSON | {"Content-Encoding": "br"}).status == 415


def test_rows_above_the_limit(limited: Server, rows: Rows) -> None:
    assert limited.post("/predict", {"rows": rows[:6]}).status == 413


def test_a_head_that_does_not_arrive_is_not_waited_for(limited: Server) -> None:
    begun = time.perf_counter()
    assert raw(limited, b"POST /predict HTTP/1.1\r\nHost: x\r\n") == b""
    assert raw(limited) == b""
    assert time.perf_counter() - begun < 5


def test_a_head_without_end_is_refused(limited: Server) -> None:
    lines = [b"x-%d: %s\r\n" % (i, b"y" * 4000) for i in range(200)]
    try:
        answer = raw(limited, b"GET / HTTP/1.1\r\n", *lines)
    except ConnectionError:  # it was closed while the rest was sent
        return
    assert answer.startswith(b"HTTP/1.1 400")


def test_a_body_that_does_not_arrive_is_not_waited_for(limited: Server) -> None:
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    answer = raw(limited, head + b"{")
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"the body did not arrive within 0.5 seconds" in answer


def test_too_many_requests_at_once_are_sent_away(folder: Path, tmp_path: Path, rows: Rows) -> None:
    config = tmp_path / "serving.yaml"
    config.write_text("limits: {requests: 2, body_seconds: 60}\n")
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with serving(folder, "--config", str(config)) as server, ExitStack() as waiting:
        for _ in range(2):  # their bodies do not come
            waiting.enter_context(socket.create_connection(("127.0.0.1", server.port))).sendall(head)
        while (reply := server.post("/predict", {"rows": rows[:1]})).status == 200:
            time.sleep(0.01)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert "more than 2 requests are being answered" in reply.error
        assert server.get("/health/live").status == 200  # what orchestrators probe is answered all the same
        waiting.close()
        while server.post("/predict", {"rows": rows[:1]}).status == 503:
            time.sleep(0.01)
        assert server.post("/predict", {"rows": rows[:1]}).status == 200


def test_keys(folder: Path, rows: Rows) -> None:
    body = {"rows": rows[:1]}
    with serving(folder, env={"FULLCIRCLE_API_KEYS": "first, second"}) as server:
        reply = server.post("/predict", body)
        assert reply.status == 401
        assert "Basic" in reply.headers["www-authenticate"]
        for given in ("Bearer third", "Bearer", "Bearer first,second", "second", "Basic !", "Digest first"):
            assert server.post("/predict", body, JSON | {"Authorization": given}).status == 401, given
        basic = b64encode(b"anyone:second").decode()
        for given in ("Bearer first", "bearer second", f"Basic {basic}"):
            assert server.post("/predict", body, JSON | {"Authorization": given}).status == 200, given
        for path in ("/", "/docs", "/openapi.json", "/metrics", "/state", "/v2", "/nothing"):
            assert server.get(path).status == 401, path
        for path in ("/health/live", "/health/ready", "/ping"):
            assert server.get(path).status == 200
        assert "first" not in server.stop()


def test_other_addresses_need_keys(folder: Path) -> None:
    assert "needs keys: set FULLCIRCLE_API_KEYS" in refused(folder, "--host", "0.0.0.0")  # noqa: S104
    with serving(folder, "--host", "0.0.0.0", "--no-auth") as server:  # noqa: S104
        assert server.get("/v2").status == 200


def test_every_answer_has_a_request_id_and_is_not_stored(server: Server) -> None:
    for reply in (server.get("/v2"), server.get("/nothing"), server.get("/"), server.post("/predict", b"{")):
        assert len(reply.headers["x-request-id"]) == 16
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in reply.headers
        assert "server" not in reply.headers
    assert server.get("/v2", {"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    assert server.get("/v2", {"X-Request-ID": "a b"}).headers["x-request-id"] != "a b"
    assert "default-src 'none'" in server.get("/").headers["content-security-policy"]


def test_the_log_has_one_line_per_request(folder: Path, rows: Rows) -> None:
    with serving(folder) as server:
        server.post("/predict", {"rows": rows[:3]}, JSON | {"X-Request-ID": "abc"})
        server.get("/nothing")
        lines = [json.loads(line) for line in server.stop().splitlines()]
    assert (lines[0]["request"], lines[0]["path"], lines[0]["status"]) == ("abc", "/predict", 200)
    assert (lines[0]["rows"], lines[0]["scored"]) == (3, 3)
    assert lines[1]["status"] == 404
