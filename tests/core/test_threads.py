from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fullcircle.core.threads import WAIT, WAITS, set_wait_policy


@pytest.fixture(autouse=True)
def no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in WAITS:
        monkeypatch.setenv(name, "")  # so that it is restored afterwards
        monkeypatch.delenv(name)


def test_openmp_gets_the_setting_of_the_project() -> None:
    set_wait_policy()
    assert os.environ[WAIT[0]] == WAIT[1]


@pytest.mark.parametrize("name", WAITS)
def test_a_setting_of_the_user_stays(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "ACTIVE")
    set_wait_policy()
    assert {n: os.environ.get(n) for n in WAITS} == dict.fromkeys(WAITS) | {name: "ACTIVE"}


@pytest.mark.parametrize("module", ["fullcircle.core.stage", "fullcircle.cli"])
def test_openmp_is_not_loaded_before_it_is_set(module: str) -> None:
    code = f"import sys, {module}; assert not any('gomp' in line for line in open('/proc/self/maps'))"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("stage", ["featurize", "train"])
def test_a_stage_that_fits_loads_openmp_after_its_start(stage: str) -> None:
    code = f"import fullcircle.stages.{stage}; assert not any('gomp' in line for line in open('/proc/self/maps'))"
    subprocess.run([sys.executable, "-c", code], check=True)
