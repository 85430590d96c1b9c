"""What the service shows of monitoring is of the served bundle, and is read again when monitoring has run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fullcircle.log.monitored import Noted, note_alerts, save_report
from fullcircle.log.shown import Shown, note_run, shown
from tests.log.made import opened

if TYPE_CHECKING:
    from pathlib import Path

START = Shown()


def report(drifted: int, auc: float | None = None) -> str:
    """The parts of a report that are shown."""
    columns = [{"name": f"c{i}", "drifted": i < drifted} for i in range(3)]
    known: dict[str, Any] = {} if auc is None else {"accuracy": {"metrics": {"auc": auc, "f1": None}}}
    return json.dumps({"drift": {"columns": columns}} | known)


def alert(kind: str, bundle: str = "b") -> Noted:
    return Noted(bundle, kind, "warn", "2014-05-12", "reason", "action", "2014-05-13")


def test_before_monitoring_has_run_there_is_nothing(tmp_path: Path) -> None:
    assert shown(opened(tmp_path), "b", START) == Shown("b")


def test_the_last_window_and_the_last_known_accuracy_are_shown(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    save_report(engine, "2014-05-11", "b", report(0, 0.7), complete=True)
    save_report(engine, "2014-05-12", "b", report(1, 0.8), complete=True)
    save_report(engine, "2014-05-13", "b", report(2), complete=False)
    save_report(engine, "2014-05-14", "other", report(3), complete=False)
    save_report(engine, "2014-05-15", "other", report(3), complete=False)
    note_alerts(engine, [alert("drift"), alert("traffic", "other")], "2014-05-13")
    note_run(engine, 500.0)
    found = shown(engine, "b", START)
    assert found == Shown(
        "b", 1, 500.0, frozenset({("drift", "warn")}), frozenset({("drift", "warn"), ("traffic", "warn")}), 2,
        {"auc": 0.8}, 1_399_852_800.0,
    )  # fmt: skip
    assert shown(engine, "other", found).no_outcomes_since == 1_399_852_800.0 + 2 * 86400
    note_alerts(engine, [], "2014-05-14")
    assert shown(engine, "b", found) is found
    note_run(engine, 400.0)
    later = shown(engine, "b", found)
    assert (later.until, later.on, later.known) == (500.0, frozenset(), found.known)
    assert shown(engine, "other", later).drifted == 3
