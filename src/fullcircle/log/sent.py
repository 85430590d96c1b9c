"""Which alerts were sent to which place, so that each is sent once, and again where a place did not answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sql

from .bundles import logged_bundles
from .database import TABLES, insert_new
from .monitored import ALERTS, Noted

if TYPE_CHECKING:
    from collections.abc import Sequence

SENT = sql.Table(
    "sent",
    TABLES,
    sql.Column("place", sql.String(200), primary_key=True),  # its form and the name of its variable, never its URL
    sql.Column("alert", sql.Integer, primary_key=True, autoincrement=False),  # id in `alerts`
    sql.Column("what", sql.String(10), primary_key=True),  # raised or cleared
)


@dataclass(frozen=True, slots=True)
class Notice:
    """An alert as a place is notified of it. `id`: in the log. `problem`, `version`: of its bundle."""

    id: int
    alert: Noted
    problem: str
    version: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """What one place does not know yet: alerts that were raised and are on, and alerts that were cleared.

    `on`: all alerts that are on, those it knows included.
    """

    raised: tuple[Notice, ...]
    cleared: tuple[Notice, ...]
    on: tuple[Notice, ...]


def unsent(engine: sql.Engine, place: str) -> Unsent:
    """What a place was not notified of, in the order in which alerts were raised.

    An alert that was cleared before the place was notified that it was raised is left out.
    """
    bundles = logged_bundles(engine)
    raised, cleared, on = [], [], []
    with engine.connect() as connection:
        sent = {(row.alert, row.what) for row in connection.execute(sql.select(SENT).where(SENT.c.place == place))}
        # Of those that are off, only those whose raising was sent.
        known = sql.select(SENT.c.alert).where(SENT.c.place == place)
        query = sql.select(ALERTS).where(ALERTS.c.cleared.is_(None) | ALERTS.c.id.in_(known)).order_by(ALERTS.c.id)
        rows = connection.execute(query).all()
    for row in rows:
        about = bundles.get(row.bundle)
        alert = Noted(row.bundle, row.kind, row.level, row.since, row.reason, row.action, row.raised, row.cleared)
        notice = Notice(row.id, alert, about.problem if about else "", about.version if about else "")
        if alert.cleared is None:
            on.append(notice)
            raised += [notice] if (row.id, "raised") not in sent else []
        elif (row.id, "cleared") not in sent:
            cleared.append(notice)
    return Unsent((*raised,), (*cleared,), (*on,))


def note_sent(engine: sql.Engine, place: str, raised: Sequence[Notice], cleared: Sequence[Notice]) -> None:
    """Remember what a place was notified of."""
    rows = [{"place": place, "alert": notice.id, "what": "raised"} for notice in raised]
    rows += [{"place": place, "alert": notice.id, "what": "cleared"} for notice in cleared]
    with engine.begin() as connection:
        insert_new(connection, SENT, rows)
