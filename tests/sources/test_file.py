from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fullcircle import sources
from fullcircle.base.checks import Column
from fullcircle.base.dialect import Dialect
from fullcircle.base.errors import ConfigError, DataError, SourceError
from fullcircle.base.typed import build
from fullcircle.core.data import Table
from fullcircle.core.source import File, Source, Storage
from fullcircle.sources import csvfile
from fullcircle.sources import file as module
from fullcircle.sources.raw import check_raw

if TYPE_CHECKING:
    from pathlib import Path

SPEC = Table(
    {"zip": Column("category"), "rooms": Column("integer"), "price": Column("number"), "sold": Column("time")}, ("zip",)
)
TEXT = "zip,rooms,price,sold\n00123,3,1.5,2013-01-02T03:00:00Z\nNA,,,\n04567,2,2.5,2013-01-03T03:00:00Z\n"
ROWS = [("00123", 3, 1.5), (None, None, None), ("04567", 2, 2.5)]


def file(path: Path | str, **options: Any) -> File:
    return File("file", str(path), **options)


def checked(source: File, spec: Table = SPEC) -> pa.Table:
    return pa.Table.from_batches(check_raw(sources.read(source, spec).batches, spec, "homes"))


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in ("zip", "rooms", "price")) for row in table.to_pylist()]


def test_a_csv_file_is_read_by_the_kinds_of_its_columns(tmp_path: Path) -> None:
    (tmp_path / "homes.csv").write_text(TEXT)
    table = checked(file(tmp_path / "homes.csv"))
    assert rows(table) == ROWS
    assert table.schema.types == [pa.string(), pa.int64(), pa.float64(), pa.timestamp("s", tz="UTC")]


def test_a_path_is_relative_to_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "homes.csv").write_text(TEXT)
    reading = sources.read(file("homes.csv"), SPEC)
    assert reading.origin == "homes.csv"
    assert rows(reading.table()) == rows(checked(file("*.csv"))) == ROWS


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-8-sig"])
def test_a_dialect_says_how_a_file_is_written(tmp_path: Path, encoding: str) -> None:
    text = "made by X\n'zip';'rooms';'price';'sold'\n'Mül;ler';3;1,5;2013-01-02\n-;;;\n'a\nb';2;2,5;2013-01-02\n"
    (tmp_path / "homes.txt").write_text(text, encoding=encoding)
    dialect = Dialect(";", "'", ",", encoding, ("-", ""), skip=1)
    table = checked(file(tmp_path / "homes.txt", dialect=dialect, format="csv"))
    assert rows(table) == [("Mül;ler", 3, 1.5), (None, None, None), ("a\nb", 2, 2.5)]


def test_without_a_header_columns_are_named_by_the_dialect_or_the_problem(tmp_path: Path) -> None:
    (tmp_path / "homes.csv").write_text(TEXT.partition("\n")[2])
    for dialect in (Dialect(header=False), Dialect(header=False, names=tuple(SPEC.columns))):
        assert rows(checked(file(tmp_path / "homes.csv", dialect=dialect))) == ROWS
    (tmp_path / "titled.csv").write_text(TEXT.replace("zip,rooms", "Post code,#"))
    assert rows(checked(file(tmp_path / "titled.csv", dialect=Dialect(names=tuple(SPEC.columns))))) == ROWS


@pytest.mark.parametrize("packed", ["gz", "bz2", "xz", "zip"])
def test_a_packed_file_is_read_as_the_plain_one(tmp_path: Path, packed: str) -> None:
    import bz2
    import lzma
    import zipfile

    path = tmp_path / f"homes.csv.{packed}"
    if packed == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("anything.csv", TEXT)
    else:
        content = TEXT.encode()
        packs = {"gz": gzip.compress(content), "bz2": bz2.compress(content), "xz": lzma.compress(content)}
        path.write_bytes(packs[packed])
    assert rows(checked(file(path))) == ROWS


def test_a_folder_of_parts_is_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    table = checked_csv(tmp_path)
    (tmp_path / "parts" / "b").mkdir(parents=True)
    pq.write_table(table.slice(0, 1), tmp_path / "parts" / "a.parquet")
    pq.write_table(table.slice(1), tmp_path / "parts" / "b" / "a.parquet")
    (tmp_path / "parts" / "_SUCCESS").write_text("")
    reading = sources.read(file(tmp_path / "parts"), SPEC)
    assert reading.origin == f"{tmp_path}/parts, 2 files"
    assert rows(reading.table()) == ROWS


def checked_csv(folder: Path) -> pa.Table:
    (folder / "homes.csv").write_text(TEXT)
    return checked(file(folder / "homes.csv"))


