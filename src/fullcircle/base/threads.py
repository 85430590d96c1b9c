"""Parallel work in threads: NumPy and Arrow release Python's lock while they sort, search and write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
R = TypeVar("R")


def parallel_map(function: Callable[[T], R], items: Iterable[T], threads: int = 2) -> list[R]:
    """Apply `function` to every item, in order; raises the first exception. No result depends on `threads`.

    >>> parallel_map(len, ["EWR", "Newark", ""])
    [3, 6, 0]
    """
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))
