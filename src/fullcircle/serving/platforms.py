"""The contracts of SageMaker, MLflow and Vertex AI: rows in any form, one answer per row, in their order."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from starlette.responses import Response

from .native import answer_body, headers_of, json_response, wants_csv
from .routing import route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from .service import Service

VERTEX_HEALTH, VERTEX_PREDICT = "AIP_HEALTH_ROUTE", "AIP_PREDICT_ROUTE"


def vertex_paths() -> dict[str, str]:
    """The paths that Vertex AI sets, from the environment."""
    found = {name: os.environ.get(name, "") for name in (VERTEX_HEALTH, VERTEX_PREDICT)}
    return {name: path for name, path in found.items() if path.startswith("/")}


def routes(service: Service) -> list[Route]:
    """The routes of a service: /ping and /invocations (SageMaker, MLflow), and those of Vertex AI."""

    async def invocations(request: Request) -> Response:
        """One answer per row: its prediction, or {"error": reasons}."""
        answer = await answer_body(service, request)
        if wants_csv(request):
            return Response(answer.text(), media_type="text/csv", headers=headers_of(answer))
        return json_response({"predictions": answer.aligned()}, headers_of(answer))

    async def ping(_: Request) -> Response:
        """Whether the service answers as it should."""
        service.check_golden()
        return json_response({})

    vertex = vertex_paths()
    made = [
        route("/invocations", invocations, "POST"),
        route("/ping", ping),
        route("/health", ping),
    ]
    if path := vertex.get(VERTEX_PREDICT):
        made.append(route(path, invocations, "POST"))
    if path := vertex.get(VERTEX_HEALTH):
        made.append(route(path, ping))
    return made
