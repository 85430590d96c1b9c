"""From events alone the service computes what `clean` computed of whole tables, and forgets none of it."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
import pytest

from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.packaging.golden import records
from fullcircle.serving.events import Events
from fullcircle.serving.metrics import Metrics
from fullcircle.serving.service import Service
from fullcircle.serving.settings import Settings
from fullcircle.serving.tables import Options, of_records
from tests.serving.servers import Server, refused, serving

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.base.columns import Columns
    from fullcircle.scoring.bundle import Bundle
    from tests.conftest import Project

Rows = list[dict[str, Any]]
START, ASKED = np.datetime64("2013-03-18T00", "s"), np.datetime64("2013-03-20T00", "s")


@pytest.fixture(scope="module")
def kept(reproduced: Project) -> Columns:
    """Flights of three days, with what `clean` knew of each."""
    columns = read_columns(reproduced.folder / paths.KEPT)
    there = (columns["time_hour"] >= START) & (columns["time_hour"] < ASKED + np.timedelta64(1, "D"))
    return {name: values[there] for name, values in columns.items()}


@pytest.fixture(scope="module")
def flights(kept: Columns, bundle: Bundle) -> Rows:
    assert bundle.state is not None
    return records(kept, bundle.state.event_columns)


@pytest.fixture(scope="module")
def weather(reproduced: Project, bundle: Bundle) -> Rows:
    assert bundle.state is not None
    columns = read_columns(reproduced.folder / paths.RAW / "weather.parquet")
    there = (columns["time_hour"] >= START) & (columns["time_hour"] < ASKED + np.timedelta64(1, "D"))
    return records({n: v[there] for n, v in columns.items()}, bundle.state.observation_columns)


@pytest.fixture(scope="module")
def asked(kept: Columns, bundle: Bundle) -> Rows:
    """The timetable entries of the last day: what a caller knows."""
    assert bundle.state is not None
    inputs, spec = bundle.scorer.plan.inputs, bundle.state
    wanted = {n: c for n, c in {**inputs, **spec.event_columns}.items() if n not in {*spec.outputs, "dep_delay"}}
    there = kept["time_hour"] >= ASKED
    return records({name: kept[name][there] for name in wanted}, wanted)


@pytest.fixture(scope="module")
def wanted(kept: Columns, bundle: Bundle) -> list[float]:
    """What the scorer predicts of the same flights from the columns of `clean`."""
    there = kept["time_hour"] >= ASKED
    scored = bundle.score({name: kept[name][there] for name in bundle.scorer.plan.inputs})
    return list(scored.columns["probability_late"].tolist())


def feed(server: Server, flights: Rows, weather: Rows) -> None:
    for table, rows in (("weather", weather), ("flights", flights)):
        for begin in range(0, len(rows), 400):
            reply = server.post(f"/events/{table}", {"rows": rows[begin : begin + 400]})
            assert reply.status == 200, reply.body
            assert reply.json["set_aside"] == []


def late(server: Server, rows: Rows) -> list[float]:
    reply = server.post("/predict", {"rows": rows})
    assert reply.status == 200, reply.body
    return [record["probability_late"] for record in reply.json["predictions"]]


def test_from_events_alone(folder: Path, flights: Rows, weather: Rows, asked: Rows, wanted: list[float]) -> None:
    assert len(asked) > 50
    with serving(folder) as server:
        feed(server, flights, weather)
        assert late(server, asked) == wanted
        assert [late(server, [row])[0] for row in asked[:20]] == wanted[:20]
        state = server.get("/state").json["tables"]
        assert state["flights"]["rows"] == len(flights)
        assert state["weather"]["latest"] > "2013-03-20T2"


def test_a_flight_that_was_not_announced_counts_in_its_own_timetable(
    folder: Path, flights: Rows, weather: Rows, asked: Rows, wanted: list[float]
) -> None:
    """What is planned after the moment of prediction is known only from the timetable."""
    key = ("time_hour", "origin", "carrier", "flight")
    row = asked[10]
    others = [flight for flight in flights if any(flight[name] != row[name] for name in key)]
    with serving(folder) as server:
        feed(server, others, weather)
        assert late(server, [row]) == [wanted[10]]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_the_state_outlives_the_process(
    end: int, folder: Path, tmp_path: Path, flights: Rows, weather: Rows, asked: Rows, wanted: list[float]
) -> None:
    options = ("--state", str(tmp_path / "state"))
    with serving(folder, *options) as server:
        feed(server, flights, weather)
        before = server.get("/state").json
        server.stop(end)
    with serving(folder, *options) as server:
        assert server.get("/state").json == before
        assert late(server, asked) == wanted
        server.stop()
    with serving(folder, *options) as server:  # from a state that was written down
        assert late(server, asked) == wanted


def test_workers_share_what_happens(
    folder: Path, flights: Rows, weather: Rows, asked: Rows, wanted: list[float]
) -> None:
    with serving(folder, "--workers", "2") as server:
        feed(server, flights, weather)
        assert [late(server, [row])[0] for row in asked[:40]] == wanted[:40]
        metrics = server.get("/metrics").body.decode()
        added = next(
            line for line in metrics.splitlines() if line.startswith("fullcircle_events_total") and "flights" in line
        )
        assert float(added.rsplit(" ", 1)[1]) == len(flights)


def test_half_a_line_of_the_journal_is_left_out(folder: Path, tmp_path: Path, flights: Rows) -> None:
    options = ("--state", str(tmp_path))
    with serving(folder, *options) as server:
        server.post("/events/flights", {"rows": flights[:5]})
        server.stop(signal.SIGKILL)
    (journal,) = tmp_path.glob("*/events-*.jsonl")
    with journal.open("ab") as file:
        file.write(b'{"table": "flights", "col')
    with serving(folder, *options) as server:
        assert server.get("/state").json["tables"]["flights"]["rows"] == 5
        server.post("/events/flights", {"rows": flights[5:9]})
        assert server.get("/state").json["tables"]["flights"]["rows"] == 9
        assert "cannot be read" in server.stop(signal.SIGKILL)
    with serving(folder, *options) as server:
        assert server.get("/state").json["tables"]["flights"]["rows"] == 9


def test_events_that_cannot_be_added_are_set_aside(server: Server, flights: Rows) -> None:
    sent = [dict(row) for row in flights[:3]]
    sent[0]["origin"] = "XXX"
    sent[1]["minute"] = "soon"
    found = server.post("/events/flights", {"rows": sent}).json
    assert (found["rows"], found["added"]) == (3, 1)
    assert [each["reasons"] for each in found["set_aside"]] == [
        "origin not one of EWR, JFK, LGA",
        "minute is no number",
    ]
    assert server.post("/events/flights", {"rows": sent[:2]}).status == 422
    assert server.post("/events/trains", {"rows": sent}).status == 404
    fewer = [{name: value for name, value in sent[2].items() if name != "origin"}]
    assert "missing columns: origin" in server.post("/events/flights", {"rows": fewer}).error


def test_an_answer_says_when_the_events_are_old(
    folder: Path, tmp_path: Path, flights: Rows, weather: Rows, asked: Rows
) -> None:
    config = tmp_path / "serving.yaml"
    config.write_text("state: {stale_hours: {weather: 3, flights: 3}}\n")
    with serving(folder, "--config", str(config)) as server:
        feed(server, flights, [row for row in weather if row["time_hour"] < "2013-03-20T00"])
        stale = server.post("/predict", {"rows": asked[-1:]}).json["stale"]
        assert stale.keys() == {"weather"}
        assert stale["weather"] > 3
        tensors = [
            {"name": name, "shape": [1], "datatype": "BYTES" if isinstance(v, str) else "FP64", "data": [v]}
            for name, v in asked[-1].items()
        ]
        for path, body in (
            ("/predict", {"rows": asked[-1:]}),
            ("/invocations", {"instances": asked[-1:]}),
            ("/v2/models/departures/infer", {"inputs": tensors}),
        ):
            assert server.post(path, body).headers["x-fullcircle-stale"] == "weather"
        assert server.get("/state").json["stale_hours"] == {"weather": 3, "flights": 3}
    config.write_text("state: {stale_hours: {trains: 3}}\n")
    assert "unknown table: trains" in refused(folder, "--config", str(config))


def test_a_request_before_what_has_been_forgotten_harms_no_other(
    folder: Path, flights: Rows, weather: Rows, asked: Rows, wanted: list[float]
) -> None:
    with serving(folder) as server:
        feed(server, flights, weather)
        assert late(server, asked) == wanted
        old = asked[0] | {"time_hour": "2012-03-01T10:00:00"}
        reply = server.post("/predict", {"rows": [old]})
        assert reply.status in (200, 422)
        assert late(server, asked) == wanted


def test_a_worker_that_dies_is_replaced_and_knows_all_events(folder: Path, flights: Rows) -> None:
    with serving(folder, "--workers", "2") as server:
        server.post("/events/flights", {"rows": flights[:50]})
        first = workers(server)
        os.kill(first[0], signal.SIGKILL)
        while len(now := workers(server)) < 2 or first[0] in now:
            time.sleep(0.05)
        for _ in range(30):  # by whichever of them
            assert server.get("/state").json["tables"]["flights"]["rows"] == 50


def workers(server: Server) -> list[int]:
    """The processes that serve: children of the one that was started, but for Python's own tracker of resources."""
    found = []
    for child in psutil.Process(server.process.pid).children():
        with suppress(psutil.Error):  # it has just ended
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child.pid)
    return found


