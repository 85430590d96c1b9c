"""A window of scored rows, counted once for drift, quality and outlying rows: column by column, never row by row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.base.errors import DataError, difference
from fullcircle.monitoring.bins import OUTSIDE, bin_rows, examples
from fullcircle.monitoring.counts import count_number, rare_rows

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns
    from fullcircle.monitoring.baseline import Baseline
    from fullcircle.monitoring.bins import Bins
    from fullcircle.monitoring.counts import Counted


@dataclass(frozen=True, slots=True)
class Tally:
    """One column of a window. `counts`: rows per bin, int64 (bins,). `mean`: of its numbers; None if it has none.

    `outside`: examples of values that the baseline did not have, the most frequent first.
    """

    counts: Array
    mean: float | None = None
    outside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A counted window.

    `groups`: int64 (groups,), the rows of each group, in the order of the groups' values. `inputs`, `outputs`: by
    name; outputs are named as `output_names` does. `rare`: int16 (rows,), the number of each row's inputs that are
    rare in the baseline (`rare_rows`).
    """

    rows: int
    groups: Array
    inputs: dict[str, Tally] = field(default_factory=dict)
    outputs: dict[str, Tally] = field(default_factory=dict)
    rare: Array = field(default_factory=lambda: np.zeros(0, np.int16))


def count_window(baseline: Baseline, columns: Columns, predicted: Array, group: Array) -> Window:
    """Count the rows of a window.

    `columns`: at least the inputs, as the scorer took them; `predicted`: float64 (rows, outputs); `group`: (rows,) of
    any type that can be sorted, such as the day. Raises DataError for a missing column and for different lengths.
    """
    count = len(predicted)
    lengths = {len(group), *(len(values) for values in columns.values())}
    if lost := difference(baseline.train, [name for name in columns if name in baseline.train]):
        raise DataError(f"these are not the inputs of the baseline\n  {lost}")
    if lengths != {count} or predicted.shape != (count, baseline.predicted.shape[1]):
        raise DataError(
            f"a window has one length, and {baseline.predicted.shape[1]} predictions per row: columns and group have "
            f"{sorted(lengths)} rows, predictions are {predicted.shape}"
        )
    rare = np.zeros(count, np.int16)
    inputs = {}
    for name, counted in baseline.train.items():
        inputs[name], at = _tally(columns[name], counted.bins)
        rare += rare_rows(columns[name], at, counted)
    outputs = {
        name: _tally(predicted[:, i], counted.bins)[0] for i, (name, counted) in enumerate(outputs_of(baseline).items())
    }
    return Window(count, np.unique(group, return_counts=True)[1].astype(np.int64), inputs, outputs, rare)


def _tally(values: Array, bins: Bins) -> tuple[Tally, Array]:
    at = bin_rows(values, bins)
    counts = np.bincount(at, minlength=bins.count)
    mean: float | None = None
    if bins.kind == "number":
        known = values[np.isfinite(values)]
        mean = float(known.mean()) if len(known) else None
    found = values[at == bins.count + OUTSIDE] if counts[OUTSIDE] else values[:0]
    return Tally(counts, mean, examples(found)), at


def output_names(classes: tuple[str, ...], outputs: int) -> tuple[str, ...]:
    """The names of a prediction's outputs: `prediction`, or one per class.

    >>> output_names(("on_time", "late"), 1), output_names(("bus", "tram", "walk"), 3)[:2]
    (('prediction',), ('prediction bus', 'prediction tram'))
    """
    if outputs == 1:
        return ("prediction",)
    return tuple(f"prediction {name}" for name in (classes or range(outputs)))


def outputs_of(baseline: Baseline) -> dict[str, Counted]:
    """The predictions of the test rows, counted as the inputs are."""
    names = output_names(baseline.classes, baseline.predicted.shape[1])
    return {
        name: count_number(values, "number", baseline.group).counted
        for name, values in zip(names, baseline.predicted.T, strict=True)
    }
