"""One table in every kind of file, in a database and behind an API: the same answers, whichever it was learnt from."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.drafting.made import customers
from tests.e2e.circle import Done, Table, circle, come_round, elsewhere, of, write_csv
from tests.sources.api import served

if TYPE_CHECKING:
    from collections.abc import Callable


def table() -> Table:
    """Numbers, texts, gaps in both."""
    made: dict[str, Any] = {k: v for k, v in customers().items() if k not in ("remark", "nothing")}
    made["income"] = [None if v is None else float(v) for v in made["income"]]
    made["grade"] = [["1", "none yet", "ä,ö", None][i % 4] for i in range(len(made["age"]))]
    return of(made)


def records() -> list[dict[str, Any]]:
    made = table()
    return [dict(zip(made.header, row, strict=True)) for row in zip(*made.columns, strict=True)]


def parquet() -> tuple[str, str]:
    pq.write_table(pa.table(dict(zip(table().header, table().columns, strict=True))), "table.parquet")
    return "table.parquet", "table.parquet"


def jsonl() -> tuple[str, str]:
    Path("table.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records()), encoding="utf-8")
    return "table.jsonl", "table.jsonl"


def excel() -> tuple[str, str]:
    from openpyxl import Workbook

    book = Workbook()
    for row in [table().header, *zip(*table().columns, strict=True)]:
        book.active.append(row)
    book.save("table.xlsx")
    return "table.xlsx", "table.xlsx"


def database() -> tuple[str, str]:
    with sqlite3.connect("table.db") as connection:
        names = ", ".join(table().header)
        connection.execute(f"CREATE TABLE customers ({names})")
        asked = ", ".join("?" * len(table().header))
        connection.executemany(f"INSERT INTO customers VALUES ({asked})", zip(*table().columns, strict=True))
    return "sqlite:///table.db?table=customers", parquet()[1]


def packed() -> tuple[str, str]:
    write_csv(Path("table.csv"), table())
    Path("table.csv.gz").write_bytes(gzip.compress(Path("table.csv").read_bytes(), mtime=0))
    return "table.csv.gz", "table.csv.gz"


def with_semicolons() -> tuple[str, str]:
    made = table().columns[:]
    income = table().header.index("income")
    made[income] = [None if v is None else f"{v:.2f}".replace(".", ",") for v in made[income]]
    write_csv(Path("table.txt"), Table(table().header, made), ";", "cp1252")
    return "table.txt", "table.txt"


@pytest.fixture(scope="module")
def learnt_from_csv() -> Done:
    return circle(table(), "churned", "model=linear")


@pytest.mark.parametrize("write", [parquet, jsonl, excel, database, packed, with_semicolons])
def test_whatever_a_table_is_written_in_its_model_is_the_same(
    write: Callable[[], tuple[str, str]], learnt_from_csv: Done
) -> None:
    with elsewhere():
        data, new_rows = write()
        encoding = "cp1252" if write is with_semicolons else "utf-8"
        done = come_round(data, new_rows, "churned", "model=linear", encoding=encoding)
    assert done.answers == learnt_from_csv.answers
    assert (done.scored.scored, done.scored.rejected) == (300, 0)


def test_records_of_an_api_come_round(learnt_from_csv: Done) -> None:
    with served() as api, elsewhere():
        api.records = records()
        _, new_rows = jsonl()
        done = come_round(f"{api.url}/all", new_rows, "churned", "model=linear")
    assert done.answers == learnt_from_csv.answers


def test_text_that_looks_like_null_is_a_level_where_the_source_is_no_csv() -> None:
    made = {k: v for k, v in customers().items() if k in ("age", "churned")}
    made["grade"] = ["NA" if c == "yes" else None for c in made["churned"]]
    with elsewhere():
        pq.write_table(pa.table(made), "table.parquet")
        write_csv(Path("table.csv"), of(made))
        from_parquet = come_round("table.parquet", "table.parquet", "churned", "model=linear")
        again = come_round("table.parquet", "table.csv", "churned", "model=linear")
    assert from_parquet.answers == again.answers
    assert sum(a[1] == c for a, c in zip(again.answers[1:], made["churned"], strict=True)) > 290
