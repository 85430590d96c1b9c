"""The Open Inference Protocol V2, as KServe and Triton speak it: one tensor per column, binary data included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from ..base.errors import listed
from .answers import encoded
from .errors import NotFoundError, RequestError, RowsError
from .native import headers_of, json_response
from .routing import route
from .tables import Options, Table, loads
from .tensors import NUMPY, TYPES, binary, count_of, parts_of, values_of, values_of_binary

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from .answers import Answer
    from .service import Service

HEADER = "inference-header-content-length"
ERROR = "error"
"""An output of texts beside the prediction's: why a row was set aside; empty for one that was scored."""

_KEYS = {"id", "parameters", "inputs", "outputs", "model_name", "model_version"}  # the last two are KServe's


def datatype_of(kind: str) -> str:
    """The datatype of a column of a kind."""
    return {"number": "FP64", "integer": "INT64"}.get(kind, "BYTES")


def texts_of(service: Service) -> set[str]:
    """The outputs that are texts."""
    return {name for name, values in service.no_prediction.items() if values.dtype == object}


def metadata_of(service: Service) -> dict[str, Any]:
    """The inputs and outputs of the model."""
    texts, inputs = texts_of(service), service.job.read
    outputs = {name: "BYTES" if name in texts else "FP64" for name in service.no_prediction} | {ERROR: "BYTES"}
    return {
        "name": service.name,
        "versions": [service.bundle.version],
        "platform": "fullcircle_onnx",
        "inputs": [{"name": n, "datatype": datatype_of(column.kind), "shape": [-1]} for n, column in inputs.items()],
        "outputs": [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in outputs.items()],
    }


def table_of(found: Any, data: bytes, nulls: tuple[str, ...]) -> Table:
    """The inputs of a request as rows. Raises RequestError."""
    tensors = found.get("inputs") if isinstance(found, dict) else None
    if not isinstance(tensors, list) or not tensors or not all(isinstance(each, dict) for each in tensors):
        raise RequestError('the body must be an object such as {"inputs": [{"name": ..., "shape": [1], ...}]}')
    if unknown := [name for name in found if name not in _KEYS]:
        raise RequestError(f"the body has keys that are not known: {listed(unknown)}")
    columns: dict[str, list[Any]] = {}
    count = None
    for tensor, part in zip(tensors, parts_of(tensors, data), strict=True):
        name, datatype = tensor.get("name"), tensor.get("datatype")
        if not isinstance(name, str) or name in columns:
            raise RequestError("each input must have a name of its own")
        if datatype != "BYTES" and (not isinstance(datatype, str) or datatype not in NUMPY):
            raise RequestError(f"input {listed([name])}: its datatype must be one of {TYPES}")
        rows = count_of(listed([name]), tensor.get("shape"))
        if count is not None and rows != count:
            raise RowsError(f"the inputs have different numbers of rows: {count:,} and {rows:,}")
        count = rows
        if part is None:
            columns[name] = values_of(listed([name]), datatype, rows, tensor.get("data"))
        else:
            columns[name] = values_of_binary(listed([name]), datatype, rows, part, nulls)
    return Table(columns, count or 0)


def outputs_of(answer: Answer, texts: set[str]) -> dict[str, tuple[str, list[Any]]]:
    """Output -> its datatype and one value per row that was sent, None at rows that were set aside."""
    found = {
        name: ("BYTES" if name in texts else "FP64", answer.spread(values, None))
        for name, values in answer.columns.items()
    }
    return found | {ERROR: ("BYTES", [answer.aside.get(at, "") for at in range(answer.rows)])}


def chosen_outputs(found: dict[str, Any], names: list[str]) -> dict[str, bool]:
    """The requested outputs (all, if none are named), and whether each is to be binary."""
    parameters = found.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise RequestError("parameters must be an object")
    default = parameters.get("binary_data_output") is True
    asked = found.get("outputs")
    if asked is None or asked == []:
        return dict.fromkeys(names, default)
    if not isinstance(asked, list) or not all(isinstance(each, dict) for each in asked):
        raise RequestError("outputs must be a list of objects, each with a name")
    chosen: dict[str, bool] = {}
    for each in asked:
        name, own = each.get("name"), each.get("parameters") or {}
        if not isinstance(name, str) or name not in names:
            raise RequestError(f"there are these outputs: {listed(names)}")
        chosen[name] = own.get("binary_data", default) is True if isinstance(own, dict) else default
    return chosen


