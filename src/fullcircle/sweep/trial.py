"""One trial: parameters -> the metrics that `train` would write, without a process, a read or a binning per trial."""

from __future__ import annotations

import json
import math
import os
import statistics
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fullcircle.base.columns import Array, Columns, take
from fullcircle.core import paths
from fullcircle.core.config import load, read_params
from fullcircle.core.problem import Features, Lookup
from fullcircle.core.schema import Schema
from fullcircle.core.split import Split
from fullcircle.core.tables import concatenated, read_columns, read_typed, rounded
from fullcircle.features.plan import Plan, read_plan
from fullcircle.featurizing.config import FeaturizeConfig
from fullcircle.models import ModelConfig
from fullcircle.models.sample import Sample, samples_of
from fullcircle.stages.featurize import featurize
from fullcircle.stages.train import Measured, TrainConfig, fold_of, goal_of, measure, read_samples

if TYPE_CHECKING:
    from collections.abc import Callable

    Sides = tuple[Sample, Sample]

T = TypeVar("T")
PACE = 0.5  # rounds times learning rate: fits are compared after equal work done, or slow learners would always lose
KEPT = 3  # feature matrices that a worker keeps, of the latest ways to make them


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker gets. `thresholds`: step -> log loss above which to give up; empty: never.

    `featurized`: whether data/features is what params.yaml describes, and may be read by trials with the same choices.
    `best`: the model comes back only if its trial does better, for a forest is heavy to send.
    """

    root: str
    params: dict[str, Any]
    metric: str
    maximize: bool
    repeats: int
    folds: int
    thresholds: dict[int, float]
    featurized: bool = False
    best: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a task. `curve`: step -> lowest validation log loss so far. `error`: why it failed, if it did.

    `model`: features and estimator, of a trial that did better than its task's best.
    """

    value: float | None = None
    deviation: float | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    curve: dict[int, float] = field(default_factory=dict)
    pruned: bool = False
    seconds: float = 0.0
    error: str = ""
    model: tuple[Plan, Measured] | None = None


class Pruned(Exception):  # noqa: N818  it is no error
    """The fit is hopeless."""


class Stopped(Exception):  # noqa: N818
    """The sweep was interrupted."""


class Matrices:
    """The rows of a repository, and the feature matrices made of them, one per worker."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.schema = read_typed(Schema, root / paths.SCHEMA)
        self._rows: dict[tuple[str, ...], tuple[Columns, Columns]] = {}
        self._made: dict[str, Any] = {}

    def sides(self, params: dict[str, Any], *, featurized: bool = False) -> tuple[Plan, Sides]:
        """Training and validation rows as `featurize` would make them, or has made them."""
        if featurized and _key(params) == _key(read_params(self.root / paths.PARAMS)):
            return self._once("sides", params, self._made_by_featurize)
        return self._once("sides", params, lambda: self._featurized(params, *self._read(params)))

    def _made_by_featurize(self) -> tuple[Plan, Sides]:
        n_classes = goal_of(read_params(self.root / paths.PARAMS)).n_classes
        train, validation = (read_columns(self.root / path, ["target"]) for path in (paths.TRAIN, paths.VALIDATION))
        return read_plan(self.root / paths.FEATURES), read_samples(train, validation, n_classes, self.root)

    def folds(self, params: dict[str, Any], count: int) -> list[Sides]:
        """Training and validation rows together, each fold held out once; what is fitted is fitted on the others."""
        return self._once(f"folds {count}", params, lambda: self._folds(params, count))

    def _folds(self, params: dict[str, Any], count: int) -> list[Sides]:
        both, at = concatenated(*self._read(params)), self.fold(params, count)
        assert at is not None  # noqa: S101  a split by time is not evaluated by folds
        held_out = ((take(both, at != i), take(both, at == i)) for i in range(count))
        return [self._featurized(params, *halves)[1] for halves in held_out]

    def fold(self, params: dict[str, Any], count: int) -> Array | None:
        """The fold of each training and then validation row, int (rows,); None if validation rows are held out."""
        return fold_of(load(Split, "split", params), count, goal_of(params).n_classes, lambda: self._read(params))

    def _featurized(self, params: dict[str, Any], train: Columns, validation: Columns) -> tuple[Plan, Sides]:
        lookups, n_classes = load(tuple[Lookup, ...], "problem.lookups", params), goal_of(params).n_classes
        made = featurize(
            train,
            validation,
            self.schema,
            load(Features, "problem.features", params),
            [(lookup, read_columns(self.root / paths.reference(lookup.table))) for lookup in lookups],
            load(FeaturizeConfig, "featurize", params),
            n_classes,
        )
        sides = (made.train, train["target"]), (made.validation, validation["target"])
        return made.plan, samples_of(*sides, n_classes)

    def _read(self, params: dict[str, Any]) -> tuple[Columns, Columns]:
        names = tuple(dict.fromkeys([*self.schema.inputs, "target", *params["split"]["columns"]]))
        if names not in self._rows:
            wanted = [*names] if params["split"]["columns"] else None  # None: all
            train, validation = (read_columns(self.root / path, wanted) for path in (paths.TRAIN, paths.VALIDATION))
            self._rows[names] = train, validation
        return self._rows[names]

    def _once(self, what: str, params: dict[str, Any], make: Callable[[], T]) -> T:
        key = what + _key(params)
        if key not in self._made:
            while len(self._made) >= KEPT:
                self._made.pop(next(iter(self._made)))
            self._made[key] = make()
        made: T = self._made[key]
        return made


def _key(params: dict[str, Any]) -> str:
    """What feature matrices depend on."""
    problem = params["problem"]
    found = [params["split"], params["featurize"], *(problem[key] for key in ("features", "lookups", "target"))]
    return json.dumps(found, sort_keys=True)


def evaluate(task: Task, matrices: Matrices, stopped: Callable[[], bool] = lambda: False) -> Outcome:
    """Fit as often as the task requires, and measure on validation rows. A failure is the outcome's `error`."""
    start = time.perf_counter()
    curve = _Curve(task, stopped)
    try:
        outcome = _evaluate(task, matrices, curve)
    except Pruned:
        outcome = Outcome(pruned=True)
    except Stopped:
        raise
    except Exception as error:
        outcome = Outcome(error=f"{type(error).__name__}: {error}")
    return replace(outcome, curve=curve.seen, seconds=time.perf_counter() - start)


