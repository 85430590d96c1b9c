"""The Open Inference Protocol V2 over gRPC, an extra: `grpc_port` of conf/serving.yaml names its port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from ..base.errors import FullCircleError
from .errors import NotAllowedError, NotFoundError, RequestError, status_of
from .messages import SERVICE, message
from .settings import is_key
from .tables import Options
from .tensors import binary
from .v2 import ERROR, chosen_outputs, metadata_of, outputs_of, table_of, texts_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .deployed import Deployed
    from .service import Service

_STATUS = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    503: grpc.StatusCode.UNAVAILABLE,
}
_CONTENTS = {
    "BOOL": "bool_contents", "INT8": "int_contents", "INT16": "int_contents", "INT32": "int_contents",
    "INT64": "int64_contents", "UINT8": "uint_contents", "UINT16": "uint_contents", "UINT32": "uint_contents",
    "UINT64": "uint64_contents", "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents",
}  # fmt: skip


class Inference:
    """The methods of the protocol, on the bundle that is deployed."""

    def __init__(self, deployed: Deployed, keys: tuple[str, ...]) -> None:
        self._deployed = deployed
        self._keys = [] if deployed.service.settings.no_auth else [key.encode() for key in keys]

    @property
    def _service(self) -> Service:
        return self._deployed.service

    def handler(self) -> grpc.GenericRpcHandler:
        """What a gRPC server calls."""
        methods = {
            "ServerLive": (self._live, False),
            "ServerReady": (self._ready, False),
            "ModelReady": (self._model_ready, True),
            "ServerMetadata": (self._server, True),
            "ModelMetadata": (self._model, True),
            "ModelInfer": (self._infer, True),
        }
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                name: grpc.unary_unary_rpc_method_handler(
                    self._guarded(method, guarded),
                    request_deserializer=message(f"{name}Request").FromString,
                    response_serializer=message(f"{name}Response").SerializeToString,
                )
                for name, (method, guarded) in methods.items()
            },
        )

    def _guarded(self, method: Callable[[Any], Awaitable[Any]], guarded: bool) -> Callable[..., Awaitable[Any]]:
        async def call(request: Any, context: grpc.aio.ServicerContext) -> Any:
            try:
                if guarded:
                    self._check_key(context)
                return await method(request)
            except FullCircleError as error:
                code = _STATUS.get(status_of(error), grpc.StatusCode.INTERNAL)
                await context.abort(code, str(error))

        return call

    def _check_key(self, context: grpc.aio.ServicerContext) -> None:
        if not self._keys:
            return
        given = dict(context.invocation_metadata() or ()).get("authorization", "")
        kind, _, value = str(given).partition(" ")
        if kind.lower() != "bearer" or not is_key(value.strip().encode(), self._keys):
            raise NotAllowedError("a key is needed: authorization: Bearer KEY")

    def _check_model(self, name: str, version: str) -> None:
        if name != self._service.name or version not in ("", self._service.bundle.version):
            raise NotFoundError(
                f"there is no such model; there is {self._service.name}, version {self._service.bundle.version}"
            )

    async def _live(self, _: Any) -> Any:
        return message("ServerLiveResponse")(live=True)

    async def _ready(self, _: Any) -> Any:
        self._service.check_golden()
        return message("ServerReadyResponse")(ready=True)

    async def _model_ready(self, request: Any) -> Any:
        self._check_model(request.name, request.version)
        self._service.check_golden()
        return message("ModelReadyResponse")(ready=True)

    async def _server(self, _: Any) -> Any:
        return message("ServerMetadataResponse")(name="fullcircle", version="2", extensions=[])

    async def _model(self, request: Any) -> Any:
        self._check_model(request.name, request.version)
        return message("ModelMetadataResponse")(**metadata_of(self._service))

    async def _infer(self, request: Any) -> Any:
        self._check_model(request.model_name, request.model_version)
        service = self._service
        table = table_of(*_as_http(request), service.bundle.dialect.nulls)
        wanted = {"outputs": [{"name": output.name} for output in request.outputs]}
        chosen = chosen_outputs(wanted, [*service.no_prediction, ERROR])
        answer = await service.answer(table, Options())
        found = outputs_of(answer, texts_of(service))
        response = message("ModelInferResponse")(
            model_name=service.name, model_version=service.bundle.version, id=request.id
        )
        if answer.id:
            response.parameters["prediction_id"].string_param = answer.id
        if answer.stale:
            response.parameters["stale"].string_param = ", ".join(answer.stale)
        for name in chosen:
            datatype, values = found[name]
            response.outputs.add(name=name, datatype=datatype, shape=[len(values)])
            response.raw_output_contents.append(binary(datatype, values))
        return response


def _as_http(request: Any) -> tuple[dict[str, Any], bytes]:
    """A request as the same one over HTTP: the JSON part, and the binary data."""
    raw = [*request.raw_input_contents]
    if raw and len(raw) != len(request.inputs):
        raise RequestError("raw_input_contents must have the data of each input")
    inputs: list[dict[str, Any]] = []
    for at, tensor in enumerate(request.inputs):
        found: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": [*tensor.shape]}
        if raw:
            found["parameters"] = {"binary_data_size": len(raw[at])}
        else:
            values = [*getattr(tensor.contents, _CONTENTS.get(tensor.datatype, "fp64_contents"))]
            found["data"] = [_text(tensor.name, v) for v in values] if tensor.datatype == "BYTES" else values
        inputs.append(found)
    return {"inputs": inputs}, b"".join(raw)


def _text(name: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise RequestError(f"input {name[:60]}: a value is no UTF-8") from None


async def start(deployed: Deployed, keys: tuple[str, ...], host: str, port: int) -> grpc.aio.Server:
    """Serve over gRPC until the server that is returned is stopped."""
    limits = deployed.service.settings.limits
    server = grpc.aio.server(
        options=[("grpc.max_receive_message_length", limits.body_bytes), ("grpc.max_send_message_length", -1)],
        maximum_concurrent_rpcs=limits.requests,
    )
    server.add_generic_rpc_handlers((Inference(deployed, keys).handler(),))
    server.add_insecure_port(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")
    await server.start()
    return server
