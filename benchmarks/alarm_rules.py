"""Rules that the alarm is compared with: mean ± 3 SD (NannyML), and an e-detector of bets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.monitoring.threshold import Spread

BETS = (0.25, 0.5, 1.0)  # of the growth-optimal one
MOST = 0.9  # of what can be lost by one bet
EVERY = 365  # windows to a false alarm, at least, on average


def beyond_three(spread: Spread, x: Array) -> Array:
    """Whether each window is worse than the reference's mean by more than 3 of its standard deviations."""
    return np.asarray(x < spread.mean - 3 * np.sqrt(spread.variance))


def betting(spread: Spread, x: Array, loss: float) -> Array:
    """Shiryaev-Roberts e-detector (Shin, Ramdas and Rinaldo 2024): whether an alarm was raised at each window.

    H0: the mean of each window, given those before, is at least that of the reference. The bets on the contrary are
    fixed; the detector is their mean. It starts anew after each alarm. With a known mean the time to a false alarm is
    at least 365 windows on average; here the mean is that of the reference.
    """
    highest = max(float(x.max()), spread.mean + 1e-6)
    best = loss / (spread.variance + loss**2)
    bets = np.minimum(np.array(BETS) * best, MOST / (highest - spread.mean))[:, None]
    wealth, on = np.zeros((len(BETS), x.shape[1])), np.zeros(x.shape, np.bool_)
    for t, value in enumerate(x):
        wealth = (wealth + 1) * np.maximum(1 + bets * (spread.mean - value), 0)
        on[t] = wealth.mean(axis=0) >= EVERY
        wealth[:, on[t]] = 0
    return on


def raised(on: Array) -> Array:
    """Alarms of each stream: (streams,), windows at which it went on. `on`: (windows, streams)."""
    return np.asarray(on[0].astype(int) + (on[1:] & ~on[:-1]).sum(axis=0))


def first_alarm(on: Array) -> Array:
    """Number of the window of the first alarm, from 1; infinite if there is none: (streams,)."""
    return np.where(on.any(axis=0), on.argmax(axis=0) + 1.0, np.inf)
