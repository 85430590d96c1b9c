"""A source from what a person types: a path, an object, a database with a query, or an address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from fullcircle.base.errors import SourceError
from fullcircle.core.source import File, Http, Source, Sql, format_of
from fullcircle.sources.errors import masked

_DATABASES = ("postgresql", "postgres", "mysql", "mariadb", "sqlite", "mssql", "oracle", "duckdb", "snowflake")
_STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "sftp", "ftp", "file")


def source_of(text: str) -> Source:
    """The source that `text` names.

    A path or a URL whose name says what it is (`homes.csv`, `parts/*.parquet`, `s3://bucket/homes.csv.gz`), a
    database with `?table=NAME` or `?query=SELECT ...` (`postgresql://user@host/db?table=homes`), or another
    `http(s)://` address, which is read as a JSON API of one page. Raises SourceError for what cannot be told, and
    for a password in a URL.
    """
    scheme = text.partition("://")[0].partition("+")[0].lower() if "://" in text else ""
    try:
        if not scheme or scheme in _STORES:
            return _file(text)
        if scheme in _DATABASES:
            return _sql(text)
        if scheme in ("http", "https"):
            return File("file", text) if format_of(urlsplit(text).path) else Http("http", text)
    except ValueError as error:
        raise SourceError(str(error)) from None
    raise SourceError(
        f"{scheme}:// is no source that is known. A source is a file or a folder, an object "
        f"({', '.join(_STORES[:6])}), a database ({', '.join(_DATABASES[:5])}) or an http(s) address."
    )


def _file(text: str) -> File:
    if format_of(text) is None and "://" not in text and not Path(text).is_dir():
        there = "" if Path(text).exists() else " There is no such file."
        raise SourceError(f"{text}: its name does not say what it is: .csv, .parquet, .jsonl or .xlsx.{there}")
    return File("file", text)


def _sql(text: str) -> Sql:
    base, _, asked = text.partition("?")
    # A query stands last, and as it is: an & in it separates nothing.
    rest, found, query = (f"&{asked}").partition("&query=")
    options = [option for option in rest.split("&") if option]
    tables = [option.removeprefix("table=") for option in options if option.startswith("table=")]
    options = [option for option in options if not option.startswith("table=")]
    if len(tables) + bool(found) != 1:
        raise SourceError(
            f"{masked(base)}: which rows? End the address with ?table=NAME, or with ?query=SELECT ... (the shell wants "
            "it in quotes)."
        )
    if base.startswith("postgres://"):  # as some write it; SQLAlchemy knows the long name alone
        base = base.replace("postgres", "postgresql", 1)
    url = base + ("?" + "&".join(options) if options else "")
    return Sql("sql", url=url, query=unquote(query) if found else None, table=tables[0] if tables else None)
