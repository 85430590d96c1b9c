"""What the service shows of monitoring: the alerts that are on, the last window, and when monitoring last ran."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sql

from .database import TABLES
from .monitored import ALERTS, REPORTS

RUNS = sql.Table(
    "monitor_runs",
    TABLES,
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=False),  # 1: there is one row
    sql.Column("runs", sql.Integer, nullable=False),  # so far
    sql.Column("until", sql.Float, nullable=False),  # windows that ended by then were monitored; seconds since 1970
)
BACK = 60  # windows that are searched for outcomes, which arrive days later


@dataclass(frozen=True, slots=True)
class Shown:
    """Monitoring at a glance, of one bundle.

    `until`: the moment up to which it was monitored, in seconds since 1970; 0: never. `on`: (kind, level) of the
    alerts that are on; `known`: of all that ever were. `drifted`: columns that drifted in its last window; None
    without one. `metrics`: of its last window with outcomes. `no_outcomes_since`: the first second of that window, or
    of the first window where none has outcomes; 0 without windows. `bundle`, `runs`: what this is of: it changes with
    the next run of monitoring.
    """

    bundle: str = ""
    runs: int = 0
    until: float = 0.0
    on: frozenset[tuple[str, str]] = frozenset()
    known: frozenset[tuple[str, str]] = frozenset()
    drifted: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    no_outcomes_since: float = 0.0


def note_run(engine: sql.Engine, until: float) -> None:
    """Note that monitoring ran. `until` stays where this run is as of an earlier moment."""
    with engine.begin() as connection:
        before = connection.execute(sql.select(RUNS.c.runs, RUNS.c.until)).one_or_none()
        if before is None:
            connection.execute(sql.insert(RUNS), {"id": 1, "runs": 1, "until": until})
        else:
            later = {"runs": before.runs + 1, "until": max(before.until, until)}
            connection.execute(sql.update(RUNS).values(later))


def shown(engine: sql.Engine, bundle: str, before: Shown) -> Shown:
    """What monitoring has found of a bundle; `before` itself where monitoring has not run since.

    Raises SQLAlchemyError where the database does not answer.
    """
    kinds = sql.select(ALERTS.c.kind, ALERTS.c.level).distinct()
    on_now = kinds.where(ALERTS.c.cleared.is_(None), ALERTS.c.bundle == bundle)
    query = (
        sql.select(REPORTS.c.label, REPORTS.c.report)
        .where(REPORTS.c.bundle == bundle)
        .order_by(REPORTS.c.label.desc())
        .limit(BACK)
    )
    with engine.connect() as connection:
        run = connection.execute(sql.select(RUNS.c.runs, RUNS.c.until)).one_or_none()
        if run is None:
            return Shown(bundle)  # and no alert was raised ever
        if (bundle, run.runs) == (before.bundle, before.runs):
            return before
        known, on = (
            frozenset((row.kind, row.level) for row in connection.execute(alerts)) for alerts in (kinds, on_now)
        )
        drifted, metrics, since = None, dict[str, float](), 0.0
        for row in connection.execute(query):
            report, since = json.loads(row.report), datetime.fromisoformat(row.label).replace(tzinfo=UTC).timestamp()
            if drifted is None:
                drifted = sum(column["drifted"] for column in report["drift"]["columns"])
            if accuracy := report.get("accuracy"):
                metrics = {name: value for name, value in accuracy["metrics"].items() if value is not None}
                break
    return Shown(bundle, run.runs, run.until, on, known, drifted, metrics, since)
