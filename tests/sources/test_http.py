from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fullcircle import sources
from fullcircle.base.checks import Column
from fullcircle.base.errors import ConfigError, DataError, SourceError
from fullcircle.base.typed import build
from fullcircle.core.data import Table
from fullcircle.core.source import Http, Paging, Source
from fullcircle.core.tables import read_table
from fullcircle.stages.ingest import ingest
from tests.sources.api import SIZE, Api, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEC = Table({"id": Column("integer"), "zip": Column("category"), "at": Column("time")}, ("id",))
PAGES = Paging("page", total="total")


@pytest.fixture
def api() -> Iterator[Api]:
    with served() as started:
        started.records = [
            {"id": i, "zip": f"{i:05}", "at": f"2026-10-{i % 28 + 1:02}T00:00:00Z", "more": {"x": i}}
            for i in range(117)
        ]
        yield started


def source_of(api: Api, way: str = "page", **options: Any) -> Http:
    plain: dict[str, Any] = {"records": "data.rows", "paging": PAGES, "wait": 0.05, "timeout": 5.0}
    return Http("http", f"{api.url}/{way}", **plain | options)


def ids(source: Http, spec: Table | None = SPEC) -> list[int]:
    return sources.read(source, spec).table().column("id").to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("way", "paging", "records"),
    [
        ("page", PAGES, "data.rows"),
        ("page", Paging("page"), "data.rows"),
        ("offset", Paging("offset", size=SIZE, total="total"), "data.rows"),
        ("offset", Paging("offset", size=SIZE), "data.rows"),
        ("cursor", Paging("cursor", "page", next="next"), "data.rows"),
        ("link", Paging("link", next="next"), "data.rows"),
        ("header", Paging("header"), "$"),
        ("all", Paging(), "$"),
    ],
    ids=["page", "page-empty", "offset", "offset-empty", "cursor", "link", "header", "all"],
)
def test_every_kind_of_paging_returns_all_records(api: Api, way: str, paging: Paging, records: str) -> None:
    assert ids(source_of(api, way, paging=paging, records=records)) == list(range(117))


def test_objects_inside_a_record_become_columns(api: Api) -> None:
    reading = sources.read(source_of(api), None)
    assert reading.origin == f"{api.url}/page"
    table = reading.table()
    assert table.column_names == ["id", "zip", "at", "more_x"]
    assert table.slice(116).to_pylist() == [{"id": 116, "zip": "00116", "at": "2026-10-05T00:00:00Z", "more_x": 116}]


def test_requests_with_temporary_failures_are_repeated(api: Api) -> None:
    api.faults = {1: ["429"], 3: ["503", "503"], 7: ["truncated"], 8: ["cut"], 12: ["dropped"]}
    assert ids(source_of(api)) == list(range(117))
    assert [query["page"] for _, query, _ in api.requests] == [*"1123334567788", "9", "10", "11", "12", "12"]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("503", "503"),
        ("429", "429"),
        ("dropped", "Connection aborted|Remote end closed"),
        ("truncated", "IncompleteRead"),
        ("cut", r"Unterminated|Expecting|delimiter"),
        ("404", "404"),
        ("silence", "[Tt]imed out"),
        ("other", r"page 7 has nothing at data\.rows: .*try later"),
    ],
)
def test_a_failure_at_page_7_of_12_keeps_the_last_snapshot(api: Api, tmp_path: Path, fault: str, message: str) -> None:
    source = source_of(api, mode="append", watermark="id", as_of="1", retries=1, timeout=0.3)
    (tmp_path / "old").mkdir()
    for folder in ("1", "2"):
        (tmp_path / folder).mkdir()
    entry = ingest(source, SPEC, "homes", tmp_path / "old", tmp_path / "1", None)
    before = (tmp_path / "1/homes/1.parquet").read_bytes()
    api.faults = {7: [fault, "for ever"]}
    with pytest.raises(SourceError, match=rf"^homes: {api.url}/page.*({message})"):
        ingest(replace(source, as_of="2"), SPEC, "homes", tmp_path / "1", tmp_path / "2", entry)
    assert (tmp_path / "1/homes/1.parquet").read_bytes() == before
    assert not (tmp_path / "2/homes/2.parquet").exists()


def test_requests_with_permanent_failures_are_not_repeated(api: Api) -> None:
    api.faults = {1: ["401", "for ever"]}
    with pytest.raises(SourceError, match="401"):
        ids(source_of(api))
    assert len(api.requests) == 1


