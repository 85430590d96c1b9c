from __future__ import annotations

import errno
import gzip
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pytest

from fullcircle import cli
from fullcircle.sweep import run

if TYPE_CHECKING:
    from pathlib import Path


def test_a_full_disk_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(overrides: list[str], started_dry_run: object, *, fresh: bool) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device", "reports/sweeps/s/journal.jsonl")

    monkeypatch.setattr(run, "sweep", full)
    monkeypatch.setattr(sys, "argv", ["fullcircle", "sweep"])
    message = "fullcircle: reports/sweeps/s/journal.jsonl: No space left on device (make room, and run it again)"
    assert cli.failure() == message


def test_an_unexpected_error_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(overrides: list[str], started_dry_run: object, *, fresh: bool) -> NoReturn:
        raise OSError(errno.EBADF, "Bad file descriptor")

    monkeypatch.setattr(run, "sweep", denied)
    monkeypatch.setattr(sys, "argv", ["fullcircle", "sweep"])
    with pytest.raises(OSError, match="Bad file descriptor"):
        cli.failure()


def test_the_command_line_ends_normally_after_an_error_in_a_packed_file(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).random((400_000, 2)).tolist()
    rows = [f"{a},{b}" for a, b in numbers]
    rows[220_000] += ",7"  # beyond the first block of 4 MiB, and far from the last one
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/config.yaml").touch()
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress("\n".join(["a,b", *rows]).encode(), 1))
    command = [sys.executable, "-m", "fullcircle.cli", "init", "rows.csv.gz", "--target", "b"]
    for _ in range(3):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 1, done.stderr
        assert "expected 2 columns, got 3" in done.stderr
