"""How a stage runs: its main, and one message with exit code 1 for errors that are raised on purpose."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from fullcircle.base.errors import ConfigError, FullCircleError, system_message
from fullcircle.base.files import write_text
from fullcircle.core import paths
from fullcircle.core.killed import end_with_parent, noted
from fullcircle.core.lock import check_inputs
from fullcircle.core.progress import shown
from fullcircle.core.threads import set_wait_policy

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKED = Path(".dvc/tmp/fullcircle/checked")
"""The hash of the params.yaml that was checked last."""


def run(stage: str, main: Callable[[], None]) -> NoReturn:
    """Run a stage's main and end the process: with one message and exit code 1 if it failed."""
    set_wait_policy()
    by_dvc = os.environ.get("DVC_STAGE") == stage

    def checked() -> None:
        if by_dvc:
            check_params()
            check_inputs(stage)
        main()

    if by_dvc:
        end_with_parent()
    with noted(stage) if by_dvc else contextlib.nullcontext(), shown(stage):
        result = failure(stage, checked)
    leave(result)


def check_params() -> None:
    """Check all of params.yaml once, in the first stage that runs with it. Raises ConfigError.

    Otherwise a wrong value of a late stage would show after the early ones have run. In a process of its own, for it
    reads the types of all stages.
    """
    files = [paths.PARAMS, *sorted((paths.CONF / "data").glob("*.yaml"))]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files if file.is_file())).hexdigest()
    if CHECKED.is_file() and CHECKED.read_text(encoding="utf-8") == digest:
        return
    done = subprocess.run([sys.executable, "-m", "fullcircle.params"], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise ConfigError(done.stderr.strip().removeprefix("params: "))
    write_text(CHECKED, digest)


def seconds_since_dvc() -> float | None:
    """Seconds since the `dvc` command that runs this stage began; None where DVC does not run it."""
    if "DVC_STAGE" not in os.environ:
        return None
    import psutil

    return time.time() - float(psutil.Process(os.getppid()).create_time())


def failure(stage: str, main: Callable[[], None]) -> str | None:
    """Run a stage's main; return the message of a FullCircleError, a MemoryError or the system, None if all is well."""
    try:
        main()
    except FullCircleError as error:
        return f"{stage}: {error}"
    except OSError as error:
        if (message := system_message(error)) is None:
            raise
        return f"{stage}: {message}; earlier outputs are unchanged"
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
