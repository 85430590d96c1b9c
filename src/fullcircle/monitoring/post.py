"""Posts JSON to a URL that is a secret: no error shows it. Attempts have a deadline, and are few."""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from fullcircle.base.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a place is tried: `attempts` of `seconds` each, `pause` after the first, then twice as long each."""

    attempts: int = 3
    seconds: float = 2.0
    pause: float = 0.3

    @property
    def longest(self) -> float:
        """The seconds after which a place is given up, whatever it does."""
        pauses = sum(self.pause * 2.0**i for i in range(self.attempts - 1))
        return self.attempts * self.seconds + pauses + 0.5


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: what is posted goes to the place that is configured, and no other."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""


def post(url: str, value: Any, patience: Patience) -> None:
    """Post a value as JSON; returns when the place has taken it (status 2xx).

    What may pass (no connection, no answer in time, status 429 or 5xx) is tried again. Raises UnavailableError when
    that did not help, and ConfigError where the URL or the place's answer is wrong.
    """
    request = _request(url, json.dumps(value).encode())
    opener = urllib.request.build_opener(_NoRedirect)

    def attempts() -> None:
        pause = patience.pause
        for left in reversed(range(patience.attempts)):
            try:
                opener.open(request, timeout=patience.seconds).close()
            except Exception as error:  # of many kinds, whose texts may hold the URL
                known = _reason(error, patience.seconds)
                if not left or isinstance(known, ConfigError):
                    raise known from None
                time.sleep(pause)
                pause *= 2
            else:
                return

    _within(patience.longest, attempts)


def _request(url: str, body: bytes) -> urllib.request.Request:
    """The request; user and password of a URL go into a header. Raises ConfigError for what is no HTTP URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https") or not re.fullmatch(r"[!-~]+", url):
        raise ConfigError("it holds no URL that begins with https:// or http://")
    address = f"[{host}]" if ":" in host else host
    plain = urlunsplit((parts.scheme, address if port is None else f"{address}:{port}", parts.path, parts.query, ""))
    made = urllib.request.Request(plain, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        made.add_unredirected_header("Authorization", f"Basic {base64.b64encode(pair).decode()}")
    return made


def _within(seconds: float, call: Callable[[], None]) -> None:
    """Call in a thread, and wait so long at most: a slow name server, or a byte now and then, is no timeout."""
    raised: list[UnavailableError | ConfigError] = []

    def run() -> None:
        try:
            call()
        except (UnavailableError, ConfigError) as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="post", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise UnavailableError(f"no answer within {seconds:g} s")
    if raised:
        raise raised[0]


def _reason(error: Exception, seconds: float) -> UnavailableError | ConfigError:
    """What went wrong, in words without the URL."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        phrase = HTTPStatus(error.code).phrase if error.code in {*HTTPStatus} else ""
        answer = f"it answered {error.code} {phrase}".rstrip()
        if error.code == HTTPStatus.TOO_MANY_REQUESTS or error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return UnavailableError(answer)
        return ConfigError(f"{answer}: it does not take such messages, or the URL is not valid any more")
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return UnavailableError(f"no answer within {seconds:g} s")
    if isinstance(cause, socket.gaierror):
        return UnavailableError("its name is not known to the name server")
    if isinstance(cause, ssl.SSLError):
        return UnavailableError("no TLS connection, or its certificate is not accepted")
    if isinstance(cause, ConnectionRefusedError):
        return UnavailableError("the connection was refused")
    if isinstance(cause, (OSError, HTTPException)):
        return UnavailableError(f"the connection failed ({type(cause).__name__})")
    return ConfigError(f"the message cannot be posted ({type(cause).__name__})")
