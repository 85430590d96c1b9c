"""How a stage runs: its main, with what it raises on purpose made one message and exit code 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from fullcircle.core.ending import leave
from fullcircle.core.memory import keep_freed
from fullcircle.runtime.errors import FullCircleError

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
