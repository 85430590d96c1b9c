from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from fullcircle.base.errors import SourceError
from fullcircle.core.source import File
from fullcircle.drafting import table as module
from fullcircle.drafting.table import How, concatenated, read_sample, thin

if TYPE_CHECKING:
    from pathlib import Path


def batches(*sizes: int) -> list[pa.RecordBatch]:
    start, found = 0, []
    for size in sizes:
        found.append(pa.RecordBatch.from_pydict({"i": list(range(start, start + size))}, pa.schema({"i": pa.int64()})))
        start += size
    return found


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 9))
def test_a_long_table_is_thinned_to_evenly_spaced_rows(sizes: list[int], limit: int) -> None:
    table, rows, step = thin(batches(*sizes), limit)
    assert rows == sum(sizes)
    assert (table.column("i").to_pylist() if sizes else []) == list(range(0, rows, step))
    assert table.num_rows <= limit
    assert step == 1 or rows > limit * step / 2


def test_a_wide_table_has_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CELLS", 20_000)
    wide = pa.RecordBatch.from_pydict({f"c{i}": [1.0] * 4000 for i in range(10)})
    table, rows, step = thin([wide], 200_000)
    assert (table.num_rows, rows, step) == (2000, 4000, 2)


def test_all_columns_of_a_csv_are_text_with_the_usual_nulls(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("\ufeffa,b\n1,x\nNA,\n?,007\n", encoding="utf-8")
    found = read_sample(str(file))
    assert found.table.to_pydict() == {"a": ["1", None, None], "b": ["x", None, "007"]}
    assert isinstance(found.source, File)
    assert found.source.dialect.nulls == module.NULLS


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_the_delimiter_is_guessed_from_the_header(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text(f"a{delimiter}b\n1{delimiter}2\n")
    found = read_sample(str(file))
    assert found.table.to_pydict() == {"a": ["1"], "b": ["2"]}
    assert isinstance(found.source, File)
    assert found.source.dialect.delimiter == delimiter


def test_a_decimal_comma_is_guessed_from_the_numbers(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a;b\n1,5;x, y\n2;z\n")
    found = read_sample(str(file))
    assert found.table.to_pydict() == {"a": ["1,5", "2"], "b": ["x, y", "z"]}
    assert isinstance(found.source, File)
    assert found.decimal == ","
    file.write_text("a;b\n1,5;0.5\n2;0.7\n")
    assert read_sample(str(file)).table.to_pydict() == {"a": ["1,5", "2"], "b": ["0.5", "0.7"]}


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table({"a": [1, None], "b": [True, False], "c": ["x", None]})
    pq.write_table(table, tmp_path / "t.parquet")
    assert read_sample(str(tmp_path / "t.parquet")).table == table


def test_a_file_inside_the_repository_is_named_relative_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/t.csv").write_text("a\n1\n")
    for name in ("data/t.csv", str(tmp_path / "data/t.csv")):
        source = read_sample(name).source
        assert isinstance(source, File)
        assert source.path == "data/t.csv"


def test_json_whose_types_change_is_text(tmp_path: Path) -> None:
    file = tmp_path / "t.jsonl"
    file.write_text("\n".join(json.dumps({"a": 1 if i < 30_000 else "x"}) for i in range(40_000)))
    found = read_sample(str(file)).table.column("a")
    assert set(found.to_pylist()) == {"1", "x"}
    assert concatenated([pa.table({"a": [1]}), pa.table({"a": [2.5]})]).column("a").to_pylist() == [1.0, 2.5]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", None, r"t\.csv: there is no file"),
        ("t.csv", b"", r"t\.csv cannot be read: Empty CSV file"),
        ("t.csv", b"a,b\n", r"t\.csv has no rows\. The table must have a header and rows"),
        ("t.csv", b"a,b\n1,2\n3\n", r"t\.csv cannot be read: .*expected 2 columns, got 1"),
        ("t.csv", b"a,a\n1,2\n", r"t\.csv has columns of one name: a"),
        ("t.csv", b"a,b\nx,\xe4\n", r"not written in utf-8: line 2 .*`fullcircle init` has the option --encoding"),
        ("t.csv", b"\x00\x01\xff\xfe", r"t\.csv cannot be read"),
        ("t.parquet", b"PAR1", r"t\.parquet cannot be read"),
        ("t.jsonl", b'{"a": 1}\n{"a"\n', r"t\.jsonl: line 2 is not JSON"),
        ("t.doc", b"x", r"unknown format"),
    ],
)
def test_an_unreadable_source_is_one_clear_error(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message) as caught:
        read_sample(str(tmp_path / name))
    assert name in str(caught.value)


def test_another_encoding_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("a\nä\n".encode("latin-1"))
    assert read_sample(str(tmp_path / "t.csv"), How("latin-1")).table.to_pydict() == {"a": ["ä"]}
    with pytest.raises(SourceError, match=r"there is no encoding 'latin-99'\. .*--encoding"):
        read_sample(str(tmp_path / "t.csv"), How("latin-99"))


def test_a_database_is_read_by_table_or_query(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop:
        shop.execute("CREATE TABLE orders (a INTEGER, b TEXT)")
        shop.executemany("INSERT INTO orders VALUES (?, ?)", [(1, "x"), (None, "y")])
        shop.commit()
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    assert read_sample(f"{url}?table=orders").table.to_pydict() == {"a": [1, None], "b": ["x", "y"]}
    assert read_sample(f"{url}?query=SELECT b FROM orders WHERE a = 1").table.to_pydict() == {"b": ["x"]}
    with pytest.raises(SourceError, match=r"which rows\? End the URL with \?table=NAME"):
        read_sample(url)


def test_the_first_sheet_of_a_workbook_is_read(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["a", "b"], [1, "x"], [2, None]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    assert read_sample(str(tmp_path / "t.xlsx")).table.to_pydict() == {"a": [1, 2], "b": ["x", None]}


def test_a_column_of_lists_is_an_error_that_names_it(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1], "tags": [["x", "y"]]}), tmp_path / "t.parquet")
    with pytest.raises(SourceError, match=r"t\.parquet: column tags holds list.*Flatten it first"):
        read_sample(str(tmp_path / "t.parquet"))
