"""The description of the service for programs (OpenAPI 3.1), made from the bundle: types, ranges, levels, examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.checks import Column
from .v2 import datatype_of

if TYPE_CHECKING:
    from ..log.bundles import LoggedBundle
    from .events import Events
    from .service import Service

_ERRORS = {
    "400": "The request is malformed.",
    "401": "A key is needed.",
    "404": "There is no such thing.",
    "408": "The body did not arrive in time.",
    "413": "The body or the number of rows is above the limit.",
    "415": "The body is of a type that is not read here.",
    "422": "Other columns than the model takes, or no row can be scored.",
    "503": "Too many requests at once: try again after Retry-After.",
}


def column_schema(column: Column) -> dict[str, Any]:
    """The JSON values that a column takes. Values beyond what is possible cost the row, not the request."""
    kind = {"number": "number", "integer": "integer"}.get(column.kind, "string")
    nullable = column.missing == "keep"
    found: dict[str, Any] = {"type": [kind, "null"] if nullable else kind}
    if column.levels is not None:
        found["enum"] = [*column.levels, *([None] if nullable else [])]
    if column.min is not None:
        found["minimum"] = column.min
    if column.max is not None:
        found["maximum"] = column.max
    words = [column.about]
    if column.kind == "time":
        words.append("UTC, ISO 8601" if column.format is None else f"as strptime reads {column.format}")
    elif column.format is not None:
        words.append(f"as text: {column.format}")
    if any(words):
        found["description"] = "; ".join(filter(None, words))
    return found


def row_schema(columns: dict[str, Column], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """A row as an object of values by column name."""
    return {
        "type": "object",
        "properties": {name: column_schema(column) for name, column in columns.items()},
        "required": [name for name in columns if name not in optional],
    }


def example_row(service: Service) -> dict[str, Any]:
    """A row that works: the first stored one, or nulls."""
    golden = service.bundle.golden
    return dict(golden.rows[0]) if golden is not None else dict.fromkeys(service.bundle.scorer.plan.inputs)


def prediction_schema(service: Service) -> dict[str, Any]:
    """A prediction as an object."""
    columns = {
        name: {"type": "string" if values.dtype == object else "number"}
        for name, values in service.no_prediction.items()
    }
    return {"type": "object", "properties": columns, "required": [*columns]}


def _body(schema: dict[str, Any], example: Any = None) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": schema}
    if example is not None:
        media["example"] = example
    return {"required": True, "content": {"application/json": media}}


def _answers(schema: dict[str, Any], *errors: str, media: str = "application/json") -> dict[str, Any]:
    failed = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    found: dict[str, Any] = {"200": {"description": "The answer.", "content": {media: {"schema": schema}}}}
    return found | {code: {"description": _ERRORS[code], **failed} for code in errors}


_POSTED = ("400", "401", "408", "413", "415", "422", "503")


def openapi(service: Service) -> dict[str, Any]:
    """The whole description."""
    about = service.bundle.about
    row, aside = {"$ref": "#/components/schemas/Row"}, {"$ref": "#/components/schemas/SetAside"}
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": service.settings.limits.rows}
    prediction = {"$ref": "#/components/schemas/Prediction"}
    answer = {
        "type": "object",
        "required": ["bundle", "rows", "scored", "predictions", "set_aside"],
        "properties": {
            "bundle": {"type": "object"},
            "rows": {"type": "integer"},
            "scored": {"type": "integer"},
            "predictions": {"type": "array", "items": prediction},
            "set_aside": {"type": "array", "items": aside},
            "decision": {"type": "object"},
            "stale": {"type": "object"},
            "contributions_in": {"type": "string"},
        },
    }
    flag = {"type": "boolean"}
    asked = {
        "type": "object",
        "required": ["rows"],
        "properties": {"rows": rows, "explain": flag, "ignore_extra": flag},
        "additionalProperties": False,
    }
    platform = {"type": "object", "required": ["instances"], "properties": {"instances": rows}}
    anything: dict[str, Any] = {"type": "object"}
    example = example_row(service)
    query = [
        {"name": name, "in": "query", "required": False, "schema": flag} for name in ("explain", "ignore_extra")
    ]  # fmt: skip
    paths: dict[str, Any] = {
        "/predict": {
            "post": {
                "summary": about.question,
                "parameters": query,
                "requestBody": _body(asked, {"rows": [example]}),
                "responses": _answers(answer, *_POSTED),
            }
        },
        "/invocations": {
            "post": {
                "summary": "The same for SageMaker and MLflow: one prediction or error per row",
                "parameters": query,
                "requestBody": _body(platform, {"instances": [example]}),
                "responses": _answers({"type": "object", "required": ["predictions"]}, *_POSTED),
            }
        },
        "/health/live": {"get": {"summary": "Whether the process answers", "responses": _answers(anything)}},
        "/health/ready": {
            "get": {"summary": "Whether the model answers its stored rows as it did", "responses": _answers(anything)}
        },
        "/ping": {"get": {"summary": "The same for SageMaker", "responses": _answers(anything)}},
        "/metrics": {
            "get": {"summary": "Counters", "responses": _answers({"type": "string"}, "401", media="text/plain")}
        },
        **_v2_paths(service, example),
    }
    if service.events is not None:
        paths |= _event_paths(service.events)
    if service.log is not None:
        paths |= _outcome_path(service.log.bundle) | _MONITOR
    return {
        "openapi": "3.1.0",
        "info": {"title": about.problem, "version": service.bundle.version, "description": about.question},
        "paths": paths,
        "components": {
            "schemas": {
                "Row": row_schema(service.job.read, service.job.optional),
                "Prediction": prediction_schema(service),
                "SetAside": {
                    "type": "object",
                    "required": ["row", "reasons"],
                    "properties": {"row": {"type": "integer"}, "reasons": {"type": "string"}},
                },
                "Error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": {"type": "string"}, "set_aside": {"type": "array", "items": aside}},
                },
            },
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _outcome_path(bundle: LoggedBundle) -> dict[str, Any]:
    target: dict[str, Any] = {"enum": [*bundle.classes]} if bundle.classes else {"type": "number"}
    record = row_schema(bundle.read | {name: Column("category") for name in bundle.identity if name not in bundle.read})
    named = {"type": "object", "required": ["prediction_id"], "properties": {"prediction_id": {"type": "string"}}}
    made = [
        each
        | {"required": [*each["required"], bundle.target], "properties": each["properties"] | {bundle.target: target}}
        for each in ([record] if bundle.identity else []) + [named]
    ]
    rows = {"type": "array", "items": {"oneOf": made}, "minItems": 1}
    asked = {"type": "object", "required": ["rows"], "properties": {"rows": rows}}
    answer = {"type": "object", "required": ["rows", "added", "unknown", "duplicate", "conflicting", "set_aside"]}
    return {
        "/outcomes": {
            "post": {
                "summary": "Outcomes of records, for monitoring; what arrives twice changes nothing",
                "requestBody": _body(asked),
                "responses": _answers(answer, *_POSTED),
            }
        }
    }


_MONITOR: dict[str, Any] = {
    "/monitor": {
        "get": {
            "summary": "The page of monitoring: alerts, accuracy, drift, traffic",
            "responses": _answers({"type": "string"}, "401", media="text/html"),
        }
    },
    "/monitor.json": {
        "get": {
            "summary": "The same for programs",
            "responses": _answers({"type": "object", "required": ["status", "alerts", "windows"]}, "401", "503"),
        }
    },
}


def _event_paths(events: Events) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for table in events.state.freshness():
        rows = {"type": "array", "items": row_schema(events.columns_of(table)), "minItems": 1}
        asked = {"type": "object", "required": ["rows"], "properties": {"rows": rows}}
        found[f"/events/{table}"] = {
            "post": {
                "summary": f"Rows of {table} as they happen; one whose key is known is updated",
                "requestBody": _body(asked),
                "responses": _answers({"type": "object", "required": ["rows", "added", "set_aside"]}, *_POSTED),
            }
        }
    state = {"type": "object", "required": ["tables"]}
    return found | {"/state": {"get": {"summary": "How fresh the state is", "responses": _answers(state, "401")}}}


def _v2_paths(service: Service, example: dict[str, Any]) -> dict[str, Any]:
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string"},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"type": "string"},
            "data": {"type": "array"},
        },
    }
    asked = {
        "type": "object",
        "required": ["inputs"],
        "properties": {"id": {"type": "string"}, "inputs": {"type": "array", "items": tensor, "minItems": 1}},
    }
    columns = service.bundle.scorer.plan.inputs
    inputs = [
        {"name": n, "shape": [1], "datatype": datatype_of(columns[n].kind), "data": [v]}
        for n, v in example.items()
        if n in columns
    ]
    path = f"/v2/models/{service.name}"
    anything: dict[str, Any] = {"type": "object"}
    return {
        f"{path}/infer": {
            "post": {
                "summary": "The same as tensors, one per column (Open Inference Protocol V2)",
                "requestBody": _body(asked, {"inputs": inputs}),
                "responses": _answers({"type": "object", "required": ["model_name", "outputs"]}, *_POSTED),
            }
        },
        path: {"get": {"summary": "Inputs and outputs of the model", "responses": _answers(anything, "401", "404")}},
        f"{path}/ready": {"get": {"summary": "Whether it is ready", "responses": _answers(anything, "401", "404")}},
        "/v2": {"get": {"summary": "The server", "responses": _answers(anything, "401")}},
        "/v2/health/live": {"get": {"summary": "Whether the process answers", "responses": _answers(anything)}},
        "/v2/health/ready": {"get": {"summary": "Whether the model answers", "responses": _answers(anything)}},
    }
