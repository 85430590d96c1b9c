from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fullcircle.base.errors import DataError
from fullcircle.sweep.trials import Trial, best, read_csv, running_best, write_csv

if TYPE_CHECKING:
    from pathlib import Path

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
KEY = st.from_regex(r"[a-z]+(\.[a-z_]+)?", fullmatch=True)
VALUE = st.none() | st.booleans() | st.integers() | FINITE | TEXT | st.lists(st.integers() | TEXT, max_size=2)
TRIAL = st.builds(
    Trial,
    number=st.integers(1, 10**6),
    state=st.sampled_from(["complete", "pruned", "failed"]),
    choices=st.dictionaries(KEY, VALUE, max_size=4),
    value=st.none() | FINITE,
    deviation=st.none() | FINITE,
    metrics=st.dictionaries(KEY, st.none() | FINITE, max_size=3),
    seconds=st.integers(0, 10**6).map(lambda tenths: tenths / 10),
    error=TEXT.map(lambda text: text.replace("\r\n", "\n").replace("\r", "\n")),
    experiment=st.from_regex(r"[a-z]+-[0-9]{3}", fullmatch=True),
    rank=st.none() | st.integers(1, 10**6),
)


def done(number: int, value: float | None, state: Any = "complete") -> Trial:
    return Trial(number, state, {}, value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trials=st.lists(TRIAL, max_size=5))
@example(trials=[Trial(1, "failed", {}, error="\n"), Trial(2, "failed", {}, error="a\n\n\x0bb\u2028\n")])
def test_trials_survive_a_round_trip_through_csv(tmp_path: Path, trials: list[Trial]) -> None:
    write_csv(tmp_path / "trials.csv", trials)
    assert read_csv(tmp_path / "trials.csv") == trials


def test_types_of_choices_survive_a_round_trip(tmp_path: Path) -> None:
    choices = {"a": 3, "b": 3.0, "c": "3", "d": True, "e": "true", "f": None, "g": "null", "h": "", "i": "gbtree"}
    write_csv(tmp_path / "t.csv", [Trial(1, "complete", choices, 0.5)])
    (back,) = read_csv(tmp_path / "t.csv")
    assert {key: (type(value), value) for key, value in back.choices.items()} == {
        key: (type(value), value) for key, value in choices.items()
    }


def test_columns_have_a_fixed_order_and_seconds_are_rounded(tmp_path: Path) -> None:
    trials = [
        Trial(1, "complete", {"model.b": 1}, 0.1 + 0.2, 0.01, {"val_ece": 0.1, "val_auc": None}, 1.26, "", "x-001", 1),
        Trial(2, "failed", {"model.a": "x"}, error="first line\nsecond, line", seconds=2),
    ]
    write_csv(tmp_path / "t.csv", trials)
    with (tmp_path / "t.csv").open(newline="") as file:
        header, first, second = csv.reader(file)
    assert header == [
        "trial", "rank", "experiment", "state", "value", "deviation", "seconds",
        "metrics.val_auc", "metrics.val_ece", "choices.model.b", "choices.model.a", "error",
    ]  # fmt: skip
    assert first == ["1", "1", "x-001", "complete", "0.30000000000000004", "0.01", "1.3", "null", "0.1", "1", "", ""]
    assert second == ["2", "", "", "failed", "", "", "2.0", "", "", "", "x", "first line\nsecond, line"]


def test_an_empty_table_can_be_read(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [])
    assert read_csv(tmp_path / "t.csv") == []


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_csv(path, [done(1, 0.5)])
    with pytest.raises(TypeError):
        write_csv(path, [Trial(1, "complete", {"key": object()})])
    assert read_csv(path) == [done(1, 0.5)]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "it has no column trial, rank, experiment"),
        ("", "it has no column trial"),
        ("trial,rank,experiment,state,value,deviation,seconds,error\n1,,,lost,,,0,\n", "state of trial 1 is 'lost'"),
        ("trial,rank,experiment,state,value,deviation,seconds,error\n1,,,failed\n", "number of cells"),
        ("trial,rank,experiment,state,value,deviation,seconds,error\n1,,,failed,,,0,,more\n", "number of cells"),
        ("trial,rank,experiment,state,value,deviation,seconds,error\n1,,,complete,high,,0,\n", "high"),
    ],
)
def test_a_file_that_is_not_a_table_of_trials_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_csv(path)


def test_an_error_for_a_missing_file_names_its_writer(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a sweep writes it"):
        read_csv(tmp_path / "none.csv")


def test_the_best_is_the_earliest_complete_trial_of_equal_value() -> None:
    trials = [done(1, 0.5), done(2, 0.9, "pruned"), done(3, 0.7), done(4, 0.7), done(5, None), done(6, float("nan"))]
    assert best(trials, "maximize") == trials[2]
    assert best(trials, "minimize") == trials[0]
    assert best(reversed(trials), "maximize") == trials[2]
    assert best(trials[1:2], "maximize") is None
    assert best([], "minimize") is None


@given(st.lists(st.integers(-5, 5), max_size=12))
def test_the_running_best_is_the_best_of_each_prefix(values: list[int]) -> None:
    trials = [done(i + 1, float(value)) for i, value in enumerate(values)]
    found = running_best(trials, "minimize")
    assert found == [t for t in trials if best(trials[: t.number], "minimize") == t]
