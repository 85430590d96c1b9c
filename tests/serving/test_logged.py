"""The prediction log of the real server: every route, every fault by really causing it."""

from __future__ import annotations

import signal
import sqlite3
import sys
import threading
import time
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

import pytest

from fullcircle.log.database import connect
from fullcircle.log.reading import Block, blocks, outcomes_in, places_of
from tests.serving.servers import JSON, Server, refused, serving
from tests.sources.postgres import binaries, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fullcircle.scoring.bundle import Bundle

Rows = list[dict[str, Any]]


def config(folder: Path, more: str = "", others: str = "") -> str:
    file = folder / "serving.yaml"
    file.write_text(f"predictions: {{url: 'sqlite:///{folder}/log.sqlite', flush_seconds: 0.05{more}}}\n{others}\n")
    return str(file)


def logged(folder: Path) -> list[Block]:
    return [*blocks(connect(f"sqlite:///{folder}/log.sqlite"))]


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def named(rows: Rows, bundle: Bundle, first: int = 0) -> Rows:
    """Rows with what identifies them: a flight number of their own."""
    identity = {name: {"flight": None, "time_hour": "2013-11-05T10:00:00Z"}.get(name) for name in bundle.about.row}
    return [
        row | {k: v for k, v in identity.items() if k not in row} | {"flight": first + i} for i, row in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="module")
def kept(folder: Path, home: Path) -> Iterator[Server]:
    with serving(folder, "--config", config(home)) as made:
        yield made


def test_every_route_is_logged_with_what_it_answered(
    kept: Server, home: Path, rows: Rows, predicted: Rows, bundle: Bundle
) -> None:
    csv = "\n".join([",".join(rows[0]), ",".join("" if v is None else str(v) for v in rows[0].values())]).encode()
    tensor = [
        {"name": n, "datatype": "BYTES", "shape": [1], "data": [None if v is None else str(v)]}
        for n, v in rows[0].items()
    ]
    sent = [
        kept.post("/predict", {"rows": rows[:3]}),
        kept.request("POST", "/predict", csv, {"Content-Type": "text/csv"}),
        kept.post("/invocations", {"instances": rows[:2]}),
        kept.post(f"/v2/models/{bundle.about.problem}/infer", {"inputs": tensor}),
    ]
    assert [reply.status for reply in sent] == [200] * 4
    assert sent[0].json["id"] == sent[0].headers["x-prediction-id"]
    wanted = {reply.headers["x-prediction-id"]: reply.headers["x-request-id"] for reply in sent}
    until(lambda: wanted.keys() <= {name for block in logged(home) for name in block.ids})
    found = {n: r for block in logged(home) for n, r in zip(block.ids, block.requests, strict=True) if n in wanted}
    assert found == wanted
    answers = {
        name: {column: values[at] for column, values in block.answer.items()}
        for block in logged(home)
        for at, name in enumerate(block.predictions)
    }
    for at in range(3):
        assert answers[f"{sent[0].headers['x-prediction-id']}/{at}"] == predicted[at]


def test_rows_that_are_set_aside_are_counted(kept: Server, home: Path, rows: Rows) -> None:
    reply = kept.post("/predict", {"rows": [rows[0], rows[0] | {"distance": "far"}]})
    assert reply.status == 200
    assert kept.post("/predict", {"rows": [rows[0] | {"distance": "far"}]}).status == 422
    until(lambda: sum(block.set_aside.get("distance is no number", 0) for block in logged(home)) == 2)


