"""When the loss of a metric is worth an alarm: the settings, the rule, and the state of a running alarm."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from fullcircle.base.errors import DataError
from fullcircle.monitoring.cusum import Evidence, step
from fullcircle.monitoring.threshold import Spread, delay_in, simulated_loss, threshold_of

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOWS = {"day": 365, "week": 52}
"""Windows in a year."""


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """What is worth an alarm (`alarm` in conf/monitoring.yaml).

    `loss`: of the primary metric, in its unit and whichever way is worse; None: half of what the model gains over the
    dummy model in a window of the reference. `false_alarms_per_year`: expected of all streams together, while
    nothing changes. `min_rows`: with outcomes; a window of fewer is skipped.
    """

    loss: float | None = None
    false_alarms_per_year: float = 1.0
    window: Literal["day", "week"] = "day"
    min_rows: int = 50

    def __post_init__(self) -> None:
        if self.loss is not None and not 0 < self.loss < math.inf:
            raise ValueError(f"loss {self.loss:g} must be above 0, in the unit of the metric (null: derived)")
        if not 0.01 <= self.false_alarms_per_year <= WINDOWS[self.window] / 10:
            raise ValueError(
                f"false_alarms_per_year {self.false_alarms_per_year:g} is outside 0.01..{WINDOWS[self.window] / 10:g}"
            )
        if self.min_rows < 1:
            raise ValueError(f"min_rows {self.min_rows} must be 1 or more")


@dataclass(frozen=True, slots=True)
class Window:
    """One window of a stream. `label`: sorts as time does (2013-11-30). `rows`: with outcomes.

    `value`: of the stream; None or NaN if there is none, as of one class.
    """

    label: str
    value: float | None
    rows: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """The rule of one stream: which loss is worth an alarm, and how much evidence of it.

    `bundle`: the id of the bundle that made the predictions. `threshold`: of evidence, in windows: about twice as many
    windows at the full loss reach it. `rows`: the usual number of rows of a window, for which the threshold was
    simulated. `lower`: lower values of the metric are better. `spread`: of the reference, of values whose sign makes
    higher ones better. `delay`: windows until half of the falls by `loss` are caught; None: more than a year,
    and then the loss is too small for what the reference says.
    """

    bundle: str
    loss: float
    threshold: float
    rows: float
    lower: bool
    min_rows: int
    spread: Spread
    delay: int | None

    @property
    def expected(self) -> float:
        """The mean of the reference, in the metric's own sign."""
        return -self.spread.mean if self.lower else self.spread.mean


@dataclass(frozen=True, slots=True)
class AlarmState:
    """What a stream has come to, window by window; a plain value, kept as JSON between runs.

    `evidence`: 0 and more, to compare with the rule's threshold.
    `since`: the first window of the run that the evidence comes from, the estimate of when the change began (Page
    1954); None while there is no evidence. `weight`, `lost`: of the windows since then, and the sum of their losses
    times weight. `raised`: the window at which the alarm went on; None while it is off. `last`: the latest window.
    `alarms`: times that it went on.
    """

    bundle: str = ""
    evidence: float = 0.0
    since: str | None = None
    weight: float = 0.0
    lost: float = 0.0
    raised: str | None = None
    last: str | None = None
    alarms: int = 0

    @property
    def on(self) -> bool:
        """Whether the alarm is on."""
        return self.raised is not None

    @property
    def loss(self) -> float:
        """Mean loss since `since`, in the unit of the metric; 0 without evidence. Chosen as the worst run: too high."""
        return self.lost / self.weight if self.weight > 0 else 0.0


def alarm_of(
    spread: Spread, loss: float, false_alarms: float, rows: float, settings: AlarmSettings, bundle: str,
    *, lower: bool = False, seed: int = 0,
) -> Alarm:  # fmt: skip
    """The rule of one stream, its threshold found by simulation (about a second).

    `spread`: of values of which higher ones are better. `loss`: worth an alarm. `false_alarms`: this stream's share of
    those of a year. `rows`: with outcomes in a usual window of the traffic that is watched, not of the reference.
    """
    losses = simulated_loss(spread, rows, WINDOWS[settings.window], seed) / loss
    threshold = threshold_of(losses, false_alarms)
    delay = delay_in(losses, threshold)
    return Alarm(bundle, loss, threshold, rows, lower, settings.min_rows, spread, delay)


def update(alarm: Alarm, state: AlarmState, window: Window) -> AlarmState:
    """The state after one more window. A window without a value, or of too few rows, leaves all but `last` as it was.

    A state of another bundle starts anew. Raises DataError for a window that is not later than the latest one: each
    window counts once, when its outcomes are complete.
    """
    if state.bundle != alarm.bundle:
        state = AlarmState(bundle=alarm.bundle)
    if state.last is not None and window.label <= state.last:
        raise DataError(
            f"alarm: window {window.label} comes after {state.last}. Windows are given once each, in order of time"
        )
    state = replace(state, last=window.label)
    if window.value is None or not math.isfinite(window.value) or window.rows < alarm.min_rows:
        return state
    value = -window.value if alarm.lower else window.value
    lost, weight = alarm.spread.mean - value, alarm.spread.weight(window.rows, alarm.rows)
    before = Evidence(np.array([state.evidence]), np.array([state.on]))
    after = step(before, np.array([lost / alarm.loss]), weight, alarm.threshold)
    evidence, on = float(after.total[0]), bool(after.alarm[0])
    if evidence == 0:
        return replace(state, evidence=0.0, since=None, weight=0.0, lost=0.0, raised=None)
    return replace(
        state,
        evidence=evidence,
        since=state.since or window.label,
        weight=state.weight + weight,
        lost=state.lost + weight * lost,
        raised=(state.raised or window.label) if on else None,
        alarms=state.alarms + (on and not state.on),
    )


def fold(alarm: Alarm, state: AlarmState, windows: Iterable[Window]) -> AlarmState:
    """The state after several windows, in order of time; the same as one by one, over any number of restarts."""
    for window in windows:
        state = update(alarm, state, window)
    return state
