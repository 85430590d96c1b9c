"""What monitoring has found, kept beside the log: one report per window and bundle, and the alerts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sql
from sqlalchemy.exc import DatabaseError

from ..base.errors import UnavailableError
from .bundles import logged_bundles
from .database import TABLES, reason_of

if TYPE_CHECKING:
    from collections.abc import Sequence

REPORTS = sql.Table(
    "reports",
    TABLES,
    sql.Column("label", sql.String(10), primary_key=True),  # of the window: its first day
    sql.Column("bundle", sql.String(64), primary_key=True),
    sql.Column("complete", sql.Boolean, nullable=False),  # its outcomes are in
    sql.Column("report", sql.Text, nullable=False),  # JSON
)

ALERTS = sql.Table(
    "alerts",
    TABLES,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("bundle", sql.String(64), nullable=False),
    sql.Column("kind", sql.String(20), nullable=False),
    sql.Column("level", sql.String(10), nullable=False),
    sql.Column("since", sql.String(10), nullable=False),  # the first window of it
    sql.Column("reason", sql.Text, nullable=False),
    sql.Column("action", sql.Text, nullable=False),
    sql.Column("raised", sql.String(10), nullable=False),  # the window after which it was raised
    sql.Column("cleared", sql.String(10)),  # the window after which it was cleared; null: it is on
)

RULES = sql.Table(
    "rules",
    TABLES,
    sql.Column("bundle", sql.String(64), primary_key=True),
    sql.Column("metric", sql.String(60), nullable=False),
    sql.Column("lower", sql.Boolean, nullable=False),
    sql.Column("interval", sql.Float, nullable=False),
    sql.Column("usual", sql.Float),
    sql.Column("loss", sql.Float),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the accuracy of a bundle is held against.

    `metric`: the primary one; `lower`: whether lower values of it are better. `interval`: the level of intervals, 0 to
    1. `usual`: its mean in the windows of the reference. `loss`: worth an alarm, above 0, in the unit of the metric.
    Both are None where the reference has too few windows.
    """

    metric: str
    lower: bool
    interval: float
    usual: float | None = None
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """An alert as it is kept. `raised`, `cleared`: the windows after which; `cleared` None: it is on."""

    bundle: str
    kind: str
    level: str
    since: str
    reason: str
    action: str
    raised: str
    cleared: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is kept. `problem`: of the bundle that began to answer last, empty where none did.

    `reports`: JSON, in the order of time. `alerts`: as they were raised. `rules`: by bundle id.
    """

    problem: str
    reports: list[str]
    alerts: list[Noted]
    rules: dict[str, Rule]


def read_kept(engine: sql.Engine, most: int) -> Kept:
    """Read what is kept, at most the latest `most` reports. Raises UnavailableError where it cannot be read now."""
    try:
        problems = [bundle.problem for bundle in logged_bundles(engine).values()]
        reports, alerts, rules = latest_reports(engine, most), noted_alerts(engine), saved_rules(engine)
    except DatabaseError as error:
        raise UnavailableError(f"the prediction log cannot be read now: {reason_of(error)}; try again") from None
    return Kept(problems[-1] if problems else "", reports, alerts, rules)


def save_report(engine: sql.Engine, label: str, bundle: str, report: str, *, complete: bool) -> None:
    """Keep a report, in the place of an earlier one of the same window and bundle."""
    with engine.begin() as connection:
        connection.execute(sql.delete(REPORTS).where(REPORTS.c.label == label, REPORTS.c.bundle == bundle))
        row = {"label": label, "bundle": bundle, "report": report, "complete": complete}
        connection.execute(sql.insert(REPORTS), row)


def saved_report(engine: sql.Engine, label: str, bundle: str) -> str | None:
    """The report of a window and bundle, as JSON; None where none is kept."""
    with engine.connect() as connection:
        query = sql.select(REPORTS.c.report).where(REPORTS.c.label == label, REPORTS.c.bundle == bundle)
        return connection.execute(query).scalar_one_or_none()


def saved_reports(engine: sql.Engine, bundle: str | None = None) -> list[str]:
    """The reports, as JSON, in the order of time; those of one bundle."""
    query = sql.select(REPORTS.c.report).order_by(REPORTS.c.label, REPORTS.c.bundle)
    if bundle is not None:
        query = query.where(REPORTS.c.bundle == bundle)
    with engine.connect() as connection:
        return [*connection.scalars(query)]


def latest_reports(engine: sql.Engine, most: int) -> list[str]:
    """The latest reports, as JSON, in the order of time; `most` of them at most."""
    query = sql.select(REPORTS.c.report).order_by(REPORTS.c.label.desc(), REPORTS.c.bundle.desc()).limit(most)
    with engine.connect() as connection:
        return [*connection.scalars(query)][::-1]


def save_rule(engine: sql.Engine, bundle: str, rule: Rule) -> None:
    """Keep the rule of a bundle, in the place of an earlier one."""
    with engine.begin() as connection:
        connection.execute(sql.delete(RULES).where(RULES.c.bundle == bundle))
        connection.execute(sql.insert(RULES), {"bundle": bundle, **asdict(rule)})


def saved_rules(engine: sql.Engine) -> dict[str, Rule]:
    """Bundle id -> its rule."""
    with engine.connect() as connection:
        rows = connection.execute(sql.select(RULES).order_by(RULES.c.bundle))
        return {row.bundle: Rule(row.metric, row.lower, row.interval, row.usual, row.loss) for row in rows}


def is_complete(engine: sql.Engine, label: str) -> bool:
    """Whether the reports of a window are there and will not change."""
    query = sql.select(REPORTS.c.bundle).where(REPORTS.c.label == label, REPORTS.c.complete).limit(1)
    with engine.connect() as connection:
        return connection.execute(query).first() is not None


def note_alerts(engine: sql.Engine, on: Sequence[Noted], label: str) -> tuple[list[Noted], list[Noted]]:
    """Keep the alerts that are on after a window; returns those that are new, and those that are not on any longer.

    An alert of one kind and bundle that was on before goes on: its reason is kept up to date.
    """
    present = {(alert.bundle, alert.kind): alert for alert in on}
    raised = dict(present)
    cleared: list[Noted] = []
    with engine.begin() as connection:
        for row in connection.execute(sql.select(ALERTS).where(ALERTS.c.cleared.is_(None))).all():
            now = raised.pop((row.bundle, row.kind), None)
            change = {"cleared": label} if now is None else {"reason": now.reason, "since": now.since}
            connection.execute(sql.update(ALERTS).where(ALERTS.c.id == row.id).values(change))
            if now is None:
                cleared.append(_noted(row, label))
        if raised:
            connection.execute(sql.insert(ALERTS), [_row(alert) for alert in raised.values()])
    return [*raised.values()], cleared


def noted_alerts(engine: sql.Engine, *, on: bool = False) -> list[Noted]:
    """The alerts in the order in which they were raised; only those that are on."""
    query = sql.select(ALERTS).order_by(ALERTS.c.id)
    if on:
        query = query.where(ALERTS.c.cleared.is_(None))
    with engine.connect() as connection:
        return [_noted(row, row.cleared) for row in connection.execute(query)]


def _noted(row: sql.Row[tuple[object, ...]], cleared: str | None) -> Noted:
    return Noted(row.bundle, row.kind, row.level, row.since, row.reason, row.action, row.raised, cleared)


def _row(alert: Noted) -> dict[str, str | None]:
    return {name: getattr(alert, name) for name in Noted.__slots__}
