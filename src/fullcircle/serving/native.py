"""Our own routes: predictions, events, the state."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.responses import Response

from .answers import SHOWN, encoded
from .errors import RequestError, RowsError
from .routing import route
from .tables import of_body

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from .answers import Answer
    from .service import Service
    from .tables import Options


def json_response(value: object, headers: dict[str, str] | None = None) -> Response:
    """A value as a JSON response."""
    return Response(encoded(value), media_type="application/json", headers=headers)


async def answer_body(service: Service, request: Request) -> Answer:
    """Read the rows of a request's body, in any form, and answer them."""
    media = request.headers.get("content-type", "")
    order = [*service.bundle.scorer.plan.inputs]
    table, options = of_body(await request.body(), media, service.bundle.dialect, service.job.read, order)
    answer = await service.answer(table, with_query(request, options))
    request.scope["notes"] |= {"rows": answer.rows, "scored": len(answer.kept)}
    return answer


def with_query(request: Request, options: Options) -> Options:
    """The options with those of the query: ?explain=true&ignore_extra=true."""
    for name, value in request.query_params.items():
        if name not in ("explain", "ignore_extra") or value not in ("true", "false"):
            raise RequestError("the query may have explain and ignore_extra, each true or false")
        options = replace(options, **{name: value == "true"})
    return options


def wants_csv(request: Request) -> bool:
    """Whether the caller would have an answer as CSV."""
    return request.headers.get("accept", "").partition(";")[0].strip().lower() == "text/csv"


def headers_of(answer: Answer) -> dict[str, str]:
    """The headers of an answer: its identifier in the log, and the tables whose events are older than allowed."""
    found = {"x-prediction-id": answer.id} if answer.id else {}
    return found | ({"x-fullcircle-stale": ", ".join(answer.stale)} if answer.stale else {})


def routes(service: Service) -> list[Route]:
    """The routes of a service."""

    async def predict(request: Request) -> Response:
        """Predictions of rows."""
        answer = await answer_body(service, request)
        if wants_csv(request):
            return Response(answer.text(), media_type="text/csv", headers=headers_of(answer))
        body = {
            **({"id": answer.id} if answer.id else {}),
            "bundle": service.identity,
            "rows": answer.rows,
            "scored": len(answer.kept),
            "predictions": answer.records(numbered=True),
            "set_aside": answer.set_aside(),
        }
        if service.decision is not None:
            body["decision"] = service.decision
        if answer.contributions is not None:
            body["contributions_in"] = service.explained_in
        if answer.stale:
            body["stale"] = answer.stale
        return json_response(body, headers_of(answer))

    async def events(request: Request) -> Response:
        """Events or observations as they happen."""
        known = service.check_state()
        name = request.path_params["table"]
        media = request.headers.get("content-type", "")
        wanted = known.columns_of(name)
        table, _ = of_body(await request.body(), media, service.bundle.dialect, wanted, [*wanted])
        service.check_count(table.count)
        found = known.add(name, table)
        service.metrics.events(name, "added", found["added"])
        service.metrics.events(name, "set_aside", len(found["set_aside"]))
        request.scope["notes"] |= {"rows": found["rows"], "added": found["added"]}
        if not found["added"]:
            raise RowsError("no row could be added", found["set_aside"][:SHOWN])
        return json_response(found)

    async def state(_: Request) -> Response:
        """How fresh the state is."""
        known = service.check_state()
        return json_response({"tables": known.freshness(), "stale_hours": dict(service.settings.state.stale_hours)})

    return [
        route("/predict", predict, "POST"),
        route("/events/{table}", events, "POST"),
        route("/state", state),
    ]