def test_a_worker_that_fell_far_behind_scores_with_the_state_that_is_there_now(
    bundle: Bundle, tmp_path: Path, flights: Rows, weather: Rows, asked: Rows, wanted: list[float]
) -> None:
    """It skips files of the journal that are gone already, and begins with the snapshot."""
    spec = bundle.state
    assert spec is not None
    first, late_one = (Events(spec, tmp_path, {}) for _ in range(2))
    service, before = Service(bundle, Settings(), Metrics(), late_one), late_one.state
    assert first._journal is not None
    first._journal._largest = 1000
    for table, rows in (("weather", weather), ("flights", flights)):
        for begin in range(0, len(rows), 50):
            first.add(table, of_records(rows[begin : begin + 50]))
    assert first._journal.number > 5
    answer = service.answer_alone(of_records(asked), Options())
    for events in (first, late_one):
        events.close()
    assert late_one.state is not before
    assert answer.columns["probability_late"] == wanted
    assert answer.columns["probability_late"] != service_without_events(bundle, asked)


def service_without_events(bundle: Bundle, asked: Rows) -> list[float]:
    assert bundle.state is not None
    service = Service(bundle, Settings(), Metrics(), Events(bundle.state, None, {}))
    found: list[float] = service.answer_alone(of_records(asked), Options()).columns["probability_late"]
    return found
