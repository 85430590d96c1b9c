"""What is logged of one request, and the block of the log's tables that several become."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from .records import plain_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..base.columns import Array, Columns
    from .bundles import LoggedBundle

_random = random.Random()  # noqa: S311  # nosec B311  identifiers, not secrets

Part = tuple["Columns", "dict[str, Array]", int, int]
"""Inputs and answers of rows that were scored together, and which of them a request has: from, to."""


class Entry(NamedTuple):
    """One request that was answered. Making one copies nothing: its values are turned into a block by the writer.

    `made`: seconds since 1970, UTC. `request`: x-request-id. `rows`: that were sent. `parts`: the rows that were
    scored. `identity`: the columns that identify them, as they were sent. `aside`: why others were not, by position.
    """

    id: str
    made: float
    request: str | None
    ms: float
    rows: int
    parts: Sequence[Part]
    identity: Mapping[str, Sequence[Any]]
    aside: Mapping[int, str]

    @property
    def scored(self) -> int:
        """The number of rows that were scored."""
        return sum(end - begin for _, _, begin, end in self.parts)


def new_id(made: float) -> str:
    """An identifier of 20 hexadecimal digits: the milliseconds since 1970, then 32 random bits.

    Identifiers are in the order of time, so that a span of time is a span of keys.
    """
    return f"{first_id(made)[:12]}{_random.getrandbits(32):08x}"


def first_id(moment: float) -> str:
    """The least identifier of a moment, in seconds since 1970.

    >>> first_id(1364774400.0)
    '013dc2ef0c0000000000'
    """
    return f"{max(int(moment * 1000), 0):012x}00000000"


def utc(seconds: float) -> datetime:
    """A moment as the log's tables have it: UTC, without a time zone."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def prediction_id(request: str, row: int) -> str:
    """What a caller may name a prediction by: the identifier of its request, and its place among the rows scored."""
    return f"{request}/{row}"


def block_of(entries: Sequence[Entry], bundle: LoggedBundle) -> dict[str, Any]:
    """The row of `blocks` that requests become."""
    parts = _merged([part for entry in entries for part in entry.parts])
    scored = [entry.scored for entry in entries]
    keys = [key for some in _of_one_kind(entries) for key in _keys(some, bundle)]
    names = [entry.id for entry in entries]
    calls = {
        "id": names,
        "made": [entry.made for entry in entries],
        "request": [entry.request for entry in entries],
        "ms": [entry.ms for entry in entries],
        "rows": [entry.rows for entry in entries],
        "scored": scored,
    }
    return {
        "id": min(names),
        "last": max(names),
        "bundle": bundle.id,
        "rows": sum(entry.rows for entry in entries),
        "scored": sum(scored),
        "indexed": False,
        "calls": encoded(calls),
        "set_aside": encoded(Counter(why for entry in entries for why in entry.aside.values())),
        "row_keys": encoded(keys),
        "inputs": encoded(_columns([(inputs, begin, end) for inputs, _, begin, end in parts], bundle.redact)),
        "answer": encoded(_columns([(answer, begin, end) for _, answer, begin, end in parts], bundle.redact)),
    }


def _merged(parts: Sequence[Part]) -> list[Part]:
    """Parts, those of rows that were scored together as one where they follow each other."""
    merged: list[Part] = []
    for inputs, answer, begin, end in parts:
        if merged and merged[-1][0] is inputs and merged[-1][3] == begin:
            merged[-1] = (inputs, answer, merged[-1][2], end)
        elif begin < end:
            merged.append((inputs, answer, begin, end))
    return merged


def _columns(parts: Sequence[tuple[Columns, int, int]], redact: tuple[str, ...]) -> dict[str, Any]:
    names = parts[0][0] if parts else ()
    return {
        name: _values([columns[name][begin:end] for columns, begin, end in parts])
        for name in names
        if name not in redact
    }


def _of_one_kind(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Entries that follow each other and bring the same columns of an identity."""
    return [list(some) for _, some in groupby(entries, key=lambda entry: (*entry.identity,))]


def _keys(entries: list[Entry], bundle: LoggedBundle) -> list[str | None]:
    if not entries[0].identity:
        return [None] * sum(entry.scored for entry in entries)
    names = [*entries[0].identity]
    return bundle.keys({name: [*chain.from_iterable(entry.identity[name] for entry in entries)] for name in names})


def encoded(value: object) -> str:
    """A value as JSON; numbers read back as they are, to the last bit, and NaN is null."""
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def _values(taken: Sequence[Array]) -> Any:
    """Some rows of one column, as `encoded` takes them."""
    values = taken[0] if len(taken) == 1 else np.concatenate(taken)
    if values.dtype == object:
        return values.tolist()
    return np.ascontiguousarray(values) if values.dtype.kind == "f" else plain_values(values)
