"""A stage ends with the `dvc` that started it, and the next run says that it was killed. With a real dvc."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from fullcircle.base.files import write_text
from fullcircle.core import killed
from fullcircle.core.killed import noted
from fullcircle.core.stage import CHECKED

if TYPE_CHECKING:
    from collections.abc import Callable

STAGE = """
import os, time
from pathlib import Path
from fullcircle.core.stage import run

def main():
    Path("started").write_text(str(os.getpid()))
    while not Path("go").exists():
        time.sleep(0.01)
    Path("out").write_text("written")

run("slow", main)
"""


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of DVC with one stage that waits for a file."""
    (tmp_path / "slow.py").write_text(STAGE, encoding="utf-8")
    (tmp_path / "dvc.yaml").write_text("stages:\n  slow:\n    cmd: COMMAND\n    outs: [out]\n", encoding="utf-8")
    (tmp_path / CHECKED).parent.mkdir(parents=True)
    (tmp_path / CHECKED).write_text(hashlib.sha256(b"").hexdigest(), encoding="utf-8")  # there is no params.yaml
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n", encoding="utf-8")
    return tmp_path


def repro(repository: Path, shell: str = "/bin/sh") -> subprocess.Popen[str]:
    environment = os.environ | {"SHELL": shell, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "dvc", "repro"]
    return subprocess.Popen(
        command, cwd=repository, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def killed_while_it_runs(repository: Path, shell: str = "/bin/sh") -> None:
    """Kill dvc while its stage runs, and wait until the stage has ended."""
    process = repro(repository, shell)
    started = repository / "started"
    wait_for(lambda: started.exists() and started.read_text() != "")
    stage = psutil.Process(int(started.read_text()))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    wait_for(lambda: not stage.is_running() or stage.status() == psutil.STATUS_ZOMBIE, 10)


@pytest.mark.parametrize("command", ["python slow.py", "true; python slow.py; true"])
@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_a_stage_ends_with_the_dvc_that_started_it(repository: Path, shell: str, command: str) -> None:
    if shutil.which(shell) is None:
        pytest.fail(f"there is no {shell}")
    file = repository / "dvc.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("COMMAND", f'"{command}"'), encoding="utf-8")
    killed_while_it_runs(repository, shell)
    (repository / "go").touch()
    assert not (repository / "out").exists()


def test_the_next_run_says_that_the_last_one_was_killed(repository: Path) -> None:
    file = repository / "dvc.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("COMMAND", "python slow.py"), encoding="utf-8")
    killed_while_it_runs(repository)
    (repository / "go").touch()
    output, _ = repro(repository).communicate()
    assert "slow: its last run was killed before it ended" in output
    assert (repository / "out").read_text() == "written"
    assert not (repository / killed.RUNNING / "slow.json").exists()


def test_a_run_that_was_killed_for_memory_is_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    monkeypatch.setattr(killed, "kills", lambda: 3)
    write_text(killed.RUNNING / "train.json", f'{{"process": {gone.pid}, "kills": 2}}')
    with noted("train"):
        assert "train: its last run was killed by the system for lack of memory" in capsys.readouterr().err
    with noted("train"):
        pass
    assert capsys.readouterr().err == ""


def test_a_stage_that_runs_in_another_terminal_was_not_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_text(killed.RUNNING / "train.json", f'{{"process": {os.getppid()}, "kills": 0}}')
    with noted("train"):
        assert capsys.readouterr().err == ""
