"""Rows as people hold them give the same predictions as columns do, or are refused in words."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import fullcircle
from fullcircle.base.checks import Column
from fullcircle.base.columns import take
from fullcircle.base.errors import DataError
from fullcircle.packaging.wheel import build_wheel
from fullcircle.scoring.rows import to_columns
from tests.builders import labelled, only_inputs, same, trained
from tests.scoring.made import make_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.scoring.bundle import Bundle

ROWS = 20
COLUMNS = only_inputs(labelled(ROWS, seed=7))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return fullcircle.load(make_bundle(tmp_path_factory.mktemp("m") / "bundle", "xgboost"))


def lists() -> dict[str, list[Any]]:
    return {name: [None if v is None or v != v else v for v in values] for name, values in COLUMNS.items()}


def records() -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in zip(*lists().values(), strict=True)]


def series(name: str, dtype: Any = None) -> Any:
    return pd.Series(COLUMNS[name], dtype=dtype)


FORMS: dict[str, Any] = {
    "arrays": COLUMNS,
    "lists": lists(),
    "tuples": {name: tuple(values) for name, values in lists().items()},
    "records": records(),
    "records without nulls": [{n: v for n, v in record.items() if v is not None} for record in records()],
    "a DataFrame": pd.DataFrame(COLUMNS),
    "a DataFrame with an index": pd.DataFrame(COLUMNS, index=range(100, 100 + ROWS)),
    "a DataFrame of objects": pd.DataFrame(COLUMNS).astype(object),
    "a DataFrame of nullable types": pd.DataFrame(COLUMNS).convert_dtypes(),
    "a DataFrame of Arrow's types": pd.DataFrame(COLUMNS).convert_dtypes(dtype_backend="pyarrow"),
    "a DataFrame with categories": pd.DataFrame(COLUMNS).astype({"carrier": "category", "tailnum": "category"}),
    "a dict of series": {name: pd.Series(values) for name, values in COLUMNS.items()},
    "lists and arrays": lists() | {"month": COLUMNS["month"]},
    "texts of numbers": lists() | {"month": [str(value) for value in COLUMNS["month"]]},
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_the_same_predictions(bundle: Bundle, name: str) -> None:
    expected = bundle.scorer.score(COLUMNS)
    scored = bundle.score(FORMS[name])
    assert scored.predicted.tolist() == expected.predicted.tolist()
    assert scored.kept.tolist() == expected.kept.tolist()
    assert same(dict(sorted(bundle.columns(FORMS[name]).items())), dict(sorted(COLUMNS.items())))


def test_columns_that_identify_a_row_come_back_as_they_are(bundle: Bundle) -> None:
    for rows in (lists() | {"flight": ["x", 5, None] * 6 + ["y", [1]]}, pd.DataFrame(COLUMNS).assign(flight="x")):
        scored = bundle.score(rows)
        assert scored.record["flight"].tolist() == list(rows["flight"])


def test_no_rows_give_no_predictions(bundle: Bundle) -> None:
    forms: tuple[Any, ...] = ([], {name: [] for name in COLUMNS}, pd.DataFrame(COLUMNS)[:0])
    for rows in forms:
        assert len(bundle.score(rows).predicted) == 0


INPUTS = {
    "n": Column("number"), "i": Column("integer"), "c": Column("category"), "t": Column("time"),
    "f": Column("time", format="%d.%m.%Y"),
}  # fmt: skip
NOON = datetime(2013, 1, 2, 12, 0, 0, 5)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("n", [1, 2.5, "3", None, True, float("nan"), np.int64(4), pd.NA], [1, 2.5, 3, None, 1, None, 4, None]),
        ("i", [1, 2.5], [1, 2.5]),  # the checks of the column refuse the second
        ("c", ["a", 5, 0.5, False, None, np.int8(1), np.str_("b")], ["a", "5", "0.5", "false", None, "1", "b"]),
        (
            "t",
            ["2013-01-02T13:00:00+01:00", NOON, NOON.replace(tzinfo=UTC), None],
            ["2013-01-02T12:00:00"] * 3 + [None],
        ),
        ("t", [pd.Timestamp(NOON), pd.NaT, np.datetime64(NOON)], ["2013-01-02T12:00:00", None, "2013-01-02T12:00:00"]),
        ("t", [date(2013, 1, 2)], ["2013-01-02T00:00:00"]),
        ("f", ["02.01.2013", NOON], ["2013-01-02T00:00:00", "2013-01-02T12:00:00"]),
        ("t", pd.Series(["2013-01-02T13:00+01:00"]), ["2013-01-02T12:00:00"]),
        ("t", pd.to_datetime(pd.Series(["2013-01-02T13:00+01:00"])), ["2013-01-02T12:00:00"]),
        ("t", pd.Series([NOON, None]), ["2013-01-02T12:00:00", None]),
        ("c", pd.Series([5, 6]), ["5", "6"]),
        ("c", pd.Series([True]), ["true"]),
    ],
)
def test_values_are_read_by_the_kind_of_their_column(name: str, values: Any, expected: list[Any]) -> None:
    (column,) = to_columns({name: values}, INPUTS).values()
    given = [None if v is None or v != v else str(v) if column.dtype.kind == "M" else v for v in column]
    assert given == expected


class Odd:
    def __repr__(self) -> str:
        return "x" * 10_000


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"n": [1, "x", "y"]}, r"column n: position 1 holds 'x' \(str\), which is no number; 2 such values"),
        ({"n": [[1]]}, r"column n: position 0 holds \[1\] \(list\), which is no number"),
        ({"c": [{"a": 1}]}, r"column c: position 0 holds {'a': 1} \(dict\), which is no category"),
        ({"t": [5]}, r"column t: position 0 holds 5 \(int\), which is no time"),
        ({"t": [datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))]}, "position 0 holds .*, which is no time"),
        ({"f": ["2013-01-02"]}, "which is no time"),
        ({"c": [b"a"]}, r"b'a' \(bytes\)"),
        ({"c": [Odd()]}, "which is no category"),
        ({"n": pd.Series([NOON])}, r"column n is an array of datetime64"),
        ({"c": pd.Series([pd.Timedelta(1)])}, r"column c is an array of timedelta64"),
        ({"n": np.array([True])}, "column n is an array of bool"),
        ({"n": 5}, "column n is of type int"),
        ({"other": 5}, "column other is of type int"),
        ({"other": np.ones((2, 2))}, r"column other is of type ndarray"),
        ({"n": [1], "c": ["a", "b"]}, r"different lengths: 1 \(n\), 2 \(c\)"),
        ([{"n": 1}, 5], "row 1 is of type int; wanted is a dict"),
        ([{"n": 1}, ["n", 1]], "row 1 is of type list"),
        (5, "the rows are of type int; wanted is a DataFrame, a dict of lists"),
        ("n", "the rows are of type str"),
        (None, "the rows are of type NoneType"),
        (np.ones((2, 2)), "the rows are of type ndarray"),
        (pd.DataFrame([[1, 2]], columns=["n", "n"]), "columns of one name: n"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(rows: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        to_columns(rows, INPUTS)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"distance": COLUMNS["distance"][:5]},
            r"lengths: 20 \(year, month, day and 9 more\), 5 \(distance\)",
        ),
        ({"distance": COLUMNS["distance"] > 0}, "column distance is an array of bool"),
        ({"carrier": COLUMNS["distance"]}, "column carrier is an array of float64"),
        ({"carrier": np.array(["AA", True] * 10, object)}, r"column carrier: position 1 holds True \(bool\)"),
        ({"distance": np.array(["1"] * ROWS)}, "column distance is an array of <U1"),
        ({"distance": np.ones((ROWS, 1))}, r"column distance is an array of shape \(20, 1\)"),
    ],
)
def test_columns_that_would_be_misread_are_refused(bundle: Bundle, change: dict[str, Any], message: str) -> None:
    for score in (bundle.score, bundle.scorer.score, trained("linear").scorer.score):
        with pytest.raises(DataError, match=message):
            score(COLUMNS | change)


def test_a_null_in_a_column_of_text_may_be_nan(bundle: Bundle) -> None:
    values = np.array([np.nan, *COLUMNS["tailnum"][1:]], dtype=object)
    expected = bundle.score(COLUMNS | {"tailnum": np.array([None, *COLUMNS["tailnum"][1:]], dtype=object)})
    assert bundle.score(COLUMNS | {"tailnum": values}).predicted.tolist() == expected.predicted.tolist()


SCRIPT = """
import sys, numpy, departures_scorer
loaded = departures_scorer.load()
rows = [{name: None for name in loaded.scorer.plan.inputs} | {"carrier": "AA", "origin": "JFK"}]
rows[0] |= {"year": 2013, "month": "2", "day": 3, "sched_dep_time": 900, "distance": 700}
lists = {name: [value] for name, value in rows[0].items()}
print(loaded.score(rows).predicted.tolist() == loaded.score(lists).predicted.tolist(), "pandas" in sys.modules)
"""


def test_the_wheel_takes_lists_and_imports_no_pandas(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "bundle")
    wheel = build_wheel(folder, "departures", "Will it be late?", "0.1.0", tmp_path / "dist")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    command = [sys.executable, "-c", SCRIPT]
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == "True False\n"


def test_a_subset_of_rows_scores_as_all_do(bundle: Bundle) -> None:
    expected = bundle.score(COLUMNS).predicted
    assert bundle.score(records()[3:5]).predicted.tolist() == expected[3:5].tolist()
    assert bundle.score(take(COLUMNS, np.array([4]))).predicted.tolist() == expected[[4]].tolist()
