from __future__ import annotations

import errno
import sys
from typing import NoReturn

import pytest

from fullcircle import cli
from fullcircle.sweep import run


def test_a_full_disk_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(overrides: list[str], started_dry_run: object, *, fresh: bool) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device", "reports/sweeps/s/journal.log")

    monkeypatch.setattr(run, "sweep", full)
    monkeypatch.setattr(sys, "argv", ["fullcircle", "sweep"])
    said = "fullcircle: reports/sweeps/s/journal.log cannot be written: No space left on device; make room, and again"
    assert cli.failure() == said


def test_an_error_that_nobody_expected_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(overrides: list[str], started_dry_run: object, *, fresh: bool) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(run, "sweep", denied)
    monkeypatch.setattr(sys, "argv", ["fullcircle", "sweep"])
    with pytest.raises(OSError, match="Input/output error"):
        cli.failure()
