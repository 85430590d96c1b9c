from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from fullcircle.base.arrays import as_column, as_columns
from fullcircle.base.errors import DataError
from tests.builders import equal

NAN, NAT = float("nan"), np.datetime64("NaT", "s")


def objects(*values: object) -> Any:
    return np.fromiter(values, object, len(values))


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (np.array([1, 2], np.int8), "number", [1.0, 2.0]),
        (np.array([1, 2**63], np.uint64), "integer", [1.0, 2.0**63]),
        (np.array([0.5], np.float16), "number", [0.5]),
        (objects(1, 2.5, None, np.int32(3), np.float32(0.5), Decimal("1.5")), "number", [1, 2.5, NAN, 3, 0.5, 1.5]),
        (objects(10**400, -(10**400)), "integer", [np.inf, -np.inf]),
        (objects("a", None, NAN, np.str_("b"), np.float64("nan")), "category", ["a", None, None, "b", None]),
        (np.array(["a", "bc"]), "text", ["a", "bc"]),
        (np.array(["a", "bc"], np.dtypes.StringDType()), "text", ["a", "bc"]),
        (np.array(["2013-01-02", "NaT"], "datetime64[D]"), "time", [np.datetime64("2013-01-02T00:00:00"), NAT]),
        (np.array([-1], "datetime64[ns]"), "time", [np.datetime64("1969-12-31T23:59:59")]),
        (objects(None, None), "time", [NAT, NAT]),
        (np.zeros(0, object), "time", []),
        (np.zeros(0, object), "number", []),
    ],
)
def test_arrays_whose_values_are_of_the_kind_are_converted(values: Any, kind: Any, expected: list[Any]) -> None:
    column = as_column("c", values, kind)
    assert column.dtype == {"number": float, "integer": float, "time": "datetime64[s]"}.get(kind, object)
    wanted = np.fromiter(expected, column.dtype, len(expected))
    assert equal(column, wanted)
    assert {*map(type, column.tolist())} == {*map(type, wanted.tolist())}


@pytest.mark.parametrize("kind", ["number", "category", "time"])
def test_an_array_of_the_wanted_type_is_not_copied(kind: Any) -> None:
    values = {"number": np.ones(2), "category": objects("a", None), "time": np.array([NAT, NAT])}[kind]
    assert as_column("c", values, kind) is values


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        (
            np.array([True, False]),
            "number",
            "is an array of bool, and position 0 holds True; wanted is",
        ),
        (np.array(["1"]), "number", "is an array of <U1, and position 0 holds '1'"),
        (np.array([1 + 2j]), "number", "is an array of complex128"),
        (objects(1, True), "number", r"position 1 holds True \(bool\)"),
        (objects(1, 2, "x"), "integer", r"position 2 holds 'x' \(str\)"),
        (objects(Decimal("sNaN")), "number", r"position 0 holds Decimal\('sNaN'\)"),
        (objects("a", 5), "category", r"position 1 holds 5 \(int\); wanted is an array of str"),
        (objects("a", True), "text", r"position 1 holds True \(bool\)"),
        (objects("a", 5.0), "text", r"position 1 holds 5.0 \(float\)"),
        (objects("a", b"b"), "text", r"position 1 holds b'b' \(bytes\)"),
        (objects("a", ["b"]), "text", r"position 1 holds \['b'\] \(list\)"),
        (np.array([1.0]), "category", "is an array of float64, and position 0 holds 1.0; wanted is an array of str"),
        (np.array([True]), "category", "is an array of bool"),
        (np.array([b"a"]), "category", r"is an array of \|S1"),
        (np.array([1.0]), "time", "is an array of float64, and position 0 holds 1.0; wanted is an array of datetime64"),
        (objects(None, "2013-01-02"), "time", "is an array of object, and position 1 holds '2013-01-02'"),
        (np.array([1], "timedelta64[s]"), "time", r"is an array of timedelta64\[s\]"),
        (np.array([1], "timedelta64[s]"), "number", r"is an array of timedelta64\[s\]"),
        (np.array([2**62], "datetime64[D]"), "time", "position 0 holds .*, beyond what seconds can count"),
        (
            np.ones((2, 2)),
            "number",
            r"is an array of shape \(2, 2\); wanted is .*, of one dimension",
        ),
        (np.array(1.0), "number", r"is an array of shape \(\)"),
        (np.ma.array([1.0, 2.0], mask=[True, False]), "number", "is a masked array"),
        ([1.0], "number", "is of type list"),
        (None, "category", "is of type NoneType"),
    ],
)
def test_any_other_array_is_refused_in_words(values: Any, kind: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"^column c:? {message}"):
        as_column("c", values, kind)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match=r"different lengths: 1 \(a\), 2 \(b\)"):
        as_columns({"a": np.ones(1), "b": np.ones(2)}, {"a": "number", "b": "number"})
    many = {f"c{i}": np.ones(i) for i in range(100)}
    with pytest.raises(DataError) as caught:
        as_columns(many, dict.fromkeys(many, "number"))
    assert len(str(caught.value)) < 300
