"""train: feature matrices -> the scorer, which must predict as the estimator does on training and validation rows."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fullcircle.base.errors import ParityError
from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.progress import doing
from fullcircle.core.split import Split, TimeSplit, folds
from fullcircle.core.stage import run
from fullcircle.core.tables import concatenated, read_columns, read_matrix, write_csv, write_json
from fullcircle.core.target import Costs, Target
from fullcircle.evaluation import baselines
from fullcircle.evaluation.reports import Member, TrainReport
from fullcircle.evaluation.tasks import measured
from fullcircle.features.plan import read_plan
from fullcircle.features.transform import apply, unknown_levels
from fullcircle.models import Fitted, ModelConfig, model_of
from fullcircle.models.calibration import calibrate
from fullcircle.models.cross_fit import cross_fit
from fullcircle.models.ensemble import FittedEnsemble
from fullcircle.models.learning_curve import learning_curve
from fullcircle.models.sample import samples_of
from fullcircle.scoring.predictions import Calibration
from fullcircle.scoring.scorer import FORMAT, Scorer, ScorerSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    from fullcircle.base.columns import Array, Columns
    from fullcircle.features.plan import Plan
    from fullcircle.models import OnRound
    from fullcircle.models.sample import Sample

BINS = 15
SHOWN = 20  # features in importance.csv


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How a model is fitted and becomes a scorer; conf/defaults.yaml explains each number."""

    refit: bool
    folds: int
    calibrate: Literal["sigmoid", "none"]
    parity: float
    threads: int

    def __post_init__(self) -> None:
        if not 0 < self.parity < 1:
            raise ValueError(f"parity {self.parity:g} is outside 0..1")
        if self.threads < 1 or self.folds < 1:
            raise ValueError(f"threads {self.threads} and folds {self.folds} must be at least 1")


@dataclass(frozen=True, slots=True)
class Goal:
    """What a model must predict. `metric`: the primary one. `threshold`: of the positive class, if there is one."""

    target: Target
    metric: str
    threshold: float = 0.5

    @property
    def n_classes(self) -> int:
        """2, more, or 0 where the target is a number."""
        return len(self.target.classes)


@dataclass(frozen=True, slots=True)
class Measured:
    """An estimator, its calibration, and the metrics of both on rows that it was not fitted on.

    `validation`: metrics on validation rows, or out of fold on training and validation rows.
    """

    estimator: Fitted
    calibration: Calibration
    validation: dict[str, float]
    metric: str
    folds: int = 1  # above 1: out of fold

    @property
    def metrics(self) -> dict[str, Any]:
        """What metrics/train.json holds: the primary metric, a metric of reliability, and the rounds chosen.

        Flat, with names that DVC can compare between experiments.
        """
        reliability = "ece" if "ece" in self.validation else "coverage"
        found: dict[str, Any] = {f"val_{name}": self.validation[name] for name in (self.metric, reliability)}
        return found if self.estimator.rounds is None else found | {"rounds": self.estimator.rounds}


@dataclass(frozen=True, slots=True)
class Trained:
    """The estimator, what was measured of it (before a refit), and the scorer made of both."""

    estimator: Fitted
    measured: Measured
    scorer: Scorer


def train(
    plan: Plan,
    sides: tuple[Sample, Sample],
    model: ModelConfig,
    config: TrainConfig,
    goal: Goal,
    on_round: OnRound,
    fold: Array | None = None,
) -> Trained:
    """Fit, calibrate and measure; then fit again on training and validation rows if configured.

    `fold`: int (rows,) of training and then validation rows: each fold is held out once. None: validation rows are.
    """
    measured = measure(sides, model, config, goal, on_round, fold)
    estimator = measured.estimator
    if config.refit and fold is None:  # a model fitted by folds has been fitted on all rows
        doing("fitting again, on training and validation rows")
        estimator = model_of(model).refit(model, sides[0] + sides[1], estimator, config.threads)
    return Trained(estimator, measured, scorer_of(estimator, measured.calibration, plan))


def measure(
    sides: tuple[Sample, Sample],
    model: ModelConfig,
    config: TrainConfig,
    goal: Goal,
    on_round: OnRound,
    fold: Array | None = None,
) -> Measured:
    """Fit a model; calibrate and measure it on rows that were not fitted on."""
    training, validation = sides
    if fold is None:
        held_out = validation
        estimator = model_of(model).fit(model, training, validation, config.threads, on_round)
        margin = estimator.margin(validation.X)
    else:
        held_out = training + validation
        crossed = cross_fit(model, held_out, fold, config.threads, on_round)
        estimator, margin = crossed.fitted, crossed.margin
    calibration = calibrate(goal.target, margin, held_out, goal.threshold, calibrate=config.calibrate == "sigmoid")
    found = measured(calibration.predict(margin), held_out.target, calibration, BINS)
    count = 1 if fold is None else int(fold.max()) + 1
    return Measured(estimator, calibration, found, goal.metric, count)


def scorer_of(estimator: Fitted, calibration: Calibration, plan: Plan) -> Scorer:
    """The scorer made of features, an estimator and its calibration."""
    return Scorer(plan, ScorerSpec(FORMAT, estimator.parts, calibration), estimator.onnx())


