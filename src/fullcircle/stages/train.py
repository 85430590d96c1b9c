"""train: feature matrices -> the scorer, which must answer as the estimator does on every row it has seen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.problem import Costs, Target
from fullcircle.core.stage import run
from fullcircle.core.tables import read_columns, read_matrix, rounded, write_csv, write_json
from fullcircle.evaluation import baselines
from fullcircle.evaluation.metrics import evaluate, predictions
from fullcircle.models import Fitted, ModelConfig, model_of
from fullcircle.models.curve import learning_curve
from fullcircle.models.ensemble import FittedEnsemble
from fullcircle.models.sample import Sample
from fullcircle.runtime.errors import DataError, ParityError
from fullcircle.runtime.plan import unknown_levels
from fullcircle.runtime.scorer import FORMAT, Scorer, ScorerSpec, log_odds, read_plan, sigmoid

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.runtime.columns import Array, Columns
    from fullcircle.runtime.plan import Plan

BINS = 15


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """How the scorer is made of a model; what each number means stands in conf/config.yaml."""

    refit: bool
    calibrate: Literal["sigmoid", "none"]
    parity: float
    threads: int

    def __post_init__(self) -> None:
        if not 0 < self.parity < 1:
            raise ValueError(f"parity {self.parity:g} is outside 0..1")
        if self.threads < 1:
            raise ValueError(f"threads {self.threads} must be at least 1")


@dataclass(frozen=True, slots=True)
class Measured:
    """An estimator fitted on training rows, its calibration, and what validation rows say of both."""

    estimator: Fitted
    calibration: tuple[float, float]  # slope and intercept of the sigmoid
    validation: dict[str, float]

    @property
    def metrics(self) -> dict[str, Any]:
        """What metrics/train.json holds."""
        found: dict[str, Any] = {"val_auc": self.validation["auc"], "val_ece": self.validation["ece"]}
        return found if self.estimator.rounds is None else found | {"rounds": self.estimator.rounds}


@dataclass(frozen=True, slots=True)
class Trained:
    """The estimator, what the first fit said of it, and the scorer made of both."""

    estimator: Fitted
    measured: Measured
    scorer: Scorer


def train(
    plan: Plan,
    sides: tuple[Sample, Sample],
    model: ModelConfig,
    config: TrainConfig,
    target: Target,
    threshold: float,
    on_round: OnRound,
) -> Trained:
    """Fit on training rows, calibrate and measure on validation rows, then fit again on both if asked to."""
    measured, (training, validation) = measure(sides, model, config, threshold, on_round), sides
    estimator = measured.estimator
    if config.refit:
        estimator = model_of(model).refit(model, training + validation, estimator, config.threads)
    scorer = scorer_of(estimator, measured.calibration, plan, target, threshold)
    return Trained(estimator, measured, scorer)


def measure(
    sides: tuple[Sample, Sample], model: ModelConfig, config: TrainConfig, threshold: float, on_round: OnRound
) -> Measured:
    """Fit on training rows; calibrate and measure on validation rows."""
    training, validation = sides
    estimator = model_of(model).fit(model, training, validation, config.threads, on_round)
    margin = estimator.margin(validation.X)
    slope, intercept = platt(margin, validation.y) if config.calibrate == "sigmoid" else (1.0, 0.0)
    probability = sigmoid(slope * margin + intercept)
    found = evaluate(predictions(probability, validation.y, threshold, BINS))
    return Measured(estimator, (slope, intercept), found)


def scorer_of(
    estimator: Fitted, calibration: tuple[float, float], plan: Plan, target: Target, threshold: float
) -> Scorer:
    """The scorer made of features, an estimator and its calibration."""
    spec = ScorerSpec(FORMAT, target.positive, target.negative, estimator.parts, *calibration, threshold)
    return Scorer(plan, spec, estimator.onnx())


def platt(margin: Array, y: Array) -> tuple[float, float]:
    """Slope and intercept of the sigmoid that fits `y` best (Platt 1999), by damped Newton steps on the log loss.

    Rounded to 6 digits. A margin that says nothing (all rows alike) moves the intercept only; one that parts the
    classes without error would have an infinite slope, and stops at a large one.
    """
    y = y.astype(np.float64)
    if np.ptp(margin) < 1e-9:
        return 1.0, float(rounded(float(log_odds(np.array(y.mean())) - margin[0])))
    X = np.stack([margin, np.ones_like(margin)], axis=1)
    weights = np.array([1.0, 0.0])
    loss = _log_loss(X @ weights, y)
    for _ in range(100):
        p = sigmoid(X @ weights)
        curvature = X.T @ (X * (p * (1 - p))[:, None])
        step = np.linalg.solve(curvature + 1e-9 * np.trace(curvature) * np.eye(2) + 1e-12 * np.eye(2), X.T @ (p - y))
        while (tried := _log_loss(X @ (weights - step), y)) > loss:
            step = step / 2
            if np.abs(step).max() < 1e-12:
                break
        weights, loss, moved = weights - step, min(tried, loss), np.abs(step).max()
        if moved < 1e-9 or np.abs(weights).max() > 1e3:
            break
    return float(rounded(float(weights[0]))), float(rounded(float(weights[1])))


def _log_loss(margin: Array, y: Array) -> float:
    return float((np.logaddexp(0, margin) - y * margin).sum())


def demand_parity(trained: Trained, raw: Columns, X: Array, config: TrainConfig, side: str) -> Array:
    """Score raw rows with the scorer, and their features with the estimator; return the scorer's probabilities.

    Raises ParityError, naming the rows, if any two are more than `config.parity` apart.
    """
    answer = trained.scorer.probability(raw, config.threads)
    slope, intercept = trained.measured.calibration
    expected = sigmoid(slope * trained.estimator.margin(X) + intercept)
    apart = np.abs(answer - expected)
    wrong = np.flatnonzero(~(apart <= config.parity))  # not a number is wrong too
    if len(wrong):
        worst = wrong[np.argsort(-np.nan_to_num(apart[wrong], nan=np.inf))][:3]
        examples = "\n".join(f"  row {i}: estimator {expected[i]:.9f}, scorer {answer[i]:.9f}" for i in worst)
        raise ParityError(
            f"{len(wrong):,} of {len(answer):,} {side} rows are more than {config.parity:g} apart between estimator "
            f"and scorer\n{examples}\nThe model does not survive its way to ONNX; it must not be served."
        )
    return answer


def main() -> None:
    """Train, demand parity on every row, write scorer, baselines, metrics and plots."""
    config, target = load(TrainConfig, "train"), load(Target, "problem.target")
    model: ModelConfig = load(ModelConfig, "model")
    plan = read_plan(paths.FEATURES)
    X, y, names = read_matrix(paths.TRAIN_FEATURES)
    X_validation, y_validation, _ = read_matrix(paths.VALIDATION_FEATURES)
    sides = Sample(X, y), Sample(X_validation, y_validation)
    if any(len(np.unique(side.y)) < 2 for side in sides):
        raise DataError("a side has one class only; mend the split")
    with learning_curve(paths.CURVE) as on_round:
        trained = train(plan, sides, model, config, target, load(Costs, "problem.costs").threshold, on_round)
    columns = [*plan.inputs, "target"]
    raw, raw_validation = read_columns(paths.TRAIN, columns), read_columns(paths.VALIDATION, columns)
    seen = demand_parity(trained, raw, X, config, "training")
    demand_parity(trained, raw_validation, X_validation, config, "validation")
    trained.scorer.save(paths.SCORER)
    found = baselines.fit(raw, raw_validation, list(plan.inputs))
    write_json(paths.BASELINES, asdict(found))
    _write_reports(trained, names, baselines.auc(seen, raw["target"]), found, unknown_levels(plan, raw_validation))


def _write_reports(
    trained: Trained, names: list[str], train_auc: float, found: baselines.Baselines, unknown: dict[str, int]
) -> None:
    write_json(paths.TRAIN_METRICS, trained.measured.metrics)
    report: dict[str, Any] = {
        "train_auc": train_auc,
        "validation": trained.measured.validation,
        "one_rule": found.rule.column,
        "calibration": {"slope": trained.scorer.spec.slope, "intercept": trained.scorer.spec.intercept},
        "validation_rows_with_unknown_levels": unknown,
    }
    if isinstance(trained.estimator, FittedEnsemble):
        report["members"] = trained.estimator.summary()
    write_json(paths.TRAIN_REPORT, report)
    importance = trained.estimator.importance()
    order = np.argsort(-importance, kind="stable")
    write_csv(
        paths.IMPORTANCE,
        {"feature": [names[i] for i in order[:20]], "importance": importance[order[:20]]},
    )


if __name__ == "__main__":
    run("train", main)
