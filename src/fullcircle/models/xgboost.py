"""xgboost: gradient boosted trees, stopped early on validation rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xgboost as xgb

from fullcircle.runtime.scorer import Part

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import XGBoostConfig
    from fullcircle.models.sample import Sample
    from fullcircle.runtime.columns import Array


@dataclass(frozen=True, slots=True)
class FittedBooster:
    """A booster cut off after the rounds that validation chose. It gives margins: the sigmoid is the scorer's."""

    booster: xgb.Booster
    rounds: int
    threads: int
    parts: tuple[Part, ...] = (Part("margin", 1.0),)

    def margin(self, X: Array) -> Array:
        """Log odds, float64."""
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
        (trees,) = [node for node in model.graph.node if node.op_type == "TreeEnsembleClassifier"]
        attributes = {attribute.name: attribute for attribute in trees.attribute}
        # The graph would end in a sigmoid whose last bits depend on the machine. Sums over trees do not.
        attributes["post_transform"].s = b"NONE"
        _start_from_base(attributes)
        model.graph.name = "xgboost"  # the converter draws one at random
        return bytes(model.SerializeToString())


def _start_from_base(attributes: dict[str, Any]) -> None:
    """Make the base value a first tree of one leaf, so that ONNX Runtime adds up in the order XGBoost does.

    XGBoost adds trees to the base value, ONNX Runtime adds the base value to the trees: in float32 those are two
    sums, more than 1e-6 apart in probability on a few rows in 100,000 once there are 400 trees.
    """
    (base,) = attributes["base_values"].floats
    attributes["base_values"].floats[:] = [0.0]
    for name in ("nodes_treeids", "class_treeids"):
        attributes[name].ints[:] = [0, *(tree + 1 for tree in attributes[name].ints)]
    for name in ("nodes_nodeids", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids"):
        attributes[name].ints[:] = [0, *attributes[name].ints]
    attributes["nodes_missing_value_tracks_true"].ints[:] = [0, *attributes["nodes_missing_value_tracks_true"].ints]
    attributes["nodes_modes"].strings[:] = [b"LEAF", *attributes["nodes_modes"].strings]
    attributes["nodes_values"].floats[:] = [0.0, *attributes["nodes_values"].floats]
    attributes["class_ids"].ints[:] = [attributes["class_ids"].ints[0], *attributes["class_ids"].ints]
    attributes["class_nodeids"].ints[:] = [0, *attributes["class_nodeids"].ints]
    attributes["class_weights"].floats[:] = [base, *attributes["class_weights"].floats]


def fit(config: XGBoostConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedBooster:
    """Boost until validation log loss has not improved for `patience` rounds; keep the rounds up to the best.

    The curve's training loss is that of every twentieth row: all of them would take as long as the trees.
    """
    parts = _binned(config, train, threads)
    # Not binned: predicting from a QuantileDMatrix takes as long as growing the trees.
    watch = validation.once("xgboost", lambda: xgb.DMatrix(validation.X, validation.y, nthread=threads))
    some = train.once("xgboost", lambda: xgb.DMatrix(train.X[::20], train.y[::20], nthread=threads))
    booster = xgb.train(
        _parameters(config, threads),
        parts,
        config.max_rounds,
        evals=[(some, "train"), (watch, "validation")],
        early_stopping_rounds=config.patience,
        callbacks=[_Report(on_round)],
        verbose_eval=False,
    )
    rounds = booster.best_iteration + 1
    return FittedBooster(booster[:rounds], rounds, threads)


def refit(config: XGBoostConfig, sample: Sample, fitted: FittedBooster, threads: int) -> FittedBooster:
    """Boost on all rows for the rounds of `fitted`."""
    binned = _binned(config, sample, threads)
    booster = xgb.train(_parameters(config, threads), binned, fitted.rounds, verbose_eval=False)
    return FittedBooster(booster, fitted.rounds, threads)


def _binned(config: XGBoostConfig, sample: Sample, threads: int) -> xgb.QuantileDMatrix:
    return sample.once(
        ("xgboost", config.max_bin),
        lambda: xgb.QuantileDMatrix(sample.X, sample.y, max_bin=config.max_bin, nthread=threads),
    )


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