def routes(service: Service) -> list[Route]:
    """The routes of a service."""

    async def server_metadata(_: Request) -> Response:
        """What this server is."""
        return json_response({"name": "fullcircle", "version": "2", "extensions": ["binary_tensor_data"]})

    async def server_live(_: Request) -> Response:
        """Whether the process answers."""
        return json_response({"live": True})

    async def server_ready(_: Request) -> Response:
        """Whether the model answers as it should."""
        service.check_golden()
        return json_response({"ready": True})

    return [
        *_model_routes(service),
        *(route(path, server_metadata) for path in ("/v2", "/v2/")),
        route("/v2/health/live", server_live),
        route("/v2/health/ready", server_ready),
    ]


def _model_routes(service: Service) -> list[Route]:
    texts = texts_of(service)

    def check_model(request: Request) -> None:
        name, version = request.path_params["model"], request.path_params.get("version")
        if name != service.name:
            raise NotFoundError(f"there is no model of this name; there is {service.name}")
        if version is not None and version != service.bundle.version:
            raise NotFoundError(f"model {service.name} has no such version; it has {service.bundle.version}")

    async def infer(request: Request) -> Response:
        """Predictions of tensors."""
        check_model(request)
        body, header = await request.body(), request.headers.get(HEADER)
        if header is not None and not (header.isdecimal() and int(header[:12]) <= len(body)):
            raise RequestError("Inference-Header-Content-Length must be the length of the JSON part of the body")
        end = len(body) if header is None else int(header)
        found = loads(body[:end])
        table = table_of(found, body[end:], service.bundle.dialect.nulls)
        chosen = chosen_outputs(found, [*service.no_prediction, ERROR])
        answer = await service.answer(table, _options(found))
        request.scope["notes"] |= {"rows": answer.rows, "scored": len(answer.kept)}
        return _response(service, found.get("id"), outputs_of(answer, texts), chosen, headers_of(answer))

    async def model_metadata(request: Request) -> Response:
        """The inputs and outputs of the model."""
        check_model(request)
        return json_response(metadata_of(service))

    async def model_ready(request: Request) -> Response:
        """Whether the model answers as it should."""
        check_model(request)
        service.check_golden()
        return json_response({"name": service.name, "ready": True})

    paths = ("/v2/models/{model}", "/v2/models/{model}/versions/{version}")
    return [
        *(route(f"{path}/infer", infer, "POST") for path in paths),
        *(route(f"{path}/ready", model_ready) for path in paths),
        *(route(path, model_metadata) for path in paths),
    ]


def _options(found: dict[str, Any]) -> Options:
    parameters = found.get("parameters") or {}
    return Options(ignore_extra=parameters.get("ignore_extra") is True)


def _response(
    service: Service,
    name: Any,
    outputs: dict[str, tuple[str, list[Any]]],
    chosen: dict[str, bool],
    headers: dict[str, str],
) -> Response:
    tensors, data = list[dict[str, Any]](), list[bytes]()
    for output, as_binary in chosen.items():
        datatype, values = outputs[output]
        tensor: dict[str, Any] = {"name": output, "datatype": datatype, "shape": [len(values)]}
        if as_binary:
            data.append(binary(datatype, values))
            tensor["parameters"] = {"binary_data_size": len(data[-1])}
        else:
            tensor["data"] = values
        tensors.append(tensor)
    body: dict[str, Any] = {"model_name": service.name, "model_version": service.bundle.version, "outputs": tensors}
    if isinstance(name, str):
        body["id"] = name
    head = encoded(body)
    if not data:
        return Response(head, media_type="application/json", headers=headers)
    headers = headers | {HEADER: str(len(head))}
    return Response(head + b"".join(data), media_type="application/octet-stream", headers=headers)
