from __future__ import annotations

import csv
import io
import json
import math
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.typed import plain
from fullcircle.core import tables
from fullcircle.core.tables import (  # fmt: skip
    columns_of,
    group_rows,
    read_columns,
    read_json,
    read_matrix,
    read_table,
    read_typed,
    rounded,
    taken,
    write_batches,
    write_columns,
    write_csv,
    write_json,
    write_matrix,
    write_table,
)
from tests.builders import flights, same

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fullcircle.base.columns import Columns

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
    ("values", "expected"),
    [
        (pa.array([200, None, 2], pa.uint8()), [200.0, nan, 2.0]),
        (pa.array([-5, 2**40], pa.int64()), [-5.0, 2.0**40]),
        (pa.array([-5, None], pa.int16()), [-5.0, nan]),
        (pa.array([0.5, None], pa.float16()), [0.5, nan]),
        (pa.array([Decimal("1.25"), None]), [1.25, nan]),
        (pa.array([True, None, False]), ["true", None, "false"]),
        (pa.array(["a", None, "b", "a"]).dictionary_encode(), ["a", None, "b", "a"]),
        (pa.array(["a", None], pa.large_string()), ["a", None]),
        (pa.array(["a", None], pa.string_view()), ["a", None]),
        (pa.array([date(2013, 1, 2)]), [datetime(2013, 1, 2)]),
    ],
    ids=lambda values: str(values.type).split("<")[0] if isinstance(values, pa.Array) else "",
)
def test_other_types_of_arrow_are_read_rightly(values: pa.Array, expected: list[Any]) -> None:
    for column in (values, pa.chunked_array([values.slice(0, 1), values.slice(1)])):
        found = columns_of(pa.table({"x": column}))["x"].tolist()
        assert list(map(repr, found)) == list(map(repr, expected))  # NaN equals no NaN


def test_a_type_that_is_no_column_is_refused() -> None:
    with pytest.raises(DataError, match=r"column x is list<item: int64>; text, truth values"):
        columns_of(pa.table({"x": [[1]]}))


@pytest.mark.parametrize("values", [[2**53, 2**53 + 1], [2**53 + 1, None], [-(2**53), 0]])
def test_whole_numbers_too_large_for_a_float_do_not_become_equal(values: list[int | None]) -> None:
    with pytest.raises(DataError, match="column id holds integers"):
        columns_of(pa.table({"id": values}))


def test_equal_tables_are_equal_bytes(tmp_path: Path) -> None:
    table = pa.table({"x": [1.0, None], "t": ["a", "b"]})
    write_table(tmp_path / "a", table)
    write_table(tmp_path / "b", table.replace_schema_metadata({"pandas": "{}"}))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 700), max_size=12), st.randoms(use_true_random=False))
def test_equal_rows_are_equal_bytes_however_they_are_cut(cuts: list[int], random: Any) -> None:
    table = pa.table(
        {"x": [random.choice([0.5, 1.5, None]) for _ in range(700)], "t": [str(i % 9) for i in range(700)]}
    )
    edges = [0, *sorted(cuts), 700]
    pieces = [table.slice(a, b - a).combine_chunks() for a, b in pairwise(edges)]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "group_rows", lambda _: 300)
        whole, parts = Path(folder) / "whole", Path(folder) / "parts"
        assert write_batches(whole, table.schema, table.to_batches()) == 700
        assert write_batches(parts, table.schema, [b for p in pieces for b in p.to_batches()]) == 700
        assert whole.read_bytes() == parts.read_bytes()
        assert read_table(whole).equals(table)


def test_a_row_group_of_a_wide_table_has_fewer_rows() -> None:
    narrow, wide = (pa.schema([(f"c{i}", pa.int64()) for i in range(n)]) for n in (5, 200))
    assert group_rows(narrow) == 2**19
    assert 1024 < group_rows(wide) < 2**16


def test_batches_that_fail_leave_the_old_file(tmp_path: Path) -> None:
    table = pa.table({"x": [1, 2]})
    write_table(tmp_path / "t", table)

    def broken() -> Iterator[pa.RecordBatch]:
        yield from table.to_batches()
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        write_batches(tmp_path / "t", table.schema, broken())
    assert read_table(tmp_path / "t").equals(table)
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_a_folder_is_read_as_its_parts_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, value in (("b", 2), ("a", 1), ("c", 3)):
        write_table(tmp_path / f"{name}.parquet", pa.table({"x": [value]}))
    assert read_table(tmp_path).column("x").to_pylist() == [1, 2, 3]


def test_a_table_that_is_missing_or_damaged_says_what_makes_it(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    for name in ("none.parquet", "bad.parquet"):
        with pytest.raises(DataError, match=rf"{name} cannot be read .*`dvc repro` makes it"):
            read_table(tmp_path / name)


def test_a_matrix_comes_back_as_it_was(tmp_path: Path) -> None:
    matrix = np.array([[1.5, nan], [0.1, -3e30], [0, 7]], dtype=np.float32)
    write_matrix(tmp_path / "m", matrix, ["b", "a=x"])
    again = read_matrix(tmp_path / "m")
    np.testing.assert_array_equal(again, matrix)
    assert again.dtype == np.float32
    assert read_table(tmp_path / "m").column_names == ["b", "a=x"]


@dataclass(frozen=True)
class Report:
    """As a stage writes it."""

    rows: int
    share: float | None
    note: str = ""


def test_what_a_stage_writes_is_read_as_the_same_type(tmp_path: Path) -> None:
    write_json(tmp_path / "report.json", plain(Report(3, nan)))
    assert read_typed(Report, tmp_path / "report.json") == Report(3, None)
    assert read_typed(dict[str, int | None], tmp_path / "report.json") == {"rows": 3, "share": None}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (None, DataError, "report.json cannot be read .*`dvc repro` makes it"),
        ("{", DataError, "report.json cannot be read .*`dvc repro` makes it"),
        ('{"rows": 3}', ConfigError, "report.json: missing keys: share"),
    ],
)
def test_a_report_that_is_missing_or_damaged_is_named(
    text: str | None, error: type[Exception], message: str, tmp_path: Path
) -> None:
    if text is not None:
        (tmp_path / "report.json").write_text(text)
    with pytest.raises(error, match=message):
        read_typed(Report, tmp_path / "report.json")


@given(mask=st.lists(st.booleans()))
def test_a_mask_takes_the_rows_it_names(mask: list[bool]) -> None:
    table = pa.table({"row": pa.array(range(len(mask)), pa.int64())})
    assert taken(table, np.array(mask, dtype=bool))["row"].to_pylist() == [i for i, named in enumerate(mask) if named]


def test_matrices_and_masks_need_no_pandas(tmp_path: Path) -> None:
    """Importing it takes a fifth of a second, which each of eight processes would pay."""
    script = f"""
import sys
from pathlib import Path
import numpy as np
from fullcircle.core.tables import read_columns, read_matrix, read_table, taken, write_matrix, write_table
file = Path({str(tmp_path / "matrix.parquet")!r})
write_matrix(file, np.array([[1, np.nan], [2, 3]], np.float32), ["a", "b"])
write_table(file, taken(read_table(file), np.array([True, False])))
read_matrix(file), read_columns(file)
sys.exit("pandas" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True)


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
