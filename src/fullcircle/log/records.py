"""The key of a record: the values that identify it, the same however they were sent."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from ..base.cells import read_values
from ..base.checks import Column
from ..base.columns import is_null

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..base.columns import Array

ANY = Column("category")


def keys_of(
    columns: Mapping[str, Sequence[Any]], identity: Sequence[str], read: Mapping[str, Column], *, hashed: bool = False
) -> list[str | None]:
    """The key of each row: its identity as a JSON list, or the SHA-256 of that list if `hashed`.

    `columns`: JSON values or cells; `read`: what kinds the columns are, where that is known. Null for every row where
    the problem has no identity, where a column of it is missing, and for a row with a value that cannot be read.

    >>> keys_of({"day": ["2013-01-02 00:00"], "flight": ["1545"]}, ["day", "flight"], {"day": Column("time")})
    ['["2013-01-02T00:00:00","1545"]']
    """
    count = len(next(iter(columns.values()), ()))
    if not identity or any(name not in columns for name in identity):
        return [None] * count
    parts, unread = [], set[int]()
    for name in identity:
        column = read.get(name, ANY)
        kind = "number" if column.kind == "integer" else column.kind
        values, wrong = read_values([*columns[name]], kind, column.format, column.nulls)
        unread.update(wrong)
        parts.append(plain_values(values))
    texts = [orjson.dumps(row).decode() for row in zip(*parts, strict=True)]
    if hashed:
        texts = [f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" for text in texts]
    return [None if at in unread else text for at, text in enumerate(texts)] if unread else [*texts]


def plain_values(values: Array) -> list[Any]:
    """The values of a column for JSON: null as None, a time in ISO 8601, a whole number without a point.

    >>> plain_values(np.array([1.0, 0.5, np.nan]))
    [1, 0.5, None]
    """
    if values.dtype == object:
        return list(values.tolist())
    null = is_null(values).tolist()
    if values.dtype.kind == "M":
        found: list[Any] = np.datetime_as_string(values.astype("datetime64[s]"), unit="s").tolist()
    else:
        found = [int(v) if v.is_integer() else v for v in values.astype(float).tolist()]
    return [None if gone else value for value, gone in zip(found, null, strict=True)]
