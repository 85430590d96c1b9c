"""extra_trees: a forest whose trees split at random thresholds and see all rows (Geurts et al. 2006)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fullcircle.models.forest import FittedForest, grown

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import ExtraTreesConfig
    from fullcircle.models.sample import Sample


def fit(config: ExtraTreesConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedForest:
    """Fit on training rows; there are no rounds, so validation rows are not looked at."""
    return _fit(config, train, threads)


def refit(config: ExtraTreesConfig, sample: Sample, fitted: FittedForest, threads: int) -> FittedForest:
    """Fit on all rows."""
    return _fit(config, sample, threads)


def _fit(config: ExtraTreesConfig, sample: Sample, threads: int) -> FittedForest:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    drawn = config.max_rows is not None and config.max_rows < len(sample.y)
    forest = (ExtraTreesClassifier if sample.n_classes else ExtraTreesRegressor)(
        n_estimators=config.trees,
        max_depth=config.max_depth,
        min_samples_leaf=config.min_leaf,
        max_features=config.max_features,
        bootstrap=drawn,
        max_samples=config.max_rows if drawn else None,
        random_state=config.seed,
    )
    return grown(forest, sample, threads)
