"""Parallel work that calls BLAS."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from fullcircle.base.threads import parallel_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
R = TypeVar("R")


def parallel_map_blas(function: Callable[[T], R], items: Iterable[T], threads: int) -> list[R]:
    """`parallel_map` with one BLAS thread per call: matrix products that each take all cores slow each other down."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        return parallel_map(function, items, threads)
