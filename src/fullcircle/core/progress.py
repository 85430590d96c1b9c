"""What a stage is doing: one line on a terminal, written again and again, once the stage takes over two seconds."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DELAY = 2.0  # seconds before anything is shown
EVERY = 0.2  # seconds between two writings

_now = "starting"


def doing(what: str) -> None:
    """Say what the process is doing now, such as `reading weather`. Costs nothing where nothing is shown."""
    global _now
    _now = what


@contextmanager
def shown(stage: str, delay: float = DELAY) -> Iterator[None]:
    """While the block runs, show on a terminal what it is doing and for how long; the line is erased at the end."""
    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(target=_show, args=(stage, delay, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _show(stage: str, delay: float, ended: threading.Event) -> None:
    start = time.monotonic()
    if ended.wait(delay):
        return
    while True:
        sys.stderr.write(f"\r\x1b[K{stage}: {_now}, {time.monotonic() - start:.0f} s")
        sys.stderr.flush()
        if ended.wait(EVERY):
            break
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()
