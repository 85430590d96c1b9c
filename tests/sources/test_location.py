from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fullcircle.base.errors import SourceError
from fullcircle.core.source import File, Http, Source, Sql
from fullcircle.sources.location import source_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("homes.csv", File("file", "homes.csv")),
        ("data/homes.csv.gz", File("file", "data/homes.csv.gz")),
        ("parts/*.parquet", File("file", "parts/*.parquet")),
        ("s3://bucket/homes.jsonl", File("file", "s3://bucket/homes.jsonl")),
        ("s3://bucket/homes", File("file", "s3://bucket/homes")),
        ("https://host/homes.csv?v=1", File("file", "https://host/homes.csv?v=1")),
        ("https://host/api/homes", Http("http", "https://host/api/homes")),
        ("postgresql://me@h:5/d?table=homes", Sql("sql", url="postgresql://me@h:5/d", table="homes")),
        ("postgres://h/d?sslmode=require&table=a.b", Sql("sql", url="postgresql://h/d?sslmode=require", table="a.b")),
        ("postgresql+psycopg://h/d?query=SELECT a FROM t WHERE b = 'x?&query=y'",
         Sql("sql", url="postgresql+psycopg://h/d", query="SELECT a FROM t WHERE b = 'x?&query=y'")),
        ("sqlite:////tmp/a.db?query=SELECT%201", Sql("sql", url="sqlite:////tmp/a.db", query="SELECT 1")),
    ],
)  # fmt: skip
def test_text_is_parsed_as_a_source(text: str, source: Source) -> None:
    assert source_of(text) == source


def test_a_folder_is_a_source(tmp_path: Path) -> None:
    assert source_of(str(tmp_path)) == File("file", str(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "homes",
            "homes: unknown format; the name must end with .csv, .parquet, .jsonl or .xlsx. There is no such file.",
        ),
        ("postgresql://h/d", "postgresql://h/d: which rows? End the URL with ?table=NAME"),
        ("postgresql://h/d?table=a&query=SELECT 1", "which rows?"),
        ("postgresql://me:pw@h/d", "postgresql://me:***@h/d: which rows?"),
        ("postgresql://me:pw@h/d?table=a", "the url contains a password"),
        ("https://me:pw@h/d", "the url contains a password"),
        ("mongodb://h/d", "mongodb:// is not a known source. A source is a file or a folder, an object (s3, "),
    ],
)
def test_an_unknown_source_is_one_clear_error(text: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        source_of(text)
    assert message in str(caught.value)
    assert "pw" not in str(caught.value)
