from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fullcircle.base.errors import DataError
from fullcircle.drafting.kinds import profile_category
from tests.drafting.made import column, profiled


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-2", None], "integer"),
        (["1", "2.5", "1e3"], "number"),
        (["inf", "1.5"], "number"),
        (["a", "b", "a"], "category"),
        (["007", "123"], "category"),
        (["1", "2", "x"], "category"),
        (["12345678901234567", "1"], "category"),
        (["12345678901234567890123", "1"], "category"),
        (["2013-01-02", "2013-01-03"], "time"),
        (["2013-01-02T10:00:00Z", None], "time"),
        (["true", "false"], "category"),
        ([None, None], "category"),
        ([], "category"),
        (["the bill was wrong", "no answer on the phone", "moved to another town"], "text"),
        (["New York City"] * 9 + ["Rio de Janeiro"], "category"),
    ],
)
def test_a_kind_is_guessed_from_text(values: list[Any], kind: str) -> None:
    assert profiled(values).kind == kind


@pytest.mark.parametrize(
    ("values", "type_", "kind"),
    [
        ([1, None], pa.int8(), "integer"),
        ([2**60, 1], pa.int64(), "category"),
        ([-(2**60), 1], pa.int64(), "category"),
        ([1.0, float("nan")], pa.float32(), "number"),
        ([Decimal("1.5")], pa.decimal128(5, 2), "number"),
        ([True, None], pa.bool_(), "category"),
        ([dt.date(2013, 1, 2)], pa.date32(), "time"),
        ([dt.datetime(2013, 1, 2, 3)], pa.timestamp("ns"), "time"),
        (["a", "b"], pa.dictionary(pa.int8(), pa.string()), "category"),
        ([None], pa.null(), "category"),
        ([dt.time(3)], pa.time32("s"), "category"),
    ],
)
def test_a_kind_is_guessed_from_a_type(values: list[Any], type_: pa.DataType, kind: str) -> None:
    assert profiled(values, kind=type_).kind == kind


def test_a_profile_has_the_values_and_nulls_of_the_column() -> None:
    profile = profiled(["1.5", None, "3"])
    assert (profile.nulls, profile.rows, profile.distinct) == (1, 2, 2)
    assert np.array_equal(profile.values, [1.5, np.nan, 3.0], equal_nan=True)
    dates = profiled(["02.01.2013", None])
    assert dates.format == "%d.%m.%Y"
    assert str(dates.values[0]) == "2013-01-02T00:00:00"


def test_levels_are_sorted_by_their_count() -> None:
    assert profiled(["b", "a", "b", "c", None]).levels == (("b", 2), ("a", 1), ("c", 1))


def test_a_few_words_among_numbers_are_reported() -> None:
    profile = profiled([*range(50), "n/k", "n/k", "none yet"])
    assert (profile.kind, profile.nulls, profile.null_words) == ("integer", 3, ("n/k", "none yet"))
    assert profile.doubt == "3 cells are “n/k”, “none yet”: taken for missing"
    many = profiled([*range(50), *(f"n/k {chr(97 + i)}" for i in range(20))])
    assert many.kind == "category"
    assert "numbers, except for 20 cells such as “n/k a”" in many.doubt


def test_dates_in_four_formats_are_one_clear_error() -> None:
    values = ["2013-01-02", "03.01.2013", "2013/01/04", "Jan 05, 2013"]
    with pytest.raises(DataError) as caught:
        profiled(values, "when")
    message = str(caught.value)
    assert message.startswith("t.csv: column when holds dates in 4 formats")
    assert "%d.%m.%Y: 1 dates, e.g. 03.01.2013" in message
    assert message.endswith("Write them in one, or keep the column as it is, not as an input, with --record 'when'.")


def test_the_text_of_a_class_is_unchanged() -> None:
    profile = profile_category("c", column(["1.0", "0", "1.0", None]))
    assert (profile.levels, profile.nulls) == ((("1.0", 2), ("0", 1)), 1)
    assert profile_category("c", column([1, 0], pa.int64())).levels == (("0", 1), ("1", 1))


def test_a_type_without_a_kind_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"t\.csv: column c holds binary, which cannot be read as category\. Convert it first"
    ):
        profiled([b"\x00"], kind=pa.binary())
