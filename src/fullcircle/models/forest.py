"""forest: a random forest of scikit-learn, whose trees route nulls themselves; and what it shares with extra trees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.models.trees import Tree, ensemble_of
from fullcircle.scoring.scorer import Part, margin_of

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.models import OnRound
    from fullcircle.models.configs import ForestConfig
    from fullcircle.models.sample import Sample


@dataclass(frozen=True, slots=True)
class FittedForest:
    """A fitted forest of scikit-learn; `classes` as in `Sample`."""

    forest: Any
    n_classes: int
    rounds: int | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Probabilities, or a number."""
        return (Part("probability" if self.n_classes else "margin", 1.0),)

    def margin(self, X: Array) -> Array:
        """Log odds or logarithms of the trees' mean probabilities, or their mean, float64 (rows, outputs).

        Means are rounded to float32, as the graph gives them: next to 1, log odds show the last bit.
        """
        if self.n_classes == 0:
            return np.asarray(self.forest.predict(X)[:, None].astype(np.float32).astype(np.float64))
        output = self._of_outputs(self.forest.predict_proba(X))
        return margin_of(output.astype(np.float32).astype(np.float64))

    def importance(self) -> Array:
        """Mean decrease in impurity."""
        return np.asarray(self.forest.feature_importances_)

    def onnx(self) -> bytes:
        """The trees, averaged."""
        trees = [self._tree(estimator.tree_) for estimator in self.forest.estimators_]
        return ensemble_of(trees, self.forest.n_features_in_, "AVERAGE")

    def _tree(self, tree: Any) -> Tree:
        return Tree(
            feature=tree.feature,
            threshold=tree.threshold,
            left=tree.children_left,
            right=tree.children_right,
            nulls_left=tree.missing_go_to_left.astype(bool),
            value=self._of_outputs(tree.value[:, 0, :]),
        )

    def _of_outputs(self, value: Array) -> Array:
        """One column per output, from one column per class seen in training; an unseen class has probability 0."""
        if self.n_classes == 0:
            return value
        every = np.zeros((len(value), self.n_classes))
        every[:, self.forest.classes_] = value
        return every[:, 1:] if self.n_classes == 2 else every


def fit(config: ForestConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedForest:
    """Fit on training rows; a forest has no rounds, so validation rows are not looked at."""
    return _fit(config, train, threads)


def refit(config: ForestConfig, sample: Sample, fitted: FittedForest, threads: int) -> FittedForest:
    """Fit on all rows."""
    return _fit(config, sample, threads)


def _fit(config: ForestConfig, sample: Sample, threads: int) -> FittedForest:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    forest = (RandomForestClassifier if sample.n_classes else RandomForestRegressor)(
        n_estimators=config.trees,
        max_depth=config.max_depth,
        min_samples_leaf=config.min_leaf,
        max_features=config.max_features,
        max_samples=min(config.max_samples, (config.max_rows or len(sample.y)) / len(sample.y)),
        random_state=config.seed,
    )
    return grown(forest, sample, threads)


def grown(forest: Any, sample: Sample, threads: int) -> FittedForest:
    """Fit a forest that has its parameters, `threads` trees side by side: no tree depends on another."""
    forest.n_jobs = threads
    forest.fit(sample.X, sample.y.astype(np.int64 if sample.n_classes else np.float64))
    forest.n_jobs = 1  # side by side, trees would be added up in the order they finish
    return FittedForest(forest, sample.n_classes)
