"""sql: rows of a database, by SQLAlchemy; PostgreSQL by COPY, which is several times as fast."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fullcircle.base.errors import SourceError, difference
from fullcircle.sources.errors import masked, missing_extra, secret, source_errors
from fullcircle.sources.query import Query
from fullcircle.sources.records import array_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

    from fullcircle.base.checks import Column
    from fullcircle.core.source import Scalar, Sql
    from fullcircle.sources import Mark

_ADVICE = "Check the query, and the values of the environment variables of the source."


def read(
    source: Sql, columns: dict[str, Column] | None, after: Mark | None = None, *, by_copy: bool = True
) -> tuple[Iterator[pa.RecordBatch], str]:
    """Batches of `source.rows` rows, and the query as text. Raises SourceError.

    `after`: only rows whose watermark is above it. `by_copy=False`: read PostgreSQL as other databases are read, with
    the same types.
    """
    url, secrets = _url(source)
    where = _shown(url)
    query = source.query or f"table {source.table}"
    origin = f"{where}, {' '.join(query.split())}" + (f", as of {source.as_of}" if source.as_of else "")
    return _batches(source, url, secrets, where, columns, after, by_copy=by_copy), masked(origin, secrets)


def query_of(source: Sql, engine: Engine, after: Mark | None, where: str) -> Query:
    """The statement to run. Raises SourceError if its parameters are not those of the source."""
    from sqlalchemy import text

    quoted = engine.dialect.identifier_preparer.quote
    query = source.query or "SELECT * FROM " + ".".join(quoted(part) for part in (source.table or "").split("."))
    query = query.strip().rstrip(";")
    values: dict[str, Scalar | datetime | None] = {**source.parameters}
    named = set(text(query)._bindparams)
    if "as_of" in named:
        values["as_of"] = source.as_of
    if "watermark" in named:  # the query uses the mark itself
        values["watermark"] = _bound(after, engine)
    if differs := difference(named, values, "parameter"):
        raise SourceError(f"{where}: the parameters of the query are not those of the source\n  {differs}")
    if after is not None and source.watermark is not None and "watermark" not in named:
        query = f"SELECT * FROM (\n{query}\n) AS past WHERE past.{quoted(source.watermark)} > :watermark"
        values["watermark"] = _bound(after, engine)
    return Query(query, values)


def _batches(
    source: Sql,
    url: URL,
    secrets: tuple[str, ...],
    where: str,
    columns: dict[str, Column] | None,
    after: Mark | None,
    *,
    by_copy: bool,
) -> Iterator[pa.RecordBatch]:
    with source_errors(where, secrets, _ADVICE), _connected(source, url, where) as (engine, connection):
        query = query_of(source, engine, after, where)
        if engine.dialect.name == "postgresql" and engine.dialect.driver == "psycopg":
            from fullcircle.sources import postgresql

            postgresql.configure(connection, source.timeout)
            types = postgresql.types_of(connection, query, columns, where)
            if by_copy:
                yield from postgresql.copied(connection, query, types)
                return
        else:
            types = {}
        yield from _fetched(connection, query, types, source.rows, where)


def _fetched(
    connection: Connection, query: Query, types: dict[str, pa.DataType], rows: int, where: str
) -> Iterator[pa.RecordBatch]:
    """Batches by the cursor. If the type of a column is unknown, it is inferred from the values of each batch."""
    from sqlalchemy import text

    streamed = connection.execution_options(stream_results=True, max_row_buffer=rows)
    result = streamed.execute(text(query.text), query.values)
    names = list(result.keys())
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SourceError(
            f"{where}: the query returns duplicate column names: {', '.join(twice)}. Rename them with AS."
        )
    while held := result.fetchmany(rows):
        arrays = [array_of(values, types.get(n)) for n, values in zip(names, zip(*held, strict=True), strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, names)


def _url(source: Sql) -> tuple[URL, tuple[str, ...]]:
    from sqlalchemy import make_url

    text = source.url if source.url_env is None else secret(source.url_env, "sql")
    with source_errors(f"the url {'of ' + source.url_env if source.url_env else repr(source.url)}", (text or "",)):
        url = make_url(text or "")
    secrets = [url.password or ""]
    if source.password_env is not None:
        secrets.append(secret(source.password_env, _shown(url)))
        url = url.set(password=secrets[-1])
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    return url, tuple(text for text in secrets if text)


def _shown(url: URL) -> str:
    """The database without user, password and driver, for manifests and errors."""
    port = f":{url.port}" if url.port else ""
    return f"{url.get_backend_name()}://{url.host or ''}{port}/{url.database or ''}"


@contextmanager
def _connected(source: Sql, url: URL, where: str) -> Iterator[tuple[Engine, Connection]]:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise SourceError(f"{where}: there is no file {url.database}")  # SQLite would create an empty file
    try:
        engine = create_engine(url, poolclass=NullPool, connect_args=_timeouts(url, source.timeout))
    except ModuleNotFoundError as error:
        if url.drivername == "postgresql+psycopg":
            raise missing_extra(where, "psycopg", "postgresql") from None
        raise SourceError(f"{where} needs {error.name}, which is not installed. Add it to pyproject.toml.") from None
    try:
        with engine.connect() as connection:
            yield engine, connection
    finally:
        engine.dispose()


def _timeouts(url: URL, timeout: float) -> dict[str, Any]:
    """Timeouts as arguments of the driver."""
    connect = max(1, round(min(timeout, 30)))
    if url.drivername == "postgresql+psycopg":
        alive = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
        return {"connect_timeout": connect, "tcp_user_timeout": 60_000, **alive}
    if url.get_driver_name() in ("pymysql", "mysqldb"):
        return {"connect_timeout": connect, "read_timeout": round(timeout)}
    return {"timeout": connect} if url.get_backend_name() == "sqlite" else {}


def _bound(mark: Mark | None, engine: Engine) -> Scalar | datetime | None:
    """A mark as a parameter. Outside PostgreSQL times have no offset, and SQLite stores them only as text."""
    if not isinstance(mark, datetime) or engine.dialect.name == "postgresql":
        return mark
    return mark.replace(tzinfo=None).isoformat(" ", "microseconds")
