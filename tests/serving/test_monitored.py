"""Alerts and monitored windows as metrics of the real server, and what happens when they cannot be read."""

from __future__ import annotations

import math
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sql
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from fullcircle.log.database import connect
from fullcircle.log.monitored import Noted, note_alerts, save_report
from fullcircle.log.shown import Shown, note_run
from fullcircle.serving.monitored import MonitoringGauges, MonitoringReader
from tests.deploy.files import queries
from tests.log.test_shown import report
from tests.serving.servers import Server, serving
from tests.serving.test_logged import until
from tests.serving.test_reload import deploy, variant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fullcircle.scoring.bundle import Bundle

UNTIL = "fullcircle_monitored_until_timestamp_seconds"


def config(folder: Path, more: str = "") -> str:
    file = folder / "serving.yaml"
    file.write_text(f"predictions: {{url: 'sqlite:///{folder}/log.sqlite', alerts_seconds: 0.1}}\n{more}")
    return str(file)


def samples(server: Server) -> dict[str, float]:
    """Name and labels -> value of every sample, each once."""
    text = server.get("/metrics").body.decode()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name + "".join(f" {key}={value}" for key, value in sorted(sample.labels.items()))
            assert name not in found
            found[name] = sample.value
    return found


def alert(bundle: Bundle, kind: str, level: str = "warn") -> Noted:
    return Noted(bundle.id, kind, level, "2014-05-12", "reason", "action", "2014-05-13")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sql.Engine]:
    made = connect(f"sqlite:///{tmp_path}/log.sqlite")
    yield made
    made.dispose()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_alerts_and_the_last_window_are_metrics(
    folder: Path, tmp_path: Path, engine: sql.Engine, bundle: Bundle, workers: str
) -> None:
    with serving(folder, "--config", config(tmp_path), "--workers", workers) as server:
        until(lambda: samples(server).get(UNTIL) == 0)  # it has never run
        save_report(engine, "2014-05-13", bundle.id, report(2, 0.75), complete=True)
        note_alerts(engine, [alert(bundle, "accuracy", "retrain"), alert(bundle, "drift")], "2014-05-13")
        note_run(engine, 1_400_000_000.0)
        until(lambda: samples(server)[UNTIL] == 1_400_000_000.0)
        found = samples(server)
        assert found["fullcircle_alert kind=accuracy level=retrain"] == 1
        assert found["fullcircle_alert kind=drift level=warn"] == 1
        assert found["fullcircle_window_metric metric=auc"] == 0.75
        assert found["fullcircle_window_drifted_columns"] == 2
        note_alerts(engine, [alert(bundle, "drift")], "2014-05-14")
        note_run(engine, 1_400_086_400.0)
        until(lambda: samples(server)["fullcircle_alert kind=accuracy level=retrain"] == 0)
        assert samples(server)["fullcircle_alert kind=drift level=warn"] == 1


def test_a_database_that_does_not_answer_leaves_the_last_values_and_is_counted(
    folder: Path, tmp_path: Path, engine: sql.Engine, bundle: Bundle, rows: list[dict[str, Any]]
) -> None:
    failures = "fullcircle_monitoring_read_failures_total"
    with serving(folder, "--config", config(tmp_path)) as server:
        note_alerts(engine, [alert(bundle, "drift")], "2014-05-13")
        note_run(engine, 1_400_000_000.0)
        until(lambda: samples(server).get("fullcircle_alert kind=drift level=warn") == 1)
        assert samples(server)[failures] == 0
        with engine.begin() as connection:
            connection.execute(sql.text("ALTER TABLE monitor_runs RENAME TO gone"))
        until(lambda: samples(server)[failures] >= 2)
        assert samples(server)["fullcircle_alert kind=drift level=warn"] == 1
        assert server.post("/predict", {"rows": rows[:1]}).status == 200
        assert server.written().count("alerts cannot be read") == 1
        with engine.begin() as connection:
            connection.execute(sql.text("ALTER TABLE gone RENAME TO monitor_runs"))
        note_alerts(engine, [], "2014-05-14")
        note_run(engine, 1_400_086_400.0)
        until(lambda: samples(server)["fullcircle_alert kind=drift level=warn"] == 0)


