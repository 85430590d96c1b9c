from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.columns import Columns, Rows, take
from fullcircle.base.errors import BundleError
from fullcircle.base.typed import build, plain
from fullcircle.features.categories import OneHot, TargetMean
from fullcircle.features.numbers import Number
from fullcircle.features.plan import FORMAT, PLAN, LookupTable, Plan, read_plan, write_plan
from fullcircle.features.transform import apply, encode, look_up, prepare, unknown_levels
from tests.builders import INPUTS, fitted, labelled, only_inputs, same, text

if TYPE_CHECKING:
    from pathlib import Path

nan = float("nan")

ENCODERS = (
    Number("number", "x"),
    OneHot("onehot", "c", ("a", "b")),
    TargetMean("target", "t", {"N1": 0.25, "N2": 0.75}, 0.4),
)
PLAN_OF_THREE = Plan(FORMAT, {}, (), (), ENCODERS, ("x", "c=a", "c=b", "t~target"))


def three(x: list[float], c: list[str | None], t: list[str | None]) -> Columns:
    return {"x": np.array(x), "c": np.array(c, dtype=object), "t": np.array(t, dtype=object)}


def test_each_encoder_gives_what_it_declares() -> None:
    matrix = apply(PLAN_OF_THREE, three([1.5, -2], ["a", "b"], ["N1", "N2"]))
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, [[1.5, 1, 0, 0.25], [-2, 0, 1, 0.75]])


def test_unknown_levels_and_nulls_get_the_declared_values() -> None:
    matrix = apply(PLAN_OF_THREE, three([nan, 0], ["z", None], ["N9", None]))
    np.testing.assert_array_equal(matrix, np.array([[nan, 0, 0, 0.4], [0, 0, 0, 0.4]], np.float32))


def test_selected_outputs_come_in_their_order_and_no_others() -> None:
    plan = replace(PLAN_OF_THREE, selected=("t~target", "c=b"))
    columns = three([1], ["b"], ["N2"])
    np.testing.assert_array_equal(apply(plan, columns), [[0.75, 1]])
    assert "c=a" not in encode(plan, Rows(columns))


def test_nulls_are_filled_before_they_are_scaled() -> None:
    plan = replace(PLAN_OF_THREE, selected=("x", "c=a"), fill=(10.0, 0.0), center=(4.0, 0.5), scale=(2.0, 0.5))
    np.testing.assert_array_equal(apply(plan, three([nan, 6], ["a", "b"], ["N1", "N1"])), [[3, 1], [1, -1]])


def test_a_lookup_gives_what_is_known_then_what_is_typical_then_the_default() -> None:
    table = LookupTable(
        "tail", ("N1", "N2"), {"seats": (100.0, None)}, "carrier", {"seats": {"AA": 50.0}}, {"seats": 7.0}
    )
    columns = {
        "tail": np.array(["N1", "N2", "N3", None, "N3"], dtype=object),
        "carrier": text(["AA", "AA", "AA", "AA", "ZZ"]),
    }
    assert look_up(table, columns)["seats"].tolist() == [100, 50, 50, 50, 7]


def test_a_lookup_without_a_fallback_gives_the_default() -> None:
    table = LookupTable("dest", ("BOS",), {"alt": (20.0,)}, None, {}, {"alt": 3.0})
    assert look_up(table, {"dest": np.array(["BOS", "XXX", None], dtype=object)})["alt"].tolist() == [
        20,
        3,
        3,
    ]


def test_created_features_may_use_looked_up_columns() -> None:
    table = LookupTable("dest", ("BOS",), {"wind_dir": (0.0,)}, None, {}, {"wind_dir": 90.0})
    plan = Plan(
        FORMAT, {}, (table,), ("wind_from_north",), (Number("number", "wind_from_north"),), ("wind_from_north",)
    )
    columns = {"dest": text(["BOS", "ORD"]), "wind_speed": np.array([12.0, 12.0])}
    np.testing.assert_allclose(apply(plan, columns), [[12], [0]], atol=1e-6)


def test_applying_a_plan_changes_nothing_that_was_given() -> None:
    columns = only_inputs(labelled(50))
    before = {name: values.copy() for name, values in columns.items()}
    apply(fitted().plan, columns)
    assert same(columns, before)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 199), min_size=1, max_size=40))
def test_a_row_has_the_same_features_in_any_company(index: list[int]) -> None:
    plan, columns = fitted_plan(), only_inputs(labelled(200, 5))
    together = apply(plan, columns)
    np.testing.assert_array_equal(apply(plan, take(columns, np.array(index))), together[index])


_PLANS: list[Plan] = []


def fitted_plan() -> Plan:
    if not _PLANS:
        _PLANS.append(fitted(missing="median", scale="standard").plan)
    return _PLANS[0]


def test_no_rows_give_an_empty_matrix() -> None:
    plan = fitted_plan()
    empty = take(only_inputs(labelled(5)), np.zeros(0, np.int64))
    assert apply(plan, empty).shape == (0, len(plan.selected))


@pytest.mark.parametrize("missing", ["keep", "median"])
def test_a_plan_comes_back_from_its_file_as_it_was(tmp_path: Path, missing: str) -> None:
    plan = fitted(missing=missing).plan
    write_plan(tmp_path, plan)
    assert read_plan(tmp_path) == plan
    columns = only_inputs(labelled(80, 9))
    np.testing.assert_array_equal(apply(read_plan(tmp_path), columns), apply(plan, columns))


def test_a_plan_of_an_unknown_format_is_refused(tmp_path: Path) -> None:
    data = plain(PLAN_OF_THREE) | {"format": FORMAT + 1}
    (tmp_path / PLAN).write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(BundleError, match=f"plan is of format {FORMAT + 1}, and this version reads format {FORMAT}"):
        read_plan(tmp_path)


def test_a_plan_cannot_name_code_that_is_not_in_the_library() -> None:
    with pytest.raises(BundleError, match="features that this version does not have: eval"):
        build(Plan, plain(PLAN_OF_THREE) | {"created": ["day_of_week", "eval"]})


def test_unknown_levels_are_counted_and_nulls_are_not() -> None:
    columns = three([0, 0, 0, 0], ["a", "z", "y", None], ["N1", "N2", None, None])
    assert unknown_levels(PLAN_OF_THREE, columns) == {"c": 2}


def test_preparing_adds_lookups_and_created_features() -> None:
    prepared = prepare(fitted_plan(), only_inputs(labelled(10)))
    assert set(prepared) - set(INPUTS) == {"seats", "minute_of_day", "day_of_week", "wind_from_north"}
