"""Cold runs of the whole pipeline on copies of the working tree: of the tests' problem, and of the committed one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from fullcircle.core.threads import set_wait_policy
from tests import project
from tests.pipeline.graph import ROOT

set_wait_policy()  # before a test imports XGBoost
project.register()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their argument: packed ones hold the time, and every worker must find the same names."""
    return argname if isinstance(val, bytes) else None


@dataclass(frozen=True)
class Project:
    """A git and DVC repository of this project; commands run in it with this environment's tools."""

    folder: Path

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
        return done

    def killed(self, seconds: float, *command: str) -> None:
        """Run a command, and kill it and all that it started after so many seconds."""
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _environment(self) -> dict[str, str]:
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "DVC_NO_ANALYTICS": "1",
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@localhost",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@localhost",
        }
        environment.pop("GIT_DIR", None)
        return environment

    def ran(self, *command: str) -> list[str]:
        """The stages that a `dvc repro` ran."""
        lines = self.run("dvc", "repro", *command).stdout.splitlines()
        return [line.split("'")[1] for line in lines if line.startswith("Running stage")]

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def commit(self) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "--allow-empty", "-m", "as it stands")


OWN_DATA = "data/source/"


def copy_of_working_tree(folder: Path, *, own_data: bool = False) -> Project:
    """The files that git tracks or would track, committed, with nothing of DVC's cache and no outputs.

    `own_data`: also what who forked this keeps in data/source, be it in git or in DVC.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        is_own = name.startswith(OWN_DATA) and name != f"{OWN_DATA}README.md"
        if (ROOT / name).is_file() and (own_data or not is_own):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    made = Project(folder)
    made.run("git", "init", "-q", "-b", "main")
    made.commit()
    return made


COMMITTED = (
    "tests/pipeline/test_committed.py",
    "tests/examples/test_flights.py",
    "tests/examples/test_service.py",
)
"""Files whose tests all need the committed run."""

SLOW = "tests/examples/test_make_it_yours.py"
"""A file of few tests that take minutes: they begin first, each by itself."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Where tests run side by side, those of a file stay together, and so do all that need the committed run."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if file == SLOW else "committed" if file in COMMITTED else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Not by xdist's groups: they have no effect with pytest 9.1."""
    config.option.loadscopereorder = False  # the files in the order of the collection
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest first, so that no worker has to wait for them at the end."""
    first = (SLOW, *COMMITTED)
    items.sort(key=lambda item: not item.nodeid.startswith(first))


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tests' own problem in a copy of this repository, after a cold `dvc repro`.

    Tests must leave it as it is; those that change things take `copied`.
    """
    made = copy_of_working_tree(tmp_path_factory.mktemp("project"))
    project.install(made.folder)
    made.run("fullcircle", "params")
    made.run("dvc", "repro", "--force")
    made.commit()
    return made


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """This repository with the problem that it is configured for, after a cold `dvc repro`.

    Every stage is forced: git brings what validate writes, so DVC would find nothing for it to do.
    """
    made = copy_of_working_tree(tmp_path_factory.mktemp("committed"), own_data=True)
    shutil.copytree(ROOT / OWN_DATA, made.folder / OWN_DATA, dirs_exist_ok=True)  # what DVC keeps, too
    made.run("dvc", "repro", "--force")
    return made


@pytest.fixture
def copied(reproduced: Project, tmp_path: Path) -> Project:
    """A clone of the reproduced project, its outputs in place, to be changed at will."""
    folder = tmp_path / "clone"
    shutil.copytree(reproduced.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    made = Project(folder)
    made.commit()
    return made
