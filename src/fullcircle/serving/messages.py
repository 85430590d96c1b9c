"""The messages of the Open Inference Protocol V2 over gRPC, as protobuf classes: names, numbers and types of fields."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"

_TYPES = {
    "double": 1, "float": 2, "int64": 3, "uint64": 4, "int32": 5, "bool": 8, "string": 9, "bytes": 12, "uint32": 13,
}  # fmt: skip
_MESSAGE, _OPTIONAL, _REPEATED = 11, 1, 3

# Message -> its fields: "type name number"; [] marks a repeated field, {} a map from text to parameters.
_TENSOR = ("string name 1", "string datatype 2", "[] int64 shape 3")
FIELDS: dict[str, tuple[str, ...]] = {
    "InferParameter": (
        "bool bool_param 1", "int64 int64_param 2", "string string_param 3", "double double_param 4",
        "uint64 uint64_param 5",
    ),
    "InferTensorContents": (
        "[] bool bool_contents 1", "[] int32 int_contents 2", "[] int64 int64_contents 3", "[] uint32 uint_contents 4",
        "[] uint64 uint64_contents 5", "[] float fp32_contents 6", "[] double fp64_contents 7",
        "[] bytes bytes_contents 8",
    ),
    "ServerLiveRequest": (),
    "ServerLiveResponse": ("bool live 1",),
    "ServerReadyRequest": (),
    "ServerReadyResponse": ("bool ready 1",),
    "ModelReadyRequest": ("string name 1", "string version 2"),
    "ModelReadyResponse": ("bool ready 1",),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": ("string name 1", "string version 2", "[] string extensions 3"),
    "ModelMetadataRequest": ("string name 1", "string version 2"),
    "ModelMetadataResponse.TensorMetadata": _TENSOR,
    "ModelMetadataResponse": (
        "string name 1", "[] string versions 2", "string platform 3",
        "[] ModelMetadataResponse.TensorMetadata inputs 4", "[] ModelMetadataResponse.TensorMetadata outputs 5",
    ),
    "ModelInferRequest.InferInputTensor": (*_TENSOR, "{} parameters 4", "InferTensorContents contents 5"),
    "ModelInferRequest.InferRequestedOutputTensor": ("string name 1", "{} parameters 2"),
    "ModelInferRequest": (
        "string model_name 1", "string model_version 2", "string id 3", "{} parameters 4",
        "[] ModelInferRequest.InferInputTensor inputs 5", "[] ModelInferRequest.InferRequestedOutputTensor outputs 6",
        "[] bytes raw_input_contents 7",
    ),
    "ModelInferResponse.InferOutputTensor": (*_TENSOR, "{} parameters 4", "InferTensorContents contents 5"),
    "ModelInferResponse": (
        "string model_name 1", "string model_version 2", "string id 3", "{} parameters 4",
        "[] ModelInferResponse.InferOutputTensor outputs 5", "[] bytes raw_output_contents 6",
    ),
}  # fmt: skip


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="open_inference.proto", package=PACKAGE, syntax="proto3")
    made: dict[str, Any] = {}
    for full in sorted(FIELDS, key=lambda name: name.count(".")):
        outer, _, name = full.rpartition(".")
        made[full] = (made[outer].nested_type if outer else file.message_type).add(name=name)
    for full, fields in FIELDS.items():
        for field in fields:
            _add(made[full], full, field)
        if full == "InferParameter":
            made[full].oneof_decl.add(name="parameter_choice")
            for each in made[full].field:
                each.oneof_index = 0
    return file


def _add(message: Any, full: str, text: str) -> None:
    *kinds, name, number = text.split()
    field = message.field.add(name=name, number=int(number), label=_OPTIONAL)
    if kinds[0] == "{}":
        entry = message.nested_type.add(name="ParametersEntry")
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=_OPTIONAL, type=_TYPES["string"])
        entry.field.add(name="value", number=2, label=_OPTIONAL, type=_MESSAGE, type_name=f".{PACKAGE}.InferParameter")
        field.label, field.type, field.type_name = _REPEATED, _MESSAGE, f".{PACKAGE}.{full}.ParametersEntry"
        return
    if kinds[0] == "[]":
        field.label = _REPEATED
    if kinds[-1] in _TYPES:
        field.type = _TYPES[kinds[-1]]
    else:
        field.type, field.type_name = _MESSAGE, f".{PACKAGE}.{kinds[-1]}"


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())


def message(name: str) -> Any:
    """The class of a message, such as `ModelInferRequest`."""
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))