def test_parquet_that_pandas_wrote_keeps_its_integers(tmp_path: Path) -> None:
    floats = checked_csv(tmp_path)
    floats = floats.set_column(1, "rooms", pa.array([3.0, None, 2.0])).set_column(0, "zip", pa.array([123, None, 4567]))
    pq.write_table(floats, tmp_path / "homes.parquet")
    assert rows(checked(file(tmp_path / "homes.parquet"))) == [("123", 3, 1.5), (None, None, None), ("4567", 2, 2.5)]


def test_json_lines_are_read_with_keys_that_lack_and_objects_inside(tmp_path: Path) -> None:
    spec = Table({"id": Column("integer"), "zip": Column("category"), "owner_name": Column("text")}, ("id",))
    lines = [
        {"id": 1, "zip": 123, "owner": {"name": "A"}, "more": [1]},
        {"id": 2, "owner": {"name": None}},
        {"id": 3, "zip": "x"},
    ]
    (tmp_path / "homes.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    table = checked(file(tmp_path / "homes.jsonl"), spec)
    assert table.to_pylist() == [
        {"id": 1, "zip": "123", "owner_name": "A"},
        {"id": 2, "zip": None, "owner_name": None},
        {"id": 3, "zip": "x", "owner_name": None},
    ]


def test_a_column_that_no_record_has_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "homes.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(SourceError, match=r"homes\.jsonl: no record has b; they have a"):
        checked(file(tmp_path / "homes.jsonl"), Table({"a": Column("integer"), "b": Column("integer")}, ("a",)))


def test_a_workbook_is_read_by_its_sheet(tmp_path: Path) -> None:
    from datetime import datetime

    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["nothing"])
    sheet = book.create_sheet("homes")
    for row in (["as of May"], ["zip", "rooms", "price", "sold"], ["00123", 3, 1.5, datetime(2013, 1, 2)], ["NA"]):
        sheet.append(row)
    book.save(tmp_path / "homes.xlsx")
    source = file(tmp_path / "homes.xlsx", sheet="homes", dialect=Dialect(skip=1))
    assert rows(checked(source)) == [("00123", 3, 1.5), (None, None, None)]
    with pytest.raises(SourceError, match="has no sheet 'home'; it has Sheet, homes"):
        checked(replace(source, sheet="home"))


def test_a_snapshot_is_named_in_the_path(tmp_path: Path) -> None:
    (tmp_path / "homes-2026-10-31.csv").write_text(TEXT)
    assert rows(checked(file(tmp_path / "homes-{as_of}.csv", as_of="2026-10-31"))) == ROWS


def test_another_content_than_the_pinned_one_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "homes.csv").write_text(TEXT)
    pin = hashlib.sha256(TEXT.encode()).hexdigest()
    assert rows(checked(file(tmp_path / "homes.csv", sha256=pin))) == ROWS
    (tmp_path / "homes.csv").write_text(TEXT + "9,9,9,\n")
    with pytest.raises(SourceError, match=r"differs from the pinned content: .* To use the new data, pin the new sum"):
        checked(file(tmp_path / "homes.csv", sha256=pin))


def test_a_column_that_fails_in_a_later_block_is_read_as_text_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csvfile, "BLOCK", 1000)
    lines = [f"{i:05},{i},{i}.5,2013-01-02T03:00:00Z" for i in range(500)]
    lines[300] = "00300,300.0, 300.5 ,2013-01-02"
    (tmp_path / "homes.csv").write_text("\n".join(["zip,rooms,price,sold", *lines]) + "\n")
    assert rows(checked(file(tmp_path / "homes.csv"))) == [(f"{i:05}", i, i + 0.5) for i in range(500)]
    lines[400] = "00400,four hundred,,"
    (tmp_path / "homes.csv").write_text("\n".join(["zip,rooms,price,sold", *lines]) + "\n")
    with pytest.raises(DataError, match=r"rooms: expected integer, read as string, e\.g\. four hundred \(row 401;"):
        checked(file(tmp_path / "homes.csv"))


def test_an_unknown_table_has_the_types_that_all_its_values_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csvfile, "BLOCK", 200)
    lines = ["a,b,c,d,e,f,nothing"] + [f"{i},{i},{i},2013-01-02,0{i},x," for i in range(100)] + ["7,7.5,x,,,,"]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    table = sources.read(file(tmp_path / "t.csv"), None).table()
    s = pa.string()
    assert table.schema.types == [pa.int64(), pa.float64(), s, pa.timestamp("s", tz="UTC"), s, s, s]
    assert table.num_rows == 101
    assert table.column("e")[1].as_py() == "01"


