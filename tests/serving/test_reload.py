"""Another bundle takes the place of the one that answers: no request is dropped, and a bad one is refused."""

from __future__ import annotations

import json
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fullcircle.base.files import MANIFEST, seal
from fullcircle.log.database import connect
from fullcircle.log.reading import blocks
from fullcircle.scoring.bundle import ABOUT, GOLDEN, Bundle
from fullcircle.scoring.scorer import SPEC
from tests.serving.servers import Reply, Server, serving
from tests.serving.test_logged import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Rows = list[dict[str, Any]]


def edit(file: Path, change: Callable[[Any], Any]) -> None:
    file.write_text(json.dumps(change(json.loads(file.read_text()))))


def variant(
    folder: Path, out: Path, version: str, *, forget_golden: bool = False, problem: str | None = None
) -> Bundle:
    """The same model with another calibration, as another version."""
    shutil.copytree(folder, out)
    (out / MANIFEST).unlink()
    edit(out / ABOUT, lambda about: about | {"version": version} | ({"problem": problem} if problem else {}))
    edit(out / SPEC, lambda spec: spec | {"calibration": spec["calibration"] | {"intercept": 0.5}})
    seal(out)
    if not forget_golden:
        bundle = Bundle.load(out)
        assert bundle.golden is not None
        predicted = tuple(tuple(row) for row in bundle.score([*bundle.golden.rows]).predicted.tolist())
        edit(out / GOLDEN, lambda stored: stored | {"predicted": predicted})
        (out / MANIFEST).unlink()
        seal(out)
    return Bundle.load(out)


def deploy(new: Path, place: Path) -> None:
    """Put a bundle into the place of another, by two renames."""
    place.rename(place.with_suffix(".before"))
    new.rename(place)


def config(folder: Path) -> str:
    file = folder / "serving.yaml"
    file.write_text(
        f"predictions: {{url: 'sqlite:///{folder}/log.sqlite', flush_seconds: 0.05}}\nreload_seconds: 0.1\n"
        f"limits: {{answer_seconds: 2}}\n"
    )
    return str(file)


def served(server: Server) -> str:
    return server.get("/health/live").headers["x-bundle"]


def test_a_new_bundle_answers_and_no_request_is_dropped(
    folder: Path, tmp_path: Path, rows: Rows, predicted: Rows, bundle: Bundle
) -> None:
    place = tmp_path / "served"
    shutil.copytree(folder, place)
    new = variant(folder, tmp_path / "new", "2.0.0")
    scored = {name: values.tolist() for name, values in new.score(rows[:5]).columns.items()}
    after = [{name: scored[name][at] for name in scored} for at in range(5)]
    assert after != predicted[:5]
    replies: list[Reply] = []
    with serving(place, "--config", config(tmp_path)) as server:
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                replies.append(server.post("/predict", {"rows": rows[:5]}))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        until(lambda: len(replies) > 50)
        deploy(tmp_path / "new", place)
        until(lambda: "2.0.0" in served(server))
        many = len(replies)
        until(lambda: len(replies) > many + 50)
        stop.set()
        for thread in threads:
            thread.join()
        assert server.get("/openapi.json").json["info"]["version"] == "2.0.0"
        metrics = server.get("/metrics").body.decode()
        assert 'fullcircle_reloads_total{outcome="taken"} 1.0' in metrics
        server.stop()
    assert {reply.status for reply in replies} == {200}
    for reply in replies:
        version = reply.json["bundle"]["version"]
        assert f" {version} " in reply.headers["x-bundle"]
        wanted = after if version == "2.0.0" else predicted[:5]
        assert [{name: each[name] for name in wanted[0]} for each in reply.json["predictions"]] == wanted
    assert {reply.json["bundle"]["version"] for reply in replies} == {bundle.version, "2.0.0"}
    found: dict[str, int] = {}
    for block in blocks(connect(f"sqlite:///{tmp_path}/log.sqlite")):
        found[block.bundle] = found.get(block.bundle, 0) + block.rows
    assert found.keys() == {bundle.id, new.id}
    assert sum(found.values()) == 5 * len(replies)


def test_the_state_of_past_events_goes_on(folder: Path, tmp_path: Path, bundle: Bundle) -> None:
    assert bundle.state is not None
    place = tmp_path / "served"
    shutil.copytree(folder, place)
    variant(folder, tmp_path / "new", "2.0.0")
    columns = bundle.state.event_columns
    event = {
        n: {"time": "2013-03-11T10:00:00Z", "number": 5, "integer": 5}.get(c.kind, "EWR") for n, c in columns.items()
    }
    with serving(place, "--config", config(tmp_path)) as server:
        assert server.post(f"/events/{bundle.state.events}", {"rows": [event]}).status == 200
        known = server.get("/state").json
        deploy(tmp_path / "new", place)
        until(lambda: "2.0.0" in served(server))
        assert server.get("/state").json == known
        assert known["tables"][bundle.state.events]["rows"] == 1


@pytest.mark.parametrize("fault", ["damaged", "stored rows", "other problem", "rejected"])
def test_a_bundle_that_cannot_answer_is_refused_and_the_present_one_goes_on(
    folder: Path, tmp_path: Path, rows: Rows, fault: str
) -> None:
    place = tmp_path / "served"
    shutil.copytree(folder, place)
    variant(
        folder,
        tmp_path / "new",
        "2.0.0",
        forget_golden=fault == "stored rows",
        problem={"other problem": "x"}.get(fault),
    )
    if fault == "damaged":
        with (tmp_path / "new/model.onnx").open("ab") as file:
            file.write(b"0")
    if fault == "rejected":
        edit(tmp_path / "new/verdict.json", lambda verdict: verdict | {"status": "rejected"})
        (tmp_path / "new" / MANIFEST).unlink()
        seal(tmp_path / "new")
    with serving(place, "--config", config(tmp_path)) as server:
        first = served(server)
        deploy(tmp_path / "new", place)
        until(lambda: 'fullcircle_reloads_total{outcome="refused"} 1.0' in server.get("/metrics").body.decode())
        assert served(server) == first
        assert server.post("/predict", {"rows": rows[:1]}).status == 200
        assert "was not taken, and version" in server.written()
        good = variant(folder, tmp_path / "good", "3.0.0")
        shutil.move(place, tmp_path / "bad")
        (tmp_path / "good").rename(place)
        until(lambda: good.id[:12] in served(server))
