"""Where trials run: threads of this process, or worker processes of a Dask cluster. Both return futures."""

from __future__ import annotations

import concurrent.futures
import threading
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from fullcircle.base.errors import FullCircleError
from fullcircle.sweep.config import Dask
from fullcircle.sweep.trial import Outcome, Task, on_worker, run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fullcircle.sweep.config import EngineConfig

CONNECT_TIMEOUT = 10  # seconds until a scheduler must answer
POLL = 0.5  # seconds between checks for an interrupt


class EngineError(FullCircleError):
    """There is no engine to run trials."""


class Engine(Protocol):
    """Runs tasks in parallel."""

    def submit(self, task: Task) -> Any:
        """Start a task; returns a future of its Outcome."""

    def wait(self, futures: Collection[Any]) -> list[Any]:
        """Wait until a future is done, but at most `POLL` seconds; returns those that are done."""


def outcome_of(future: Any) -> Outcome:
    """The outcome of a task whose future is done. If its worker was killed repeatedly, that is the trial's error."""
    try:
        outcome: Outcome = future.result()
    except Exception as error:
        return Outcome(error=f"{type(error).__name__}: {error}")
    return outcome


@contextmanager
def engine_of(config: EngineConfig, workers: int) -> Iterator[Engine]:
    """The engine of a sweep; when the block ends, running tasks are stopped and the engine is closed."""
    if isinstance(config, Dask):
        with _dask(config.address, workers) as engine:
            yield engine
        return
    stopped = threading.Event()
    pool = concurrent.futures.ThreadPoolExecutor(workers)
    try:
        yield _Threads(pool, stopped)
    finally:
        stopped.set()
        pool.shutdown(wait=True, cancel_futures=True)


class _Threads:
    def __init__(self, pool: concurrent.futures.ThreadPoolExecutor, stopped: threading.Event) -> None:
        self.pool, self.stopped = pool, stopped

    def submit(self, task: Task) -> Any:
        return self.pool.submit(run, task, self.stopped.is_set)

    def wait(self, futures: Collection[Any]) -> list[Any]:
        return list(concurrent.futures.wait(futures, POLL, concurrent.futures.FIRST_COMPLETED).done)


class _Cluster:
    def __init__(self, distributed: Any, client: Any) -> None:
        self.distributed, self.client = distributed, client

    def submit(self, task: Task) -> Any:
        return self.client.submit(on_worker, task, pure=False)

    def wait(self, futures: Collection[Any]) -> list[Any]:
        try:
            return list(self.distributed.wait(list(futures), POLL, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            return []


@contextmanager
def _dask(address: str | None, workers: int) -> Iterator[_Cluster]:
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise EngineError("engine=dask needs distributed: `uv sync --extra dask`") from None
    with ExitStack() as stack:
        at = address
        if at is None:
            local = distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            at = stack.enter_context(local)
        try:
            client = stack.enter_context(distributed.Client(at, timeout=CONNECT_TIMEOUT))
        except (OSError, ValueError) as error:
            raise EngineError(
                f"no Dask scheduler answers at {address} within {CONNECT_TIMEOUT} s ({type(error).__name__}); start "
                "one with `dask scheduler`, or leave engine.address out for a cluster on this machine"
            ) from None
        yield _Cluster(distributed, client)
