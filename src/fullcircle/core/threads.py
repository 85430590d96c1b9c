"""Threads of libraries: how those of OpenMP wait, and parallel work that calls BLAS."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from fullcircle.base.threads import parallel_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")
R = TypeVar("R")

WAIT = ("GOMP_SPINCOUNT", "2000")
"""The setting of GNU OpenMP by which XGBoost's threads wait: they spin for about 20 µs (3 ms by default), then sleep.

`python -m benchmarks.busy` measures it, and others.
"""

WAITS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")  # either of them decides how threads wait


def set_wait_policy() -> None:
    """Let OpenMP's threads soon sleep when they wait, unless the environment has a setting of its user.

    By default they spin, and a fit that shares two cores with another busy process takes six times as long. It must be
    called before XGBoost or scikit-learn is imported: OpenMP reads its settings when it is loaded.
    """
    if not any(name in os.environ for name in WAITS):
        os.environ[WAIT[0]] = WAIT[1]


def parallel_map_blas(function: Callable[[T], R], items: Iterable[T], threads: int) -> list[R]:
    """`parallel_map` with one BLAS thread per call: matrix products that each take all cores slow each other down."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        return parallel_map(function, items, threads)
