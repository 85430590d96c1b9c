"""The route of outcomes."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

from .answers import SHOWN
from .errors import RowsError
from .native import json_response
from .routing import route
from .tables import of_body

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from .service import Service

COUNTED = ("added", "unknown", "duplicate", "conflicting")


def routes(service: Service) -> list[Route]:
    """The routes of a service: /outcomes."""

    async def outcomes(request: Request) -> Response:
        """Outcomes of records that were asked about."""
        logged = service.check_log()
        media = request.headers.get("content-type", "")
        table, _ = of_body(await request.body(), media, service.bundle.dialect, {}, [])
        service.check_count(table.count)
        found = await asyncio.to_thread(logged.add_outcomes, table)
        for name in COUNTED:
            service.metrics.outcomes(name, getattr(found, name))
        service.metrics.outcomes("set_aside", len(found.set_aside))
        body = asdict(found)
        body["set_aside"] = [{"row": at, "reasons": why} for at, why in sorted(found.set_aside.items())]
        request.scope["notes"] |= {"rows": found.rows, "added": found.added}
        if len(found.set_aside) == found.rows:
            raise RowsError("no outcome could be read", body["set_aside"][:SHOWN])
        return json_response(body)

    return [route("/outcomes", outcomes, "POST")]
