"""Batching: what is in flight together is scored in one call. A row's answer does not depend on its company."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from .tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

LARGEST = 512  # rows of one call; more are scored in parts, between which other requests have their turn


def joined(tables: Sequence[Table]) -> dict[str, list[object]]:
    """The columns of tables that have the same ones, one under the other."""
    if len(tables) == 1:
        return tables[0].columns
    return {name: [*chain.from_iterable(table.columns[name] for table in tables)] for name in tables[0].columns}


def part(table: Table, start: int, stop: int) -> Table:
    """Some rows of a table."""
    aside = {at - start: why for at, why in table.aside.items() if start <= at < stop}
    return Table({name: values[start:stop] for name, values in table.columns.items()}, stop - start, aside)


class Batcher(Generic[T]):
    """Collects the tables of requests until the loop has read all that has arrived, then scores them together.

    `score`: scores tables that have the same columns, and returns what each of them gets, or an exception.
    `together`: False has it score each table by itself.
    """

    def __init__(self, score: Callable[[Sequence[Table]], Sequence[T | Exception]]) -> None:
        self._score, self.together = score, True
        self._waiting: list[tuple[Table, asyncio.Future[T]]] = []

    async def __call__(self, table: Table) -> T:
        """What the rows of a table get. Raises what scoring them raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append((table, future))
        return await future

    def _flush(self) -> None:
        """Score what waits, at most LARGEST rows; the rest has its turn when the loop comes round again."""
        taken, rows = 0, 0
        first = self._waiting[0][0].columns.keys()
        for table, _ in self._waiting:
            fits = self.together and rows + table.count <= LARGEST and table.columns.keys() == first
            if taken and not fits:
                break
            taken, rows = taken + 1, rows + table.count
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        for (_, future), found in zip(batch, self._score([table for table, _ in batch]), strict=True):
            if future.done():  # the caller has gone
                continue
            if isinstance(found, Exception):
                future.set_exception(found)
            else:
                future.set_result(found)
