"""Alerts: what reports of windows amount to; each kind raised and cleared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fullcircle.monitoring.alarm import Alarm
from fullcircle.monitoring.alerts import evaluate, status_of
from fullcircle.monitoring.drift import ColumnDrift, Drift
from fullcircle.monitoring.estimates import Estimate
from fullcircle.monitoring.outliers import Outliers
from fullcircle.monitoring.quality import Measure, Quality
from fullcircle.monitoring.report import Accuracy, WindowReport
from fullcircle.monitoring.settings import MonitoringSettings
from fullcircle.monitoring.threshold import Spread

SETTINGS = MonitoringSettings()
SPREAD = Spread(0.7, 60, 0.001, 0.0004, 0.4, 0.2, (-1.0, 1.0))
ALARM = Alarm("b", 0.05, 4.0, 1000.0, False, 50, SPREAD, 10)
DRIFTED = ColumnDrift("carrier", "input", 0.3, 0.1, 0.001, True, None, "WN 3% -> 12%")
ODD = Measure("wind_speed", "null", 800, 0.8, 0.01, 0.0001, True)


def window(day: int, auc: float | None = 0.7, **changes: Any) -> WindowReport:
    streams: dict[str, float | None] = {"metric": auc, "surprise": 0.0}
    made = WindowReport(
        f"2013-11-{day:02}", "b", "1.0.0", True, 10, 1000, 1000, {}, {"p50": 1.0, "p95": 2.0, "p99": 3.0},
        Drift(1000, 1, 0.003, ()), Quality(1000, 0, ()), Outliers(1, 0, 0.0, 0.0, 0.0, 1.0, 1.0, False, ()),
        accuracy=Accuracy(1000, {"auc": auc}, {"auc": (None, None)}, streams),
    )  # fmt: skip
    return replace(made, **changes)


def kinds(
    reports: list[WindowReport], empty: tuple[str, ...] = (), settings: MonitoringSettings = SETTINGS
) -> list[str]:
    return [alert.kind for alert in evaluate(reports, empty, {"metric": ALARM}, settings)[0]]


def test_usual_windows_raise_nothing() -> None:
    assert kinds([window(day) for day in range(1, 29)]) == []
    assert status_of([]) == "ok"


def test_a_lasting_loss_means_retrain_and_names_since_when() -> None:
    reports = [window(day) for day in range(1, 10)] + [window(day, 0.6) for day in range(10, 20)]
    (alert,), states = evaluate(reports, [], {"metric": ALARM}, SETTINGS)
    assert (alert.kind, alert.level, alert.since) == ("accuracy", "retrain", "2013-11-10")
    assert alert.reason == (
        "about 0.1 below what it was in validation since 2013-11-10, for longer than chance explains"
    )
    assert alert.action == "retrain: `fullcircle retrain`"
    assert states["metric"].on
    assert status_of([alert]) == "retrain"


def test_an_alert_clears_when_the_metric_is_back() -> None:
    reports = [window(day, 0.6) for day in range(1, 8)] + [window(day, 0.72) for day in range(8, 29)]
    assert kinds(reports) == []


def test_windows_whose_outcomes_are_awaited_do_not_count() -> None:
    assert kinds([window(day, 0.5, complete=False) for day in range(1, 29)]) == []


@pytest.mark.parametrize(
    ("changes", "kind", "said"),
    [
        ({"drift": Drift(1000, 1, 0.003, (DRIFTED,))}, "drift", "carrier: WN 3% -> 12%"),
        ({"quality": Quality(1000, 0, (ODD,))}, "quality", "wind_speed null 80.0%"),
        ({"set_aside": {"distance is no number": 90}}, "set_aside", "90 of 1,000 rows could not be scored"),
        ({"ms": {"p50": 5.0, "p95": 900.0, "p99": 4000.0}}, "latency", "p99 4000 ms"),
        ({"estimate": Estimate(0.55, 0.5, 0.6, "cbpe", 1000)}, "estimate", "0.550 (0.500 to 0.600), usually 0.700"),
    ],
)
def test_each_kind_is_raised_by_the_last_window_says_since_when_and_clears(
    changes: dict[str, Any], kind: str, said: str
) -> None:
    odd = [window(1), window(2, **changes), window(3, **changes)]
    (alert,), _ = evaluate(odd, [], {"metric": ALARM}, SETTINGS)
    assert (alert.kind, alert.level, alert.since) == (kind, "warn", "2013-11-02")
    assert said in alert.reason
    assert alert.action
    assert kinds([*odd, window(4)]) == []
    assert kinds(odd, settings=replace(SETTINGS, alerts={kind: "ignore"})) == []


def test_what_stays_within_its_limit_is_no_alert() -> None:
    assert kinds([window(1, set_aside={"x": 50})]) == []
    assert kinds([window(1, estimate=Estimate(0.6, 0.5, 0.69, "cbpe", 1000))]) == []
    assert kinds([window(1, ms={"p50": 1.0, "p95": 1.0, "p99": 1000.0})]) == []


def test_a_window_without_a_request_is_an_alert_until_requests_come() -> None:
    assert kinds([window(1)], ("2013-11-02", "2013-11-03")) == ["traffic"]
    assert kinds([window(1), window(4)], ("2013-11-02", "2013-11-03")) == []


def test_settings_name_what_they_do_not_know() -> None:
    with pytest.raises(ValueError, match="accurancy is no kind of alert"):
        MonitoringSettings(alerts={"accurancy": "warn"})
    with pytest.raises(ValueError, match="interval must be inside"):
        MonitoringSettings(interval=1.0)
    assert SETTINGS.false_alarm == pytest.approx(1 / 365)
