"""`fullcircle monitor`: reports the windows that have ended, says which alerts are on, and sends them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from fullcircle.base.files import write_text
from fullcircle.core.config import load_file
from fullcircle.log.monitored import read_kept
from fullcircle.log.shown import note_run
from fullcircle.monitoring.notify import notify
from fullcircle.monitoring.settings import MonitoringSettings

if TYPE_CHECKING:
    import sqlalchemy as sql

    from fullcircle.monitoring.report import WindowReport
    from fullcircle.monitoring.run import Monitored

FILE = Path("conf/monitoring.yaml")
EXIT = {"ok": 0, "warn": 10, "retrain": 20}
"""Status -> exit code, for cron and other schedulers; 1 is an error."""


def read_monitoring(file: Path = FILE) -> MonitoringSettings:
    """Read conf/monitoring.yaml; the defaults where it is not there. Raises ConfigError."""
    return load_file(MonitoringSettings, file) if file.is_file() else MonitoringSettings()


def send(engine: sql.Engine, settings: MonitoringSettings, at: float) -> list[str]:
    """Note that monitoring ran as of a moment, and send alerts; returns one line per place that was sent something.

    The exit code stays that of the alerts: a place that does not answer must not keep anyone from retraining.
    """
    note_run(engine, at)
    return [str(each) for each in notify(engine, settings, time.time())]


def write_page(engine: sql.Engine, file: Path) -> None:
    """Write the page of monitoring as one file."""
    from fullcircle.serving.monitor import page_of  # needs the web framework
    from fullcircle.serving.windows import MOST, shown

    write_text(file, page_of(shown(read_kept(engine, MOST))))


def summary(found: Monitored, metric: str) -> str:
    """The windows in a table, then the alerts with what to do."""
    lines = []
    if found.windows:
        lines.append(f"{'window':<12}{'version':<9}{'rows':>8}{'aside':>7}{'p99 ms':>8}{'drifted':>9}  {metric}")
        lines += [_line(window, metric) for window in found.windows]
    lines += [f"note: {note}" for note in found.notes]
    lines += [f"cleared: {alert.kind}, raised {alert.raised}" for alert in found.cleared]
    lines.append(f"{found.status}: " + ("nothing to do" if not found.alerts else f"{len(found.alerts)} alerts"))
    new = {alert.kind for alert in found.raised}
    for alert in found.alerts:
        lines.append(
            f"  {alert.level:<8}{alert.kind}{' (new)' * (alert.kind in new)}, since {alert.since}: {alert.reason}"
        )
        lines.append(f"          {alert.action}")
    return "\n".join(lines)


def _line(window: WindowReport, metric: str) -> str:
    aside = sum(window.set_aside.values())
    shown = "outcomes are awaited"
    if (found := window.estimate) is not None and found.value is not None:
        shown = f"estimated {found.value:.3f}"
        shown += f" ({found.low:.3f} to {found.high:.3f})" if found.low is not None and found.high is not None else ""
    if window.accuracy is not None and (value := window.accuracy.metrics.get(metric)) is not None:
        low, high = window.accuracy.intervals[metric]
        shown = f"{value:.3f}" + (f" ({low:.3f} to {high:.3f})" if low is not None and high is not None else "")
        shown += f" of {window.accuracy.rows:,} rows"
    return (
        f"{window.label:<12}{window.version:<9}{window.scored:>8,}{aside:>7,}{window.ms['p99']:>8.1f}"
        f"{len(window.drift.drifted):>9}  {shown}"
    )
