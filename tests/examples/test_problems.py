"""The bundled problems, each read on one core and on many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.test_one_core import ingested

if TYPE_CHECKING:
    from pathlib import Path

PROBLEMS = ("breast_cancer", "diabetes", "digits", "flights")


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_bundled_problem_is_read_on_one_core_as_on_many(tmp_path: Path, problem: str) -> None:
    one = ingested(tmp_path / "one", problem, one_core=True)
    assert one == ingested(tmp_path / "many", problem, one_core=False)