def test_another_bundle_shows_its_own_windows(folder: Path, tmp_path: Path, engine: sql.Engine, bundle: Bundle) -> None:
    place = tmp_path / "bundle"
    variant(folder, place, "1.0.0")
    new = variant(folder, tmp_path / "new", "2.0.0")
    with serving(place, "--config", config(tmp_path, "reload_seconds: 0.1\nallow_unblessed: true")) as server:
        old = server.get("/health/live").headers["x-bundle"].split()[-1]
        (known,) = [each for each in _ids(engine) if each.startswith(old)]
        save_report(engine, "2014-05-13", known, report(2, 0.75), complete=True)
        note_run(engine, 1_400_000_000.0)
        until(lambda: samples(server).get("fullcircle_window_metric metric=auc") == 0.75)
        deploy(tmp_path / "new", place)
        until(lambda: math.isnan(samples(server)["fullcircle_window_metric metric=auc"]))
        assert math.isnan(samples(server)["fullcircle_window_drifted_columns"])
        assert new.id in _ids(engine)


def _ids(engine: sql.Engine) -> list[str]:
    with engine.connect() as connection:
        return [*connection.scalars(sql.text("SELECT id FROM bundles"))]


def test_without_a_log_there_are_no_such_metrics(server: Server) -> None:
    assert [name for name in samples(server) if "monitor" in name or "fullcircle_alert" in name] == []


def test_a_database_that_hangs_is_counted_and_begins_no_second_reading() -> None:
    registry, hangs, begun = CollectorRegistry(), threading.Event(), []

    def read(before: Shown) -> Shown:
        begun.append(before)
        hangs.wait(30)
        return Shown("b", 1, 7.0)

    def value(name: str) -> float:
        return registry.get_sample_value(name) or 0.0

    reader = MonitoringReader(read, Shown(), MonitoringGauges(registry), 0.01)
    reader.start()
    until(lambda: value("fullcircle_monitoring_read_failures_total") >= 3)
    assert len(begun) == 1
    assert value(UNTIL) == 0
    hangs.set()
    until(lambda: value(UNTIL) == 7.0)
    reader.stop()


def test_rules_and_dashboard_name_metrics_and_labels_of_the_service(
    folder: Path, tmp_path: Path, engine: sql.Engine, bundle: Bundle, rows: list[dict[str, Any]]
) -> None:
    with serving(folder, "--config", config(tmp_path)) as server:
        save_report(engine, "2014-05-13", bundle.id, report(2, 0.75), complete=True)
        note_alerts(engine, [alert(bundle, "drift")], "2014-05-13")
        note_run(engine, 1_400_000_000.0)
        server.post("/predict", {"rows": [rows[0], rows[0] | {"distance": "far"}]})
        server.post("/predict", {"rows": [dict.fromkeys(rows[0])]})
        server.post("/outcomes", {"rows": [{"prediction_id": "0" * 20 + "/0", "late": 1}]})
        until(lambda: samples(server).get(UNTIL) == 1_400_000_000.0)
        text = server.get("/metrics").body.decode()
    labels: dict[str, set[str]] = {"up": {"job", "instance"}}
    for family in text_string_to_metric_families(text):
        ends = ("_bucket", "_count", "_sum") if family.type == "histogram" else ("_total",) * (family.type == "counter")
        for name in (family.name + end for end in ends or ("",)):
            labels[name] = {"job", "instance", "namespace", "service"}
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels)
    for of, query in queries().items():
        for name, matchers in re.findall(r"\b(up|fullcircle_\w+)\b(?:\{([^}]*)\})?", query):
            assert name in labels, f"{of}: the service has no metric {name}"
            used = set(re.findall(r"(\w+)(?:=|!=|=~|!~)\"", matchers))
            assert used <= labels[name] or not labels[name] - {"job", "instance", "namespace", "service"}, (of, name)
