"""How a stage runs: its main, and one message with exit code 1 for errors that are raised on purpose."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from fullcircle.base.errors import FullCircleError
from fullcircle.core.lock import check_inputs
from fullcircle.core.threads import set_wait_policy

if TYPE_CHECKING:
    from collections.abc import Callable


def run(stage: str, main: Callable[[], None]) -> NoReturn:
    """Run a stage's main and end the process: with one message and exit code 1 if it failed."""
    set_wait_policy()

    def checked() -> None:
        check_inputs(stage)
        main()

    leave(failure(stage, checked))


def failure(stage: str, main: Callable[[], None]) -> str | None:
    """Run a stage's main; return the message of a FullCircleError or MemoryError, None if it did not fail."""
    try:
        main()
    except FullCircleError as error:
        return f"{stage}: {error}"
    except MemoryError as error:
        return (
            f"{stage}: the memory of this machine is used up ({error or 'no more is available'}). Take fewer rows or "
            "columns, or run on a larger machine; earlier outputs are unchanged."
        )
    return None


def leave(result: str | int | None = None) -> NoReturn:
    """End this process as `sys.exit(result)` would, but at once: a text goes to stderr and is exit code 1.

    `atexit` does not run. For stages only: it saves the time of taking down large libraries, eight times per run, and
    a thread of a library that is still reading cannot abort the process (see `sources.readahead`).
    """
    if isinstance(result, str):
        print(result, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):  # the reader of our output has ended
            stream.flush()
    os._exit(result if isinstance(result, int) else int(result is not None))
