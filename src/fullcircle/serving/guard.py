"""What stands before every route: keys, limits, deadlines, request ids, metrics, the log, and errors as JSON."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import re
import secrets
import sys
import time
import zlib
from datetime import UTC
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.routing import Router

from ..base.cells import moment_of
from ..base.errors import FullCircleError
from .answers import encoded
from .errors import BusyError, LateError, MediaTypeError, NotAllowedError, RequestError, TooLargeError, status_of
from .logged import CALL, Call
from .settings import is_key

if TYPE_CHECKING:
    from starlette.types import Lifespan, Message, Receive, Scope, Send

    from .deployed import Deployed
    from .settings import Limits, Settings

log = logging.getLogger("fullcircle")

OPEN = frozenset({"/health/live", "/health/ready", "/ping", "/health", "/v2/health/live", "/v2/health/ready"})
"""Paths that need no key: what orchestrators probe. They say no more than whether the service answers."""

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SAFE = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class Guard:
    """An ASGI application around the bundle that is deployed. `open_paths`: further paths that need no key."""

    def __init__(
        self,
        deployed: Deployed,
        lifespan: Lifespan[Any],
        settings: Settings,
        keys: tuple[str, ...],
        open_paths: frozenset[str] = frozenset(),
    ) -> None:
        self._deployed, self._limits, self._metrics = deployed, settings.limits, deployed.metrics
        self._lifespan = Router(lifespan=lifespan)
        self._keys = [] if settings.no_auth else [key.encode() for key in keys]
        self._open = OPEN | open_paths
        self._clock_of_requests = settings.predictions.clock == "requests"
        self._log_all = settings.log == "requests"
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._lifespan(scope, receive, send)
            return
        begun = time.perf_counter()
        headers = dict(scope["headers"])
        name = _request_id(headers)
        CALL.set(Call(name.decode(), _time_of(headers) if self._clock_of_requests else None))
        loaded = self._deployed.now  # it answers this request, even if another one takes its place meanwhile
        answer = _Sent(send, [(b"x-request-id", name), *_SAFE, *loaded.headers])
        scope["app"] = self  # Starlette then raises where a method is not allowed
        scope["notes"] = {}
        self._in_flight += 1
        self._metrics.in_flight(1)
        try:
            await self._checked(loaded.router, scope, headers, receive, answer)
        except (FullCircleError, HTTPException) as error:
            await answer.error(error)
        except Exception:
            log.exception("a request failed: %s", name.decode())
            await answer.error(RequestError("the service failed; its log has the reason, under the request id"), 500)
        finally:
            self._in_flight -= 1
            self._metrics.in_flight(-1)
            seconds = time.perf_counter() - begun
            route = getattr(scope.get("endpoint"), "name", "none")
            self._metrics.request(route, answer.status, seconds)
            if self._log_all or answer.status >= 400:
                self._write(scope, name, answer, seconds)

    async def _checked(
        self, router: Router, scope: Scope, headers: dict[bytes, bytes], receive: Receive, answer: _Sent
    ) -> None:
        open_path = scope["path"] in self._open
        if self._keys and not open_path:
            self._check_key(headers.get(b"authorization", b""))
        if self._in_flight > self._limits.requests and not open_path:
            raise BusyError(f"more than {self._limits.requests} requests are being answered: try again")
        body = None
        try:
            async with asyncio.timeout(self._limits.body_seconds) as deadline:
                body = await read_body(headers, receive, self._limits)
                deadline.reschedule(asyncio.get_running_loop().time() + self._limits.answer_seconds)
                await router(scope, _replay(body, receive), answer)
        except TimeoutError:
            if body is not None:
                raise BusyError(f"there was no answer within {self._limits.answer_seconds:g} seconds") from None
            answer.close = True
            raise LateError(f"the body did not arrive within {self._limits.body_seconds:g} seconds") from None
        except TooLargeError:
            answer.close = body is None
            raise

    def _check_key(self, given: bytes) -> None:
        kind, _, value = given.partition(b" ")
        if kind.lower() == b"basic":  # a browser: any user, and the key as password
            try:
                value = base64.b64decode(value.strip(), validate=True).partition(b":")[2]
            except binascii.Error:
                value = b""
        elif kind.lower() != b"bearer":
            value = b""
        if not is_key(value.strip(), self._keys):
            raise NotAllowedError("a key is needed: Authorization: Bearer KEY")

    def _write(self, scope: Scope, name: bytes, answer: _Sent, seconds: float) -> None:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "request": name.decode(),
            "method": scope["method"][:20],
            "path": scope["path"][:200],
            "status": answer.status,
            "ms": round(seconds * 1000, 2),
            **scope["notes"],
        }
        sys.stderr.write(json.dumps(line) + "\n")  # in one call, so that lines of several workers stay whole


class _Sent:
    """Sends an answer with the headers that all answers have, and remembers its status."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send, self._headers = send, headers
        self.status, self.close, self._begun = 0, False, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun, self.status = True, message["status"]
            more = [(b"connection", b"close")] if self.close else []
            message["headers"] = [*message.get("headers", []), *self._headers, *more]
        await self._send(message)

    async def error(self, error: FullCircleError | HTTPException, status: int | None = None) -> None:
        """Send an error as JSON, unless an answer has begun."""
        if self._begun:
            return
        headers = [(b"content-type", b"application/json")]
        if isinstance(error, HTTPException):
            status, text = error.status_code, error.detail
            headers += [(key.lower().encode(), value.encode()) for key, value in (error.headers or {}).items()]
        else:
            status, text = status or status_of(error), str(error)
        found: dict[str, Any] = {"error": text}
        if isinstance(error, RequestError) and error.set_aside:
            found["set_aside"] = error.set_aside
        if status == NotAllowedError.status:
            headers.append((b"www-authenticate", b'Bearer, Basic realm="fullcircle", charset="UTF-8"'))
        if status == BusyError.status:
            headers.append((b"retry-after", b"1"))
        body = encoded(found)
        headers.append((b"content-length", str(len(body)).encode()))
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _request_id(headers: dict[bytes, bytes]) -> bytes:
    given = headers.get(b"x-request-id", b"")
    return given if _ID.fullmatch(given) else secrets.token_hex(8).encode()


