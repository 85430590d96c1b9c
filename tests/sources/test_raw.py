from __future__ import annotations

from dataclasses import replace
from datetime import UTC as ZONE
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from fullcircle.base.checks import Column
from fullcircle.base.errors import DataError
from fullcircle.core.data import Table
from fullcircle.sources.raw import check_raw


def checked(table: pa.Table, spec: Table, where: str) -> pa.Table:
    return pa.Table.from_batches(check_raw(table.to_batches(), spec, where))


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
    assert checked(raw(), SPEC, "planes").equals(raw())


def test_whole_numbers_pass_for_a_number() -> None:
    table = checked(raw(speed=pa.array([1, 2, None])), SPEC, "planes")
    assert table.schema.field("speed").type == pa.float64()
    assert table.column("speed").to_pylist() == [1.0, 2.0, None]


def test_a_column_of_nulls_gets_the_type_of_the_problem() -> None:
    table = checked(raw(seats=pa.nulls(3), seen=pa.nulls(3)), SPEC, "planes")
    assert [table.schema.field(name).type for name in ("seats", "seen")] == [pa.int64(), UTC]


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("seats", pa.array(["a", "b", None]), "seats: expected integer, read as string, e.g. a, b"),
        (
            "seats",
            pa.array([1.5, 2.0, 3.0]),
            r"seats: expected integer, read as double, e.g. 1\.5 \(row 1; 1 of",
        ),
        ("speed", pa.array(["fast", "slow", "x"]), "speed: expected number, read as string"),
        (
            "plane",
            pa.array([[1], [2], None]),
            r"plane: expected category, read as list<item: int64>, e.g. \[1\]",
        ),
        ("seen", pa.array(["x", "y", "z"]), "seen: expected time, read as string"),
        ("seen", pa.array([0, 1, 2]), "seen: expected time, read as int64"),
    ],
)
def test_a_column_of_another_type_is_refused_with_examples(name: str, values: pa.Array, message: str) -> None:
    with pytest.raises(DataError, match=message):
        checked(raw(**{name: values}), SPEC, "planes")


def test_every_column_of_another_type_is_named_at_once() -> None:
    with pytest.raises(DataError) as caught:
        checked(raw(seats=pa.array(["a", "b", "c"]), speed=pa.array(["x", "y", "z"])), SPEC, "planes")
    assert "seats: expected" in str(caught.value)
    assert "speed: expected" in str(caught.value)


def test_other_columns_are_refused_with_the_difference() -> None:
    table = raw().rename_columns(["plane", "seats", "sped", "seen"])
    with pytest.raises(DataError) as caught:
        checked(table, SPEC, "planes (here)")
    assert "planes (here)" in str(caught.value)
    assert "missing columns: speed" in str(caught.value)
    assert "unknown column: sped (did you mean speed?)" in str(caught.value)


def test_columns_stand_in_the_order_of_the_problem() -> None:
    assert checked(raw().select(["seen", "speed", "seats", "plane"]), SPEC, "planes").equals(raw())


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(DataError, match="the table is empty"):
        checked(raw().slice(0, 0), SPEC, "planes")


def test_a_key_that_comes_twice_is_refused_where_the_problem_says_so() -> None:
    twice = raw(plane=pa.array(["N1", "N2", "N1"]))
    with pytest.raises(DataError, match=r"plane must be unique: 1 keys come more than once, e\.g\. plane=N1"):
        checked(twice, SPEC, "planes")
    assert checked(twice, replace(SPEC, duplicates="reject"), "planes").num_rows == 3


