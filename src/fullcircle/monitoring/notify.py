"""Sends alerts to the places of conf/monitoring.yaml: each once, and again where a place did not answer."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import ConfigError, UnavailableError
from fullcircle.log.sent import Unsent, note_sent, unsent
from fullcircle.monitoring.messages import alertmanager, slack
from fullcircle.monitoring.post import Patience, post

if TYPE_CHECKING:
    import sqlalchemy as sql

    from fullcircle.monitoring.settings import MonitoringSettings, Notify

API = "/api/v2/alerts"
WINDOWS = 3  # Alertmanager ends an alert that so many windows did not send again: then monitoring has stopped
SECONDS = {"day": 86400.0, "week": 7 * 86400.0}
PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was sent to one place. `raised`, `cleared`: alerts. `error`: why they were not sent; None: they were."""

    place: str
    raised: int
    cleared: int
    error: str | None = None

    def __str__(self) -> str:
        if self.error is None:
            return f"sent to {self.place}: {self.raised} raised, {self.cleared} cleared"
        return f"not sent to {self.place}, and tried again by the next run: {self.error}"


def notify(
    engine: sql.Engine, settings: MonitoringSettings, now: float, patience: Patience = PATIENCE
) -> list[Delivery]:
    """Send what each place was not sent yet; one that fails does not stop the others.

    `now`: the moment of sending, in seconds since 1970. Returns what was sent or failed; a place that has nothing to
    be sent is left out. A place that took a message and did not say so in time gets it twice.
    """
    lasts = WINDOWS * SECONDS[settings.alarm.window]
    places = [*dict.fromkeys(settings.notify)]
    waiting = [unsent(engine, name_of(place)) for place in places]
    with ThreadPoolExecutor(max_workers=max(1, len(places))) as pool:
        errors = [*pool.map(lambda place, what: _send(place, what, now, lasts, patience), places, waiting)]
    found = []
    for place, what, error in zip(places, waiting, errors, strict=True):
        if error is None:
            note_sent(engine, name_of(place), what.raised, what.cleared)
        if error is not None or what.raised or what.cleared:
            found.append(Delivery(name_of(place), len(what.raised), len(what.cleared), error))
    return found


def name_of(place: Notify) -> str:
    """A place as messages and the log name it: by its variable, for its URL is a secret."""
    return f"{place.form} ({place.url_env})"


def _send(place: Notify, what: Unsent, now: float, lasts: float, patience: Patience) -> str | None:
    """Why it could not be sent; None: it was, or there is nothing to be sent."""
    body: Any = None
    if place.form == "alertmanager":
        body = alertmanager(what.on, what.cleared, now, lasts)
    elif what.raised or what.cleared:
        body = slack(what.raised, what.cleared)
    if not body:
        return None
    url = os.environ.get(place.url_env, "").strip()
    if not url:
        return f"the variable {place.url_env} is empty or not set"
    if place.form == "alertmanager" and not url.rstrip("/").endswith(API):
        url = url.rstrip("/") + API
    try:
        post(url, body, patience)
    except (ConfigError, UnavailableError) as error:
        return str(error)
    return None