def test_only_records_past_the_watermark_are_read(api: Api, tmp_path: Path) -> None:
    source = source_of(
        api, mode="append", watermark="id", as_of="1", watermark_parameter="since", as_of_parameter="until"
    )
    for folder in ("0", "1", "2"):
        (tmp_path / folder).mkdir()
    entry = ingest(source, SPEC, "homes", tmp_path / "0", tmp_path / "1", None)
    api.records.append({"id": 900, "zip": "x", "at": "2026-11-01"})
    entry = ingest(replace(source, as_of="2"), SPEC, "homes", tmp_path / "1", tmp_path / "2", entry)
    assert [part.rows for part in entry.parts] == [117, 1]
    assert read_table(tmp_path / "2/homes").column("id").to_pylist() == [*range(117), 900]
    _, query, _ = api.requests[-1]
    assert (query["since"], query["until"]) == ("116", "2")
    assert "since" not in api.requests[0][1]


def test_a_token_is_read_from_its_variable_and_never_shown(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMES_TOKEN", "Bearer hunter2")
    source = source_of(
        api, headers_env={"Authorization": "HOMES_TOKEN"}, parameters={"key": "Bearer hunter2"}, retries=0
    )
    assert len(ids(source)) == 117
    assert {headers["Authorization"] for _, _, headers in api.requests} == {"Bearer hunter2"}
    api.faults = {2: ["404", "for ever"]}
    with pytest.raises(SourceError, match="404") as caught:
        ids(source)
    assert "hunter2" not in str(caught.value)
    monkeypatch.delenv("HOMES_TOKEN")
    with pytest.raises(SourceError, match="the environment variable HOMES_TOKEN of the source is not set"):
        ids(source)


def test_a_token_is_not_sent_to_another_server(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMES_TOKEN", "Bearer hunter2")
    source = source_of(
        api, "elsewhere", paging=Paging("link", next="next"), headers_env={"Authorization": "HOMES_TOKEN"}
    )
    with pytest.raises(SourceError, match="page 1 leads to localhost:1, another server"):
        ids(source)


def test_an_api_that_repeats_a_page_is_an_error(api: Api) -> None:
    with pytest.raises(SourceError, match="page 2 repeats the page before it"):
        ids(source_of(api, "same", paging=Paging("page")))


def test_fewer_records_than_the_api_reports_are_an_error(api: Api) -> None:
    api.total = 130
    with pytest.raises(SourceError, match="117 records were received, but the API reports 130"):
        ids(source_of(api, "offset", paging=Paging("offset", size=SIZE, total="total")))


def test_no_records_are_an_empty_table(api: Api, tmp_path: Path) -> None:
    api.records = []
    with pytest.raises(DataError, match="the table is empty"):
        ingest(source_of(api), SPEC, "homes", tmp_path, tmp_path, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"url": "ftp://h"}, "must begin with http"),
        ({"url": "https://me:pw@h"}, "contains a password"),
        ({"headers": {"authorization": "x"}}, "is a secret, which git would store: set an environment variable"),
        ({"paging": {"kind": "offset"}}, "needs `size`"),
        ({"paging": {"kind": "link"}}, "needs `next`"),
        ({"mode": "append"}, "needs an as_of"),
    ],
)
def test_an_invalid_source_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Source, {"kind": "http", "url": "https://h"} | changes, "problem.sources.homes")  # type: ignore[arg-type]


@pytest.mark.parametrize("secret", [{"headers_env": {"X-Api-Key": "API_KEY"}}, {"parameters_env": {"key": "API_KEY"}}])
def test_a_redirect_to_another_server_gets_no_credentials(
    api: Api, monkeypatch: pytest.MonkeyPatch, secret: dict[str, Any]
) -> None:
    monkeypatch.setenv("API_KEY", "hunter2")
    with served() as other:
        other.records = api.records
        api.moved = other.url
        with pytest.raises(SourceError, match=r"redirects to 127.* another server, to which") as caught:
            ids(source_of(api, "all", records="$", paging=Paging(), **secret))
        assert other.requests == []
        assert "hunter2" not in str(caught.value)


def test_a_redirect_without_credentials_is_followed(api: Api) -> None:
    with served() as other:
        other.records = api.records
        api.moved = other.url
        assert ids(source_of(api, "all", records="$", paging=Paging())) == list(range(117))


def test_a_redirect_on_the_same_server_keeps_the_credentials(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "hunter2")
    source = source_of(api, "all", records="$", paging=Paging(), headers_env={"X-Api-Key": "API_KEY"})
    assert ids(source) == list(range(117))
    assert api.requests[-1][2]["X-Api-Key"] == "hunter2"


def test_a_secret_parameter_is_sent_and_shown_nowhere(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "hunter2")
    source = source_of(api, "all", records="$", paging=Paging(), parameters_env={"key": "API_KEY"})
    read = sources.read(source, SPEC)
    assert read.table().num_rows == 117
    assert api.requests[-1][1]["key"] == "hunter2"
    assert "hunter2" not in read.origin
    api.faults = {1: ["404", "for ever"]}
    with pytest.raises(SourceError) as caught:
        ids(source)
    assert "hunter2" not in str(caught.value)
