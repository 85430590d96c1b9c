"""catboost: gradient boosted symmetric trees (extra `catboost`), stopped early on validation rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.base.errors import ConfigError
from fullcircle.models.optional import require
from fullcircle.models.sample import Sample
from fullcircle.models.trees import Tree, ensemble_of, leaf_of
from fullcircle.scoring.predictions import outputs_of
from fullcircle.scoring.scorer import Part, margin_of

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import CatBoostConfig

UNSEEN = float(margin_of(np.zeros((1, 2)))[0, 0])  # the score of a class that training rows lack


@dataclass(frozen=True, slots=True)
class FittedCatBoost:
    """A booster of which the first `rounds` rounds count; `width`: how many features it takes.

    `outputs`: of all outputs, those that the booster has: it knows no class that training rows lack.
    """

    booster: Any
    rounds: int
    width: int
    n_classes: int
    outputs: Array
    parts: tuple[Part, ...] = (Part("margin", 1.0),)

    def margin(self, X: Array) -> Array:
        """Log odds, one score per class, or a number: float64 (rows, outputs), rounded to float32 as in the graph."""
        counted = min(self.rounds, self.booster.tree_count_)
        output = self.booster.predict(X, prediction_type="RawFormulaVal", ntree_end=counted, thread_count=1)
        some = np.asarray(output, dtype=np.float64).reshape(len(X), -1)
        return self._spread(some, UNSEEN).astype(np.float32).astype(np.float64)

    def importance(self) -> Array:
        """How much the prediction changes with each feature (PredictionValuesChange)."""
        change = np.asarray(self._counted().get_feature_importance(type="PredictionValuesChange"), dtype=np.float64)
        return change / change.sum() if change.any() else change

    def onnx(self) -> bytes:
        """The trees, added up in double: in CatBoost's own graph they are added up in float32."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.json"
            self._counted().save_model(str(path), format="json")
            model = json.loads(path.read_text(encoding="utf-8"))
        scale, bias = model["scale_and_bias"]
        trees = [leaf_of(self._spread(np.array([bias], dtype=np.float64), UNSEEN))]
        features = {f["feature_index"]: f for f in model["features_info"]["float_features"]}
        for tree in model["oblivious_trees"]:
            values = np.array(tree["leaf_values"], dtype=np.float64).reshape(-1, len(bias)) * scale
            trees.append(_tree(tree["splits"] or [], self._spread(values, 0.0), features))
        return ensemble_of(trees, self.width, "SUM")

    def _counted(self) -> Any:
        """The booster without the rounds that do not count."""
        counted = self.booster.copy()
        counted.shrink(min(self.rounds, counted.tree_count_))
        return counted

    def _spread(self, some: Array, absent: float) -> Array:
        """All outputs (rows, outputs) of those that the booster has; the others are `absent`."""
        every = np.full((len(some), outputs_of(self.n_classes)), absent)
        every[:, self.outputs] = some
        return every


def fit(config: CatBoostConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedCatBoost:
    """Boost until the loss on validation rows has not improved for `patience` rounds; keep the rounds up to the best.

    Validation rows of classes that training rows lack are not looked at. Raises ConfigError where the extra is not
    installed, or no feature tells one training row from another.
    """
    known = np.isin(validation.y, train.y) if train.n_classes > 2 else np.full(len(validation.y), True)
    watched = Sample(validation.X[known], validation.y[known], train.n_classes) if known.any() else train
    return _fit(
        config,
        train,
        config.max_rounds,
        threads,
        eval_set=_pool(watched, np.unique(train.y)),
        early_stopping_rounds=config.patience,
        use_best_model=False,
        callbacks=[_Report(on_round)],
    )


def refit(config: CatBoostConfig, sample: Sample, fitted: FittedCatBoost, threads: int) -> FittedCatBoost:
    """Boost on all rows for the rounds of `fitted`."""
    return _fit(config, sample, fitted.rounds, threads)


def _fit(config: CatBoostConfig, sample: Sample, rounds: int, threads: int, **how: Any) -> FittedCatBoost:
    # Nulls do not count: CatBoost looks for borders between values, and finds one more next to nulls.
    if not ((sample.X[:1] != sample.X) & ~(np.isnan(sample.X) & np.isnan(sample.X[:1]))).any():
        raise ConfigError(
            f"model catboost finds every feature the same on all {len(sample.y):,} training rows, and fits no trees to "
            "that. Choose another model, or correct the features"
        )
    booster = require("catboost").CatBoost(_parameters(config, sample.n_classes, rounds, threads))
    seen = np.unique(sample.y)
    booster.fit(_pool(sample, seen), **how)
    outputs = seen.astype(np.int64) if sample.n_classes > 2 else np.zeros(1, np.int64)
    best = booster.get_best_iteration()  # None where no rows were watched
    chosen = booster.tree_count_ if best is None else best + 1
    return FittedCatBoost(booster, chosen, sample.X.shape[1], sample.n_classes, outputs)


def _pool(sample: Sample, seen: Array) -> Any:
    """Rows as CatBoost takes them; where there are several classes, `seen` are those it is to know, in their order."""
    y = np.searchsorted(seen, sample.y) if sample.n_classes > 2 else sample.y
    return require("catboost").Pool(sample.X, y)


def _parameters(config: CatBoostConfig, n_classes: int, rounds: int, threads: int) -> dict[str, Any]:
    return {
        "loss_function": {0: "RMSE", 2: "Logloss"}.get(n_classes, "MultiClass"),
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


def _tree(splits: list[dict[str, Any]], values: Array, features: dict[int, dict[str, Any]]) -> Tree:
    """A symmetric tree: one split a level, the last one at the root of ours; a leaf's number has a bit a split."""
    inner, leaves = len(values) - 1, np.full(len(values), -1)
    level = np.repeat(np.arange(len(splits)), 2 ** np.arange(len(splits)))
    asked = [features[split["float_feature_index"]] for split in splits[::-1]]
    feature = np.array([f["flat_feature_index"] for f in asked], dtype=np.int64)[level]
    border = np.array([split["border"] for split in splits[::-1]], dtype=np.float64)[level]
    nulls_left = np.array([f["nan_value_treatment"] != "AsTrue" for f in asked], dtype=bool)[level]
    nodes = np.arange(inner)
    return Tree(
        feature=np.concatenate([feature, leaves]),
        threshold=np.concatenate([border, np.zeros(len(leaves))]),
        left=np.concatenate([2 * nodes + 1, leaves]),
        right=np.concatenate([2 * nodes + 2, leaves]),
        nulls_left=np.concatenate([nulls_left, leaves > 0]),
        value=np.concatenate([np.zeros((inner, values.shape[1])), values]),
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
