"""Baselines: predictions without a model. A model that does not beat them is not worth its cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import rows
from fullcircle.base.threads import parallel_map
from fullcircle.evaluation.rules import BINS, OneRule, fit_rule
from fullcircle.evaluation.tasks import better, measured, task_metrics
from fullcircle.features.targets import indicators

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fullcircle.base.checks import Column
    from fullcircle.base.columns import Array, Columns
    from fullcircle.scoring.predictions import Calibration


@dataclass(frozen=True, slots=True)
class Baselines:
    """`dummy`: the mean target of training rows, (outputs,), predicted for every row.

    `rule`: the best rule over one input column; None where every input is free text.
    """

    dummy: tuple[float, ...]
    rule: OneRule | None = None


def fit(
    train: Columns, validation: Columns, inputs: Mapping[str, Column], calibration: Calibration, metric: str
) -> Baselines:
    """Fit a rule to each input column on training rows; keep the one with the best `metric` on validation rows.

    Both tables hold `inputs` and `target`. Free text is left out. Among equal rules the first column's wins.
    """
    target = indicators(train["target"], len(calibration.classes))
    names = [name for name, column in inputs.items() if column.kind != "text"]
    rules = parallel_map(lambda name: fit_rule(name, train[name], target), names)
    scores = parallel_map(
        lambda rule: _score(follow(rule, validation), validation["target"], calibration, metric), rules
    )
    return Baselines(tuple(target.mean(axis=0).tolist()), rules[int(np.argmax(scores))] if rules else None)


def follow(rule: OneRule, columns: Columns) -> Array:
    """The rule's prediction for each row, float64 (rows, outputs)."""
    return rule.predict(columns[rule.column])


def follow_dummy(baselines: Baselines, columns: Columns) -> Array:
    """The mean target of training rows for each row, float64 (rows, outputs)."""
    return np.tile(baselines.dummy, (rows(columns), 1))


def _score(predicted: Array, target: Array, calibration: Calibration, metric: str) -> float:
    """The metric, signed so that higher is better; -inf where it is undefined, as with one class only."""
    value = measured(predicted, target, calibration, BINS)[metric]
    return better(task_metrics(len(calibration.classes)), metric, value, 0.0) if value == value else -np.inf
