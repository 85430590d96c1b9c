from __future__ import annotations

import datetime as dt
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
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.checks import Column
from fullcircle.base.errors import DataError
from fullcircle.features import HOMES, LIBRARY, arguments
from fullcircle.features.created.flights import (  # fmt: skip
    arrival_minute,
    departure_minute,
    scheduled_minutes,
    weekday,
    wind_east,
    wind_north,
)
from fullcircle.features.plan import FORMAT, Plan
from fullcircle.features.transform import Transform

ROOT = Path(__file__).parents[2]
nan = float("nan")
FLIGHTS = [name for name, homes in HOMES.items() if homes == ["flights"]]


def of(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def test_an_hhmm_time_becomes_minutes_after_midnight() -> None:
    assert departure_minute(of(0, 5, 59, 100, 1259, 2359, 2400)).tolist() == [0, 5, 59, 60, 779, 1439, 1440]
    assert arrival_minute(of(1830)).tolist() == [1110]


def test_a_flight_over_midnight_has_a_positive_length() -> None:
    assert scheduled_minutes(of(2350, 900, 1200), of(20, 1015, 1200)).tolist() == [30, 75, 0]


@settings(max_examples=60, deadline=None)
@given(st.dates(dt.date(1971, 1, 1), dt.date(2100, 12, 31)))
def test_the_weekday_is_the_calendars(date: dt.date) -> None:
    assert weekday(of(date.year), of(date.month), of(date.day)).tolist() == [date.weekday()]


def test_the_wind_is_split_into_its_components() -> None:
    np.testing.assert_allclose(wind_north(of(10, 10, 10), of(0, 90, 180)), [10, 0, -10], atol=1e-12)
    np.testing.assert_allclose(wind_east(of(10, 10, 10), of(0, 90, 270)), [0, 10, -10], atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 250), st.floats(0, 360))
def test_the_components_of_the_wind_keep_its_speed(speed: float, direction: float) -> None:
    both = np.hypot(wind_north(of(speed), of(direction)), wind_east(of(speed), of(direction)))
    assert both[0] == pytest.approx(speed, abs=1e-9)


@pytest.mark.parametrize("name", FLIGHTS)
def test_a_null_argument_gives_a_null_feature_and_leaves_other_rows_alone(name: str) -> None:
    values = {"year": 2013.0, "month": 5.0, "day": 17.0, "wind_dir": 90.0}
    columns = [of(values.get(argument, 830.0), values.get(argument, 830.0)) for argument in arguments(name)]
    expected = LIBRARY[name](*columns)
    for i in range(len(columns)):
        holed = [column.copy() for column in columns]
        holed[i][0] = nan
        result = LIBRARY[name](*holed)
        assert result.dtype == np.float64
        assert np.isnan(result[0])
        assert result[1] == expected[1]


@pytest.mark.parametrize("name", LIBRARY)
def test_every_feature_of_the_library_takes_columns_by_name_and_is_documented(name: str) -> None:
    assert arguments(name) == tuple(signature(LIBRARY[name]).parameters)
    assert arguments(name)
    assert LIBRARY[name].__doc__


def in_the_folder(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run a command with a copy of the package that has another module of created features, `homes.py`."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "src/fullcircle/features/created/homes.py").write_text(text, encoding="utf-8")
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
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
    assert "uses rooms, which is no input" in done.stderr  # it is found, and the flights have no such column


def test_a_file_cannot_name_what_is_no_feature() -> None:
    assert "weekday" in LIBRARY
    for name in ("__import__", "np", "Array", "select"):
        assert name not in LIBRARY
        with pytest.raises(KeyError):
            arguments(name)
