from __future__ import annotations

import socket
import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from fullcircle import sources
from fullcircle.base.checks import Column
from fullcircle.base.errors import ConfigError, DataError, SourceError
from fullcircle.base.typed import build
from fullcircle.core.data import Table
from fullcircle.core.source import Source, Sql
from fullcircle.sources import sql
from fullcircle.sources.raw import check_raw
from tests.sources.postgres import PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sources.postgres import Server

ROWS = 300_000
MADE = f"""
CREATE TABLE sales AS SELECT
    i AS id, (i % 7)::int2 AS small, i * 0.5::float8 AS x, ((i % 1000) / 8.0)::numeric(12, 3) AS price,
    CASE WHEN i % 5 > 0 THEN i % 100 END AS rooms, (i % 2 = 0) AS sold,
    CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'a "quoted",\\nname' ELSE 'name ' || i % 5000 END AS name,
    timestamptz '2013-01-01 00:00:00.25Z' + i * interval '1 second' AS seen,
    timestamp '2013-01-01' + i * interval '1 second' AS naive, date '2013-01-01' + i % 300 AS day,
    12345678901234567890123::numeric + i AS code, json_build_object('a', i % 3) AS extra
FROM generate_series(1, {ROWS}) i
"""
SPEC = Table(
    {
        "id": Column("integer"), "small": Column("category"), "x": Column("number"), "price": Column("number"),
        "rooms": Column("integer", missing="keep"), "sold": Column("category"), "name": Column("text"),
        "seen": Column("time"), "naive": Column("time"), "day": Column("time"), "code": Column("category"),
        "extra": Column("text"),
    },
    ("id",),
    "error",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def made(server: Server) -> None:
    server.run(MADE)


def source_of(server: Server, **options: Any) -> Sql:
    options = {"url": server.url} | options
    if "query" not in options and "table" not in options:
        options["query"] = "SELECT * FROM sales ORDER BY id"
    return Sql("sql", **options)


def checked(source: Sql, spec: Table, *, by_copy: bool = True) -> pa.Table:
    batches, _ = sql.read(source, spec.columns, by_copy=by_copy)
    return pa.Table.from_batches(check_raw(batches, spec, "sales"))


def test_300_000_rows_keep_values_and_nulls(server: Server) -> None:
    table = checked(source_of(server), SPEC)
    assert table.num_rows == ROWS
    assert table.column("rooms").type == pa.int64()
    assert table.column("rooms").null_count == ROWS // 5
    assert pc.sum(table.column("id")).as_py() == ROWS * (ROWS + 1) // 2
    assert pc.sum(table.column("price")).as_py() == pytest.approx(300 * sum(range(1000)) / 8)
    assert table.slice(1, 1).to_pylist() == [
        {
            "id": 2, "small": "2", "x": 1.0, "price": 0.25, "rooms": 2, "sold": "true", "name": 'a "quoted",\nname',
            "seen": pa.scalar(1356998402, pa.timestamp("s", tz="UTC")).as_py(),
            "naive": pa.scalar(1356998402, pa.timestamp("s", tz="UTC")).as_py(),
            "day": pa.scalar(1357171200, pa.timestamp("s", tz="UTC")).as_py(),
            "code": "12345678901234567890125", "extra": '{"a" : 2}',
        }
    ]  # fmt: skip
    assert table.slice(0, 4).column("name").to_pylist()[::3] == ["", None]


def test_copy_and_cursor_return_the_same_types_and_values(server: Server) -> None:
    for spec in (None, SPEC.columns):
        query = "SELECT * FROM (SELECT id, small, x, price, rooms, sold, name, seen, naive, day, code FROM sales "
        source = source_of(server, query=query + "ORDER BY id LIMIT 30000) AS first ORDER BY id -- all", rows=7000)
        by_copy, by_cursor = (pa.Table.from_batches(sql.read(source, spec, by_copy=way)[0]) for way in (True, False))
        assert by_copy.schema.types == by_cursor.schema.types
        assert by_copy.equals(by_cursor)


def test_a_result_is_never_held_in_memory_as_a_whole(server: Server) -> None:
    before, most, bytes_ = pa.total_allocated_bytes(), 0, 0
    for batch in check_raw(sql.read(source_of(server), SPEC.columns)[0], SPEC, "sales"):
        bytes_ += batch.nbytes
        del batch
        most = max(most, pa.total_allocated_bytes() - before)
    assert bytes_ > 30_000_000
    assert most < 20_000_000


def test_a_query_can_have_parameters_and_a_table_can_be_named(server: Server) -> None:
    query = "SELECT id FROM sales WHERE id <= :most AND name LIKE 'name 1%' AND '05:00'::time IS NOT NULL ORDER BY 1"
    table = sources.read(source_of(server, query=query, parameters={"most": 20}), None).table()
    assert table.column("id").to_pylist() == [11, 15, 19]
    assert sources.read(source_of(server, table="public.sales"), None).table().num_rows == ROWS


@pytest.mark.parametrize("by_copy", [True, False])
def test_as_of_is_a_parameter_of_the_query(server: Server, by_copy: bool) -> None:
    source = source_of(server, query="SELECT id FROM sales WHERE seen <= :as_of", as_of="2013-01-01T00:00:05Z")
    batches, origin = sql.read(source, None, by_copy=by_copy)
    assert sum(batch.num_rows for batch in batches) == 4
    assert origin == (
        f"postgresql://127.0.0.1:{server.port}/postgres, SELECT id FROM sales WHERE seen <= :as_of"
        ", as of 2013-01-01T00:00:05Z"
    )


def test_credentials_are_read_from_environment_variables(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALES_PASSWORD", PASSWORD)
    url = server.url.replace("test@", "guarded@")
    monkeypatch.setenv("SALES_URL", url.replace("guarded@", f"guarded:{quote(PASSWORD, safe='')}@"))
    for options in ({"url": url, "password_env": "SALES_PASSWORD"}, {"url": None, "url_env": "SALES_URL"}):
        batches, origin = sql.read(source_of(server, query="SELECT count(*) AS n FROM sales", **options), None)
        assert next(batches).to_pylist() == [{"n": ROWS}]
        assert "guarded" not in origin


def test_no_password_is_shown(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = "hunter/2 x"
    monkeypatch.setenv("SALES_PASSWORD", wrong)
    source = source_of(server, url=server.url.replace("test@", "guarded@"), password_env="SALES_PASSWORD")
    with pytest.raises(SourceError, match="password authentication failed") as caught:
        checked(source, SPEC)
    assert wrong not in str(caught.value)
    monkeypatch.setenv("SALES_URL", f"postgresql://guarded:{quote(wrong, safe='')}@127.0.0.1:port/x")
    with pytest.raises(SourceError, match="the url of SALES_URL cannot be read") as caught:
        checked(source_of(server, url=None, url_env="SALES_URL"), SPEC)
    assert wrong not in str(caught.value)
    assert quote(wrong, safe="") not in str(caught.value)
    # What a driver might say is seen by the database's own complaint about the password, given as a parameter.
    source = source_of(server, query="SELECT ('no ' || :word)::int AS n", parameters={"word": wrong})
    monkeypatch.setenv("SALES_PASSWORD", wrong)
    with pytest.raises(SourceError, match=r"no \*\*\*") as caught:
        checked(Sql(**plain_of(source) | {"password_env": "SALES_PASSWORD"}), SPEC)
    assert wrong not in str(caught.value)


def plain_of(source: Sql) -> dict[str, Any]:
    return {name: getattr(source, name) for name in source.__slots__}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"query": "SELECT * FROM nothing"}, 'relation "nothing" does not exist'),
        ({"query": "SELECT 1 / (id - 100) AS a FROM sales ORDER BY id"}, "division by zero"),
        ({"query": "SELEC 1"}, "syntax error"),
        ({"query": "SELECT :a AS a"}, "missing parameters: a"),
        ({"query": "SELECT 1 AS a", "parameters": {"b": 1}}, "unknown parameter: b"),
        ({"query": "SELECT 1 AS a, 2 AS a"}, "duplicate column names: a. Rename them with AS."),
        ({"query": "SELECT pg_sleep(20)::text AS a", "timeout": 0.2}, "canceling statement due to statement timeout"),
        ({"query": "SELECT nextval('counter') AS a"}, "read-only transaction"),
        ({"table": "nothing"}, 'relation "nothing" does not exist'),
    ],
)
def test_a_query_that_fails_is_one_clear_error(server: Server, options: dict[str, Any], message: str) -> None:
    server.run("CREATE SEQUENCE IF NOT EXISTS counter")
    with pytest.raises(SourceError) as caught:
        sources.read(source_of(server, **options), None).table()
    assert str(caught.value).startswith(f"postgresql://127.0.0.1:{server.port}/postgres")
    assert message in str(caught.value)


