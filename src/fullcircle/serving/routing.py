"""A route as Starlette matches it, whose handler is called without Starlette's layers around functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send


class Endpoint:
    """Calls a handler; errors are the guard's. `name`: of the route, as metrics show it."""

    def __init__(self, name: str, handler: Callable[[Request], Awaitable[Response]]) -> None:
        self.name, self._handler = name, handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._handler(Request(scope, receive))
        await response(scope, receive, send)


def route(path: str, handler: Callable[[Request], Awaitable[Response]], method: str = "GET") -> Route:
    """A route of one method (GET includes HEAD), named after its handler."""
    return Route(path, Endpoint(handler.__name__, handler), methods=[method], name=handler.__name__)
