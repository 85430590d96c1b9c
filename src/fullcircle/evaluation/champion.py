"""Champion and challenger on the same test rows: how much better the new model is, overall and in each slice."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array, Columns, take
from fullcircle.base.errors import BundleError, DataError
from fullcircle.evaluation.intervals import Resampling, bootstrap_difference
from fullcircle.evaluation.slices import Slicing, levels_of
from fullcircle.evaluation.tasks import better, task_metrics
from fullcircle.scoring.predictions import Calibration

if TYPE_CHECKING:
    from fullcircle.scoring.scorer import Scored, Scorer

NO_CHAMPION = "no champion is registered"


@dataclass(frozen=True, slots=True)
class Difference:
    """The primary metric of both models on the same rows: those of a level of a column, or all (`column` is empty).

    `over`: how much better the challenger is, in the metric's unit; below 0 where it is worse, 0 where both are equal.
    `interval`: of `over`. All are None where a slice has too few rows, or one class (or number) only.
    """

    column: str
    level: str
    rows: int
    challenger: float | None
    champion: float | None
    over: float | None
    interval: tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The challenger against the champion, on the test rows that both score.

    `version`: of the champion. `rows`: that both score. `rejected`: rows that the challenger scores and the champion
    refuses, by reason. `reason`: why the two were not compared; empty if they were.
    """

    version: str
    rows: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    overall: Difference | None = None
    slices: tuple[Difference, ...] = ()

    @property
    def worst(self) -> Difference | None:
        """The slice in which the challenger gains least; None if no slice was compared."""
        known = [s for s in self.slices if s.over is not None]
        return min(known, key=lambda s: s.over or 0.0, default=None)


@dataclass(frozen=True, slots=True)
class Challenger:
    """The test rows that the challenger scores, and what it predicts for them.

    `columns`: raw inputs of both models, as far as they are there, `target`, and the columns in `slices`. `predicted`:
    float64 (rows, outputs). `group`: int64 (rows,), as `groups_of` numbers them.
    """

    columns: Columns
    predicted: Array
    calibration: Calibration
    group: Array
    slices: tuple[str, ...]


def champion_values(compared: Comparison | None) -> dict[str, float | None]:
    """The values of gates on a comparison; all None without one. `over_champion_low`: the lower end of the interval."""
    overall = compared.overall if compared else None
    worst = compared.worst if compared else None
    return {
        "over_champion": overall.over if overall else None,
        "over_champion_low": overall.interval[0] if overall else None,
        "over_champion_slice": worst.over if worst else None,
    }


def compare(
    champion: Scorer, version: str, challenger: Challenger, slicing: Slicing, resampling: Resampling
) -> Comparison:
    """Let the champion score the challenger's rows, and compare the two on those that it takes.

    A champion of another target, without the columns that it needs, or that takes no row is not an error: the result
    has a `reason` and no differences.
    """
    if reason := _other_target(champion.spec.calibration, challenger.calibration):
        return Comparison(version, reason=reason)
    inputs = {name: challenger.columns[name] for name in champion.plan.inputs if name in challenger.columns}
    try:
        scored = champion.score(inputs, threads=2)
    except (DataError, BundleError) as error:
        return Comparison(version, reason=f"the champion cannot take the test rows: {' '.join(str(error).split())}")
    rejected = {reason: scored.reasons.count(reason) for reason in sorted(set(scored.reasons))}
    if len(scored.kept) == 0:
        reason = f"the champion takes none of {len(challenger.group):,} test rows: {rejected}"
        return Comparison(version, rejected=rejected, reason=reason)
    both = _Both(champion.spec.calibration, scored, challenger, slicing, resampling)
    return Comparison(version, len(scored.kept), rejected, "", both.overall(), both.slices())


def _other_target(champion: Calibration, challenger: Calibration) -> str:
    """Why the two cannot be compared: what they predict differs. Empty if it does not."""
    if (champion.task, champion.classes) == (challenger.task, challenger.classes):
        return ""
    said = [f"{c.task} of {', '.join(c.classes)}" if c.classes else c.task for c in (champion, challenger)]
    return f"the champion has another target: {said[0]}; the challenger: {said[1]}"


class _Both:
    """Both models on the rows that both score."""

    def __init__(
        self, calibration: Calibration, scored: Scored, challenger: Challenger, slicing: Slicing, resampling: Resampling
    ) -> None:
        self.kept, self.challenger, self.slicing, self.resampling = scored.kept, challenger, slicing, resampling
        self.rows = take(challenger.columns, scored.kept)
        self.predicted = ((challenger.calibration, challenger.predicted[scored.kept]), (calibration, scored.predicted))
        self.group = challenger.group[scored.kept]

    def overall(self) -> Difference:
        return self._difference("", "", np.arange(len(self.kept)))

    def slices(self) -> tuple[Difference, ...]:
        """The slices of the challenger's own table, in its order: their borders are those of its rows."""
        found = []
        for name in self.challenger.slices:
            order, at = levels_of(self.challenger.columns[name])
            found += [self._slice(name, level, np.flatnonzero(at[self.kept] == i)) for i, level in enumerate(order)]
        return tuple(found)

    def _slice(self, column: str, level: str, inside: Array) -> Difference:
        if len(inside) < self.slicing.at_least or len(np.unique(self.rows["target"][inside])) < 2:
            return Difference(column, level, len(inside), None, None, None, (None, None))
        return self._difference(column, level, inside)

    def _difference(self, column: str, level: str, inside: Array) -> Difference:
        """Both models on the rows at positions `inside`."""
        metric, target = self.slicing.metric, self.rows["target"][inside]
        task = task_metrics(len(self.challenger.calibration.classes))
        ours, theirs = (
            task.predictions(predicted[inside], target, calibration, self.slicing.bins)
            for calibration, predicted in self.predicted
        )
        group = np.unique(self.group[inside], return_inverse=True)[1]
        low, high = bootstrap_difference(task, metric, (ours, theirs), group, self.resampling)
        mine, other = task.evaluate(ours)[metric], task.evaluate(theirs)[metric]
        over = better(task, metric, mine, other)
        return Difference(
            column, level, len(inside), _known(mine), _known(other), _known(over), (_known(low), _known(high))
        )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
