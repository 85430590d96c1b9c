"""How a stage runs: its main, with what it raises on purpose made one message and exit code 1."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fullcircle.runtime.errors import FullCircleError

if TYPE_CHECKING:
    from collections.abc import Callable


def run(stage: str, main: Callable[[], None]) -> None:
    """Run a stage's main; what it raises on purpose, and a lack of memory, becomes one message and exit code 1."""
    try:
        main()
    except FullCircleError as error:
        sys.exit(f"{stage}: {error}")
    except MemoryError as error:
        sys.exit(
            f"{stage}: the memory of this machine is used up ({error or 'no more is given'}). Take fewer rows or "
            "columns, or run on a larger machine; what was there before is as it was."
        )
