"""Reads protocol buffers field by field, without their library: what is needed to look through an ONNX file."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..base.columns import Array

VARINT, FIXED64, BYTES, FIXED32, RUN = 0, 1, 2, 5, -1
Field: TypeAlias = "tuple[int, int, int | memoryview]"
"""Number, wire type, and value: an integer (VARINT) or bytes. RUN: adjacent values of a number, with their tags."""

_VALUES = {VARINT: rb"[\x80-\xff]{0,9}+[\x00-\x7f]", FIXED32: b".{4}"}


NO_RUNS: Mapping[int, re.Pattern[bytes]] = MappingProxyType({})


class MalformedError(ValueError):
    """Bytes that are no protocol buffer."""


def run_of(number: int, wire: int) -> re.Pattern[bytes]:
    """A pattern of adjacent values of a field with a number below 16.

    A list of trees has hundreds of thousands of numbers, and reading one at a time would take seconds.
    """
    tag = re.escape(bytes([number << 3 | wire]))
    return re.compile(b"(?:%b%b)++" % (tag, _VALUES[wire]), re.DOTALL)


def fields(data: memoryview, runs: Mapping[int, re.Pattern[bytes]] = NO_RUNS) -> Iterator[Field]:
    """The fields of a message, in order; `runs` by number come as one. Raises MalformedError.

    >>> [(number, value) for number, _, value in fields(memoryview(bytes([8, 150, 1])))]
    [(1, 150)]
    """
    at = 0
    while at < len(data):
        run = runs.get(data[at] >> 3)
        if run is not None and (found := run.match(data, at)):
            yield data[at] >> 3, RUN, data[at : found.end()]
            at = found.end()
            continue
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, at = _varint(data, at)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
        else:
            raise MalformedError(f"field {number} has wire type {wire}")
        if size > len(data) - at:
            raise MalformedError(f"field {number} is longer than its message")
        yield number, wire, data[at : at + size]
        at += size


def integers(wire: int, value: int | memoryview) -> Array:
    """The integers of a field, int64: one, several that are packed (BYTES), or a run of them. Raises MalformedError.

    >>> integers(BYTES, memoryview(bytes([3, 150, 1]))).tolist()
    [3, 150]
    >>> integers(RUN, memoryview(bytes([8, 3, 8, 4]))).tolist()
    [3, 4]
    """
    if isinstance(value, int):
        return np.array([value], np.uint64).view(np.int64)
    found = _unpacked(value)
    return found[1::2] if wire == RUN else found


def _unpacked(packed: memoryview) -> Array:
    data = np.frombuffer(packed, np.uint8)
    ends = np.flatnonzero(data < 0x80)
    sizes = np.diff(ends, prepend=-1)
    if len(data) and (not len(ends) or ends[-1] != len(data) - 1 or sizes.max() > 10):
        raise MalformedError("a number does not end")
    values = np.zeros(len(ends), np.uint64)
    for i in range(int(sizes.max(initial=0))):
        has = sizes > i
        values[has] |= (data[(ends - sizes + 1 + i)[has]] & 0x7F).astype(np.uint64) << np.uint64(7 * i)
    return values.view(np.int64)


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), at
        shift += 7
    raise MalformedError("a number does not end")
