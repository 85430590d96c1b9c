"""The systemd unit: what systemd accepts, and what the service may do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deploy.files import UNIT, directives, output, tool

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_EXPOSURE = 15  # in tenths of the 10 that `systemd-analyze security` gives a unit without limits


def copy(folder: Path, old: str, new: str) -> Path:
    """The unit with `old` replaced, in a file of its name."""
    text = UNIT.read_text(encoding="utf-8")
    assert old in text
    file = folder / UNIT.name
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = copy(tmp_path, "/opt/fullcircle/bin/model", "/bin/true")  # verify looks for the program
    assert UNIT.name not in output(tool("systemd-analyze"), "verify", "--man=no", unit)


def test_a_wrong_directive_is_reported(tmp_path: Path) -> None:
    unit = copy(tmp_path, "/opt/fullcircle/bin/model", "/bin/true\nProtectHomes=yes")
    assert "ProtectHomes" in output(tool("systemd-analyze"), "verify", "--man=no", unit)


def test_the_unit_is_hardened() -> None:
    output(tool("systemd-analyze"), "security", "--offline=true", f"--threshold={LARGEST_EXPOSURE}", "--no-pager", UNIT)


def test_a_unit_without_limits_is_reported(tmp_path: Path) -> None:
    analyze = tool("systemd-analyze")
    unit = copy(tmp_path, "DynamicUser=yes", "DynamicUser=no")
    with pytest.raises(AssertionError, match="exposure"):
        output(analyze, "security", "--offline=true", f"--threshold={LARGEST_EXPOSURE}", "--no-pager", unit)


def test_the_unit_does_not_start_without_keys() -> None:
    (file,) = directives("EnvironmentFile")
    assert not file.startswith("-"), "a missing file of keys would be ignored"


def test_only_the_state_folder_is_written() -> None:
    (folder,) = directives("StateDirectory")
    (command,) = directives("ExecStart")
    assert f"--state /var/lib/{folder}" in command
    assert directives("ProtectSystem") == ["strict"]
    assert directives("ReadWritePaths") == []


def test_a_failure_is_restarted() -> None:
    assert directives("Restart") == ["on-failure"]
