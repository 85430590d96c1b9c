"""Stages that were killed: each ends with the `dvc` that started it, and the next run says that it was killed."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from fullcircle.base.files import write_text
from fullcircle.core.memory import kills

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNING = Path(".dvc/tmp/fullcircle/running")
SHELLS = ("sh", "bash", "dash", "zsh", "fish", "ksh")
PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Let the system kill this process when the one that started it ends, however that ends. On Linux only.

    DVC starts a command through a shell. Most shells become the command; where one stays between, it is watched.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before that was set
        os._exit(1)
    name, grandparent = _name_and_parent(parent)
    if name in SHELLS and grandparent > 1:
        threading.Thread(target=_watch, args=(parent, grandparent), daemon=True).start()


def _watch(shell: int, started_by: int) -> None:
    wait = threading.Event()
    while not wait.wait(0.2):
        if _name_and_parent(shell)[1] != started_by:
            os._exit(1)


def _name_and_parent(process: int) -> tuple[str, int]:
    """The name of a process, and the number of the one that started it; 1 once that has ended."""
    try:
        name, _, rest = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").partition("(")[2].rpartition(") ")
        return name, int(rest.split()[1])
    except (OSError, ValueError, IndexError):
        return "", 1


@contextlib.contextmanager
def noted(stage: str) -> Iterator[None]:
    """Note that a stage runs, in a file that is gone when it ends; say on stderr that an earlier run was killed."""
    file = RUNNING / f"{stage}.json"
    if said := _of_killed(stage, file):
        print(said, file=sys.stderr)
    write_text(file, json.dumps({"process": os.getpid(), "kills": kills()}))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _of_killed(stage: str, file: Path) -> str | None:
    try:
        earlier = json.loads(file.read_text(encoding="utf-8"))
        process, before = int(earlier["process"]), int(earlier["kills"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if Path(f"/proc/{process}").exists() or process == os.getpid():
        return None  # it runs still, in another terminal
    if kills() > before:
        return (
            f"{stage}: its last run was killed by the system for lack of memory. Take fewer rows or columns, limit "
            "`max_rows` of the model, or run on a larger machine"
        )
    return f"{stage}: its last run was killed before it ended, by hand or by the system; now it runs again"
