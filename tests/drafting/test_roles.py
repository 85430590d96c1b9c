from __future__ import annotations

from typing import Any

import pytest

from fullcircle.drafting.roles import ColumnDraft, draft_column
from tests.drafting.made import profiled


def role(values: list[Any], name: str = "c") -> ColumnDraft:
    return draft_column(profiled(values, name))


@pytest.mark.parametrize(
    ("values", "name", "why"),
    [
        ([None] * 30, "c", "all values are missing"),
        (["x"] * 30, "c", "constant: “x” in every row"),
        ([2.5] * 30, "c", "constant: “2.5” in every row"),
        ([f"C{i}" for i in range(30)], "c", "each value occurs once"),
        (list(range(100, 130)), "c", "each number occurs once"),
        ([3, 1, 2], "user_id", "each number occurs once"),
        ([3, 1, 2], "", "each number occurs once"),
        ([3, 1, 2], "Unnamed: 0", "each number occurs once"),
        (["b", "a"], "orderId", "each value occurs once"),
        ([f"C{i}" for i in range(29)] + ["C0"], "c", "97% of its values are distinct"),
    ],
)
def test_identifiers_and_constants_are_record_columns(values: list[Any], name: str, why: str) -> None:
    found = role(values, name)
    assert found.role == "record"
    assert found.why.startswith(why)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([i * i for i in range(30)], "c"),
        ([f"{i}.5" for i in range(30)], "customer_id"),
        (["a", "b"] * 15, "paid"),
        ([1, 2, 3], "width"),
        (["Y"] * 10 + [None] * 20, "flag"),
        ([f"2013-01-{i + 1:02}" for i in range(28)], "day"),
        ([f"message number {i} of them" for i in range(30)], "c"),
    ],
)
def test_other_columns_are_inputs(values: list[Any], name: str) -> None:
    assert role(values, name).role == "input"


def test_a_record_column_can_be_given() -> None:
    found = draft_column(profiled([1, 2, 3], "width"), record=True)
    assert (found.role, found.why) == ("record", "given by --record")


def test_an_identifier_that_several_rows_share_is_a_group() -> None:
    found = role([f"P{i // 3}" for i in range(90)], "patient_id")
    assert (found.role, found.group) == ("record", True)
    assert "3.0 rows each" in found.why
    assert not role([f"P{i // 3}" for i in range(90)], "ward").group
    assert not role([f"S{i % 5}" for i in range(90)], "station_id").group


@pytest.mark.parametrize(
    ("values", "settings"),
    [
        ([0, 5, None] * 10, {"missing": "keep", "min": 0, "impossible": "blank"}),
        ([-1, 5] * 10, {"missing": "keep", "impossible": "blank"}),
        ([15, 30] * 10, {"missing": "keep", "impossible": "blank"}),
        ([0.5, 0.1] * 10, {"missing": "keep", "impossible": "blank"}),
        (["a", "b"] * 10, {"missing": "keep"}),
        (["02.01.2013", "03.01.2013"] * 10, {"missing": "keep", "format": "%d.%m.%Y"}),
    ],
)
def test_only_obvious_bounds_are_set(values: list[Any], settings: dict[str, Any]) -> None:
    assert role(values).settings == settings


def test_the_comment_has_range_levels_and_missing_values() -> None:
    assert role([3, 7, None, None]).why == "3 to 7; 2 of 4 missing"
    assert role([1.5, "inf"]).why == "1.5 to 1.5, 1 infinite"
    assert role(["a"] * 3 + ["b", "c", "d", "d", "e"]).why == "5 levels: “a” 38%, “d” 25%, “b” 12% ..."
    assert role(["2013-01-02", "2014-05-06"]).why == "2013-01-02 to 2014-05-06"
