"""HTTP/1.1 as uvicorn reads it, with a deadline and a largest size for the head of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

LARGEST = 64 * 1024  # bytes of a head, and of what arrives with it


class Protocol(HttpToolsProtocol):
    """uvicorn waits for a head as long as the caller likes, and keeps as much of it as the caller sends."""

    head_seconds = 10.0  # set by the command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None
        self._reading_head = True
        self._size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """The first byte of a request has arrived."""
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._stop()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Refuse a head that goes on and on."""
        if self._reading_head:
            self._size += len(data)
        super().data_received(data)
        if self._reading_head and self._size > LARGEST and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def _expect_head(self) -> None:
        self._stop()
        self._reading_head, self._size = True, 0
        self._deadline = self.loop.call_later(self.head_seconds, self._late)

    def _stop(self) -> None:
        self._reading_head = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
