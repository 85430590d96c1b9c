"""Several things at a time: NumPy and Arrow release Python's lock while they sort, search and write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
R = TypeVar("R")


def parallel_map(function: Callable[[T], R], items: Iterable[T], threads: int = 2) -> list[R]:
    """`function` of every item, in order; the first exception is raised. No result depends on `threads`."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))
