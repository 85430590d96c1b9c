from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fullcircle.cleaning.schema import check_clean, check_raw
from fullcircle.core.problem import Table
from fullcircle.runtime.columns import Column
from fullcircle.runtime.errors import DataError

SPEC = Table(
    columns={
        "plane": Column("category"),
        "seats": Column("integer", missing="keep"),
        "speed": Column("number", missing="keep"),
        "seen": Column("time"),
    },
    key=("plane",),
    duplicates="error",
)
UTC = pa.timestamp("s", tz="UTC")


def raw(**changes: pa.Array) -> pa.Table:
    columns = {
        "plane": pa.array(["N1", "N2", "N3"]),
        "seats": pa.array([10, None, 30]),
        "speed": pa.array([1.5, 2.5, None]),
        "seen": pa.array([0, 1, 2], UTC),
    }
    return pa.table(columns | changes)


def test_a_sound_table_passes_as_it_is() -> None:
    assert check_raw(raw(), SPEC, "planes").equals(raw())


def test_whole_numbers_pass_for_a_number() -> None:
    table = check_raw(raw(speed=pa.array([1, 2, None])), SPEC, "planes")
    assert table.schema.field("speed").type == pa.float64()
    assert table.column("speed").to_pylist() == [1.0, 2.0, None]


def test_a_column_of_nulls_gets_the_type_of_the_problem() -> None:
    table = check_raw(raw(seats=pa.nulls(3), seen=pa.nulls(3)), SPEC, "planes")
    assert [table.schema.field(name).type for name in ("seats", "seen")] == [pa.int64(), UTC]


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("seats", pa.array(["a", "b", None]), "seats: expected integer, read as string, e.g. a, b"),
        ("seats", pa.array([1.5, 2.0, 3.0]), r"seats: expected integer, read as double, e.g. 1\.5"),
        ("speed", pa.array(["fast", "slow", "x"]), "speed: expected number, read as string"),
        ("plane", pa.array([1, 2, 3]), "plane: expected category, read as int64, e.g. 1, 2, 3"),
        ("seen", pa.array(["x", "y", "z"]), "seen: expected time, read as string"),
        ("seen", pa.array([0, 1, 2], pa.timestamp("s")), "seen: expected time"),
    ],
)
def test_a_column_of_another_type_is_refused_with_examples(name: str, values: pa.Array, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_raw(raw(**{name: values}), SPEC, "planes")


def test_every_column_of_another_type_is_named_at_once() -> None:
    with pytest.raises(DataError) as caught:
        check_raw(raw(seats=pa.array(["a", "b", "c"]), speed=pa.array(["x", "y", "z"])), SPEC, "planes")
    assert "seats: expected" in str(caught.value)
    assert "speed: expected" in str(caught.value)


def test_other_columns_are_refused_with_the_difference() -> None:
    table = raw().rename_columns(["plane", "seats", "sped", "seen"])
    with pytest.raises(DataError) as caught:
        check_raw(table, SPEC, "planes (here)")
    assert "planes (here)" in str(caught.value)
    assert "missing columns: speed" in str(caught.value)
    assert "unknown column: sped (did you mean speed?)" in str(caught.value)


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(DataError, match="the table is empty"):
        check_raw(raw().slice(0, 0), SPEC, "planes")


def test_a_key_that_comes_twice_is_refused_where_the_problem_says_so() -> None:
    twice = raw(plane=pa.array(["N1", "N2", "N1"]))
    with pytest.raises(DataError, match=r"plane must be unique: 1 keys come more than once, e\.g\. plane=N1"):
        check_raw(twice, SPEC, "planes")
    assert check_raw(twice, replace(SPEC, duplicates="reject"), "planes").num_rows == 3


def test_impossible_values_are_left_to_clean() -> None:
    spec = replace(SPEC, columns=SPEC.columns | {"seats": Column("integer", max=5)})
    assert check_raw(raw(), spec, "planes").num_rows == 3


CLEAN = {
    "x": Column("number", min=0, max=9),
    "n": Column("integer", missing="keep", min=0),
    "c": Column("category", levels=("a", "b")),
    "t": Column("time"),
}


def cleaned(**changes: Any) -> pd.DataFrame:
    columns = {
        "x": np.array([0.0, 9.0]),
        "n": np.array([np.nan, 3.0]),
        "c": np.array(["a", "b"], dtype=object),
        "t": np.array([0, 1], dtype="datetime64[s]"),
    }
    return pd.DataFrame(columns | changes)


def test_what_keeps_its_promise_passes() -> None:
    check_clean(cleaned(), CLEAN, "clean")
    assert len(cleaned()) == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"x": np.array([0.0, 9.5])}, "x"),
        ({"x": np.array([-1.0, 9.0])}, "x"),
        ({"x": np.array([np.nan, 9.0])}, "x"),
        ({"n": np.array([np.inf, 9.0])}, "n"),
        ({"n": np.array([-1.0, 9.0])}, "n"),
        ({"c": np.array(["a", "z"], dtype=object)}, "c"),
        ({"c": np.array(["a", None], dtype=object)}, "c"),
        ({"x": np.array(["0", "1"], dtype=object)}, "x"),
    ],
)
def test_what_breaks_its_promise_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(DataError, match=rf"clean: the result breaks its schema\n  {named} "):
        check_clean(cleaned(**changes), CLEAN, "clean")


def test_an_integer_that_is_none_is_named() -> None:
    with pytest.raises(DataError, match="breaks its schema"):
        check_clean(cleaned(n=np.array([1.5, 2.0])), CLEAN, "clean")


@pytest.mark.parametrize("values", [["a", "z"], ["a", None]])
def test_an_example_and_a_count_are_given(values: list[str | None]) -> None:
    with pytest.raises(DataError, match=r": 1 values, e\.g\. "):
        check_clean(cleaned(c=np.array(values, dtype=object)), CLEAN, "clean")
