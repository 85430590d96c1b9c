"""One-sided CUSUM: evidence that the mean of a stream has fallen by a stated loss, window by window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fullcircle.base.columns import Array


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence of many streams side by side, each array (streams,).

    `total`: at least 0; a window at the full loss adds 1/2, one without a loss takes 1/2 away, on average.
    `alarm`: whether an alarm is on. `ceiling`: the total at which it went on, and the highest while it is on.
    """

    total: Array
    alarm: Array
    ceiling: Array

    @classmethod
    def zero(cls, streams: int) -> Evidence:
        """No evidence, no alarm."""
        return cls(np.zeros(streams), np.zeros(streams, np.bool_), np.zeros(streams))


def step(before: Evidence, lost: Array, weight: Array | float, threshold: Array | float) -> Evidence:
    """Evidence after one more window (Page 1954).

    `lost`: (streams,), mean of the reference less the window's value, over the loss worth an alarm: 0 without a loss,
    1 at the full loss. Half of it is the reference value, which is optimal against that loss (Lorden 1971,
    Moustakides 1986). `weight`: 0..1, of the window. An alarm goes on when the total exceeds `threshold`, and off when
    it is back at 0. While it is on, the total does not rise above where it went on, so that it can come back as fast.
    """
    total = np.maximum(before.total + weight * (lost - 0.5), 0.0)
    total = np.where(before.alarm, np.minimum(total, before.ceiling), total)
    raised = ~before.alarm & (total > threshold)
    alarm = raised | (before.alarm & (total > 0))
    return Evidence(total, alarm, np.where(raised, total, np.where(alarm, before.ceiling, 0.0)))
