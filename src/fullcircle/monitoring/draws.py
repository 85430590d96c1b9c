"""What chance does: windows drawn from the groups of the baseline, and how far the furthest column of each lies."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.base.errors import ConfigError

if TYPE_CHECKING:
    from fullcircle.monitoring.counts import Counted

DRAWS = 2000
BLOCKS = 10  # independent blocks of groups, at least, that the spread of windows is estimated from
MOST = 1000  # groups of a window that are paired with groups of the baseline
MOST_ROWS = 2**50  # more make no noise


@dataclass(frozen=True, slots=True)
class Draws:
    """How windows are drawn, for all columns of a baseline.

    `weights`: of the baseline's groups in each window, float64 (draws, groups); no groups where rows are independent.
    `stretch`: of each window's distance from the mean of groups, squared; that is estimated with so many `degrees` of
    freedom. `rows`: so many rows are drawn from
    it, int64 (draws,); 0: none are, because the groups have as much noise of rows as the window has.
    """

    weights: Array
    stretch: float
    degrees: int
    rows: Array


def plan_draws(counted: Counted, window: Array, draws: int, random: np.random.Generator) -> Draws:
    """Plan windows with the groups of `window`: int64 (groups,), the rows of each, at least 1.

    A window is a block of groups that follow each other in the baseline (circular block bootstrap, Politis and Romano
    1992), each weighted by the rows of the window's group in its place; its blocks are at most a tenth of the
    baseline, so a longer window has several. `docs/monitoring.md` explains the scale.
    """
    total, count = int(counted.total.sum()), int(window.sum())
    noise = noise_of(count, total)
    size = counted.groups.sum(axis=1)
    groups = len(size)
    if groups < 2:
        rows = np.full(draws, min(round(1 / noise), MOST_ROWS))
        return Draws(np.zeros((draws, 0)), 1.0, 1, rows)
    share = window / count
    effective = 1 / float((share**2).sum())  # so many groups of equal size vary as much
    if len(share) > MOST:
        share = share[np.linspace(0, len(share) - 1, MOST).astype(np.int64)]
        share = share / share.sum()
    block = max(1, min(len(share), groups // BLOCKS))
    weights = _paired(share, groups, block, draws, random)
    paired = 1 / float((share**2).sum())
    stretch = paired / effective * (1 + effective / counted.number) / (1 - block / groups)
    degrees = max(1, groups // block - 1)
    of_blocks = stretch * (weights**2 / np.maximum(size, 1)).sum(axis=1)
    left = np.maximum(noise - of_blocks, 1 / MOST_ROWS)
    return Draws(weights, stretch, degrees, np.where(noise > of_blocks, np.round(1 / left), 0).astype(np.int64))


def _paired(share: Array, groups: int, block: int, draws: int, random: np.random.Generator) -> Array:
    """Weights of the baseline's groups in each draw, float64 (draws, groups); a row adds up to 1."""
    starts = random.integers(0, groups, (draws, -(-len(share) // block)))
    offset = np.arange(len(share))
    weights = np.empty((draws, groups))
    for i in range(draws):
        weights[i] = np.bincount((starts[i, offset // block] + offset % block) % groups, share, minlength=groups)
    return weights


def drawn_shares(draws: Draws, counted: Counted, random: np.random.Generator) -> Array:
    """The shares of bins in each drawn window, float64 (draws, bins).

    Every bin of the baseline has half a row more than it has: one row that no row of the baseline is like is chance.
    """
    total = counted.total + 0.5
    base = total / total.sum()
    shares = np.broadcast_to(base, (len(draws.rows), len(base)))
    if draws.weights.shape[1]:
        groups = counted.groups / np.maximum(counted.groups.sum(axis=1, keepdims=True), 1)
        away = draws.weights @ groups - groups.mean(axis=0)
        known = np.maximum(random.chisquare(draws.degrees, len(draws.rows)) / draws.degrees, 1e-3)
        shares = np.maximum(base + np.sqrt(draws.stretch / known)[:, None] * away, 0)
        shares = shares / shares.sum(axis=1, keepdims=True)
    noisy = draws.rows > 0
    if not noisy.any():
        return shares
    found = random.multinomial(draws.rows[noisy], shares[noisy]) / draws.rows[noisy, None]
    result = np.array(shares)
    result[noisy] = found
    return result


def distance(shares: Array, base: Array) -> Array:
    """Hellinger distance (Hellinger 1909) of shares, float64 (..., bins), from those of the baseline (bins,).

    The square root of half the sum of (sqrt(p) - sqrt(q))^2 over bins: 0 where all shares are equal, 1 where no bin is
    shared; float64 (...).
    """
    return np.asarray(np.minimum(1.0, np.sqrt(0.5 * ((np.sqrt(shares) - np.sqrt(base)) ** 2).sum(axis=-1))))


@dataclass(frozen=True, slots=True)
class Compared:
    """Columns against chance. All float64 (columns,): `threshold` of the effect, `p_value` of the whole family."""

    threshold: Array
    p_value: Array


def compare(effect: Array, drawn: Array, least: Array, false_alarm: float) -> Compared:
    """Compare effects with those of drawn windows: single-step maxT of Westfall and Young (1993).

    `effect`: float64 (columns,). `drawn`: float64 (columns, draws). An effect is measured in standard deviations of
    the drawn ones above their mean; a draw counts by its furthest column, so that of all columns of a window without
    drift any is above its threshold with probability `false_alarm`. `least`: of each column's deviation, such as
    `row_spread`. Raises ConfigError for a probability that the draws cannot show.
    """
    draws = drawn.shape[1]
    rank = int(np.ceil((1 - false_alarm) * (draws + 1)))
    if not 0 < false_alarm < 1 or rank > draws:
        raise ConfigError(
            f"false_alarm {false_alarm:g} must be above {1 / (draws + 1):.2g} and below 1: {draws:,} windows are drawn"
        )
    center = drawn.mean(axis=1)
    spread = np.maximum(drawn.std(axis=1), least)
    furthest = np.sort(((drawn - center[:, None]) / spread[:, None]).max(axis=0))
    beyond = draws - np.searchsorted(furthest, (effect - center) / spread, side="left")
    return Compared(center + furthest[rank - 1] * spread, (1 + beyond) / (draws + 1))


def seeded(seed: int, name: str) -> np.random.Generator:
    """Random numbers of one column: they do not depend on which others are looked at."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def noise_of(rows: int, base: int) -> float:
    """The noise of shares among rows that are drawn one by one, per row: that of a window and of its baseline."""
    return 1 / max(rows, 1) + 1 / max(base, 1)


def row_spread(rows: int, base: int) -> float:
    """Standard deviation of the distance of rows that are drawn one by one: 8 / noise times its square is chi-squared.

    For any number of bins it is about sqrt(noise) / 4.
    """
    return float(np.sqrt(noise_of(rows, base)) / 4)


def note_of(counted: Counted) -> str:
    """What the thresholds do not cover, in words; empty where there is nothing to say."""
    if counted.number == 1 or (counted.number and len(counted.groups) < 2):
        return "the baseline has one group only: thresholds cover the noise of rows, not that of groups"
    if 0 < counted.number < 2 * BLOCKS:
        return f"the baseline has only {counted.number} groups: thresholds are wide"
    return ""
