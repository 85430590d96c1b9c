from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from fullcircle.base.checks import Column
from fullcircle.base.errors import SourceError
from fullcircle.core.data import Table
from fullcircle.core.source import Sql
from fullcircle.core.tables import read_table
from fullcircle.sources.snapshots import Past, mark_of, written
from fullcircle.stages.ingest import ingest

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.core.manifest import RawTable
    from tests.sources.postgres import Server

SPEC = Table({"id": Column("integer"), "at": Column("time")}, ("id",))
QUERY = "SELECT id, at FROM events WHERE at <= :as_of ORDER BY id"


def at(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


@pytest.fixture
def events(server: Server) -> Server:
    server.run("DROP TABLE IF EXISTS events")
    server.run(
        "CREATE TABLE events AS SELECT i AS id, timestamptz '2026-10-01Z' + i * interval '0.6 hour' AS at "
        "FROM generate_series(1, 3000) i"
    )
    return server


class Raw:
    """Runs of `ingest` for one table, each into a folder of its own, as `main` makes them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.count = folder, 0
        self.entry: RawTable | None = None

    def ingest(self, source: Sql) -> RawTable:
        old, new = (self.folder / str(self.count + i) for i in (0, 1))
        new.mkdir()
        entry = ingest(source, SPEC, "events", old, new, self.entry)
        self.entry, self.count = entry, self.count + 1
        return entry

    def ids(self) -> list[int]:
        return read_table(self.folder / str(self.count) / "events").column("id").to_pylist()  # type: ignore[no-any-return]


def asked(server: Server, as_of: str, **options: Any) -> Sql:
    options = {"url": server.url, "query": QUERY, "watermark": "at"} | options
    return Sql("sql", as_of=as_of, mode="append", **options)


def test_a_database_is_asked_only_for_rows_past_the_watermark(events: Server, tmp_path: Path) -> None:
    raw = Raw(tmp_path)
    raw.ingest(asked(events, "2026-10-31"))
    first = len(raw.ids())
    assert first == 1200
    # A row that came late with an early time would be taken if all rows were read again and compared by key.
    events.run("INSERT INTO events VALUES (9001, '2026-10-02Z')")
    entry = raw.ingest(asked(events, "2026-11-30"))
    assert raw.ids() == list(range(1, 2401))
    assert [(part.rows, part.watermark) for part in entry.parts] == [
        (1200, "2026-10-31T00:00:00+00:00"),
        (1200, "2026-11-30T00:00:00+00:00"),
    ]


def test_times_within_one_second_are_told_apart(events: Server, tmp_path: Path) -> None:
    raw = Raw(tmp_path)
    events.run("DELETE FROM events; INSERT INTO events VALUES (1, '2026-10-01 00:00:00.25Z')")
    raw.ingest(asked(events, "2026-10-31"))
    events.run("INSERT INTO events VALUES (2, '2026-10-01 00:00:00.75Z')")
    entry = raw.ingest(asked(events, "2026-11-30"))
    assert raw.ids() == [1, 2]
    assert entry.parts[1].watermark == "2026-10-01T00:00:00.750000+00:00"


def test_a_query_may_say_where_the_watermark_belongs(events: Server, tmp_path: Path) -> None:
    query = "SELECT id, at FROM events WHERE at <= :as_of "
    query += "AND (CAST(:watermark AS timestamptz) IS NULL OR at > :watermark)"
    raw = Raw(tmp_path)
    raw.ingest(asked(events, "2026-10-31", query=query))
    raw.ingest(asked(events, "2026-11-30", query=query))
    assert sorted(raw.ids()) == list(range(1, 2401))


def test_a_database_that_fails_at_the_second_snapshot_leaves_the_first(events: Server, tmp_path: Path) -> None:
    raw = Raw(tmp_path)
    raw.ingest(asked(events, "2026-10-31"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    with pytest.raises(SourceError, match=r"events: postgresql://.* cannot be read: .*refused"):
        raw.ingest(asked(events, "2026-11-30", url="postgresql://x@127.0.0.1:1/x"))
    assert {path: path.read_bytes() for path in before} == before


def test_the_manifest_holds_the_query_and_no_credential(events: Server, tmp_path: Path) -> None:
    entry = Raw(tmp_path).ingest(asked(events, "2026-10-31"))
    assert entry.request is not None
    assert entry.request["query"] == QUERY
    assert not entry.request.keys() & {"url", "url_env", "password_env", "as_of"}
    assert "test@" not in str(entry)


@pytest.mark.parametrize(
    ("kind", "mark"),
    [("time", at(1.25)), ("integer", 2**60), ("number", 0.1 + 0.2), ("category", "b")],
)
def test_a_mark_comes_back_from_the_manifest_as_it_was(kind: Any, mark: Any) -> None:
    assert mark_of(written(mark), Column(kind)) == mark
    assert mark_of(written(None), Column(kind)) is None


@pytest.mark.parametrize(
    ("kind", "values", "after", "fresh"),
    [
        ("integer", pa.array([1, 5, 3]), "3", [5]),
        ("integer", pa.array(["1", "50", "9"]), "9", ["50"]),
        ("number", pa.array([0.5, 2]), "0.5", [2]),
        ("category", pa.array(["a", "c"]), "b", ["c"]),
        ("time", pa.array(["2013-01-01", "2013-01-02T01Z"]), "2013-01-01T00:00:00+00:00", ["2013-01-02T01Z"]),
    ],
)  # fmt: skip
def test_rows_past_a_mark_are_kept_whatever_type_the_source_gave(
    kind: Any, values: pa.Array, after: str, fresh: list[Any]
) -> None:
    past = Past("x", Table({"x": Column(kind)}, ("x",)), after)
    batches = list(past(iter([pa.record_batch({"x": values}), pa.record_batch({"x": values.slice(0, 0)})])))
    assert [value for batch in batches for value in batch.column(0).to_pylist()] == fresh
