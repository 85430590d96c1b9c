"""Monitors the prediction log window by window: reports, alerts, and what they amount to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.checks import Column
from fullcircle.base.errors import DataError
from fullcircle.base.typed import build, plain
from fullcircle.log.monitored import (
    Noted,
    Rule,
    is_complete,
    note_alerts,
    noted_alerts,
    save_report,
    save_rule,
    saved_report,
    saved_reports,
)
from fullcircle.log.reading import first_request, last_bundle, windows
from fullcircle.monitoring.alerts import ACTIONS, Alert, Status, evaluate, status_of
from fullcircle.monitoring.report import Watch, WindowReport, report
from fullcircle.monitoring.streams import METRIC, Rows, alarms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy as sql

    from fullcircle.monitoring.alarm import Alarm, AlarmSettings
    from fullcircle.monitoring.settings import MonitoringSettings

DAYS = {"day": 1, "week": 7}
USUAL = 7  # complete windows, the first of a bundle, whose median of rows is the usual traffic


@dataclass(frozen=True, slots=True)
class Watched:
    """A bundle that is watched. `inputs`: how its columns are read from the log."""

    watch: Watch
    inputs: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Monitored:
    """The outcome of a run. `windows`: reports that were made. `raised`, `cleared`: alerts that changed.

    `notes`: what could not be watched, and why.
    """

    status: Status
    bundle: str
    windows: list[WindowReport]
    alerts: list[Alert]
    raised: list[Noted]
    cleared: list[Noted]
    notes: list[str]


def monitor(
    engine: sql.Engine,
    watched_of: Callable[[str], Watched | str],
    settings: MonitoringSettings,
    now: float,
) -> Monitored:
    """Report every window that has ended and is not final yet; then say which alerts are on for the latest bundle.

    `watched_of`: bundle id -> what it is held against, or why that is not available. `now`: seconds since 1970.
    Raises DataError where the log is empty.
    """
    first = first_request(engine)
    if first is None:
        raise DataError("the prediction log is empty: nothing was answered yet")
    known: dict[str, Watched | str] = {}

    def watched(bundle: str) -> Watched | str:
        if bundle not in known:
            known[bundle] = watched_of(bundle)
        return known[bundle]

    labels = labels_of(first, now, settings)
    made = [each for label in labels for each in _reports(engine, label, watched, settings, now)]
    bundle = last_bundle(engine, now)
    found = watched(bundle)
    notes = {each: None for each in known.values() if isinstance(each, str)}
    label = labels[-1] if labels else ""
    if isinstance(found, str):
        alerts, on = _unwatched(engine, bundle, found, label, settings)
    else:
        alerts = _alerts(engine, bundle, found.watch, labels, settings, notes)
        on = [Noted(bundle, a.kind, a.level, a.since, a.reason, a.action, label) for a in alerts]
    raised, cleared = note_alerts(engine, on, label)
    return Monitored(status_of(alerts), bundle, made, alerts, raised, cleared, [*notes])


def _unwatched(
    engine: sql.Engine, bundle: str, why: str, label: str, settings: MonitoringSettings
) -> tuple[list[Alert], list[Noted]]:
    """The alerts where the bundle that answers cannot be watched: that, and those that were on before go on."""
    before = [alert for alert in noted_alerts(engine, on=True) if alert.kind != "unwatched"]
    on = list(before)
    if (level := settings.level("unwatched")) != "ignore":
        on.append(Noted(bundle, "unwatched", level, label, why, ACTIONS["unwatched"], label))
    kept = [each for each in on if each.level in ("warn", "retrain")]
    return [Alert(a.kind, "retrain" if a.level == "retrain" else "warn", a.since, a.reason, a.action) for a in kept], on


def labels_of(first: float, now: float, settings: MonitoringSettings) -> list[str]:
    """The windows from the one of the first request on that have ended, by their first day; weeks begin on Monday."""
    days = DAYS[settings.alarm.window]
    begun = datetime.fromtimestamp(first, UTC).date()
    if days == 7:
        begun -= timedelta(begun.weekday())
    count = (datetime.fromtimestamp(now, UTC).date() - begun).days // days
    return [(begun + timedelta(days * i)).isoformat() for i in range(count)]


def span_of(label: str, settings: MonitoringSettings) -> tuple[float, float]:
    """The first second of a window and the first one after it, in seconds since 1970."""
    start = datetime.combine(date.fromisoformat(label), datetime.min.time(), UTC).timestamp()
    return start, start + 86400 * DAYS[settings.alarm.window]


def _reports(
    engine: sql.Engine,
    label: str,
    watched: Callable[[str], Watched | str],
    settings: MonitoringSettings,
    now: float,
) -> Iterator[WindowReport]:
    """The reports of a window, one per bundle; none where they are final already."""
    start, stop = span_of(label, settings)
    if is_complete(engine, label):
        return

    def inputs_of(bundle: str) -> Mapping[str, Column] | None:
        found = watched(bundle)
        return None if isinstance(found, str) else found.inputs

    complete = stop + settings.outcomes_after_days * 86400 <= now
    for bundle, logged in windows(engine, inputs_of, start, stop).items():
        found = watched(bundle)
        if not isinstance(found, str):
            text = saved_report(engine, label, bundle)
            before = None if text is None else _read(text)
            made = report(found.watch, logged, label, settings, complete=complete, before=before)
            save_report(engine, label, bundle, json.dumps(plain(made)), complete=complete)
            yield made


def _alerts(
    engine: sql.Engine,
    bundle: str,
    watch: Watch,
    labels: list[str],
    settings: MonitoringSettings,
    notes: dict[str, None],
) -> list[Alert]:
    reports = [_read(text) for text in saved_reports(engine, bundle)]
    try:
        alarms = rules_of(watch, reports, settings)
    except DataError as error:  # too few days of test rows
        alarms = {}
        notes[str(error)] = None
    save_rule(engine, bundle, _rule(watch, alarms.get(METRIC), settings))
    answered = {each.label for each in reports}
    empty = [label for label in labels if label not in answered and reports and label > reports[0].label]
    return evaluate(reports, empty, alarms, settings)[0]


def _rule(watch: Watch, alarm: Alarm | None, settings: MonitoringSettings) -> Rule:
    """What the page shows beside the accuracy."""
    usual, loss = (None, None) if alarm is None else (alarm.expected, alarm.loss)
    return Rule(watch.baseline.metric, watch.measure.lower, settings.interval, usual, loss)


def _read(text: str) -> WindowReport:
    return build(WindowReport, json.loads(text), "a report")


def rules_of(watch: Watch, reports: list[WindowReport], settings: MonitoringSettings) -> dict[str, Alarm]:
    """The rule of each stream. The usual traffic is that of the bundle's first windows, and then stays."""
    rows = [each.accuracy.rows for each in reports if each.complete and each.accuracy][:USUAL]
    return dict(_rules(watch, float(np.median(rows)) if rows else None, settings.alarm, settings.seed))


@lru_cache(maxsize=4)
def _rules(watch: Watch, usual: float | None, settings: AlarmSettings, seed: int) -> dict[str, Alarm]:
    """`usual`: rows of a window; None: as many as in the windows of the reference."""
    baseline = watch.baseline
    reference = Rows(baseline.predicted, baseline.target, baseline.group if baseline.together else None)
    if usual is None:
        usual = float(np.median([len(window) for window in reference.windows(1000, 1)]))
    rows_of = {"": max(usual, float(settings.min_rows))}
    return alarms_of(watch.measure, {"": reference}, rows_of, settings, baseline.bundle, seed=seed)[""]