def test_outcomes_are_joined_by_record_in_any_form(kept: Server, home: Path, rows: Rows, bundle: Bundle) -> None:
    asked = named(rows[:2], bundle, 900)
    reply = kept.post("/predict", {"rows": asked})
    until(lambda: any(reply.json["id"] in block.ids for block in logged(home)))
    names = [*bundle.about.row]
    as_json = [{name: asked[0][name] for name in names} | {"late": "late"}]
    found = kept.post("/outcomes", {"rows": as_json})
    assert (found.status, found.json["added"]) == (200, 1)
    line = ",".join(str(asked[1][name]) for name in names).replace("T10:00:00Z", " 10:00")
    found = kept.request(
        "POST", "/outcomes", f"{','.join(names)},late\n{line},0\n".encode(), {"Content-Type": "text/csv"}
    )
    assert (found.status, found.json["added"]) == (200, 1)
    engine = connect(f"sqlite:///{home}/log.sqlite")
    (block,) = [block for block in logged(home) if reply.json["id"] in block.ids]
    at = block.predictions.index(f"{reply.json['id']}/0")
    assert [value and value[0] for value in outcomes_in(engine, block)][at : at + 2] == ["late", "on_time"]
    assert kept.post("/outcomes", {"rows": as_json}).json["duplicate"] == 1
    wrong = kept.post("/outcomes", {"rows": [as_json[0] | {"late": "soon"}]})
    assert (wrong.status, wrong.json["set_aside"][0]["reasons"]) == (422, "'soon' is none of on_time, late")
    assert "missing columns" in kept.post("/outcomes", {"rows": [{"late": 1}]}).error
    assert 'fullcircle_outcomes_total{outcome="added"} 2.0' in kept.get("/metrics").body.decode()


def test_without_a_log_there_are_no_identifiers_and_no_outcomes(server: Server, rows: Rows) -> None:
    reply = server.post("/predict", {"rows": rows[:1]})
    assert "id" not in reply.json
    assert "x-prediction-id" not in reply.headers
    assert server.post("/outcomes", {"rows": [{}]}).status == 404


def test_a_killed_server_loses_no_more_than_the_flush_interval(folder: Path, tmp_path: Path, rows: Rows) -> None:
    acknowledged: list[tuple[float, str]] = []
    with serving(folder, "--config", config(tmp_path)) as server:

        def ask() -> None:
            try:
                while True:
                    name = server.post("/predict", {"rows": rows[:1]}).headers["x-prediction-id"]
                    acknowledged.append((time.monotonic(), name))
            except (OSError, HTTPException):
                return

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        until(lambda: len(acknowledged) > 300)
        killed = time.monotonic()
        server.process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    there = {name for block in logged(tmp_path) for name in block.ids}
    late = [killed - when for when, name in acknowledged if name not in there]
    assert max(late, default=0) < 2  # 0.05 s and the time to write, on a busy machine
    assert len(there) > 100


def test_a_locked_database_delays_no_answer_and_what_the_queue_cannot_hold_is_counted(
    folder: Path, tmp_path: Path, rows: Rows
) -> None:
    with serving(folder, "--config", config(tmp_path, ", queue_rows: 20")) as server:
        holder = sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert [server.post("/predict", {"rows": rows[:2]}).status for _ in range(15)] == [200] * 15
        assert 'fullcircle_log_rows_total{outcome="dropped"} 10.0' in server.get("/metrics").body.decode()
        late = server.post("/outcomes", {"rows": [{"prediction_id": "0" * 20 + "/0", "late": 1}]})
        assert (late.status, late.headers["retry-after"]) == (503, "1")
        holder.execute("ROLLBACK")
        until(lambda: 'outcome="written"} 20.0' in server.get("/metrics").body.decode())
    assert sum(block.rows for block in logged(tmp_path)) == 20


def test_a_full_disk_stops_no_answer(folder: Path, tmp_path: Path, rows: Rows) -> None:
    limited = ("bash", "-c", 'ulimit -f 400; exec "$0" -m fullcircle.serving "$@"', sys.executable)
    with serving(
        folder, "--config", config(tmp_path, ", queue_rows: 2000", "limits: {drain_seconds: 1}"), by=limited
    ) as server:
        for _ in range(30):
            assert server.post("/predict", {"rows": rows[:100]}).status == 200
        until(lambda: "cannot be written" in server.written())
        for _ in range(30):
            assert server.post("/predict", {"rows": rows[:100]}).status == 200
        assert 'outcome="dropped"' in server.get("/metrics").body.decode()


def test_two_workers_write_one_log(folder: Path, tmp_path: Path, rows: Rows) -> None:
    with serving(folder, "--config", config(tmp_path), "--workers", "2") as server:
        names = {server.post("/predict", {"rows": rows[:3]}).headers["x-prediction-id"] for _ in range(40)}
        until(lambda: names <= {name for block in logged(tmp_path) for name in block.ids})
    assert sum(block.rows for block in logged(tmp_path)) == 120


