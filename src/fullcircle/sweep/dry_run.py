"""A dry run of DVC as a background process, while Python imports and composes."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def dvc_dry_run(stage: str = "featurize") -> Iterator[subprocess.Popen[str]]:
    """Start a dry run of DVC up to a stage; it is killed if it still runs when the block ends."""
    command = ["dvc", "repro", "--dry", stage]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()
