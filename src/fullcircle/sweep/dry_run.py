"""A dry run of DVC, which goes on beside what is imported and composed meanwhile."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def dry_run(stage: str = "featurize") -> Iterator[subprocess.Popen[str]]:
    """A dry run of DVC up to a stage, which goes on beside the block and is over when it ends."""
    command = ["dvc", "repro", "--dry", stage]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started_dry_run:
        try:
            yield started_dry_run
        finally:
            started_dry_run.kill()
