"""Two things at a time: NumPy and Arrow let go of Python's lock while they sort, search and write."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(function: Callable[[T], R], items: Iterable[T], threads: int = 2) -> list[R]:
    """`function` of every item, in order; the first exception is raised. No result depends on `threads`."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))


def a_core_each(function: Callable[[T], R], items: Iterable[T], threads: int) -> list[R]:
    """`side_by_side` where matrix products are made: one that takes all cores beside another is slower than on one."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        return side_by_side(function, items, threads)