def _evaluate(task: Task, matrices: Matrices, curve: _Curve) -> Outcome:
    plan, sides = matrices.sides(task.params, featurized=task.featurized)
    by_time = load(Split, "split", task.params).kind == "time"
    count = 1 if by_time else load(TrainConfig, "train", task.params).folds
    measured = _fit(task, sides, 0, curve, matrices.fold(task.params, count))
    metrics = {name: rounded(value) for name, value in measured.metrics.items()}
    name = task.metric.removeprefix("val_")
    seeds = range(1, task.repeats if "seed" in task.params["model"] else 1)
    if by_time:
        values = [measured.validation[name], *(_fit(task, sides, i, None).validation[name] for i in seeds)]
    else:
        folds = matrices.folds(task.params, task.folds)
        values = [_fit(task, fold, i, None).validation[name] for i in (0, *seeds) for fold in folds]
    if not all(map(math.isfinite, values)):
        return Outcome(error=f"{task.metric} is no number: the held-out rows have one class only", metrics=metrics)
    value = rounded(statistics.fmean(values))
    deviation = rounded(statistics.stdev(values)) if len(values) > 1 else None
    better = task.best is None or (value > task.best if task.maximize else value < task.best)
    return Outcome(value, deviation, metrics, model=(plan, measured) if better else None)


def _fit(task: Task, sides: Sides, repeat: int, curve: _Curve | None, fold: Array | None = None) -> Measured:
    section = task.params["model"]
    if repeat:
        section = section | {"seed": section["seed"] + repeat}
    model: ModelConfig = load(ModelConfig, "model", {"model": section})
    config, goal = load(TrainConfig, "train", task.params), goal_of(task.params)
    pace = PACE / section["learning_rate"] if "learning_rate" in section else 1.0
    return measure(sides, model, config, goal, _silent if curve is None else curve.at_steps_of(pace), fold)


def _silent(train: float, validation: float) -> None:
    """An `on_round` that keeps nothing."""


class _Curve:
    """The validation log loss of the first fit, and the decision to give up."""

    def __init__(self, task: Task, stopped: Callable[[], bool]) -> None:
        self.thresholds, self.stopped = task.thresholds, stopped
        self.seen: dict[int, float] = {}

    def at_steps_of(self, rounds: float) -> Callable[[float, float], None]:
        """A function that gets each round's losses, and decides every so many rounds."""
        done, best = 0, math.inf

        def on_round(_train: float, validation: float) -> None:
            nonlocal done, best
            if self.stopped():
                raise Stopped
            done, best = done + 1, min(best, validation)
            step = int(done / rounds)
            if step and step not in self.seen:
                self.seen[step] = rounded(best)
                if best > self.thresholds.get(step, math.inf):
                    raise Pruned

        return on_round


_here = threading.local()


def run(task: Task, stopped: Callable[[], bool] = lambda: False) -> Outcome:
    """Evaluate a task with the matrices of this thread, which stay for the next one."""
    root = Path(task.root)
    matrices: Matrices | None = getattr(_here, "matrices", None)
    if matrices is None or matrices.root != root:
        matrices = _here.matrices = Matrices(root)
    return evaluate(task, matrices, stopped)


def on_worker(task: Task) -> Outcome:
    """`run` in a process of a cluster. Raises FileNotFoundError where the repository is not there."""
    os.chdir(task.root)
    return run(task)
