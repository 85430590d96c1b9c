"""Alerts: what the reports of windows amount to, in words, with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fullcircle.monitoring.alarm import Alarm, AlarmState, Window, fold

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fullcircle.monitoring.quality import Measure
    from fullcircle.monitoring.report import WindowReport
    from fullcircle.monitoring.settings import MonitoringSettings

Status = Literal["ok", "warn", "retrain"]
ORDER: tuple[Status, ...] = ("ok", "warn", "retrain")
STREAMS = {"metric": "accuracy", "surprise": "surprise"}
"""Stream that an alarm watches -> kind of alert."""

ACTIONS = {
    "accuracy": "retrain: `fullcircle retrain`",
    "surprise": "retrain: `fullcircle retrain`",
    "estimate": "get outcomes sooner, or retrain if drift explains it",
    "drift": "find out why the columns changed; retrain if the change stays",
    "quality": "correct what fills these columns",
    "set_aside": "look at the reasons: what sends these rows has changed",
    "latency": "add workers, or send fewer rows per request",
    "traffic": "find out why nothing was asked",
    "unwatched": "register what is served, and `dvc push` it where it was registered",
}


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is not as it should be. `since`: the first window of it. `reason`, `action`: in words."""

    kind: str
    level: Literal["warn", "retrain"]
    since: str
    reason: str
    action: str


def status_of(alerts: Sequence[Alert]) -> Status:
    """The worst of what alerts mean.

    >>> status_of([])
    'ok'
    """
    return max((alert.level for alert in alerts), key=ORDER.index, default="ok")


def evaluate(
    reports: Sequence[WindowReport],
    empty: Sequence[str],
    alarms: Mapping[str, Alarm],
    settings: MonitoringSettings,
) -> tuple[list[Alert], dict[str, AlarmState]]:
    """The alerts that are on after the last window, and the state of each alarm.

    `reports`: of one bundle, in the order of time. `empty`: labels of windows without a request, after its first
    one. `alarms`: stream -> rule; none where the baseline does not allow one.
    """
    metric = alarms.get("metric")
    worth = None if metric is None else (metric.expected, metric.loss, metric.lower)
    found = [] if not reports else _of_window(reports, settings, worth)
    if empty and (not reports or empty[-1] > reports[-1].label):
        since = next(label for label in empty if not reports or label > reports[-1].label)
        found.append(("traffic", since, f"no request since {since}"))
    states = {}
    for stream, alarm in alarms.items():
        windows = [_window(each, stream) for each in reports if each.complete]
        states[stream] = state = fold(alarm, AlarmState(), windows)
        if state.on:
            found.append((STREAMS[stream], str(state.since), _lost(stream, state)))
    alerts = [
        Alert(kind, level, since, reason, ACTIONS[kind])
        for kind, since, reason in found
        if (level := settings.level(kind)) != "ignore"
    ]
    return sorted(alerts, key=lambda alert: (-ORDER.index(alert.level), alert.kind)), states


def _window(report: WindowReport, stream: str) -> Window:
    accuracy = report.accuracy
    return Window(report.label, accuracy.streams[stream] if accuracy else None, accuracy.rows if accuracy else 0)


def _lost(stream: str, state: AlarmState) -> str:
    what = "below what it was in validation" if stream == "metric" else "below what the predictions promise"
    return f"about {state.loss:.3g} {what} since {state.since}, for longer than chance explains"


def _of_window(
    reports: Sequence[WindowReport], settings: MonitoringSettings, worth: tuple[float, float, bool] | None
) -> list[tuple[str, str, str]]:
    """What is wrong with the last window, and since when windows have been so."""
    checks: dict[str, Callable[[WindowReport], str]] = {
        "drift": lambda r: ", ".join(f"{c.name}: {c.change}" for c in r.drift.drifted[:3]),
        "quality": lambda r: ", ".join(f"{m.name} {m.what} {m.share:.1%}" for m in _of_columns(r)[:3]),
        "set_aside": lambda r: _set_aside(r, settings.set_aside),
        "estimate": lambda r: _estimated(r, worth),
        "latency": lambda r: f"p99 {r.ms['p99']:g} ms" if r.ms["p99"] > settings.latency_ms else "",
    }
    found = []
    for kind, words in checks.items():
        if reason := words(reports[-1]):
            since = reports[-1].label
            for report in reversed(reports):
                if not words(report):
                    break
                since = report.label
            found.append((kind, since, reason))
    return found


def _of_columns(report: WindowReport) -> list[Measure]:
    return [measure for measure in report.quality.unusual if measure.what != "set aside"]


def _estimated(report: WindowReport, worth: tuple[float, float, bool] | None) -> str:
    """`worth`: the usual value, the loss that is worth an alert, and whether lower is better."""
    found = report.estimate
    if worth is None or found is None or found.low is None or found.high is None or found.method == "realized":
        return ""
    usual, loss, lower = worth
    far = found.low > usual + loss if lower else found.high < usual - loss
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}), usually {usual:.3f}" if far else ""


def _set_aside(report: WindowReport, allowed: float) -> str:
    aside = sum(report.set_aside.values())
    if aside <= allowed * max(1, report.rows):
        return ""
    reason = max(report.set_aside, key=lambda name: (report.set_aside[name], name))
    return f"{aside:,} of {report.rows:,} rows could not be scored, e.g. {reason}"
