"""conf/monitoring.yaml: what is watched, and what is worth an alert."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from fullcircle.monitoring.alarm import AlarmSettings

Level: TypeAlias = Literal["ignore", "warn", "retrain"]

KINDS: dict[str, Level] = {
    "accuracy": "retrain",
    "surprise": "retrain",
    "estimate": "warn",
    "drift": "warn",
    "quality": "warn",
    "set_aside": "warn",
    "latency": "warn",
    "traffic": "warn",
    "unwatched": "warn",
}
"""Kinds of alerts, and what each means by default."""


@dataclass(frozen=True, slots=True)
class Notify:
    """Where alerts are sent. `url_env`: names the environment variable that holds the URL, which is a secret."""

    form: Literal["slack", "alertmanager"]
    url_env: str


@dataclass(frozen=True, slots=True)
class MonitoringSettings:
    """The whole of conf/monitoring.yaml, which explains each."""

    alarm: AlarmSettings = field(default_factory=AlarmSettings)
    outcomes_after_days: float = 2.0
    estimate: Literal["pape", "cbpe", "none"] = "pape"
    interval: float = 0.95
    slice_rows: int = 200
    seed: int = 0
    latency_ms: float = 1000.0
    set_aside: float = 0.05
    alerts: dict[str, Level] = field(default_factory=lambda: dict(KINDS))
    notify: tuple[Notify, ...] = ()

    def __post_init__(self) -> None:
        if unknown := sorted(self.alerts.keys() - KINDS.keys()):
            raise ValueError(f"alerts: {', '.join(unknown)} is no kind of alert; there are {', '.join(KINDS)}")
        if not 0 < self.interval < 1 or not 0 <= self.set_aside <= 1:
            raise ValueError("interval must be inside 0..1, and set_aside in 0..1")
        if not (0 <= self.outcomes_after_days < math.inf and self.latency_ms > 0 and self.slice_rows >= 1):
            raise ValueError("outcomes_after_days must be 0 or more, latency_ms above 0, slice_rows 1 or more")

    @property
    def false_alarm(self) -> float:
        """The probability that one window without a change raises an alert of one kind."""
        return self.alarm.false_alarms_per_year / {"day": 365, "week": 52}[self.alarm.window]

    def level(self, kind: str) -> Level:
        """What an alert of a kind means."""
        return self.alerts.get(kind, KINDS[kind])
