"""A source from one string: a path, an object store, a database with a query, or a URL."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from fullcircle.base.errors import SourceError
from fullcircle.core.source import File, Http, Source, Sql, format_of
from fullcircle.sources.errors import masked

_DATABASES = ("postgresql", "postgres", "mysql", "mariadb", "sqlite", "mssql", "oracle", "duckdb", "snowflake")
_STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "sftp", "ftp", "file")


def source_of(text: str) -> Source:
    """Parse a source.

    A path or a URL with a known suffix (`homes.csv`, `parts/*.parquet`, `s3://bucket/homes.csv.gz`), a database with
    `?table=NAME` or `?query=SELECT ...` (`postgresql://user@host/db?table=homes`), or another `http(s)://` URL, which
    is read as a JSON API of one page. Raises SourceError for anything else, and for a password in a URL.
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
        f"{scheme}:// is not a known source. A source is a file or a folder, an object "
        f"({', '.join(_STORES[:6])}), a database ({', '.join(_DATABASES[:5])}) or an http(s) URL."
    )


def _file(text: str) -> File:
    if format_of(text) is None and "://" not in text and not Path(text).is_dir():
        missing = "" if Path(text).exists() else " There is no such file."
        raise SourceError(f"{text}: unknown format; the name must end with .csv, .parquet, .jsonl or .xlsx.{missing}")
    return File("file", text)


def _sql(text: str) -> Sql:
    base, _, parameters = text.partition("?")
    # The query is the last parameter and is not split at &.
    rest, found, query = (f"&{parameters}").partition("&query=")
    options = [option for option in rest.split("&") if option]
    tables = [option.removeprefix("table=") for option in options if option.startswith("table=")]
    options = [option for option in options if not option.startswith("table=")]
    if len(tables) + bool(found) != 1:
        raise SourceError(
            f"{masked(base)}: which rows? End the URL with ?table=NAME, or with ?query=SELECT ... (quoted for the "
            "shell)."
        )
    if base.startswith("postgres://"):  # a common alias, which SQLAlchemy does not accept
        base = base.replace("postgres", "postgresql", 1)
    url = base + ("?" + "&".join(options) if options else "")
    return Sql("sql", url=url, query=unquote(query) if found else None, table=tables[0] if tables else None)
