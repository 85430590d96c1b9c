"""forest: a random forest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.runtime.scorer import Part, log_odds

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import ForestConfig
    from fullcircle.models.sample import Sample
    from fullcircle.runtime.columns import Array


@dataclass(frozen=True, slots=True)
class FittedForest:
    """A fitted RandomForestClassifier."""

    forest: Any
    rounds: int | None = None
    parts: tuple[Part, ...] = (Part("probability", 1.0),)

    def margin(self, X: Array) -> Array:
        """Log odds of the trees' mean probability, float64."""
        return log_odds(self.forest.predict_proba(X)[:, 1])

    def importance(self) -> Array:
        """Mean decrease in impurity."""
        return np.asarray(self.forest.feature_importances_)

    def onnx(self) -> bytes:
        """The trees as a TreeEnsembleClassifier that gives probabilities."""
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import FloatTensorType

        model = convert_sklearn(
            self.forest,
            "forest",
            [("features", FloatTensorType([None, self.forest.n_features_in_]))],
            options={id(self.forest): {"zipmap": False}},
            target_opset=15,
        )
        return bytes(model.SerializeToString())


def fit(config: ForestConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedForest:
    """Fit on training rows; a forest has no rounds, so validation rows are not looked at."""
    return _fit(config, train, threads)


def refit(config: ForestConfig, sample: Sample, fitted: FittedForest, threads: int) -> FittedForest:
    """Fit on all rows."""
    return _fit(config, sample, threads)


def _fit(config: ForestConfig, sample: Sample, threads: int) -> FittedForest:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        n_estimators=config.trees,
        max_depth=config.max_depth,
        min_samples_leaf=config.min_leaf,
        max_features=config.max_features,
        max_samples=config.max_samples,
        random_state=config.seed,
        n_jobs=threads,
    )
    forest.fit(sample.X, sample.y.astype(np.int64))
    forest.n_jobs = 1  # side by side, trees would be added up in the order they finish
    return FittedForest(forest)
