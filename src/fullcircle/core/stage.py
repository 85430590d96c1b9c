"""How a stage runs: its main, with what it raises on purpose made one message and exit code 1."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from fullcircle.base.errors import FullCircleError
from fullcircle.core.memory import keep_freed

if TYPE_CHECKING:
    from collections.abc import Callable


def run(stage: str, main: Callable[[], None]) -> NoReturn:
    """Run a stage's main and leave: with its one message and exit code 1 if it failed."""
    keep_freed()
    leave(failure(stage, main))


def failure(stage: str, main: Callable[[], None]) -> str | None:
    """Run a stage's main; one message of what it raises on purpose and of a lack of memory, None if it did not fail."""
    try:
        main()
    except FullCircleError as error:
        return f"{stage}: {error}"
    except MemoryError as error:
        return (
            f"{stage}: the memory of this machine is used up ({error or 'no more is given'}). Take fewer rows or "
            "columns, or run on a larger machine; what was there before is as it was."
        )
    return None


def leave(said: str | int | None = None) -> NoReturn:
    """End this process as `sys.exit(said)` would, at once: a text goes to stderr and is exit code 1.

    Nothing is taken down, and what `atexit` holds does not run. Arrow reads ahead in threads of its own, in Python
    where the file is a Python object (a zip, a bucket); one that is still there when the interpreter goes aborts the
    process, and its exit code is another (Python 3.11). Nor is time spent on taking down large libraries.
    """
    if isinstance(said, str):
        print(said, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):  # who read us has gone
            stream.flush()
    os._exit(said if isinstance(said, int) else int(said is not None))
