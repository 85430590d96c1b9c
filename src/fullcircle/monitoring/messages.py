"""Alerts as messages: in the shape of Slack's webhooks, and of Alertmanager's API (v2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.log.sent import Notice

SEVERITY = {"warn": "warning", "retrain": "critical"}
"""Level of an alert -> severity, as alert rules of Prometheus name it (deploy/prometheus/rules.yaml)."""
SHOWN = 20  # alerts of one message to Slack, which takes 50 blocks at most
LONG = 1500  # characters of a reason; Slack takes 3000 of a block
TITLE = 140  # characters of a title; Slack takes 150


def slack(raised: Sequence[Notice], cleared: Sequence[Notice]) -> dict[str, Any]:
    """One message about all that changed. `text` says it all, for places that do not show blocks."""
    changes = [f"{len(raised)} raised"] * bool(raised) + [f"{len(cleared)} cleared"] * bool(cleared)
    models = dict.fromkeys(f"{notice.problem} {notice.version}".strip() for notice in (*raised, *cleared))
    title = f"{', '.join(models)}: alerts, {' and '.join(changes)}"
    lines = [_raised(notice) for notice in raised] + [_cleared(notice) for notice in cleared]
    if len(lines) > SHOWN:
        lines = [*lines[:SHOWN], f"and {len(lines) - SHOWN} more; `fullcircle monitor` prints all"]
    head = {"type": "header", "text": {"type": "plain_text", "text": title[:TITLE]}}
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": line}} for line in lines]
    return {"text": "\n\n".join([f"*{_escaped(title)}*", *lines]), "blocks": [head, *blocks]}


def _raised(notice: Notice) -> str:
    alert = notice.alert
    return (
        f"*{alert.level}: {alert.kind}* since {alert.since}\n{_escaped(alert.reason[:LONG])}\n"
        f"*What to do:* {_escaped(alert.action)}"
    )


def _cleared(notice: Notice) -> str:
    alert = notice.alert
    return f"*cleared: {alert.kind}*, which was raised after {alert.raised}"


def _escaped(text: str) -> str:
    """Text as Slack takes it: the name of a column must not become a link or call everybody.

    >>> _escaped("<!channel> a & b")
    '&lt;!channel&gt; a &amp; b'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def alertmanager(on: Sequence[Notice], cleared: Sequence[Notice], now: float, lasts: float) -> list[dict[str, Any]]:
    """The alerts that are on, and those that were cleared, as `POST /api/v2/alerts` takes them.

    Alertmanager keeps alerts in memory until `endsAt`, so those that are on are sent by each run; it notifies once of
    those that it has. `now`: seconds since 1970. `lasts`: seconds after which an alert ends that is not sent again.
    """
    return [_alert(notice, now + lasts) for notice in on] + [_alert(notice, now) for notice in cleared]


def _alert(notice: Notice, ends: float) -> dict[str, Any]:
    alert = notice.alert
    name = "FullCircle" + "".join(word.title() for word in alert.kind.split("_"))
    begun = datetime.fromisoformat(alert.since).replace(tzinfo=UTC).timestamp()
    return {
        "labels": {
            "alertname": name,
            "severity": SEVERITY[alert.level],
            "level": alert.level,
            "problem": notice.problem,
            "version": notice.version,
            "bundle": alert.bundle[:12],
        },
        "annotations": {
            "summary": f"{notice.problem} {notice.version}: {alert.kind} since {alert.since}",
            "description": alert.reason,
            "action": alert.action,
        },
        "startsAt": _moment(min(begun, ends)),
        "endsAt": _moment(ends),
    }


def _moment(seconds: float) -> str:
    """A moment in RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