def test_a_large_file_is_never_held_whole(tmp_path: Path) -> None:
    with (tmp_path / "t.csv").open("w") as out:
        out.write("x,y\n")
        for i in range(40):
            out.write(f"{i},{'y' * 50}\n" * 20_000)
    assert (tmp_path / "t.csv").stat().st_size > 40_000_000
    before, most, count = pa.total_allocated_bytes(), 0, 0
    spec = Table({"x": Column("integer"), "y": Column("text")}, ("x",))
    for batch in check_raw(sources.read(file(tmp_path / "t.csv"), spec).batches, spec, "t"):
        count += batch.num_rows
        del batch
        most = max(most, pa.total_allocated_bytes() - before)
    assert count == 800_000
    # Some blocks are read ahead.
    assert most < 20_000_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read: Empty CSV file. Correct the file, or give the source's dialect"),
        (b"zip,rooms,price,sold\n1,2,3,\n1,2\n", "expected 4 columns, got 2 in the row that begins with '1,2'."),
        ("zip,rooms,price,sold\n1,2,3,\nMüller,1,2,\n".encode("latin-1"),
         r"it is not written in utf-8: line 3 holds b'M\\xfcller,1,2,\\n', which latin-1 would read as 'Müller,1,2,"),
        ("zip,rooms,price,sold\n1,2,3,\n".encode("utf-16"), "Say in the source's dialect which `encoding` it has"),
        (b"zip,zip,rooms,price,sold\n1,2,3,4,\n", "has columns of one name: zip. Give `names`"),
        (b"zip,rooms,price,sold\n\"1,2,3,\n" + b"1,2,3,\n" * 1_000_000, "perhaps a quote is not closed"),
    ],
    ids=["empty", "short", "latin", "utf16", "twice", "quote"],
)  # fmt: skip
def test_a_file_that_is_no_table_is_one_clear_error(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "homes.csv").write_bytes(content)
    with pytest.raises(SourceError, match=r"homes\.csv") as caught:
        checked(file(tmp_path / "homes.csv"))
    assert said.replace("\\\\", "\\") in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("homes.csv.gz", gzip.compress(bytes(9**7))[:-900], "homes.csv.gz cannot be read: Compressed file ended"),
        ("homes.csv.gz", b"no gzip", "homes.csv.gz cannot be read: Not a gzipped file"),
        ("homes.parquet", b"PAR1 no PAR1", "homes.parquet cannot be read: "),
        ("homes.jsonl", b'{"a": 1}\n{"a":', "homes.jsonl: line 2 is not JSON"),
        ("homes.jsonl", b"[1]\n", "homes.jsonl: expected objects with keys, got list"),
        ("homes.xlsx", b"no workbook", "homes.xlsx cannot be read: "),
        ("homes", b"", "homes: unknown format. Set `format` to one of csv, parquet, jsonl, excel"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as caught:
        checked(file(tmp_path / name))
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    for path in ("none.csv", "none-*.csv", "none/"):
        with pytest.raises(SourceError, match=r"none.*: there is no file\. Check the path"):
            checked(file(tmp_path / path))


def test_an_unknown_protocol_is_an_error() -> None:
    with pytest.raises(SourceError, match="nowhere://x cannot be read: Protocol not known: nowhere"):
        sources.read(file("nowhere://x", format="csv"), SPEC)


def test_a_credential_whose_variable_is_not_set_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOMES_KEY", raising=False)
    with pytest.raises(SourceError, match="the environment variable HOMES_KEY of the source is not set"):
        sources.read(file("s3://b/homes.csv", storage=Storage(key_env="HOMES_KEY")), SPEC)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"path": "h-{as_of}.csv"}, "there is no as_of"),
        ({"sha256": "abc"}, "64 hexadecimal digits"),
        ({"mode": "append"}, "mode append needs an as_of"),
        ({"watermark": "sold"}, "a watermark needs mode append"),
        ({"as_of": "../x"}, "must be letters, digits"),
        ({"timeout": 0}, "timeout 0 must be above 0"),
        ({"dialect": {"delimiter": ";;"}}, "delimiter ';;' must be one character"),
        ({"dialect": {"decimal": ","}}, "delimiter and decimal are both ','"),
        ({"path": "https://me:pw@host/h.csv"}, "contains a password"),
    ],
)
def test_a_wrong_source_is_refused_before_anything_is_read(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build(Source, {"kind": "file", "path": "h.csv"} | changes, "problem.sources.homes")  # type: ignore[arg-type]  # a union


def test_a_line_of_json_without_end_is_not_read_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 1000)
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n' + b"x" * 1_000_000, mtime=0))
    with pytest.raises(SourceError, match="line 2 is longer than 0 MiB"):
        checked(file(tmp_path / "t.jsonl.gz"))
