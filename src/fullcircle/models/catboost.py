"""catboost: gradient boosted symmetric trees (extra `catboost`), stopped early on validation rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.models.extra import demand
from fullcircle.models.trees import Tree, ensemble_of
from fullcircle.runtime.scorer import Part

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import CatBoostConfig
    from fullcircle.models.sample import Sample
    from fullcircle.runtime.columns import Array


@dataclass(frozen=True, slots=True)
class FittedCatBoost:
    """A booster cut off after the rounds that validation chose; `width`: how many features it takes."""

    booster: Any
    rounds: int
    width: int
    parts: tuple[Part, ...] = (Part("margin", 1.0),)

    def margin(self, X: Array) -> Array:
        """Log odds, a score a class, or a number: float64 (rows, outputs), rounded to float32 as the graph has it."""
        answer = self.booster.predict(X, prediction_type="RawFormulaVal", thread_count=1)
        return np.asarray(answer, dtype=np.float32).astype(np.float64).reshape(len(X), -1)

    def importance(self) -> Array:
        """How much the prediction changes with each feature (PredictionValuesChange)."""
        change = np.asarray(self.booster.get_feature_importance(type="PredictionValuesChange"), dtype=np.float64)
        return change / change.sum() if change.any() else change

    def onnx(self) -> bytes:
        """The trees, added up in double. CatBoost's own graph adds up in float32."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            self.booster.save_model(str(path), format="json")
            model = json.loads(path.read_text(encoding="utf-8"))
        scale, bias = model["scale_and_bias"]
        features = model["features_info"]["float_features"]
        nulls_right = {f["feature_index"]: f.get("nan_value_treatment") == "AsTrue" for f in features}
        places = [f["flat_feature_index"] for f in features]
        first = Tree(*(np.array([-1]) for _ in "fthr"), np.array([False]), np.array([bias], dtype=np.float64))
        trees = [first, *(_tree(tree, scale, len(bias), places, nulls_right) for tree in model["oblivious_trees"])]
        return ensemble_of(trees, self.width, "SUM")


def fit(config: CatBoostConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedCatBoost:
    """Boost until the loss on validation rows has not improved for `patience` rounds; keep the rounds up to the best.

    Raises ConfigError where the extra is not installed.
    """
    catboost = demand("catboost")
    booster = catboost.CatBoost(_parameters(config, train.classes, config.max_rounds, threads))
    booster.fit(
        catboost.Pool(train.X, train.y),
        eval_set=catboost.Pool(validation.X, validation.y),
        early_stopping_rounds=config.patience,
        use_best_model=True,
        callbacks=[_Report(on_round)],
    )
    return FittedCatBoost(booster, booster.tree_count_, train.X.shape[1])


def refit(config: CatBoostConfig, sample: Sample, fitted: FittedCatBoost, threads: int) -> FittedCatBoost:
    """Boost on all rows for the rounds of `fitted`."""
    catboost = demand("catboost")
    booster = catboost.CatBoost(_parameters(config, sample.classes, fitted.rounds, threads))
    booster.fit(catboost.Pool(sample.X, sample.y))
    return FittedCatBoost(booster, fitted.rounds, sample.X.shape[1])


def _parameters(config: CatBoostConfig, classes: int, rounds: int, threads: int) -> dict[str, Any]:
    objective = {0: "RMSE", 2: "Logloss"}.get(classes, "MultiClass")
    return {
        "loss_function": objective,
        **({"classes_count": classes} if classes > 2 else {}),
        "iterations": rounds,
        "learning_rate": config.learning_rate,
        "depth": config.max_depth,
        "l2_leaf_reg": config.l2,
        "border_count": config.max_bin,
        "random_seed": config.seed,
        "thread_count": threads,
        "allow_writing_files": False,
        "logging_level": "Silent",
    }


def _tree(
    tree: dict[str, Any], scale: float, outputs: int, places: list[int], nulls_right: dict[int, bool]
) -> Tree:
    """A symmetric tree: one split a level, the last one at the root of ours; a leaf's number has a bit a split."""
    splits = (tree["splits"] or [])[::-1]
    depth = len(splits)
    inner, leaves = 2**depth - 1, 2**depth
    level = np.repeat(np.arange(depth), 2 ** np.arange(depth))
    nodes = np.arange(inner)
    feature = np.array([places[s["float_feature_index"]] for s in splits], dtype=np.int64)[level]
    border = np.array([s["border"] for s in splits], dtype=np.float64)[level]
    right = np.array([nulls_right[s["float_feature_index"]] for s in splits], dtype=bool)[level]
    none = np.full(leaves, -1)
    values = np.array(tree["leaf_values"], dtype=np.float64).reshape(leaves, outputs) * scale
    return Tree(
        feature=np.concatenate([feature, none]),
        threshold=np.concatenate([border, np.zeros(leaves)]),
        left=np.concatenate([2 * nodes + 1, none]),
        right=np.concatenate([2 * nodes + 2, none]),
        nulls_left=np.concatenate([~right, none > 0]),
        value=np.concatenate([np.zeros((inner, outputs)), values]),
    )


class _Report:
    """Hands the losses of each round on."""

    def __init__(self, on_round: OnRound) -> None:
        self.on_round = on_round

    def after_iteration(self, info: Any) -> bool:
        """Report, and go on."""
        (train,), (validation,) = info.metrics["learn"].values(), info.metrics["validation"].values()
        self.on_round(train[-1], validation[-1])
        return True