def test_impossible_values_are_left_to_clean() -> None:
    spec = replace(SPEC, columns=SPEC.columns | {"seats": Column("integer", max=5)})
    assert checked(raw(), spec, "planes").num_rows == 3


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("category", pa.array([123, None]), ["123", None]),
        ("category", pa.array([True, False]), ["true", "false"]),
        ("category", pa.array([Decimal("1.50"), None]), ["1.50", None]),
        ("text", pa.array([date(2013, 1, 2)]), ["2013-01-02"]),
        ("category", pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        ("integer", pa.array(["1", " 2 ", "3.0", None]), [1, 2, 3, None]),
        ("integer", pa.array([1.0, float("nan")]), [1, None]),
        ("integer", pa.array([Decimal("7"), None]), [7, None]),
        ("integer", pa.array([True, False]), [1, 0]),
        ("number", pa.array(["1", "2.5e3", " 4 "]), [1.0, 2500.0, 4.0]),
        ("number", pa.array([Decimal("1.25")]), [1.25]),
        ("time", pa.array([date(2013, 1, 2)]), [datetime(2013, 1, 2, tzinfo=ZONE)]),
        ("time", pa.array([datetime(2013, 1, 2, 3)]), [datetime(2013, 1, 2, 3, tzinfo=ZONE)]),
        ("time", pa.array(["2013-01-02", "2013-01-02 03:00:00.7+02:00"]),
         [datetime(2013, 1, 2, tzinfo=ZONE), datetime(2013, 1, 2, 1, tzinfo=ZONE)]),
        ("time", pa.array([-1], pa.timestamp("us")), [datetime(1969, 12, 31, 23, 59, 59, tzinfo=ZONE)]),
    ],
)  # fmt: skip
def test_what_means_the_same_passes_for_a_kind(kind: str, values: pa.Array, expected: list[object]) -> None:
    spec = Table({"x": Column(kind)}, ("x",))  # type: ignore[arg-type]
    assert checked(pa.table({"x": values}), spec, "t").column("x").to_pylist() == expected


def test_a_time_is_read_by_its_columns_format() -> None:
    spec = Table({"x": Column("time", format="%d/%m/%Y %H:%M")}, ("x",))
    table = pa.table({"x": ["02/01/2013 03:30", None]})
    assert checked(table, spec, "t").column("x").to_pylist() == [datetime(2013, 1, 2, 3, 30, tzinfo=ZONE), None]
    with pytest.raises(DataError, match=r"it is written as 9999-99-99 \(1 times\)\. Give the column that `format`"):
        checked(pa.table({"x": ["2013-01-02"]}), spec, "t")


def test_a_time_written_in_four_ways_is_refused_with_the_ways() -> None:
    texts = ["2013-01-02"] * 5 + ["02/01/2013"] * 3 + ["2 Jan 2013", "20130102T05"]
    with pytest.raises(DataError) as caught:
        checked(pa.table({"x": texts}), Table({"x": Column("time")}, ("x",)), "t")
    said = str(caught.value)
    assert "expected time, read as string, e.g. 02/01/2013, 2 Jan 2013, 20130102T05 (row 6; 5 of rows 1 to 10)" in said
    assert "ISO 8601 is wanted, and it is written in 4 ways: 9999-99-99 (5 times), 99/99/9999 (3 times)" in said


def test_a_wrong_value_far_down_is_named_by_its_row() -> None:
    batches = [pa.record_batch({"x": ["1"] * 1000}) for _ in range(3)] + [pa.record_batch({"x": ["1", "no"]})]
    with pytest.raises(DataError, match=r"e\.g\. no \(row 3,002; 1 of rows 3,001 to 3,002\)"):
        list(check_raw(batches, Table({"x": Column("integer")}, ("x",)), "t"))


def test_a_key_that_comes_twice_in_different_batches_is_found() -> None:
    spec = Table({"a": Column("integer"), "b": Column("category")}, ("a", "b"), "error")
    sound = [pa.record_batch({"a": [i, i], "b": ["x", "y"]}) for i in range(3)]
    assert sum(batch.num_rows for batch in check_raw(sound, spec, "t")) == 6
    with pytest.raises(DataError, match=r"a, b must be unique: 1 keys come more than once, e\.g\. a=1, b=y"):
        list(check_raw([*sound, pa.record_batch({"a": [1], "b": ["y"]})], spec, "t"))


def test_nothing_new_is_no_error_where_it_may_be() -> None:
    assert list(check_raw([], SPEC, "planes", may_be_empty=True)) == []
    with pytest.raises(DataError, match="the table is empty"):
        list(check_raw([], SPEC, "planes"))
