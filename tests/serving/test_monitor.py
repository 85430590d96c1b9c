"""The page of monitoring of the real server, and the same as one file."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from fullcircle.log.database import connect
from fullcircle.serving.monitor import page_of
from tests.serving.reports import HOSTILE, alarmed, kept, read, report, ruled
from tests.serving.servers import JSON, Server, serving
from tests.serving.test_logged import config, logged, named, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fullcircle.scoring.bundle import Bundle
    from tests.conftest import Project

Rows = list[dict[str, Any]]
DAYS = ("2013-11-05", "2013-11-06", "2013-11-07")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("monitored")


@pytest.fixture(scope="module")
def watched(folder: Path, home: Path, reproduced: Project, rows: Rows, bundle: Bundle) -> Iterator[Server]:
    """A server whose log has three days, outcomes of the first two, and the reports of `fullcircle monitor`."""
    with serving(folder, "--config", config(home, ", clock: requests")) as server:
        for at, day in enumerate(DAYS):
            sent = named(rows[at * 200 : at * 200 + 200], bundle, 1000 * at)
            sent[0] = sent[0] | {"distance": "far"}
            when = JSON | {"x-time": f"{day}T08:00:00Z"}
            assert server.post("/predict", {"rows": sent}, when).status == 200
            if at < 2:
                known = [{name: row[name] for name in bundle.about.row} for row in sent]
                outcomes = [row | {"late": i % 3 == 0} for i, row in enumerate(known)]
                assert server.post("/outcomes", {"rows": outcomes}, when).status == 200
            until(lambda rows=200 * (at + 1): sum(block.rows for block in logged(home)) == rows)  # type: ignore[misc]
        server.stop()
    url = f"sqlite:///{home}/log.sqlite"
    for page in ("first.html", "again.html"):
        done = reproduced.run(
            "fullcircle", "monitor", "--log", url, "--now", "2013-11-09T00:00", "--page", f"{home}/{page}", check=False
        )
        assert done.returncode in (0, 10, 20), done.stdout
    with serving(folder, "--config", config(home)) as server:
        yield server


def found_in(page: str) -> Any:
    """What a page of one file holds for its script."""
    match = re.search(r'<script type="application/json" id="found">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    return json.loads(match[1])


def test_what_was_answered_and_monitored_is_on_the_page(watched: Server, bundle: Bundle) -> None:
    reply = watched.get("/monitor.json")
    assert reply.status == 200
    found = reply.json
    assert [window["label"] for window in found["windows"]] == [*DAYS]
    assert [window["scored"] for window in found["windows"]] == [199] * 3
    assert [window["set_aside"] for window in found["windows"]] == [{"distance is no number": 1}] * 3
    assert ["accuracy" in window for window in found["windows"]] == [True, True, False]
    assert {column["name"] for column in found["drift"]["columns"]} > set(bundle.scorer.plan.inputs)
    assert found["bundles"][0]["id"] == bundle.id
    assert found["bundles"][0]["version"] == bundle.version
    metric = found["bundles"][0]["metric"]
    value, low, high = found["windows"][0]["accuracy"]["metrics"][metric]
    assert low <= value <= high


def test_several_views_at_once_are_answered_equally(watched: Server) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = [*pool.map(lambda _: watched.get("/monitor.json"), range(16))]
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1


def test_the_page_loads_nothing_from_elsewhere_and_names_its_problem(watched: Server, bundle: Bundle) -> None:
    reply = watched.get("/monitor")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    page = reply.body.decode()
    assert f"<h1>Monitoring of {html.escape(bundle.about.problem)}</h1>" in page
    for path in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert path.startswith(("/", "data:"))
        if path.startswith("/"):
            assert watched.get(path).status == 200
    assert watched.get("/static/monitor.js").headers["content-type"].startswith("text/javascript")


def test_the_form_and_the_description_lead_to_the_page(watched: Server, server: Server) -> None:
    assert '<a href="/monitor">' in watched.get("/").body.decode()
    assert "/monitor.json" in watched.get("/docs").body.decode()
    assert {"/monitor", "/monitor.json"} <= watched.get("/openapi.json").json["paths"].keys()
    assert "/monitor" not in server.get("/").body.decode()
    assert "/monitor" not in server.get("/openapi.json").json["paths"]


def test_without_a_log_the_answer_says_what_to_set(server: Server) -> None:
    for path in ("/monitor", "/monitor.json"):
        reply = server.get(path)
        assert (reply.status, "set predictions.url in conf/serving.yaml" in reply.error) == (404, True)


def test_a_database_that_cannot_be_read_is_503_and_predictions_go_on(folder: Path, tmp_path: Path, rows: Rows) -> None:
    with serving(folder, "--config", config(tmp_path)) as server:
        assert server.get("/monitor.json").json["windows"] == []
        with sqlite3.connect(tmp_path / "log.sqlite") as other:
            other.execute("DROP TABLE reports")
        reply = server.get("/monitor.json")
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert "the prediction log cannot be read now" in reply.error
        assert server.get("/monitor").status == 200
        assert server.post("/predict", {"rows": rows[:1]}).status == 200


def test_the_file_holds_what_the_server_answers_and_is_the_same_each_time(watched: Server, home: Path) -> None:
    first, again = ((home / name).read_bytes() for name in ("first.html", "again.html"))
    assert first == again
    assert found_in(first.decode()) == watched.get("/monitor.json").json


def test_the_file_may_run_its_own_script_and_style_and_nothing_else(tmp_path: Path) -> None:
    page = page_of(read(connect(f"sqlite:///{tmp_path}/log.sqlite")))
    (policy,) = re.findall(r'content-security-policy" content="([^"]+)"', page)
    assert "default-src 'none'" in policy
    for tag, named_in in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{named_in} 'sha256-{digest}'" in policy
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', page) == []


def test_data_never_becomes_part_of_the_file_s_html(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/log.sqlite")
    kept(engine, [report(day, shifted=True, level=f"</script>{HOSTILE}<!--") for day in range(2)])
    ruled(engine, "a" * 64)
    alarmed(engine, "a" * 64, "2013-01-02", HOSTILE)
    page = page_of(read(engine) | {"problem": HOSTILE})
    assert "<script>document" not in page
    assert page.count("<script") == page.count("</script>") == 2
    assert html.escape(f"Monitoring of {HOSTILE}") in page
    found = found_in(page)
    assert found["alerts"][0]["reason"] == HOSTILE
    assert found["quality"][0]["examples"][0].startswith("</script>")


def test_the_script_reads_no_text_as_html(server: Server) -> None:
    script = server.get("/static/monitor.js").body.decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)
