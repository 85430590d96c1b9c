"""A local API for tests: pages of records, and configurable faults."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 10


class Api(ThreadingHTTPServer):
    """`faults`: page -> faults of its next responses (`for ever` repeats the one before it); `requests`: received."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.records: list[dict[str, Any]] = []
        self.total: int | None = None  # a wrong number of records to report
        self.faults: dict[int, list[str]] = {}
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.moved: str | None = None  # a server to which all requests are redirected
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def pages(self) -> int:
        return -(-len(self.records) // SIZE)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore connections that are closed on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: Api
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # headers and body in one packet: two small ones would wait for each other

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        self.server.requests.append((parts.path, query, dict(self.headers)))
        if self.server.moved is not None:
            self.send_response(302)
            self.send_header("Location", f"{self.server.moved}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        way = parts.path.strip("/")
        page = {"offset": int(query.get("offset", 0)) // SIZE + 1, "all": 1}.get(way, int(query.get("page", 1)))
        rows = self.server.records[(page - 1) * SIZE : page * SIZE]
        following = f"/{way}?page={page + 1}" if page < self.server.pages else None
        body: Any = {"data": {"rows": rows}, "total": self.server.total or len(self.server.records), "next": following}
        if way == "cursor":
            body["next"] = page + 1 if following else None
        if way in ("page", "same"):
            body["total"] = self.server.pages
        if way == "same":
            body["data"]["rows"] = self.server.records[:SIZE]
        if way == "elsewhere":
            body["next"] = "http://localhost:1/page?page=2"
        if way in ("all", "header"):
            body = self.server.records if way == "all" else rows
        headers = {"Link": f'<{self.server.url}{following}>; rel="next"'} if way == "header" and following else {}
        self._answer(self._fault(page), json.dumps(body).encode(), headers)

    def _fault(self, page: int) -> str | None:
        faults = self.server.faults.get(page, [])
        if len(faults) > 1 and faults[1] == "for ever":
            return faults[0]
        return faults.pop(0) if faults else None

    def _answer(self, fault: str | None, body: bytes, headers: dict[str, str]) -> None:
        if fault == "silence":
            self.server.closing.wait(10)
            self.close_connection = True
            return
        if fault == "dropped":
            self.close_connection = True
            return
        status = int(fault) if fault and fault.isdigit() else 200
        self.send_response(status)
        if status == 429:
            headers = {"Retry-After": "0"}
        if fault == "other":
            body = b'{"error": "try later"}'
        length = len(body)
        if fault in ("truncated", "cut"):
            body = body[: len(body) // 2]
        if fault == "cut":  # with a matching length: only the JSON is incomplete
            length = len(body)
        if fault == "truncated":
            self.close_connection = True
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """No output."""


@contextmanager
def served() -> Iterator[Api]:
    with Api() as api:
        thread = Thread(target=api.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield api
        finally:
            api.closing.set()
            api.shutdown()
            thread.join()
