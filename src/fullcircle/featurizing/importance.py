"""Importance of features by boosted trees, for stability selection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fullcircle.base.columns import Array


def tree_importance(matrix: Array, target: Array, seed: int, *, n_classes: int) -> Array:
    """Total gain of each feature in a few small boosted trees: float64 (features,)."""
    import xgboost

    objective = {0: "reg:squarederror", 2: "binary:logistic"}.get(n_classes, "multi:softprob")
    params = {
        "objective": objective, "max_depth": 4, "eta": 0.2, "subsample": 0.8, "colsample_bynode": 0.3, "seed": seed,
        "tree_method": "hist", "max_bin": 64, "nthread": 1,
    }  # fmt: skip
    if n_classes > 2:
        params["num_class"] = n_classes
    booster = xgboost.train(params, xgboost.DMatrix(matrix, target), num_boost_round=30)
    gains = booster.get_score(importance_type="total_gain")
    return np.array([gains.get(f"f{i}", 0.0) for i in range(matrix.shape[1])], dtype=float)
