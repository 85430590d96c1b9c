"""Counts of a baseline's rows: in bins of one column, in all and by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fullcircle.base.columns import Array, is_null
from fullcircle.monitoring.bins import NULL, OUTSIDE, RARE, Bins, bin_rows, category_bins, measured, numeric_bins

MOST_GROUPS = 400
RUN = 20
MOST_PAIRS = 2**26  # of a level and a group, in a table of a byte each


@dataclass(frozen=True, slots=True)
class Counted:
    """The rows of one column of the baseline.

    `total`: rows per bin, int64 (bins,). `groups`: the same of each group, int64 (groups, bins): of all groups in
    order, or of 400 of them; (0, bins) where rows are independent. `number`: of groups there are; 0 where rows are
    independent. A row counts as outside if its value is in no other group (beyond the range of all others, or a level
    that they do not have): so many rows of a further group are to be expected there (the leave-one-out form of Good
    1953, with groups for rows).
    """

    bins: Bins
    total: Array
    groups: Array
    number: int


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the baseline: its rows counted, and a mask (rows,) of those whose value is rare."""

    counted: Counted
    rare: Array


def count_number(values: Array, kind: str, group: Array, edges: tuple[float, ...] | None = None) -> Column:
    """Count a column of kind number, time or text. `edges`: its deciles where they are known.

    `group`: int64 (rows,), the number of each row's group, without gaps; `arange(rows)` where rows are independent.
    """
    numbers = measured(values, kind)
    bins = numeric_bins(kind, numbers, edges)  # type: ignore[arg-type]
    at = bin_rows(values, bins)
    if kind == "number":
        at[_beyond(numbers, group)] = bins.count + OUTSIDE
    counted = count_bins(at, bins, group)
    return Column(counted, rare_rows(values, at, counted))


def count_category(values: Array, levels: tuple[str, ...], group: Array) -> Column:
    """Count a category. `levels`: all that it has, the most frequent first; `group` as in `count_number`."""
    bins = category_bins(levels)
    place: dict[str | None, int] = {level: i for i, level in enumerate(levels)}
    place[None] = len(levels)
    level = np.fromiter(map(place.__getitem__, values), np.int64, len(values))
    at = np.minimum(level, bins.count + OUTSIDE - 1)
    at[level == len(levels)] = bins.count + NULL
    at[_only_here(level, len(levels), group)] = bins.count + OUTSIDE
    counted = count_bins(at, bins, group)
    return Column(counted, rare_rows(values, at, counted))


def count_key(values: Array, group: Array) -> Column:
    """Count a column that names groups: null or not; `group` as in `count_number`."""
    bins = Bins("key")
    at = bin_rows(values, bins)
    counted = count_bins(at, bins, group)
    return Column(counted, rare_rows(values, at, counted))


def count_bins(at: Array, bins: Bins, group: Array) -> Counted:
    """Count rows by bin and group. `at`: the bin of each row, int64 (rows,)."""
    number = int(group.max()) + 1 if len(group) else 0
    total = np.bincount(at, minlength=bins.count)
    if number == len(group):
        return Counted(bins, total, np.zeros((0, bins.count), np.int64), 0)
    chosen = chosen_groups(number)
    place = np.full(number, -1)
    place[chosen] = np.arange(len(chosen))
    placed = place[group]
    inside = placed >= 0
    pairs = placed[inside] * bins.count + at[inside]
    return Counted(bins, total, np.bincount(pairs, minlength=len(chosen) * bins.count).reshape(-1, bins.count), number)


def rare_rows(values: Array, at: Array, counted: Counted) -> Array:
    """Mask of the rows whose value fewer than 1 of 1,000 rows of the baseline have.

    A number or length in the outer 0.1% on either side, a level (beyond the 50 most frequent: all of them as one), or
    null; and every value outside the baseline. `at`: the bin of each row, int64 (rows,).
    """
    bins, rows = counted.bins, max(1, int(counted.total.sum()))
    rare = counted.total < RARE * rows
    rare[OUTSIDE] = True
    if bins.kind != "category":
        rare[:OUTSIDE] = False
    mask = rare[at]
    if bins.tails is not None:
        numbers = measured(values, bins.kind)
        mask |= (numbers < bins.tails[0]) | (numbers > bins.tails[1])
    return np.asarray(mask)


def chosen_groups(number: int) -> Array:
    """All of so many groups, or 400 of them: 20 runs of 20 groups that follow each other, evenly spread.

    Runs, because days that follow each other depend on each other, and single days would not show that.
    """
    if number <= MOST_GROUPS:
        return np.arange(number)
    starts = np.linspace(0, number - RUN, MOST_GROUPS // RUN).astype(np.int64)
    return (starts[:, None] + np.arange(RUN)).ravel()


def _only_here(level: Array, levels: int, group: Array) -> Array:
    """Mask of the rows whose level is in no other group; none where there is one group.

    `level`: int64 (rows,), the place of each row's level; `levels` for null.
    """
    groups = int(group.max(initial=0)) + 1
    if groups < 2:
        return np.zeros(len(level), bool)
    if groups == len(level):
        once = np.bincount(level, minlength=levels + 1) == 1
    elif groups * (levels + 1) <= MOST_PAIRS:
        there = np.zeros((levels + 1, groups), bool)
        there[level, group] = True
        once = there.sum(axis=1) == 1
    else:
        once = np.bincount(np.unique(level * groups + group) // groups, minlength=levels + 1) == 1
    once[levels] = False
    return np.asarray(once[level])


def _beyond(values: Array, group: Array) -> Array:
    """Mask of the rows whose number is above, or below, those of all other groups; none where there is one group."""
    result = np.zeros(len(values), bool)
    known = ~is_null(values)
    groups = int(group.max(initial=0)) + 1
    if groups < 2 or not known.any():
        return result
    for sign in (1.0, -1.0):
        highest = np.full(groups, -np.inf)
        np.maximum.at(highest, group[known], sign * values[known])
        first = int(highest.argmax())
        others = np.delete(highest, first).max()
        if np.isfinite(others):
            result |= known & (group == first) & (sign * values > others)
    return result
