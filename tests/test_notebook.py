"""`import fullcircle`, as a notebook uses it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import fullcircle
from fullcircle.base.errors import ConfigError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project


@pytest.fixture
def _in_a_subfolder(reproduced: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(reproduced.folder / "docs")


def test_the_import_is_light() -> None:
    code = "import sys, fullcircle; sys.exit(bool({'pandas', 'numpy', 'pyarrow'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_offered_is_there_and_nothing_else() -> None:
    assert all(callable(getattr(fullcircle, name)) for name in fullcircle.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        fullcircle.lode  # noqa: B018


@pytest.mark.usefixtures("_in_a_subfolder")
def test_tables_parameters_and_verdict_are_those_of_the_run(reproduced: Project) -> None:
    assert len(fullcircle.read("raw/flights")) == 5_400
    assert {"target", "carrier"} <= set(fullcircle.read("train").columns)
    assert len(fullcircle.read("features/train")) == len(fullcircle.read("train"))
    assert fullcircle.parameters()["problem"]["name"] == "departures"
    assert fullcircle.verdict().status == "blessed"
    assert fullcircle.load().about.problem == "departures"
    assert fullcircle.load(reproduced.folder / "dist/bundle").id == fullcircle.load().id


@pytest.mark.usefixtures("_in_a_subfolder")
@pytest.mark.parametrize("name", ["trian", "raw", "raw/../../secret", "features"])
def test_a_table_that_does_not_exist_names_those_that_do(name: str) -> None:
    with pytest.raises(DataError, match=r"there is no table .*; there are kept, .*raw/TABLE"):
        fullcircle.read(name)


def test_outside_a_repository_there_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="is in no repository of this project"):
        fullcircle.verdict()
