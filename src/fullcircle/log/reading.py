"""Reads the log: what was answered in a span of time, and about one record."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import sqlalchemy as sql

from ..base.cells import read_values
from ..base.columns import Array, Columns
from ..base.errors import DataError
from .database import BLOCKS, CHUNK, OUTCOMES, RECORDS
from .entries import first_id, prediction_id
from .index import index_new

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ..base.checks import Column


@dataclass(frozen=True, slots=True)
class Block:
    """Requests of one bundle that were written together. Lists have one value per request, or per scored row.

    `ids`, `made` (seconds since 1970), `requests` (x-request-id), `ms`, `counts` (rows that were scored): per request.
    `keys`: the record of each row, or None. `inputs`, `answer`: name -> JSON values of the rows.
    """

    id: str
    bundle: str
    rows: int
    ids: list[str]
    made: list[float]
    requests: list[str | None]
    ms: list[float]
    counts: list[int]
    set_aside: dict[str, int]
    keys: list[str | None]
    inputs: dict[str, list[Any]]
    answer: dict[str, list[Any]]

    @property
    def predictions(self) -> list[str]:
        """The prediction id of each scored row."""
        return [
            prediction_id(name, row) for name, count in zip(self.ids, self.counts, strict=True) for row in range(count)
        ]

    def request_of(self, place: int) -> int:
        """The position of the request that a scored row belongs to."""
        ends = [*accumulate(self.counts)]
        return next(at for at, end in enumerate(ends) if place < end)


def blocks(
    engine: sql.Engine, start: float | None = None, stop: float | None = None, bundle: str | None = None
) -> Iterator[Block]:
    """The blocks that hold requests made from `start` on, before `stop` (seconds since 1970), in the order of time.

    Requests of a block that were made outside of the span are left out. Blocks are read one after the other.
    """
    low = "" if start is None else first_id(start)
    high = "~" if stop is None else first_id(stop)
    query = sql.select(BLOCKS).where(BLOCKS.c.last >= low, BLOCKS.c.id < high).order_by(BLOCKS.c.id)
    if bundle is not None:
        query = query.where(BLOCKS.c.bundle == bundle)
    with engine.connect() as connection:
        for row in connection.execution_options(stream_results=True, max_row_buffer=20).execute(query):
            found = _block(row)
            if not low <= found.id <= row.last < high:
                found = _within(found, low, high)
            if found.ids:
                yield found


def block_named(engine: sql.Engine, identifier: str) -> Block:
    """One block. Raises DataError where it is not there (any more)."""
    with engine.connect() as connection:
        row = connection.execute(sql.select(BLOCKS).where(BLOCKS.c.id == identifier)).one_or_none()
    if row is None:
        raise DataError(f"block {identifier} of the prediction log is not there")
    return _block(row)


def block_of_request(engine: sql.Engine, identifier: str) -> Block | None:
    """The block that holds a request, by the request's identifier; None where there is none."""
    query = sql.select(BLOCKS).where(BLOCKS.c.id <= identifier, BLOCKS.c.last >= identifier)
    with engine.connect() as connection:
        found = (_block(row) for row in connection.execute(query))
        return next((block for block in found if identifier in block.ids), None)


def places_of(engine: sql.Engine, record: str) -> list[tuple[str, int]]:
    """Block and place of each answer about a record, in the order of time."""
    index_new(engine)
    query = sql.select(RECORDS.c.block, RECORDS.c.place).where(RECORDS.c.record == record)
    with engine.connect() as connection:
        return sorted((block, place) for block, place in connection.execute(query))


def outcomes_of(engine: sql.Engine, keys: Sequence[str | None]) -> dict[str, tuple[str, datetime]]:
    """Key of a record (or prediction id) -> its outcome, and when it arrived, of those whose outcome is known."""
    found: dict[str, tuple[str, datetime]] = {}
    wanted = [*dict.fromkeys(key for key in keys if key is not None)]
    with engine.connect() as connection:
        for at in range(0, len(wanted), CHUNK):
            query = sql.select(OUTCOMES).where(OUTCOMES.c.record.in_(wanted[at : at + CHUNK]))
            found |= {row.record: (row.value, row.arrived) for row in connection.execute(query)}
    return found


@dataclass(frozen=True, slots=True)
class Window:
    """What one bundle answered in a span of time; arrays have one value per scored row unless said otherwise.

    `inputs`: as the scorer takes them; columns that were redacted are all null and named in `redacted`. `answer`: the
    columns of the answers. `made`: seconds since 1970. `outcome`: text, None where it is not known. `ms`: per request.
    `rows`: that were sent. `set_aside`: reason -> rows.
    """

    bundle: str
    inputs: Columns
    answer: dict[str, Array]
    made: Array
    outcome: Array
    ms: Array
    rows: int
    set_aside: dict[str, int]
    redacted: tuple[str, ...] = field(default=())


def first_request(engine: sql.Engine) -> float | None:
    """When the first request was made, in seconds since 1970; None where the log is empty."""
    with engine.connect() as connection:
        found = connection.execute(sql.select(sql.func.min(BLOCKS.c.id))).scalar_one()
    return None if found is None else int(found[:12], 16) / 1000


