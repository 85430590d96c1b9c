"""The typed configuration of a sweep: conf/sweep/NAME.yaml and conf/engine/NAME.yaml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from fullcircle.base.errors import ConfigError
from fullcircle.evaluation.tasks import task_metrics

LOWER = {name for n_classes in (0, 2, 3) for name in task_metrics(n_classes).LOWER}
"""Metrics of which lower values are better."""


@dataclass(frozen=True, slots=True)
class SweepConfig:
    """A search: its metric, sampler, budget and space; conf/sweep.yaml explains each key."""

    name: str
    metric: str
    trials: int
    seconds: float | None
    sampler: Literal["tpe", "random", "grid"]
    prune: Literal["median", "none"]
    seed: int
    repeats: int
    folds: int
    workers: int
    record: str
    space: dict[str, Any]

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", self.name):
            raise ValueError(
                f"name {self.name!r} must be lower-case letters, digits, - and _: experiments are named after it"
            )
        for field, least in (("trials", 1), ("repeats", 1), ("folds", 2), ("workers", 1)):
            if getattr(self, field) < least:
                raise ValueError(f"{field} {getattr(self, field)} must be at least {least}")
        if self.seconds is not None and self.seconds <= 0:
            raise ValueError(f"seconds {self.seconds:g} must be above 0")
        if not re.fullmatch(r"all|none|best [1-9][0-9]*", self.record):
            raise ValueError(f"record {self.record!r} is not one of all, none, best N")

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """The direction of better values of the metric."""
        return "minimize" if self.metric.removeprefix("val_") in LOWER else "maximize"

    @property
    def recorded(self) -> int | None:
        """How many of the best trials become experiments; None: all trials."""
        return {"all": None, "none": 0}.get(self.record) if " " not in self.record else int(self.record.split()[1])

    def experiment(self, number: int) -> str:
        """The name of a trial's experiment."""
        return f"{self.name}-{number:03}"


def check_metric(config: SweepConfig, n_classes: int) -> None:
    """Check that the task has the metric. Raises ConfigError."""
    task = task_metrics(n_classes)
    ranked = [f"val_{name}" for name in task.NAMES if name not in task.UNRANKED]
    if config.metric not in ranked:
        raise ConfigError(f"sweep.metric: {config.metric!r} does not exist; the metrics are {', '.join(ranked)}")


@dataclass(frozen=True, slots=True)
class Local:
    """Threads of this process."""

    kind: Literal["local"]


@dataclass(frozen=True, slots=True)
class Dask:
    """A Dask cluster. `address`: of its scheduler; None: a cluster on this machine."""

    kind: Literal["dask"]
    address: str | None = None


EngineConfig: TypeAlias = Local | Dask
