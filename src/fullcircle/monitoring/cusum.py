"""One-sided CUSUM: evidence that the mean of a stream has fallen by a stated loss, window by window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fullcircle.base.columns import Array

LEAST = 0.5  # evidence of an alarm that is on; one window without a loss takes it away
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence of many streams side by side, each array (streams,).

    `total`: at least 0; a window at the full loss adds 1/2, one without a loss takes 1/2 away, on average.
    `alarm`: whether an alarm is on.
    """

    total: Array
    alarm: Array

    @classmethod
    def zero(cls, streams: int) -> Evidence:
        """No evidence, no alarm."""
        return cls(np.zeros(streams), np.zeros(streams, np.bool_))


def step(before: Evidence, lost: Array, weight: Array | float, threshold: Array | float) -> Evidence:
    """Evidence after one more window (Page 1954).

    `lost`: (streams,), mean of the reference less the window's value, over the loss worth an alarm: 0 without a loss,
    1 at the full loss. Half of it is the reference value, which is optimal against that loss (Lorden 1971,
    Moustakides 1986). `weight`: 0..1, of the window. An alarm goes on when the total exceeds `threshold`, and off when
    it is back at 0. While it is on, the total is at most the threshold, so that a long alarm clears as fast as a short
    one: it takes about as many windows as it took to go on.
    """
    total = np.maximum(before.total + weight * (lost - 0.5), 0.0)
    total = np.where(total < ROUNDING, 0.0, total)
    alarm = (total > threshold) | (before.alarm & (total > 0))
    return Evidence(np.where(alarm, np.minimum(total, np.maximum(threshold, LEAST)), total), alarm)
