"""What the metrics and gates of a run are called, what they mean, and with how many digits they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fullcircle.evaluation.gates import DIFFERENCES
from fullcircle.evaluation.tasks import TaskMetrics, task_metrics
from fullcircle.report.formatting import number, share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fullcircle.evaluation.reports import Interval, Value
    from fullcircle.report.facts import Facts
    from fullcircle.scoring.verdict import GateResult

BRIEF = {
    "auc": "AUC",
    "ece": "ECE",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
    "coverage": "interval coverage",
    "width": "interval width",
    "bias": "bias",
}
"""Metrics as a heading or a sentence has room for; of others the full name is short enough."""

MEANINGS = {
    "binary": {
        "auc": "how often a positive ranks above a negative; 0.5 is chance",
        "ap": "precision, averaged over all recalls; chance is the share of positives",
        "logloss": "mean negative log probability of the actual class, in nats",
        "brier": "mean squared error of the probabilities",
        "ece": "mean distance between predicted and observed share, in bins of equal count",
        "acc": "share of rows predicted right at the threshold",
        "prec": "share of alarms that are right",
        "rec": "share of positives that raise an alarm",
        "f1": "harmonic mean of precision and recall",
    },
    "multiclass": {
        "auc": "how often a row of a class ranks above another; 0.5 is chance",
        "logloss": "mean negative log probability of the actual class, in nats",
        "brier": "squared error of the probabilities, summed over classes: 0 to 2",
        "ece": "mean distance between the predicted class's probability and how often it came, in bins of equal count",
        "acc": "share of rows whose most probable class came",
        "bacc": "mean recall of the classes: a rare one counts as much as a frequent one",
        "f1": "harmonic mean of precision and recall, averaged over classes",
    },
    "regression": {
        "r2": "0 is no better than the mean of these rows, 1 is perfect",
        "rmse": "large errors weigh more",
        "mae": "how far a forecast is off on average",
        "medae": "half of the forecasts are nearer than this",
        "bias": "above 0 predictions are too high on average, below 0 too low",
        "coverage": "near to what was promised is best",
        "width": "from one end to the other, the same for every row",
    },
}
"""What each metric says, by task."""

IN_UNIT = ("rmse", "mae", "medae", "bias", "width")
"""Metrics of a number that are in the target's own unit."""

TITLE = 28  # letters

SHARES = ("acc", "prec", "rec", "bacc", "coverage")
"""Metrics that are a share of rows."""

CHECKS = {"invariance": "invariance checks that hold", "direction": "direction checks that hold"}


def brief(metric: str, task: TaskMetrics) -> str:
    """The short name of a metric."""
    return BRIEF.get(metric) or task.NAMES.get(metric) or metric


def name_of(metric: str, task: TaskMetrics, primary: str) -> str:
    """The full name of a metric, or of what else a gate may be on: in the primary metric, above 0 where better."""
    if metric not in DIFFERENCES:
        return task.NAMES.get(metric) or CHECKS.get(metric) or metric
    better = "below" if primary in task.LOWER else "above"
    said = {
        "slice_gap": "gap to the worst slice",
        "train_gap": "gap to training rows",
        "over_dummy": f"{better} the dummy baseline",
        "over_rule": f"{better} the best single rule",
        "over_champion": f"{better} the champion",
        "over_champion_low": f"{better} the champion, lower end of the interval",
        "over_champion_slice": f"{better} the champion in the worst slice",
    }
    return f"{brief(primary, task)} {said[metric]}"


def name_of_any(metric: str) -> str:
    """The full name of a metric, whatever the task; one that no task has is called as it is."""
    return next((task_metrics(n).NAMES[metric] for n in (2, 0, 3) if metric in task_metrics(n).NAMES), metric)


def digits_of(values: Iterable[Value], significant: int = 4) -> int:
    """Digits behind the point that show so many significant ones of the largest value; of none, or of 0, 2."""
    size = max((abs(v) for v in values if v is not None and math.isfinite(v)), default=0.0)
    return min(max(significant - 1 - math.floor(math.log10(size)), 0), 12) if size else 2


@dataclass(frozen=True, slots=True)
class Wording:
    """How one run's metrics are called and written. `primary`: the problem's metric; `unit`: of a number, or empty.

    `digits`: behind the point, of metrics in the target's unit and of the target itself; of all others 4.
    """

    metrics: TaskMetrics
    task: str
    primary: str
    unit: str = ""
    digits: int = 4

    def name(self, metric: str) -> str:
        """The full name of a metric or gate."""
        return name_of(metric, self.metrics, self.primary)

    def title(self, metric: str) -> str:
        """The full name of a metric where that is short enough for the head of a tile, else the short one."""
        return self.name(metric) if len(self.name(metric)) <= TITLE else self.brief(metric)

    def brief(self, metric: str) -> str:
        """The short name of a metric."""
        return brief(metric, self.metrics)

    def meaning(self, metric: str) -> str:
        """What a metric says, in a few words; empty of one that is not known."""
        said = MEANINGS[self.task].get(metric, "")
        return f"{said}; in {self.unit}" if said and self.unit and self._in_unit(metric) else said

    def lower(self, metric: str) -> bool:
        """Whether lower is better."""
        return metric in self.metrics.LOWER

    def value(self, metric: str, value: Value, fewer: int = 0) -> str:
        """A value of a metric or gate, with `fewer` digits than usual."""
        return number(value, self._digits(metric, fewer))

    def interval(self, metric: str, bounds: Interval | None, fewer: int = 0) -> str:
        """An interval's two ends; a dash where there is none."""
        if bounds is None or None in bounds:
            return "–"
        return f"{self.value(metric, bounds[0], fewer)} – {self.value(metric, bounds[1], fewer)}"

    def head(self, metric: str) -> str:
        """The short name of a metric, as the head of a column."""
        name = self.brief(metric)
        return name[:1].upper() + name[1:]

    def cell(self, metric: str, value: Value) -> str:
        """A value in a narrow column: shares of rows as per cent."""
        return share(value, 0) if metric in SHARES else self.value(metric, value, fewer=1)

    def moved(self, value: Value) -> str:
        """How far a forecast moved: in probability, or in the target's unit."""
        return number(value, self.digits)

    def require(self, gate: GateResult) -> str:
        """The threshold of a gate."""
        return f"≥ {plain(gate.min)}" if gate.min is not None else f"≤ {plain(gate.max)}"

    def amount(self, value: Value, *, unit: bool = False) -> str:
        """A value of the target itself, or a share where the target is of classes."""
        if self.task != "regression":
            return share(value)
        return number(value, self.digits) + (f" {self.unit}" if unit and self.unit else "")

    def _in_unit(self, metric: str) -> bool:
        return metric in IN_UNIT or (metric in DIFFERENCES and self.primary in IN_UNIT)

    def _digits(self, metric: str, fewer: int) -> int:
        return max((self.digits if self._in_unit(metric) else 4) - fewer, 0)


def plain(value: Value) -> str:
    """A threshold as it was written: 0.7, or 250,000."""
    return "–" if value is None else f"{value:,.12g}".replace("-", "−")


def wording_of(facts: Facts) -> Wording:
    """How the metrics of a run are written: those in the target's unit by the size of its deviation."""
    target, metrics = facts.problem.target, task_metrics(len(facts.problem.target.classes))
    if target.task != "regression":
        return Wording(metrics, target.task, facts.problem.metric)
    size = facts.split.sides["train"].deviation or facts.spread.deviation
    return Wording(metrics, target.task, facts.problem.metric, target.unit, digits_of([size]))