def last_bundle(engine: sql.Engine, before: float) -> str:
    """The bundle that answered last before a moment. Raises DataError where none did."""
    query = sql.select(BLOCKS.c.bundle).where(BLOCKS.c.id < first_id(before)).order_by(BLOCKS.c.last.desc()).limit(1)
    with engine.connect() as connection:
        found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise DataError("nothing was answered before that moment")
    return str(found)


def windows(
    engine: sql.Engine, inputs_of: Callable[[str], Mapping[str, Column] | None], start: float, stop: float
) -> dict[str, Window]:
    """Bundle id -> what it answered in a span of time. `inputs_of`: a bundle's inputs; None: it is left out."""
    found: dict[str, list[Window]] = {}
    for block in blocks(engine, start, stop):
        inputs = inputs_of(block.bundle) if block.made else None  # its requests lie before and after the span
        if inputs is not None:
            found.setdefault(block.bundle, []).append(_window(engine, block, inputs))
    return {bundle: _joined(parts) for bundle, parts in found.items()}


def columns_of(block: Block, read: Mapping[str, Column]) -> Columns:
    """The inputs of a block as the scorer takes them; those that were redacted are null."""
    nothing = [None] * len(block.keys)
    return {name: _column(block.inputs.get(name, nothing), column) for name, column in read.items()}


def outcomes_in(engine: sql.Engine, block: Block) -> list[tuple[str, datetime] | None]:
    """The outcome of each scored row of a block, and when it arrived: by its record, or else by its prediction id."""
    known = outcomes_of(engine, block.keys)
    found = [known.get(key) if key is not None else None for key in block.keys]
    if None in found:
        names = block.predictions
        named = outcomes_of(engine, [names[at] for at, value in enumerate(found) if value is None])
        found = [named.get(names[at]) if value is None else value for at, value in enumerate(found)]
    return found


def _window(engine: sql.Engine, block: Block, read: Mapping[str, Column]) -> Window:
    return Window(
        block.bundle,
        columns_of(block, read),
        {
            name: _texts(values) if _are_texts(values) else np.array(values, float)
            for name, values in block.answer.items()
        },
        np.repeat(np.array(block.made, float), block.counts),
        _texts([None if value is None else value[0] for value in outcomes_in(engine, block)]),
        np.array(block.ms),
        block.rows,
        block.set_aside,
        tuple(name for name in read if name not in block.inputs),
    )


def _joined(parts: Sequence[Window]) -> Window:
    aside = sum((Counter(part.set_aside) for part in parts), Counter[str]())

    def together(of: Callable[[Window], dict[str, Array]]) -> dict[str, Array]:
        # A column is taken out of the parts as it is joined, so that a large window is not held twice.
        return {name: np.concatenate([of(part).pop(name) for part in parts]) for name in [*of(parts[0])]}

    return Window(
        parts[0].bundle,
        together(lambda part: part.inputs),
        together(lambda part: part.answer),
        np.concatenate([part.made for part in parts]),
        np.concatenate([part.outcome for part in parts]),
        np.concatenate([part.ms for part in parts]),
        sum(part.rows for part in parts),
        dict(aside),
        tuple(dict.fromkeys(name for part in parts for name in part.redacted)),
    )


def _are_texts(values: Sequence[Any]) -> bool:
    return any(isinstance(value, str) for value in values[:1])


def _texts(values: Sequence[str | None]) -> Array:
    """Texts as a column, equal ones as one object: a window has few distinct ones, and JSON makes each anew."""
    return np.fromiter((None if value is None else sys.intern(value) for value in values), object, len(values))


def _column(values: list[Any], column: Column) -> Array:
    """JSON values of the log as the scorer takes them: the log has no other than it was given."""
    if column.kind in ("category", "text"):
        return _texts(values)
    return read_values(values, "time" if column.kind == "time" else "number")[0]


def _block(row: Any) -> Block:
    calls = orjson.loads(row.calls)
    return Block(
        row.id,
        row.bundle,
        row.rows,
        calls["id"],
        calls["made"],
        calls["request"],
        calls["ms"],
        calls["scored"],
        orjson.loads(row.set_aside),
        orjson.loads(row.row_keys),
        orjson.loads(row.inputs),
        orjson.loads(row.answer),
    )


def _within(block: Block, low: str, high: str) -> Block:
    """The requests of a block that lie within a span; reasons of rows that were set aside stay with the first part."""
    inside = [low <= name < high for name in block.ids]
    rows = np.repeat(inside, block.counts).tolist()

    def of(values: Sequence[Any], mask: Sequence[bool]) -> list[Any]:
        return [value for value, wanted in zip(values, mask, strict=True) if wanted]

    return Block(
        block.id,
        block.bundle,
        block.rows if all(inside) else sum(of(block.counts, inside)),
        of(block.ids, inside),
        of(block.made, inside),
        of(block.requests, inside),
        of(block.ms, inside),
        of(block.counts, inside),
        block.set_aside if inside and inside[0] else {},
        of(block.keys, rows),
        {name: of(values, rows) for name, values in block.inputs.items()},
        {name: of(values, rows) for name, values in block.answer.items()},
    )
