"""The series that the page of monitoring shows."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullcircle.base.errors import UnavailableError
from fullcircle.log.database import connect
from fullcircle.log.monitored import Noted, Rule
from fullcircle.serving.windows import FAR, LONGEST, MOST, series
from tests.serving.reports import alarmed, kept, plainly, read, report, ruled

if TYPE_CHECKING:
    from pathlib import Path

RULES = {"a" * 64: Rule("auc", False, 0.95, 0.72, 0.05)}


def drift_of(effect: float, threshold: float, *, drifted: bool) -> Any:
    one = report(0, columns=1)
    column = replace(one.drift.columns[0], effect=effect, threshold=threshold, drifted=drifted)
    found = plainly([replace(one, drift=replace(one.drift, columns=(column,)))])
    return series(found, [], {})["drift"]["percent"][0][0]


def test_a_year_of_days_with_38_columns_stays_below_500_kb(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/log.sqlite")
    kept(engine, [report(day, shifted=day % 2 == 0) for day in range(365)])
    ruled(engine, "a" * 64)
    begun = time.perf_counter()
    found = read(engine)
    print(f"{time.perf_counter() - begun:.2f} s")
    size = len(json.dumps(found, separators=(",", ":")).encode())
    print(f"{size / 1000:.0f} KB of 365 windows")
    assert len(found["windows"]) == 365
    assert size < 500_000


def test_the_oldest_reports_are_left_out_where_there_are_too_many(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/log.sqlite")
    kept(engine, [report(day, columns=1) for day in range(MOST + 3)])
    labels = [window["label"] for window in read(engine)["windows"]]
    assert (len(labels), labels[0], labels == sorted(labels)) == (MOST, "2013-01-04", True)


def test_a_log_without_reports_has_no_windows_and_is_fine(tmp_path: Path) -> None:
    found = read(connect(f"sqlite:///{tmp_path}/log.sqlite"))
    assert (found["status"], found["windows"], found["drift"]["columns"], found["slices"]) == ("ok", [], [], None)


def test_a_database_that_cannot_be_read_is_unavailable(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/log.sqlite")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE reports")
    with pytest.raises(UnavailableError, match="the prediction log cannot be read now: no such table: reports; try"):
        read(engine)


def test_the_status_is_the_worst_of_the_alerts_that_are_on(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/log.sqlite")
    alarmed(engine, "a" * 64, "2013-01-02", "less")
    found = read(engine)
    assert found["status"] == "retrain"
    assert [(alert["kind"], alert["cleared"]) for alert in found["alerts"]] == [
        ("drift", "2013-01-02"),
        ("drift", None),
        ("accuracy", None),
    ]
    over = Noted("a", "accuracy", "retrain", "2013-01-01", "", "", "2013-01-01", "2013-01-02")
    assert series([], [over], {})["status"] == "ok"


@given(effect=st.floats(0, 1), threshold=st.floats(0, 1), drifted=st.booleans())
def test_the_effect_is_above_100_percent_exactly_where_a_column_drifted(
    effect: float, threshold: float, drifted: bool
) -> None:
    percent = drift_of(effect, threshold, drifted=drifted)
    assert (percent > 100) == drifted
    assert 0 <= percent <= FAR


def test_effects_are_relative_to_their_thresholds() -> None:
    assert drift_of(0.05, 0.1, drifted=False) == 50
    assert drift_of(0.25, 0.1, drifted=True) == 250
    assert drift_of(0.1001, 0.1, drifted=True) == 101
    assert drift_of(0.5, 0.0, drifted=True) == FAR


def test_columns_that_drifted_most_come_first_and_one_that_is_gone_has_no_effect() -> None:
    moved = report(0, columns=4, shifted=True)
    found = series(plainly([report(1, columns=2), moved]), [], {})["drift"]
    assert [column["name"] for column in found["columns"][:2]] in (["column_1", "column_2"], ["column_2", "column_1"])
    assert found["columns"][0]["drifted"] == 1
    assert found["columns"][0]["change"] == "UA 12% -> 24%"
    place = [column["name"] for column in found["columns"]].index("column_3")
    assert found["percent"][0][place] is None


def test_a_window_has_its_accuracy_with_intervals_and_its_estimate() -> None:
    (window,) = series(plainly([report(3)]), [], RULES)["windows"]
    value, low, high = window["accuracy"]["metrics"]["auc"]
    assert low < value < high
    assert window["estimate"]["method"] == "cbpe"
    assert value == float(f"{value:.5g}")
    (awaited,) = series(plainly([report(3, outcomes=False, complete=False)]), [], RULES)["windows"]
    assert "accuracy" not in awaited


def test_a_report_of_an_earlier_version_has_no_estimate() -> None:
    (old,) = plainly([report(3)])
    del old["estimate"]
    (window,) = series([old], [], RULES)["windows"]
    assert "estimate" not in window


def test_slices_are_of_the_last_window_whose_outcomes_are_complete() -> None:
    reports = plainly([report(0), report(1), report(2, complete=False), report(3, outcomes=False)])
    found = series(reports, [], RULES)["slices"]
    assert found["label"] == "2013-01-02"
    assert found["rows"][0][:3] == ["carrier", "UA0", 300]
    assert series(reports[2:], [], RULES)["slices"] is None


def test_each_bundle_has_its_windows_and_its_rule() -> None:
    later = [report(day, bundle="b" * 64, version="0.2.0") for day in (1, 2)]
    first, second = series(plainly([report(0), report(1), *later]), [], RULES)["bundles"]
    assert (first["version"], first["first"], first["last"], first["windows"], first["usual"]) == (
        "0.1.0",
        "2013-01-01",
        "2013-01-02",
        2,
        0.72,
    )
    assert (second["version"], second["rows"], "usual" in second) == ("0.2.0", 2000, False)


def test_unusual_measures_are_counted_and_long_levels_are_cut() -> None:
    found = series(plainly([report(day, shifted=day < 2, level="x" * 500) for day in range(3)]), [], {})["quality"]
    assert len(found) == 5
    assert {(each["windows"], each["last"]) for each in found} == {(2, "2013-01-02")}
    assert found[0]["examples"] == ["x" * LONGEST, "XX"]


def test_no_row_that_was_set_aside_is_lost_where_there_are_many_reasons() -> None:
    many = {f"reason {at:03}": at + 1 for at in range(100)}
    (window,) = series(plainly([replace(report(0), set_aside=many)]), [], {})["windows"]
    assert sum(window["set_aside"].values()) == sum(many.values())
    assert (len(window["set_aside"]), window["set_aside"]["reason 099"]) == (9, 100)
