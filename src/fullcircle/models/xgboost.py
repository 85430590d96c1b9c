"""xgboost: gradient boosted trees, stopped early on validation rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xgboost as xgb

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import XGBoostConfig
    from fullcircle.models.sample import Sample
    from fullcircle.runtime.columns import Array


@dataclass(frozen=True, slots=True)
class FittedBooster:
    """A booster cut off after the rounds that validation chose. Predicts margins: the sigmoid is the scorer's."""

    booster: xgb.Booster
    rounds: int | None
    threads: int
    output: Literal["margin", "probability"] = "margin"

    def predict(self, X: Array) -> Array:
        """Margin, float64."""
        return np.asarray(self.booster.inplace_predict(X, predict_type="margin"), dtype=np.float64)

    def importance(self) -> Array:
        """Total gain of each feature's splits."""
        gains = self.booster.get_score(importance_type="total_gain")
        total = np.array([gains.get(f"f{i}", 0.0) for i in range(self.booster.num_features())])
        return total / total.sum() if total.any() else total

    def onnx(self) -> bytes:
        """The trees as a TreeEnsembleClassifier that gives margins."""
        from onnxmltools.convert import convert_xgboost
        from onnxmltools.convert.common.data_types import FloatTensorType

        width = self.booster.num_features()
        model = convert_xgboost(
            self.booster, initial_types=[("features", FloatTensorType([None, width]))], target_opset=15
        )
        # The graph would end in a sigmoid whose last bits depend on the machine. Sums over trees do not.
        (post,) = [a for node in model.graph.node for a in node.attribute if a.name == "post_transform"]
        post.s = b"NONE"
        model.graph.name = "xgboost"  # the converter draws one at random
        return bytes(model.SerializeToString())


def fit(config: XGBoostConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedBooster:
    """Boost until validation log loss has not improved for `patience` rounds; keep the rounds up to the best.

    The curve's training loss is that of every tenth row: all of them would double the time.
    """
    parts = _binned(config, train, threads)
    # Not binned: predicting from a QuantileDMatrix takes as long as growing the trees.
    watch = xgb.DMatrix(validation.X, validation.y, nthread=threads)
    tenth = xgb.DMatrix(train.X[::10], train.y[::10], nthread=threads)
    booster = xgb.train(
        _parameters(config, threads),
        parts,
        config.max_rounds,
        evals=[(tenth, "train"), (watch, "validation")],
        early_stopping_rounds=config.patience,
        callbacks=[_Report(on_round)],
        verbose_eval=False,
    )
    rounds = booster.best_iteration + 1
    return FittedBooster(booster[:rounds], rounds, threads)


def refit(config: XGBoostConfig, sample: Sample, rounds: int | None, threads: int) -> FittedBooster:
    """Boost for the given rounds on all rows."""
    if rounds is None:
        raise ValueError("refitting needs the rounds that validation chose")
    booster = xgb.train(_parameters(config, threads), _binned(config, sample, threads), rounds, verbose_eval=False)
    return FittedBooster(booster, rounds, threads)


def _binned(config: XGBoostConfig, sample: Sample, threads: int) -> xgb.QuantileDMatrix:
    return xgb.QuantileDMatrix(sample.X, sample.y, max_bin=config.max_bin, nthread=threads)


def _parameters(config: XGBoostConfig, threads: int) -> dict[str, Any]:
    return {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
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


class _Report(xgb.callback.TrainingCallback):
    """Hands the losses of each round on."""

    def __init__(self, on_round: OnRound) -> None:
        super().__init__()
        self.on_round = on_round

    def after_iteration(self, model: xgb.Booster, epoch: int, evals_log: dict[str, dict[str, list[Any]]]) -> bool:
        """Report, and go on."""
        self.on_round(evals_log["train"]["logloss"][-1], evals_log["validation"]["logloss"][-1])
        return False