def _time_of(headers: dict[bytes, bytes]) -> float | None:
    """The time that a request gives itself, in seconds since 1970; None where it does not."""
    try:
        return moment_of(headers.get(b"x-time", b"").decode("ascii")).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


async def read_body(headers: dict[bytes, bytes], receive: Receive, limits: Limits) -> bytes:
    """The whole body, unpacked if it is gzip. Raises TooLargeError as soon as it is known to be too long."""
    largest = limits.body_bytes
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length[:20]) > largest:
        raise TooLargeError(f"the body is longer than {largest:,} bytes")
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError("the caller has gone")
        part = message.get("body", b"")
        size += len(part)
        if size > largest:
            raise TooLargeError(f"the body is longer than {largest:,} bytes")
        parts.append(part)
        if not message.get("more_body", False):
            break
    body = parts[0] if len(parts) == 1 else b"".join(parts)
    encoding = headers.get(b"content-encoding", b"identity").lower()
    if encoding in (b"identity", b""):
        return bytes(body)
    if encoding not in (b"gzip", b"deflate"):
        raise MediaTypeError("the content encoding must be gzip, deflate or identity")
    return _unpacked(bytes(body), largest)


def _unpacked(body: bytes, largest: int) -> bytes:
    """A body that is packed as gzip or zlib, as long as it is not too long."""
    stream = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        found = stream.decompress(body, largest + 1)
    except zlib.error:
        raise RequestError("the body is not packed as its content encoding says") from None
    if len(found) > largest:
        raise TooLargeError(f"the body is longer than {largest:,} bytes when unpacked")
    if not stream.eof:
        raise RequestError("the packed body ends too early")
    return found


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body that has been read, and then what the connection says."""
    sent = False

    async def replayed() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
