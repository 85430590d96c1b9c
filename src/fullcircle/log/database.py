"""The log's tables, in SQLite or any database that SQLAlchemy reaches. They are made when they are not there."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

from ..base.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLES = sql.MetaData()

BLOCKS = sql.Table(
    "blocks",
    TABLES,
    sql.Column("id", sql.String(20), primary_key=True),  # of the first request; begins with the time
    sql.Column("last", sql.String(20), nullable=False),  # of the last one
    sql.Column("bundle", sql.String(64), nullable=False),
    sql.Column("rows", sql.Integer, nullable=False),  # sent
    sql.Column("scored", sql.Integer, nullable=False),
    sql.Column("calls", sql.Text, nullable=False),  # JSON, one value per request: id, made, request, ms, rows, scored
    sql.Column("indexed", sql.Boolean, nullable=False, index=True),  # its rows are in `records`
    sql.Column("set_aside", sql.Text, nullable=False),  # JSON: reason -> rows
    sql.Column("row_keys", sql.Text, nullable=False),  # JSON, one value per scored row: its record, or null
    sql.Column("inputs", sql.Text, nullable=False),  # JSON: input -> one value per scored row, as it was read
    sql.Column("answer", sql.Text, nullable=False),  # JSON: prediction, probabilities, ... -> one value per scored row
)
"""The requests of one bundle that were written together, by column: a row per request costs five times as much."""

RECORDS = sql.Table(
    "records",
    TABLES,
    sql.Column("record", sql.Text, primary_key=True),  # see `records.keys_of`
    sql.Column("block", sql.String(20), primary_key=True),
    sql.Column("place", sql.Integer, primary_key=True, autoincrement=False),  # of the row in its block, from 0
    sqlite_with_rowid=False,
)
"""Which rows of which blocks are about a record. Whoever looks one up adds the blocks that are new (`index.py`)."""

OUTCOMES = sql.Table(
    "outcomes",
    TABLES,
    sql.Column("record", sql.Text, primary_key=True),
    sql.Column("value", sql.Text, nullable=False),  # a class by name, or a number
    sql.Column("arrived", sql.DateTime, nullable=False, index=True),  # UTC
    sqlite_with_rowid=False,
)
"""One row per record whose outcome is known."""

BUNDLES = sql.Table(
    "bundles",
    TABLES,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("since", sql.DateTime, nullable=False),  # when it first answered, UTC
    sql.Column("about", sql.Text, nullable=False),  # JSON: see `bundles.LoggedBundle`
)
"""The bundles that answered."""

# The tables of `monitored` are made with these.
CHUNK = 500  # values of one `IN (...)`
_BUSY_MS = 2000  # how long SQLite waits for another writer


def connect(url: str, url_env: str | None = None) -> sql.Engine:
    """Open a log; make its tables where they are missing. `url_env` names a variable that holds the URL instead.

    Raises ConfigError where the URL is wrong or the database cannot be reached; the message hides its password.
    """
    engine = open_engine(url, url_env)
    shown = engine.url.render_as_string(hide_password=True)
    try:
        TABLES.create_all(engine)
    except (DatabaseError, ImportError, OSError) as error:
        # Two workers may make the tables at the same time: then they are there now.
        with contextlib.suppress(DatabaseError, ImportError, OSError):
            if {*TABLES.tables} <= {*sql.inspect(engine).get_table_names()}:
                return engine
        raise ConfigError(f"the prediction log {shown} cannot be opened: {reason_of(error)}") from None
    return engine


def reason_of(error: BaseException) -> str:
    """What a database says, in one line."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def open_engine(url: str, url_env: str | None = None) -> sql.Engine:
    """An engine for a log, which has not connected yet. Raises ConfigError."""
    if url_env is not None:
        url = os.environ.get(url_env, "")
        if not url:
            raise ConfigError(f"the prediction log: url_env names {url_env}, and that variable is empty or not set")
    try:
        made = sql.make_url(url)
        if made.get_backend_name() != "sqlite":
            return sql.create_engine(made, pool_pre_ping=True)
        if made.database and made.database != ":memory:":
            Path(made.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sql.create_engine(made, connect_args={"timeout": _BUSY_MS / 1000})
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError(f"the prediction log's URL is none that SQLAlchemy reads: {error}") from None
    except ImportError as error:
        raise ConfigError(f"the prediction log needs a driver that is not installed: {error}") from None
    except OSError as error:
        raise ConfigError(f"the folder of the prediction log cannot be made: {error}") from None

    @sql.event.listens_for(engine, "connect")
    def _begin(connection: Any, _: object) -> None:
        # Readers do not stop the writer. What was committed survives a kill of the process, not a power cut.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def insert_new(connection: sql.Connection, table: sql.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows; those whose key is there already are left as they are."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    connection.execute(insert(table).on_conflict_do_nothing(), rows)
