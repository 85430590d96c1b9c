"""Routes about the service: health, metrics, its description, and pages for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from . import pages
from .answers import encoded
from .errors import NotFoundError
from .native import json_response
from .openapi import openapi
from .routing import route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from .service import Service

STATIC = Path(__file__).parent / "static"
MEDIA = {".js": "text/javascript", ".css": "text/css"}

FOR_PAGES = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}


def routes(service: Service) -> list[Route]:
    """The routes of a service."""
    description = encoded(openapi(service))
    form, description_page = pages.form(service), pages.docs(service)
    files = {file.name: file.read_bytes() for file in STATIC.iterdir() if file.suffix in MEDIA}

    async def live(_: Request) -> Response:
        """Whether the process answers."""
        return json_response({"live": True})

    async def ready(_: Request) -> Response:
        """Whether the model answers its stored rows as it did."""
        service.check_golden()
        return json_response({"ready": True})

    async def metrics(_: Request) -> Response:
        """What Prometheus reads."""
        if service.events is not None:
            service.metrics.state(service.events.freshness())
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    async def description_json(_: Request) -> Response:
        """The OpenAPI description."""
        return Response(description, media_type="application/json")

    async def page(_: Request) -> Response:
        """The form."""
        return Response(form, media_type="text/html", headers=FOR_PAGES)

    async def docs(_: Request) -> Response:
        """The description for people."""
        return Response(description_page, media_type="text/html", headers=FOR_PAGES)

    async def static(request: Request) -> Response:
        """Script and style of the pages."""
        name = request.path_params["name"]
        if name not in files:
            raise NotFoundError("there is no such file")
        return Response(files[name], media_type=MEDIA[Path(name).suffix])

    return [
        route("/health/live", live),
        route("/health/ready", ready),
        route("/metrics", metrics),
        route("/openapi.json", description_json),
        route("/docs", docs),
        route("/static/{name}", static),
        route("/", page),
    ]
