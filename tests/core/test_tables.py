from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.core.tables import (
    columns_of,
    read_columns,
    read_json,
    read_matrix,
    read_table,
    rounded,
    write_columns,
    write_csv,
    write_json,
    write_matrix,
    write_table,
)  # fmt: skip
from fullcircle.runtime.errors import DataError, FullCircleError
from tests.builders import flights, same

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.runtime.columns import Columns

nan = float("nan")


def test_columns_come_back_from_parquet_as_they_were(tmp_path: Path) -> None:
    columns = flights(150) | {"empty": np.full(150, nan), "nothing": np.full(150, None, dtype=object)}
    columns["time_hour"][3] = np.datetime64("NaT")
    write_columns(tmp_path / "t.parquet", columns)
    assert same(read_columns(tmp_path / "t.parquet"), columns)
    assert same(read_columns(tmp_path / "t.parquet", ["origin"]), {"origin": columns["origin"]})


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(allow_infinity=False) | st.none(), max_size=30),
    st.lists(st.text() | st.none(), max_size=30),
    st.integers(0, 5),
)
def test_nulls_of_arrow_become_nulls_of_numpy(numbers: list[float | None], texts: list[str | None], start: int) -> None:
    length = min(len(numbers), len(texts))
    table = pa.table({"x": pa.array(numbers[:length], pa.float64()), "t": pa.array(texts[:length], pa.string())})
    columns = columns_of(table.slice(start))  # an array may start in the middle of a buffer
    expected = np.array([nan if v is None else v for v in numbers[:length]][start:], dtype=np.float64)
    assert columns["x"].tobytes() == expected.tobytes() or np.array_equal(columns["x"], expected, equal_nan=True)
    assert columns["t"].tolist() == texts[:length][start:]


@pytest.mark.parametrize(
    "values", [[1, None, -3], [None, None, None], [], [7, 8, 9] * 30, [None] * 9 + [1] * 9 + [None]]
)
@pytest.mark.parametrize("kind", [pa.int64(), pa.float32(), pa.float64()])
def test_numbers_of_every_width_are_read(kind: pa.DataType, values: list[int | None]) -> None:
    expected = np.array([nan if v is None else v for v in values], dtype=np.float64)
    for table in (
        pa.table({"x": pa.array(values, kind)}),
        pa.table({"x": pa.chunked_array([pa.array(values, kind)] * 2)}),
    ):
        found = columns_of(table)["x"]
        np.testing.assert_array_equal(found, np.tile(expected, len(found) // max(1, len(expected))))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_every_unit_become_seconds(unit: str) -> None:
    moment = np.datetime64("2013-05-01T12:00:30", unit)  # type: ignore[call-overload]
    table = pa.table({"t": pa.array([int(moment.astype(np.int64)), None], pa.timestamp(unit, tz="UTC"))})
    found = columns_of(table)["t"]
    assert found.dtype == np.dtype("datetime64[s]")
    assert found[0] == np.datetime64("2013-05-01T12:00:30", "s")
    assert np.isnat(found[1])


@pytest.mark.parametrize(
    "values",
    [
        pa.array([200, 2], pa.uint8()),
        pa.array([True, False]),
        pa.array([1, 2], pa.date32()),
        pa.array(["a", "b"]).dictionary_encode(),
        pa.array(["a", "b"], pa.large_string()),
    ],
    ids=lambda values: str(values.type).split("<")[0],
)
def test_another_type_is_read_rightly_or_refused(values: pa.Array) -> None:
    try:
        found = columns_of(pa.table({"x": values}))["x"].tolist()
    except FullCircleError:
        return
    assert found in (values.to_pylist(), [str(v) for v in values.to_pylist()])


def test_whole_numbers_too_large_for_a_float_are_not_made_alike() -> None:
    with pytest.raises(FullCircleError, match="column id holds integers"):
        columns_of(pa.table({"id": [2**53, 2**53 + 1]}))


def test_equal_tables_are_equal_bytes(tmp_path: Path) -> None:
    table = pa.table({"x": [1.0, None], "t": ["a", "b"]})
    write_table(tmp_path / "a", table)
    write_table(tmp_path / "b", table.replace_schema_metadata({"pandas": "{}"}))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_table_that_is_missing_or_damaged_says_what_makes_it(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    for name in ("none.parquet", "bad.parquet"):
        with pytest.raises(DataError, match=rf"{name} cannot be read .*`dvc repro` makes it"):
            read_table(tmp_path / name)


def test_a_matrix_comes_back_as_it_was(tmp_path: Path) -> None:
    matrix = np.array([[1.5, nan], [0.1, -3e30], [0, 7]], dtype=np.float32)
    target = np.array([1.0, 0, 1])
    write_matrix(tmp_path / "m", matrix, ["b", "a=x"], target)
    again, y, names = read_matrix(tmp_path / "m")
    np.testing.assert_array_equal(again, matrix)
    assert [again.dtype, y.dtype] == [np.dtype(np.float32)] * 2
    assert names == ["b", "a=x"]
    assert y.tolist() == [1, 0, 1]


def test_json_keeps_its_order_and_rounds_its_floats(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"b": 1 / 3, "a": [np.float64(1e-9 / 3), np.int64(7), True, None], "é": "ü"})
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert list(json.loads(text)) == ["b", "a", "é"]
    assert read_json(tmp_path / "x.json") == {"b": 0.333333, "a": [3.33333e-10, 7, True, None], "é": "ü"}
    assert text.endswith("}\n")


def test_what_is_no_number_is_null_in_json(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", [nan, math.inf, -math.inf, np.float32(nan)])
    assert read_json(tmp_path / "x.json") == [None] * 4


@settings(max_examples=60, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_rounding_moves_a_number_by_less_than_its_sixth_digit(value: float) -> None:
    assert rounded(value) == pytest.approx(value, rel=5.1e-6, abs=1e-300)
    assert rounded(rounded(value)) == rounded(value)


def test_rounding_leaves_whole_numbers_and_text_alone() -> None:
    value: dict[str, Any] = {"n": 123456789, "t": "0.123456789", "b": False, "list": (1, 2)}
    assert rounded(value) == {"n": 123456789, "t": "0.123456789", "b": False, "list": [1, 2]}


def read_back(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_a_csv_file_has_a_line_a_row(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", {"name": ["a", "b"], "value": np.array([1 / 3, 2.0])})
    assert read_back(tmp_path / "x.csv") == [["name", "value"], ["a", "0.333333"], ["b", "2.0"]]


def test_a_text_with_a_comma_or_a_quote_stays_one_cell(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", {"feature": ["dest=New York, NY", 'a "b"'], "importance": [0.5, 0.25]})
    assert read_back(tmp_path / "x.csv")[1:] == [["dest=New York, NY", "0.5"], ['a "b"', "0.25"]]


def test_columns_of_unequal_length_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="shorter"):
        write_csv(tmp_path / "x.csv", {"a": [1, 2], "b": [1]})
    assert not (tmp_path / "x.csv").exists()


def test_no_rows_come_back_as_no_rows(tmp_path: Path) -> None:
    columns: Columns = {"x": np.zeros(0), "t": np.zeros(0, "datetime64[s]")}
    write_columns(tmp_path / "t", columns)
    assert same(read_columns(tmp_path / "t"), columns)