def test_what_waits_is_written_when_the_server_ends(folder: Path, tmp_path: Path, rows: Rows) -> None:
    config(tmp_path)
    slow = tmp_path / "slow.yaml"
    slow.write_text((tmp_path / "serving.yaml").read_text().replace("0.05", "60"))
    with serving(folder, "--config", str(slow)) as server:
        server.post("/predict", {"rows": rows[:7]})
        server.stop()
    assert sum(block.rows for block in logged(tmp_path)) == 7


def test_the_time_of_a_request_may_be_given_where_the_settings_allow_it(
    folder: Path, tmp_path: Path, rows: Rows, kept: Server, home: Path
) -> None:
    then = JSON | {"x-time": "2013-11-05T10:00:00+02:00"}
    with serving(folder, "--config", config(tmp_path, ", clock: requests")) as server:
        server.post("/predict", {"rows": rows[:1]}, then)
        server.stop()
    assert logged(tmp_path)[0].made == [1383638400.0]
    name = kept.post("/predict", {"rows": rows[:1]}, then).headers["x-prediction-id"]
    until(lambda: any(name in block.ids for block in logged(home)))
    (made,) = [m for block in logged(home) for n, m in zip(block.ids, block.made, strict=True) if n == name]
    assert made > 1.7e9


def test_postgresql_holds_the_log_and_its_password_is_in_no_file(
    folder: Path, tmp_path: Path, rows: Rows, bundle: Bundle
) -> None:
    if binaries() is None:
        pytest.skip("there is no PostgreSQL: `make install`, or `apt-get install postgresql`")
    with running() as database:
        url = database.url.replace("postgresql://", "postgresql+psycopg://")
        file = tmp_path / "serving.yaml"
        file.write_text("predictions: {url_env: THE_LOG, flush_seconds: 0.05}\n")
        with serving(folder, "--config", str(file), env={"THE_LOG": url}) as server:
            asked = named(rows[:3], bundle, 5000)
            reply = server.post("/predict", {"rows": asked})
            until(lambda: database.run("SELECT sum(rows) FROM blocks") == [(3,)])
            outcome = {name: asked[1][name] for name in bundle.about.row} | {"late": True}
            assert server.post("/outcomes", {"rows": [outcome, outcome]}).json["duplicate"] == 1
            engine = connect(url)
            (block,) = blocks(engine)
            assert [value and value[0] for value in outcomes_in(engine, block)] == [None, "late", None]
            assert places_of(engine, str(block.keys[1])) == [(reply.json["id"], 1)]
            engine.dispose()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("url: 'nothing://'", "URL is none that SQLAlchemy reads"),
        ("url_env: NO_SUCH_VARIABLE", "url_env names NO_SUCH_VARIABLE, and that variable is empty or not set"),
        ("url: 'postgresql+psycopg://me:secret@127.0.0.1/x'", "url has a password, which git would keep"),
        ("url: 'postgresql+psycopg://me@127.0.0.1:1/x'", "cannot be opened"),
        ("url: 'sqlite:////proc/no/log.sqlite'", "the folder of the prediction log cannot be made"),
        ("url: 'sqlite:///x', flush_seconds: 0", "flush_seconds must be in 0..60"),
    ],
)
def test_a_log_that_cannot_be_kept_is_one_error_at_the_start(
    folder: Path, tmp_path: Path, settings: str, said: str
) -> None:
    file = tmp_path / "serving.yaml"
    file.write_text(f"predictions: {{{settings}}}\n")
    error = refused(folder, "--config", str(file))
    assert said in error
    assert "secret" not in error


def test_no_log_means_no_sqlalchemy_in_the_process(server: Server, kept: Server) -> None:
    def maps(of: Server) -> str:
        with open(f"/proc/{of.process.pid}/maps", encoding="utf-8") as file:  # noqa: PTH123
            return file.read()

    assert "sqlite" not in maps(server)
    assert "orjson" in maps(kept)
    assert "pandas" not in maps(kept)
    assert "pyarrow" not in maps(kept)
