"""How a stage runs: its main, with what it raises on purpose made one message and exit code 1."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fullcircle.runtime.errors import FullCircleError

if TYPE_CHECKING:
    from collections.abc import Callable


def run(stage: str, main: Callable[[], None]) -> None:
    """Run a stage's main; what it raises on purpose becomes one message and exit code 1."""
    try:
        main()
    except FullCircleError as error:
        sys.exit(f"{stage}: {error}")