def check_parity(trained: Trained, raw: Columns, config: TrainConfig, side: str, X: Array | None = None) -> Array:
    """Score raw rows with the scorer, and their features with the estimator; return the scorer's predictions.

    `X`: the features, if they are at hand. Raises ParityError, naming the rows, if any two are more than
    `config.parity` apart: in probability, or in deviations of the target.
    """
    plan, calibration = trained.scorer.plan, trained.measured.calibration
    found = trained.scorer.predict(raw, config.threads)
    expected = calibration.predict(trained.estimator.margin(apply(plan, raw) if X is None else X))
    unit = calibration.scale if calibration.task == "regression" else 1.0
    apart = np.abs(found - expected).max(axis=1) / unit
    wrong = np.flatnonzero(~(apart <= config.parity))  # not a number is wrong too
    if len(wrong):
        worst = wrong[np.argsort(-np.nan_to_num(apart[wrong], nan=np.inf))][:3]
        examples = "\n".join(f"  row {i}: estimator {_shown(expected[i])}, scorer {_shown(found[i])}" for i in worst)
        raise ParityError(
            f"{len(wrong):,} of {len(found):,} {side} rows are more than {config.parity:g} apart between estimator "
            f"and scorer\n{examples}\nThe ONNX model differs from the estimator; it must not be served."
        )
    return found


def _shown(predicted: Array) -> str:
    return ", ".join(f"{value:.9f}" for value in predicted)


def main() -> None:
    """Train, check parity on every row; write scorer, baselines, metrics and plots."""
    config, goal, model = load(TrainConfig, "train"), goal_of(), load(ModelConfig, "model")
    split: Split = load(Split, "split")
    plan = read_plan(paths.FEATURES)
    columns = [*plan.inputs, "target"]
    raw, raw_validation = read_columns(paths.TRAIN, columns), read_columns(paths.VALIDATION, columns)
    sides = read_samples(raw, raw_validation, goal.n_classes)
    fold = fold_of(split, config.folds, goal.n_classes, partial(read_to_draw, split))
    with learning_curve(paths.CURVE) as on_round:
        trained = train(plan, sides, model, config, goal, showing(model.name, on_round), fold)
    doing("comparing the scorer with the estimator on every row")
    # Columns out of fold are for learning only: what was learnt is compared with what the scorer computes.
    seen = check_parity(trained, raw, config, "training", None if plan.crossed else sides[0].X)
    check_parity(trained, raw_validation, config, "validation", sides[1].X)
    trained.scorer.save(paths.SCORER)
    calibration = trained.scorer.spec.calibration
    found = baselines.fit(raw, raw_validation, plan.inputs, calibration, goal.metric)
    score = measured(seen, raw["target"], calibration, BINS)[goal.metric]
    write_json(paths.BASELINES, asdict(found))
    write_json(paths.TRAIN_METRICS, trained.measured.metrics)
    write_json(paths.TRAIN_REPORT, plain(report(trained, score, found, unknown_levels(plan, raw_validation))))
    write_csv(paths.IMPORTANCE, importance(trained))


def showing(model: str, on_round: OnRound) -> OnRound:
    """An `on_round` that also shows the progress."""
    rounds = itertools.count(1)
    doing(f"fitting {model}")

    def shown(train: float, validation: float) -> None:
        doing(f"fitting {model}, round {next(rounds)}, loss on validation rows {validation:.4f}")
        on_round(train, validation)

    return shown


def goal_of(params: Any = None) -> Goal:
    """What the problem requires of a model. Without costs the threshold is a probability of 0.5."""
    costs = load(Costs | None, "problem.costs", params)
    threshold = 0.5 if costs is None else costs.threshold
    return Goal(load(Target, "problem.target", params), load(str, "problem.metric", params), threshold)


def read_samples(train: Columns, validation: Columns, n_classes: int, root: Path = Path()) -> tuple[Sample, Sample]:
    """The matrices that `featurize` wrote below `root`, with the targets of the rows they were made of."""
    matrices = (read_matrix(root / path) for path in (paths.TRAIN_FEATURES, paths.VALIDATION_FEATURES))
    first, second = zip(matrices, (train["target"], validation["target"]), strict=True)
    return samples_of(first, second, n_classes)


def read_to_draw(split: Split) -> tuple[Columns, Columns]:
    """The columns of training and validation rows that folds are drawn by."""
    columns = [*split.columns, "target"] if split.columns else None
    return read_columns(paths.TRAIN, columns), read_columns(paths.VALIDATION, columns)


def fold_of(split: Split, count: int, n_classes: int, rows: Callable[[], tuple[Columns, Columns]]) -> Array | None:
    """The fold of each training and then validation row, int (rows,); None if models are measured on validation rows.

    `rows`: returns training and validation rows with at least the columns that the split goes by, and `target`.
    """
    if count == 1 or isinstance(split, TimeSplit):
        return None
    both = concatenated(*rows())
    columns = [*split.columns, "target"] if split.columns else [*both]
    return folds({name: both[name] for name in columns}, split, count, n_classes)


def report(trained: Trained, score: float, found: baselines.Baselines, unknown: dict[str, int]) -> TrainReport:
    """What is known of the model before test rows. `score`: the primary metric on training rows."""
    estimator = trained.estimator
    members = estimator.members if isinstance(estimator, FittedEnsemble) else ()
    return TrainReport(
        train_score=score,
        validation={**trained.measured.validation},
        one_rule=found.rule.column if found.rule else None,
        calibration=trained.scorer.spec.calibration,
        validation_rows_with_unknown_levels=unknown,
        rounds=trained.measured.estimator.rounds,
        folds=trained.measured.folds,
        members=tuple(Member(member.place, member.weight, member.fitted.rounds) for member in members),
    )


def importance(trained: Trained) -> dict[str, Any]:
    """The `SHOWN` most important features, as columns `feature` and `importance`, the most important first."""
    values = trained.estimator.importance()
    order = np.argsort(-values, kind="stable")[:SHOWN]
    return {"feature": [trained.scorer.plan.selected[i] for i in order], "importance": values[order]}


if __name__ == "__main__":
    run("train", main)
