"""The metric that is watched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fullcircle.base.errors import ConfigError
from fullcircle.evaluation.tasks import task_metrics
from fullcircle.scoring.predictions import Calibration

if TYPE_CHECKING:
    from fullcircle.evaluation.tasks import TaskMetrics


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric by its name, what predictions mean, and the bins of calibration errors (`validate.bins`).

    Raises ConfigError for a metric that the task does not have.
    """

    metric: str
    calibration: Calibration
    bins: int = 15

    def __post_init__(self) -> None:
        if self.metric not in self.task.NAMES:
            raise ConfigError(f"metric {self.metric}: this task has {', '.join(self.task.NAMES)}")

    @property
    def classes(self) -> int:
        """How many classes; 0: a number."""
        return len(self.calibration.classes)

    @property
    def task(self) -> TaskMetrics:
        """The metrics of the task."""
        return task_metrics(self.classes)

    @property
    def lower(self) -> bool:
        """Whether lower values are better."""
        return self.metric in self.task.LOWER
