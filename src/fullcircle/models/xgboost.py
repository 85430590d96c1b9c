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
    """A booster of which the first `rounds` rounds count. It gives margins: the sigmoid is the scorer's."""

    booster: xgb.Booster
    rounds: int
    parts: tuple[Part, ...] = (Part("margin", 1.0),)

    def margin(self, X: Array) -> Array:
        """Log odds, a score a class, or a number: float64 (rows, outputs)."""
        counted = (0, min(self.rounds, self.booster.num_boosted_rounds()))
        answer = self.booster.inplace_predict(X, iteration_range=counted, predict_type="margin")
        return np.asarray(answer, dtype=np.float64).reshape(len(X), -1)

    def importance(self) -> Array:
        """Total gain of each feature's splits."""
        gains = self.booster[: self.rounds].get_score(importance_type="total_gain")
        total = np.array([gains.get(f"f{i}", 0.0) for i in range(self.booster.num_features())])
        return total / total.sum() if total.any() else total

    def onnx(self) -> bytes:
        """The trees as a TreeEnsembleClassifier, or a TreeEnsembleRegressor of a number, that gives margins."""
        from onnxmltools.convert import convert_xgboost
        from onnxmltools.convert.common.data_types import FloatTensorType

        width = self.booster.num_features()
        model = convert_xgboost(
            self.booster[: self.rounds], initial_types=[("features", FloatTensorType([None, width]))], target_opset=15
        )
        (trees,) = [node for node in model.graph.node if node.op_type.startswith("TreeEnsemble")]
        attributes = {attribute.name: attribute for attribute in trees.attribute}
        # The graph would end in a sigmoid whose last bits depend on the machine. Sums over trees do not.
        attributes["post_transform"].s = b"NONE"
        _start_from_base(attributes, "class" if trees.op_type == "TreeEnsembleClassifier" else "target")
        model.graph.name = "xgboost"  # the converter draws one at random
        return bytes(model.SerializeToString())


def _start_from_base(attributes: dict[str, Any], leaves: str) -> None:
    """Make the base values first trees of one leaf, so that ONNX Runtime adds up in the order XGBoost does.

    `leaves`: what the names of the leaves' attributes begin with. XGBoost adds trees to the base value, ONNX Runtime
    adds the base value to the trees: in float32 those are two sums, more than 1e-6 apart in probability on a few rows
    in 100,000 once there are 400 trees.
    """
    if "base_values" not in attributes:  # classes in balance: the base value is 0
        return
    bases = list(attributes["base_values"].floats)
    first, ids = list(range(len(bases))), attributes[f"{leaves}_ids"].ints
    attributes["base_values"].floats[:] = [0.0] * len(bases)
    for name in ("nodes_treeids", f"{leaves}_treeids"):
        attributes[name].ints[:] = [*first, *(tree + len(bases) for tree in attributes[name].ints)]
    for name in (
        "nodes_nodeids",
        "nodes_featureids",
        "nodes_truenodeids",
        "nodes_falsenodeids",
        "nodes_missing_value_tracks_true",
        f"{leaves}_nodeids",
    ):
        attributes[name].ints[:] = [*(0 for _ in bases), *attributes[name].ints]
    attributes["nodes_modes"].strings[:] = [*(b"LEAF" for _ in bases), *attributes["nodes_modes"].strings]
    attributes["nodes_values"].floats[:] = [*(0.0 for _ in bases), *attributes["nodes_values"].floats]
    ids[:] = [*(first if len(bases) > 1 else ids[:1]), *ids]
    attributes[f"{leaves}_weights"].floats[:] = [*bases, *attributes[f"{leaves}_weights"].floats]


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
        _parameters(config, train.classes, threads),
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
    parameters = _parameters(config, sample.classes, threads)
    booster = xgb.train(parameters, _binned(config, sample, threads), fitted.rounds, verbose_eval=False)
    return FittedBooster(booster, fitted.rounds)


def _binned(config: XGBoostConfig, sample: Sample, threads: int) -> xgb.QuantileDMatrix:
    return sample.once(
        ("xgboost", config.max_bin),
        lambda: xgb.QuantileDMatrix(sample.X, sample.y, max_bin=config.max_bin, nthread=threads),
    )


def _parameters(config: XGBoostConfig, classes: int, threads: int) -> dict[str, Any]:
    return {
        **_objective(classes),
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


def _objective(classes: int) -> dict[str, Any]:
    """What is boosted, and the loss that is watched, as `models.loss` has it."""
    if classes == 0:
        return {"objective": "reg:squarederror", "eval_metric": "rmse"}
    if classes == 2:
        return {"objective": "binary:logistic", "eval_metric": "logloss"}
    return {"objective": "multi:softprob", "eval_metric": "mlogloss", "num_class": classes}


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
