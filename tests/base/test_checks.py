from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.checks import Column, check
from fullcircle.base.columns import Columns, is_null, rows, take
from tests.builders import same, text

nan = float("nan")
inf = float("inf")


def numbers(*values: float) -> Any:
    return np.array(values, dtype=np.float64)


def of(*values: str | None) -> Any:
    return np.array(values, dtype=object)


@pytest.mark.parametrize(
    ("column", "values", "rejected"),
    [
        (Column("number", min=0, max=10), numbers(-0.1, 0, 10, 10.1), [True, False, False, True]),
        (Column("number"), numbers(-inf, 1e300, inf, 0), [True, False, True, False]),
        (Column("integer"), numbers(1, 1.5, inf, -3), [False, True, True, False]),
        (Column("number"), numbers(nan, 1), [True, False]),
        (Column("number", missing="keep", min=0), numbers(nan, -1), [False, True]),
        (Column("integer", missing="keep"), numbers(nan, 0.5), [False, True]),
        (Column("category", levels=("a", "b")), of("a", "c", None), [False, True, True]),
        (Column("category", levels=("a",), missing="keep"), of(None, "A"), [False, True]),
        (Column("category"), of("anything", None), [False, True]),
        (Column("number", usual=(0, 1), outlier="reject"), numbers(0, 1, 1.1), [False, False, True]),
    ],
)
def test_a_row_is_rejected_for_what_its_column_forbids(column: Column, values: Any, rejected: list[bool]) -> None:
    assert check({"x": values}, {"x": column}).rejected.tolist() == rejected


def test_a_time_that_is_missing_costs_the_row() -> None:
    times = np.array(["2013-01-01T05", "NaT"], dtype="datetime64[s]")
    checked = check({"at": times}, {"at": Column("time")})
    assert checked.rejected.tolist() == [False, True]
    assert checked.reasons() == ["at is missing"]


def test_reasons_name_every_rule_that_a_row_breaks() -> None:
    columns = {"x": numbers(-1, 5, nan), "c": of("z", "a", "a")}
    spec = {"x": Column("number", min=0, max=9), "c": Column("category", levels=("a", "b"))}
    assert check(columns, spec).reasons() == ["x not in 0..9; c not one of a, b", "x is missing"]


def test_only_rules_that_were_broken_are_listed() -> None:
    checked = check({"x": numbers(1, 2)}, {"x": Column("number", min=0, usual=(0, 5))})
    assert checked.broken == {}
    assert checked.corrected == {}


def test_blank_makes_an_impossible_value_null_and_keeps_the_row() -> None:
    spec = {
        "x": Column("number", missing="keep", max=9, impossible="blank"),
        "c": Column("category", missing="keep", levels=("a",), impossible="blank"),
    }
    checked = check({"x": numbers(10, inf, 3), "c": of("a", "b", None)}, spec)
    assert not checked.rejected.any()
    np.testing.assert_array_equal(checked.columns["x"], [nan, nan, 3])
    assert checked.columns["c"].tolist() == ["a", None, None]
    assert checked.corrected == {"x not in -∞..9: blanked": 2, "c not one of a: blanked": 1}


def test_clip_moves_an_outlier_to_the_nearer_end() -> None:
    checked = check({"x": numbers(-5, 0.2, 7, nan)}, {"x": Column("number", missing="keep", usual=(0, 1))})
    np.testing.assert_array_equal(checked.columns["x"], [0, 0.2, 1, nan])
    assert checked.corrected == {"x outside its usual 0..1: clipped": 2}


def test_an_outlier_can_be_blanked() -> None:
    spec = {"x": Column("number", missing="keep", usual=(0, 1), outlier="blank")}
    checked = check({"x": numbers(-5, 0.2)}, spec)
    np.testing.assert_array_equal(checked.columns["x"], [nan, 0.2])
    assert not checked.rejected.any()


def test_an_impossible_value_is_not_clipped_into_a_possible_one() -> None:
    checked = check({"x": numbers(inf, -3)}, {"x": Column("number", min=0, usual=(0, 1))})
    assert checked.rejected.all()
    assert checked.columns["x"].tolist() == [inf, -3]


def test_a_value_blanked_where_null_is_not_allowed_costs_the_row() -> None:
    impossible = check({"x": numbers(99, 1)}, {"x": Column("number", max=9, impossible="blank")})
    outlier = check({"x": numbers(99, 1)}, {"x": Column("number", usual=(0, 9), outlier="blank")})
    assert [impossible.rejected.tolist(), outlier.rejected.tolist()] == [[True, False], [True, False]]


def test_a_column_without_a_spec_passes_as_it_is() -> None:
    columns = {"x": numbers(1), "y": numbers(inf)}
    assert same(check(columns, {"x": Column("number")}).columns, columns)


def test_what_was_given_is_not_changed() -> None:
    given_ = {"x": numbers(99, inf, 2), "c": of("a", "b", "a")}
    before = {name: values.copy() for name, values in given_.items()}
    spec = {
        "x": Column("number", missing="keep", impossible="blank", usual=(0, 5)),
        "c": Column("category", missing="keep", levels=("a",), impossible="blank"),
    }
    assert check(given_, spec).corrected
    assert same(given_, before)


values = st.lists(st.floats() | st.integers(-3, 12).map(float), max_size=20).map(
    lambda v: np.array(v, dtype=np.float64)
)
specs = st.builds(
    Column,
    kind=st.sampled_from(["integer", "number"]),
    missing=st.just("keep"),
    min=st.none() | st.just(-1.0),
    max=st.none() | st.just(8.0),
    impossible=st.sampled_from(["reject", "blank"]),
    usual=st.none() | st.just((0.0, 5.0)),
    outlier=st.sampled_from(["clip", "blank", "reject"]),
)


@settings(max_examples=80, deadline=None)
@given(values, specs)
def test_what_passed_the_checks_passes_them_again_unchanged(x: Any, column: Column) -> None:
    once = check({"x": x}, {"x": column})
    kept = take(once.columns, ~once.rejected)
    again = check(kept, {"x": column})
    assert not again.rejected.any()
    assert again.corrected == {}
    assert same(again.columns, kept)
    assert np.isfinite(kept["x"][~is_null(kept["x"])]).all()


@settings(max_examples=50, deadline=None)
@given(values, specs, st.randoms(use_true_random=False))
def test_a_row_is_judged_by_itself_alone(x: Any, column: Column, random: Any) -> None:
    together = check({"x": x}, {"x": column}).rejected
    order = list(range(len(x)))
    random.shuffle(order)
    shuffled = check({"x": x[order]}, {"x": column}).rejected
    assert shuffled.tolist() == together[order].tolist()
    assert [bool(check({"x": x[i : i + 1]}, {"x": column}).rejected[0]) for i in range(len(x))] == together.tolist()


def test_nulls_are_found_in_every_kind_of_column() -> None:
    assert is_null(numbers(nan, 0, inf)).tolist() == [True, False, False]
    assert is_null(of(None, "")).tolist() == [True, False]
    assert is_null(np.array(["NaT", "2013-01-01"], dtype="datetime64[s]")).tolist() == [True, False]


def test_rows_and_take_see_all_columns() -> None:
    columns: Columns = {"x": numbers(1, 2, 3), "c": text("abc")}
    assert rows(columns) == 3
    assert rows({}) == 0
    assert same(take(columns, np.array([2, 0])), {"x": numbers(3, 1), "c": text("ca")})
    assert same(take(columns, np.array([True, False, False])), {"x": numbers(1), "c": text("a")})
