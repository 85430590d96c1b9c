from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fullcircle.base.checks import Column
from fullcircle.base.errors import DataError
from fullcircle.features import HOMES, LIBRARY, arguments
from fullcircle.features.plan import FORMAT, Plan
from fullcircle.features.transform import Transform
from tests import project

ROOT = Path(__file__).parents[2]
nan = float("nan")


def of(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize("name", LIBRARY)
def test_every_feature_of_the_library_takes_columns_by_name_and_is_documented(name: str) -> None:
    assert arguments(name) == tuple(signature(LIBRARY[name]).parameters)
    assert arguments(name)
    assert LIBRARY[name].__doc__


def in_the_folder(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run a command with a copy of the package that has another module of created features, `homes.py`."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "src/fullcircle/features/created/homes.py").write_text(text, encoding="utf-8")
    project.conf_in(tmp_path)
    command = [sys.executable, "-m", "fullcircle.cli", "params", "problem.features.created=[per_person]"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "src")}
    return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import numpy as np\n\ndef per_person(a: Array): return a\n", "line 3: NameError: name 'Array' is not"),
        ("def per_person(:\n", "line 1: SyntaxError: invalid syntax"),
        ("\nimport absent_module\n", "line 2: ModuleNotFoundError: No module named 'absent_module'"),
        ("from json import loads\nloads('{')\n", "line 2: JSONDecodeError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_one_error_and_only_where_it_is_needed(
    tmp_path: Path, text: str, why: str
) -> None:
    done = in_the_folder(tmp_path, text)
    assert done.returncode == 1
    assert f"features/created/homes.py cannot be imported: {why}" in done.stderr
    assert "Traceback" not in done.stderr


def broken(year: Any) -> Any:
    """A feature that fails."""
    return {}[year[0]]


def test_a_feature_that_fails_is_named_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIBRARY, "broken", broken)
    monkeypatch.setitem(HOMES, "broken", ["test_created"])
    plan = Plan(FORMAT, {"year": Column("number")}, (), ("broken",), (), ())
    transform = Transform(plan)
    with pytest.raises(DataError, match=r"feature broken of features/created/test_created\.py failed: line \d+: Key"):
        transform.prepare({"year": of(2013)})


def test_the_example_of_the_documentation_is_a_feature(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/features.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "homes"}
    exec(compile(example, "homes.py", "exec"), names)  # noqa: S102  the documentation's own code
    assert names["per_person"](of(6, 3, nan), of(2, 2, 1)).tolist()[:2] == [3, 1.5]
    done = in_the_folder(tmp_path, example)
    assert "uses rooms, which is no input" in done.stderr  # it is found, and the departures have no such column


def test_a_file_cannot_name_what_is_no_feature() -> None:
    assert "day_of_week" in LIBRARY
    for name in ("__import__", "np", "Array", "select"):
        assert name not in LIBRARY
        with pytest.raises(KeyError):
            arguments(name)