def test_a_result_without_rows_is_an_error(server: Server) -> None:
    spec = Table({"a": Column("integer")}, ("a",))
    with pytest.raises(DataError, match="the table is empty"):
        checked(source_of(server, query="SELECT 1 AS a WHERE false"), spec)


def test_a_lost_connection_is_an_error(server: Server) -> None:
    batches = sources.read(source_of(server), SPEC).batches
    assert next(batches).num_rows > 0
    server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'")
    with pytest.raises(SourceError, match=r"cannot be read: .*(terminating|closed|lost)"):
        for _ in batches:
            pass


def test_a_server_that_does_not_respond_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = Sql("sql", url=f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/x", table="t", timeout=1)
        with pytest.raises(SourceError, match=r"cannot be read: connection timeout expired"):
            sources.read(source, None).table()


def test_an_unreachable_server_is_an_error(server: Server) -> None:
    with pytest.raises(SourceError, match=r"cannot be read: .*refused"):
        checked(source_of(server, url="postgresql://x@127.0.0.1:1/x"), SPEC)


def test_another_database_is_read_by_cursor(tmp_path: Path) -> None:
    path = tmp_path / "sales.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE sales (id INTEGER, price REAL, rooms INTEGER, at TEXT)")
        connection.executemany(
            "INSERT INTO sales VALUES (?, ?, ?, ?)",
            [(i, i / 2, i if i % 2 else None, f"2013-01-{i % 28 + 1:02} 10:00:00") for i in range(1000)],
        )
    connection.close()
    columns = {"id": "integer", "price": "number", "rooms": "integer", "at": "time"}
    spec = Table({name: Column(kind) for name, kind in columns.items()}, ("id",))  # type: ignore[arg-type]
    source = Sql(
        "sql", url=f"sqlite:///{path}", query="SELECT * FROM sales WHERE id < :n", parameters={"n": 900}, rows=70
    )
    table = checked(source, spec)
    assert table.num_rows == 900
    assert table.column("rooms").null_count == 450
    with pytest.raises(SourceError, match=r"there is no file .*none\.db"):
        checked(Sql("sql", url=f"sqlite:///{tmp_path}/none.db", table="t"), spec)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "postgresql://me:pw@h/d"}, "the url contains a password, which git would store"),
        ({"url_env": "X"}, "either `url` or `url_env`"),
        ({"table": "t"}, "either `query` or `table`"),
        ({"rows": 0}, "rows 0 must be 1 or more"),
        ({"parameters": {"as_of": "x"}}, "with as_of and watermark"),
        ({"mode": "append"}, "mode append needs an as_of"),
    ],
)
def test_an_invalid_source_is_refused(changes: dict[str, Any], message: str) -> None:
    plain = {"kind": "sql", "url": "postgresql://me@h/d", "query": "SELECT 1"}
    with pytest.raises(ConfigError, match=message):
        build(Source, plain | changes, "problem.sources.sales")  # type: ignore[arg-type]


def test_an_invalid_url_is_an_error() -> None:
    with pytest.raises(SourceError, match="the url 'homes' cannot be read"):
        sources.read(Sql("sql", url="homes", table="t"), None)
    with pytest.raises(SourceError, match=r"needs nodriver|Can't load plugin"):
        sources.read(Sql("sql", url="nosuchdb://h/d", table="t"), None).table()
