"""What monitoring keeps beside the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fullcircle.base.errors import UnavailableError
from fullcircle.log.bundles import note_bundle
from fullcircle.log.entries import utc
from fullcircle.log.monitored import Kept, Noted, Rule, note_alerts, read_kept, save_report, save_rule, saved_rules
from tests.log.made import BUNDLE, opened

if TYPE_CHECKING:
    from pathlib import Path

RULE = Rule("auc", False, 0.95, 0.7, 0.03)


def test_a_rule_takes_the_place_of_an_earlier_one_of_its_bundle(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    for name, rule in (("a", RULE), ("b", RULE), ("a", Rule("rmse", True, 0.9))):
        save_rule(engine, name, rule)
    assert saved_rules(engine) == {"a": Rule("rmse", True, 0.9, None, None), "b": RULE}


def test_all_that_is_kept_is_read_in_the_order_of_time_and_the_latest_of_many(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    assert read_kept(engine, 3) == Kept("", [], [], {})
    note_bundle(engine, BUNDLE, utc(1.4e9))
    for label in ("2014-05-03", "2014-05-01", "2014-05-02"):
        save_report(engine, label, BUNDLE.id, f'"{label}"', complete=True)
    alert = Noted(BUNDLE.id, "drift", "warn", "2014-05-02", "why", "do", "2014-05-02")
    note_alerts(engine, [alert], "2014-05-02")
    save_rule(engine, BUNDLE.id, RULE)
    assert read_kept(engine, 2) == Kept("orders", ['"2014-05-02"', '"2014-05-03"'], [alert], {BUNDLE.id: RULE})


@pytest.mark.parametrize("table", ["reports", "alerts", "rules", "bundles"])
def test_a_log_that_cannot_be_read_is_unavailable(tmp_path: Path, table: str) -> None:
    engine = opened(tmp_path)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {table}")
    with pytest.raises(UnavailableError, match=f"cannot be read now: no such table: {table}; try again"):
        read_kept(engine, 1)


def test_tables_of_an_older_log_are_added(tmp_path: Path) -> None:
    with opened(tmp_path).begin() as connection:
        connection.exec_driver_sql("DROP TABLE rules")
    found: dict[str, Any] = dict(saved_rules(opened(tmp_path)))
    assert found == {}
