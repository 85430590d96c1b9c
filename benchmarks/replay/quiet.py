"""Quiet years: days of the first model's test rows, drawn anew. Nothing changes in them, so what fires is false."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.replay.service import LOG
from benchmarks.replay.year import Watcher, replay
from fullcircle.base.typed import build
from fullcircle.log.database import connect
from fullcircle.log.monitored import saved_reports
from fullcircle.monitoring.alarm import AlarmState, Window, update
from fullcircle.monitoring.alerts import evaluate
from fullcircle.monitoring.report import WindowReport
from fullcircle.monitoring.run import Watched, rules_of

if TYPE_CHECKING:
    from fullcircle.monitoring.alarm import Alarm

DAYS = 365
YEARS = 3
MANY = 200  # years for the rate of alarms


@dataclass(frozen=True, slots=True)
class Quiet:
    """`days`: that are drawn from. `alerts`: kind -> times that it was raised in `YEARS` years.

    `rate`: alarms that ask for retraining in a year, of `MANY` years.
    """

    days: int
    alerts: dict[str, int]
    rate: float


def quiet(root: str, project: str, first: str, last: str) -> Quiet:
    """Replay the days from `first` to `last`, then draw years from their reports. Changes the working directory."""
    until = (date.fromisoformat(last) + timedelta(3)).isoformat()  # until their outcomes are in
    answered = replay(root, project, "never", first, until)
    os.chdir(project)
    texts = saved_reports(connect(f"sqlite:///{LOG}", None))
    reports = [build(WindowReport, json.loads(text), "a report") for text in texts]
    reports = [report for report in reports if first <= report.label <= last]
    watcher = Watcher(Path.cwd())
    watched = watcher.watched(reports[0].bundle)
    if isinstance(watched, str) or any(day.different for day in answered):
        raise RuntimeError(f"the quiet years cannot be drawn: {watched}")
    return drawn(reports, watched, watcher)


def drawn(reports: list[WindowReport], watched: Watched, watcher: Watcher) -> Quiet:
    """Draw years of windows, and count what is raised in them."""
    settings = watcher.settings
    alarms = rules_of(watched.watch, reports, settings)
    random = np.random.default_rng(settings.seed)
    raised: Counter[str] = Counter()
    for _ in range(YEARS):
        year: list[WindowReport] = []
        before: set[str] = set()
        chosen = random.integers(0, len(reports), DAYS).tolist()
        for at, choice in enumerate(chosen):
            year.append(replace(reports[choice], label=_label(at), complete=False, accuracy=None))
            if (late := at - int(settings.outcomes_after_days)) >= 0:
                year[late] = replace(reports[chosen[late]], label=_label(late))
            found = {alert.kind for alert in evaluate(year, [], alarms, settings)[0]}
            raised.update(found - before)
            before = found
    return Quiet(len(reports), dict(sorted(raised.items())), _rate(reports, alarms, random))


def _rate(reports: list[WindowReport], alarms: dict[str, Alarm], random: np.random.Generator) -> float:
    """Alarms a year of both streams together."""
    count = 0
    for _ in range(MANY):
        chosen = random.integers(0, len(reports), DAYS).tolist()
        for stream, alarm in alarms.items():
            state = AlarmState()
            for at, choice in enumerate(chosen):
                accuracy = reports[choice].accuracy
                value = accuracy.streams[stream] if accuracy else None
                state = update(alarm, state, Window(_label(at), value, accuracy.rows if accuracy else 0))
            count += state.alarms
    return count / MANY


def _label(at: int) -> str:
    return (date(2014, 1, 1) + timedelta(at)).isoformat()
