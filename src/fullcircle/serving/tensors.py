"""Tensors of the Open Inference Protocol V2: JSON and binary data -> values, and back."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.errors import shortened
from .errors import RequestError, RowsError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

NUMPY = {
    "BOOL": "?", "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "INT8": "i1", "INT16": "<i2",
    "INT32": "<i4", "INT64": "<i8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
"""Datatype -> that of NumPy, in the byte order of the protocol. BYTES is none of these."""

TYPES = ", ".join([*NUMPY, "BYTES"])


def count_of(name: str, shape: Any) -> int:
    """The rows of a tensor: its shape is [rows] or [rows, 1]."""
    good = isinstance(shape, list) and shape and all(type(size) is int and 0 <= size < 2**31 for size in shape)
    if not good or any(size != 1 for size in shape[1:]):
        raise RowsError(f"input {name}: its shape must be [rows] or [rows, 1]")
    return int(shape[0])


def values_of(name: str, datatype: str, count: int, data: Any) -> list[Any]:
    """The values of a tensor's JSON data, flat or as lists of one."""
    if not isinstance(data, list):
        raise RequestError(f"input {name}: its data must be a list, or binary with binary_data_size")
    if any(type(value) is list for value in data):
        if not all(type(value) is list and len(value) == 1 for value in data):
            raise RowsError(f"input {name}: its data must be values, or lists of one value each")
        data = [value[0] for value in data]
    if len(data) != count:
        raise RowsError(f"input {name}: its shape has {count:,} values, its data {len(data):,}")
    wanted = (str,) if datatype == "BYTES" else (bool,) if datatype == "BOOL" else (int, float)
    for at, value in enumerate(data):
        if value is not None and (not isinstance(value, wanted) or (isinstance(value, bool) and datatype != "BOOL")):
            raise RowsError(f"input {name}: the value at {at} is no {datatype}")
    return list(data)


def values_of_binary(name: str, datatype: str, count: int, data: bytes, nulls: Collection[str]) -> list[Any]:
    """The values of a tensor's binary data. Of BYTES, a text among `nulls` is null; of floats NaN."""
    if datatype == "BYTES":
        return [None if text in nulls else text for text in _texts(name, count, data)]
    kind = np.dtype(NUMPY[datatype])
    if len(data) != count * kind.itemsize:
        raise RowsError(f"input {name}: {count:,} values of {datatype} are not {len(data):,} bytes")
    found = np.frombuffer(data, kind)
    return [bool(v) for v in found.view("u1").tolist()] if datatype == "BOOL" else found.tolist()


def _texts(name: str, count: int, data: bytes) -> list[str]:
    texts, at = list[str](), 0
    while at < len(data):
        if at + 4 > len(data) or len(texts) == count:
            break
        (length,) = struct.unpack_from("<I", data, at)
        if at + 4 + length > len(data):
            break
        try:
            texts.append(data[at + 4 : at + 4 + length].decode())
        except UnicodeDecodeError:
            raise RowsError(f"input {name}: the value at {len(texts)} is no UTF-8") from None
        at += 4 + length
    if at != len(data) or len(texts) != count:
        raise RowsError(f"input {name}: its {len(data):,} bytes are not {count:,} values of BYTES")
    return texts


def parts_of(tensors: Sequence[dict[str, Any]], data: bytes) -> list[bytes | None]:
    """The binary data of each tensor; None for one that has its data in JSON. Raises RequestError."""
    sizes = [_size_of(tensor) for tensor in tensors]
    if sum(size or 0 for size in sizes) != len(data):
        raise RequestError("the binary data are not as long as the inputs' binary_data_size add up to")
    ends = itertools.accumulate(size or 0 for size in sizes)
    return [None if size is None else data[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _size_of(tensor: dict[str, Any]) -> int | None:
    parameters = tensor.get("parameters")
    if parameters is None:
        return None
    if not isinstance(parameters, dict):
        raise RequestError("the parameters of an input must be an object")
    size = parameters.get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise RequestError(f"binary_data_size must be a number of bytes, not {shortened(type(size).__name__)}")
    return size


def binary(datatype: str, values: Sequence[Any]) -> bytes:
    """Values as binary data; null is NaN, or an empty text."""
    if datatype == "BYTES":
        texts = [b"" if value is None else str(value).encode("utf-8", "backslashreplace") for value in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return np.array([np.nan if value is None else value for value in values], NUMPY[datatype]).tobytes()
