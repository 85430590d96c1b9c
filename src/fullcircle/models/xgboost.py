"""xgboost: gradient boosted trees, stopped early on validation rows."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.core.importing import without
from fullcircle.models.trees import Tree, ensemble_of, leaf_of
from fullcircle.scoring.scorer import Part

with without("sklearn"):  # XGBoost's scikit-learn estimators are not used here: 0.35 s of import instead of 1.4 s
    import xgboost as xgb

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.models import OnRound
    from fullcircle.models.configs import XGBoostConfig
    from fullcircle.models.sample import Sample


@dataclass(frozen=True, slots=True)
class FittedBooster:
    """A booster of which the first `rounds` rounds count. It gives margins: the sigmoid is the scorer's."""

    booster: xgb.Booster
    rounds: int
    parts: tuple[Part, ...] = (Part("margin", 1.0),)

    def margin(self, X: Array) -> Array:
        """Log odds, one score per class, or a number: float64 (rows, outputs)."""
        counted = (0, min(self.rounds, self.booster.num_boosted_rounds()))
        output = self.booster.inplace_predict(X, iteration_range=counted, predict_type="margin")
        return np.asarray(output, dtype=np.float64).reshape(len(X), -1)

    def importance(self) -> Array:
        """Total gain of each feature's splits."""
        gains = self.booster[: self.rounds].get_score(importance_type="total_gain")
        total = np.array([gains.get(f"f{i}", 0.0) for i in range(self.booster.num_features())])
        return total / total.sum() if total.any() else total

    def onnx(self) -> bytes:
        """The trees, added up in float32 and in XGBoost's own order: after the base value, a first tree an output.

        ONNX Runtime would add a base value to the sum of the trees: in float32 another sum, more than 1e-6 apart in
        probability on a few rows in 100,000 once there are 400 trees.
        """
        learner = json.loads(self.booster[: self.rounds].save_raw("json"))["learner"]
        model = learner["gradient_booster"]["model"]
        bases = _base_margins(learner)
        trees = [leaf_of(np.array([[base]])) for base in bases] + [_tree(tree) for tree in model["trees"]]
        only = [*range(len(bases)), *model["tree_info"]]
        return ensemble_of(trees, self.booster.num_features(), "SUM", only, single=True)


def _base_margins(learner: dict[str, Any]) -> list[float]:
    """What each output's sum begins with: float32, one an output."""
    bases = [float(base) for base in json.loads(learner["learner_model_param"]["base_score"])]
    if learner["objective"]["name"] != "binary:logistic":
        return bases
    # Kept as a probability. The steps are XGBoost's, but for a logarithm that no vector instruction changes.
    return [float(np.float32(-math.log(np.float32(1) / np.float32(base) - np.float32(1)))) for base in bases]


def _tree(tree: dict[str, Any]) -> Tree:
    """A tree as XGBoost has it: a list a field, of all nodes; a leaf's value stands where another has a threshold."""
    left, number = np.array(tree["left_children"]), np.array(tree["split_conditions"], dtype=np.float64)
    return Tree(
        feature=np.array(tree["split_indices"]),
        threshold=number,
        left=left,
        right=np.array(tree["right_children"]),
        nulls_left=np.array(tree["default_left"], dtype=bool),
        value=np.where(left < 0, number, 0.0)[:, None],
    )


def fit(config: XGBoostConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedBooster:
    """Boost until the loss on validation rows has not improved for `patience` rounds; keep the rounds up to the best.

    The curve's training loss is that of some rows: all of many would take as long as the trees.
    """
    parts = _binned(config, train, threads)
    step = min(20, 1 + len(train.y) // 1000)
    # Not binned: predicting from a QuantileDMatrix takes as long as growing the trees.
    watch = validation.once("xgboost", lambda: xgb.DMatrix(validation.X, validation.y, nthread=threads))
    some = train.once("xgboost", lambda: xgb.DMatrix(train.X[::step], train.y[::step], nthread=threads))
    booster = xgb.train(
        _parameters(config, train.n_classes, threads),
        parts,
        config.max_rounds,
        evals=[(some, "train"), (watch, "validation")],
        early_stopping_rounds=config.patience,
        callbacks=[_Report(on_round)],
        verbose_eval=False,
    )
    return FittedBooster(booster, booster.best_iteration + 1)


def refit(config: XGBoostConfig, sample: Sample, fitted: FittedBooster, threads: int) -> FittedBooster:
    """Boost on all rows for the rounds of `fitted`."""
    parameters = _parameters(config, sample.n_classes, threads)
    booster = xgb.train(parameters, _binned(config, sample, threads), fitted.rounds, verbose_eval=False)
    return FittedBooster(booster, fitted.rounds)


def _binned(config: XGBoostConfig, sample: Sample, threads: int) -> xgb.QuantileDMatrix:
    return sample.once(
        ("xgboost", config.max_bin),
        lambda: xgb.QuantileDMatrix(sample.X, sample.y, max_bin=config.max_bin, nthread=threads),
    )


def _parameters(config: XGBoostConfig, n_classes: int, threads: int) -> dict[str, Any]:
    return {
        **_objective(n_classes),
        "tree_method": "hist",
        "learning_rate": config.learning_rate,
        "max_depth": config.max_depth,
        "min_child_weight": config.min_child_weight,
        "subsample": config.subsample,
        "colsample_bytree": config.colsample,
        "lambda": config.l2,
        "max_bin": config.max_bin,
        "seed": config.seed,
        "nthread": threads,
    }


def _objective(n_classes: int) -> dict[str, Any]:
    """What is boosted, and the loss that is watched, as `models.loss` has it."""
    if n_classes == 0:
        return {"objective": "reg:squarederror", "eval_metric": "rmse"}
    if n_classes == 2:
        return {"objective": "binary:logistic", "eval_metric": "logloss"}
    return {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": n_classes}


class _Report(xgb.callback.TrainingCallback):
    """Hands the losses of each round on."""

    def __init__(self, on_round: OnRound) -> None:
        super().__init__()
        self.on_round = on_round

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: dict[str, dict[str, list[Any]]]) -> bool:
        """Report, and go on."""
        (train,), (validation,) = evals_log["train"].values(), evals_log["validation"].values()
        self.on_round(train[-1], validation[-1])
        return False
