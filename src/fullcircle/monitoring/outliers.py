"""Outlying rows: rows with several values that are rare in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.errors import DataError
from fullcircle.monitoring.bins import bin_rows
from fullcircle.monitoring.counts import Counted, rare_rows
from fullcircle.monitoring.draws import DRAWS, compare, distance, row_spread
from fullcircle.monitoring.drift import drawn_effects

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns
    from fullcircle.monitoring.baseline import Baseline
    from fullcircle.monitoring.window import Window

SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Outlier:
    """One outlying row: its position in the window, and the inputs that are rare."""

    position: int
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outliers:
    """The outlying rows of a window.

    A row is outlying if at least `from_inputs` of its inputs are rare: the least number, 1 or more, that at most 1% of
    training rows reach. `share`, `usual`: of the window's rows and of training rows, 0 to 1. `threshold`:
    of the Hellinger distance between the two, which is `effect`; `unusual`: above it. `examples`: the rows with the
    most rare inputs, and the earlier of equal ones.
    """

    from_inputs: int
    rows: int
    share: float
    usual: float
    effect: float
    threshold: float
    p_value: float
    unusual: bool
    examples: tuple[Outlier, ...]


def outliers(
    baseline: Baseline,
    window: Window,
    columns: Columns,
    *,
    false_alarm: float,
    seed: int,
    most: int = 5,
    draws: int = DRAWS,
) -> Outliers:
    """Find the outlying rows of a window. `columns`: those that `window` was counted from; `most`: examples.

    A window without rows has none. Raises ConfigError as `draws.compare` does, DataError for a baseline without counts.
    """
    if baseline.rare is None:
        raise DataError("the baseline does not count rare inputs; `dvc repro` makes one that does")
    rows = int(baseline.rare.total.sum())
    reached = baseline.rare.total[::-1].cumsum()[::-1] / max(1, rows)  # share of rows with so many or more
    from_inputs = max(1, int((reached > SHARE).sum()))
    counted = _halved(baseline.rare, from_inputs)
    before = float(counted.total[1] / max(1, rows))
    if not window.rows:
        return Outliers(from_inputs, 0, 0.0, before, 0.0, 0.0, 1.0, False, ())
    outlying = window.rare >= from_inputs
    now = float(outlying.mean())
    effect = float(distance(np.array([1 - now, now]), np.array([1 - before, before])))
    drawn = drawn_effects({"rare inputs": counted}, window.groups, draws, seed, "outlier")
    least = np.array([row_spread(window.rows, rows)])
    compared = compare(np.array([effect]), drawn, least, false_alarm)
    p_value = float(compared.p_value[0])
    return Outliers(
        from_inputs,
        int(outlying.sum()),
        now,
        before,
        effect,
        float(compared.threshold[0]),
        p_value,
        p_value <= false_alarm,
        _examples(baseline, window, columns, from_inputs, most),
    )


def _halved(counted: Counted, at_least: int) -> Counted:
    """Rows with fewer rare inputs, and rows with so many or more."""

    def halved(counts: Array) -> Array:
        return np.stack([counts[..., :at_least].sum(axis=-1), counts[..., at_least:].sum(axis=-1)], axis=-1)

    return Counted(counted.bins, halved(counted.total), halved(counted.groups), counted.number)


def _examples(baseline: Baseline, window: Window, columns: Columns, from_inputs: int, most: int) -> tuple[Outlier, ...]:
    order = np.argsort(-window.rare, kind="stable")[:most]
    order = order[window.rare[order] >= from_inputs]
    inputs: list[list[str]] = [[] for _ in order]
    for name, counted in baseline.train.items():
        values = columns[name][order]
        for i in np.flatnonzero(rare_rows(values, bin_rows(values, counted.bins), counted)).tolist():
            inputs[i].append(name)
    return tuple(Outlier(int(at), tuple(names)) for at, names in zip(order, inputs, strict=True))
