"""Small samples of every task, small models, and a scorer that asks for the features themselves."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.features import plan as plans
from fullcircle.features.numbers import Number
from fullcircle.features.plan import Plan
from fullcircle.models import Fitted, ModelConfig, model_of
from fullcircle.models.configs import (
    CatBoostConfig,
    DummyConfig,
    EnsembleConfig,
    ExtraTreesConfig,
    ForestConfig,
    LightGBMConfig,
    LinearConfig,
    MLPConfig,
    XGBoostConfig,
)
from fullcircle.models.sample import Sample
from fullcircle.scoring.predictions import BinaryCalibration, Calibration, MulticlassCalibration, RegressionCalibration
from fullcircle.scoring.scorer import FORMAT, Scorer, ScorerSpec

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.models import OnRound

XGBOOST = XGBoostConfig("xgboost", 40, 10, 0.2, 4, 2, 0.8, 0.7, 1.0, 64, 0)
LIGHTGBM = LightGBMConfig("lightgbm", 40, 10, 0.2, 8, 5, 0.8, 0.7, 1.0, 64, 0)
CATBOOST = CatBoostConfig("catboost", 40, 10, 0.3, 4, 3.0, 64, 0)
FOREST = ForestConfig("forest", 15, 6, 3, 0.5, 0.7, 0)
EXTRA_TREES = ExtraTreesConfig("extra_trees", 15, 6, 3, 0.5, 0)
MLP = MLPConfig("mlp", 40, 10, 0.005, 2, 16, 64, 100, 0.001, 0)
LINEAR = LinearConfig("linear", 1.0, 500)
DUMMY = DummyConfig("dummy")
MODELS: dict[str, ModelConfig] = {
    "xgboost": XGBOOST,
    "lightgbm": LIGHTGBM,
    "catboost": CATBOOST,
    "forest": FOREST,
    "extra_trees": EXTRA_TREES,
    "mlp": MLP,
    "linear": LINEAR,
    "dummy": DUMMY,
    "ensemble": EnsembleConfig("ensemble", 20, (XGBOOST, FOREST, LINEAR)),
}
TASKS = {"binary": 2, "multiclass": 4, "regression": 0}
WIDTH = 8


def silent(train: float, validation: float) -> None:
    """An `on_round` that keeps nothing."""


def sample(n_classes: int, rows: int, seed: int, width: int = WIDTH) -> Sample:
    """Rows whose target depends on the first two features, with noise; a tenth of all features are null.

    Of 8 features the third is a whole number, the fourth always the same, the fifth always null.
    """
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, width)).astype(np.float32) * np.float32(3)
    signal = X[:, 0] + 0.1 * X[:, min(1, width - 1)] ** 2 + random.normal(size=rows)
    X[random.random(X.shape) < 0.1] = np.nan
    if width == WIDTH:
        X[:, 2], X[:, 3], X[:, 4] = np.round(X[:, 2]), np.float32(0.1), np.nan
    if n_classes == 0:
        return Sample(X, ((signal - 0.9) / 3.3).astype(np.float32), 0)
    order = signal.argsort(kind="stable").argsort(kind="stable")
    return Sample(X, (order * n_classes // rows).astype(np.float32), n_classes)


@cache
def sides(n_classes: int) -> tuple[Sample, Sample]:
    """Training (600) and validation (300) rows. Shared by tests: do not change them."""
    return sample(n_classes, 600, 0), sample(n_classes, 300, 1)


def fit(config: ModelConfig, train: Sample, validation: Sample, threads: int = 1, on_round: OnRound = silent) -> Fitted:
    """The model, fitted."""
    return model_of(config).fit(config, train, validation, threads, on_round)


@cache
def fitted(config: ModelConfig, n_classes: int = 2) -> Fitted:
    """The model, fitted on `sides`. Shared by tests: do not change it."""
    return fit(config, *sides(n_classes))


def calibrate(n_classes: int) -> Calibration:
    """What margins mean, not calibrated; a number stays in standard units."""
    if n_classes == 0:
        return RegressionCalibration("regression", 0.0, 1.0, 0.0, 0.9)
    if n_classes == 2:
        return BinaryCalibration("binary", "no", "yes", 1.0, 0.0, 0.5)
    return MulticlassCalibration("multiclass", tuple(f"class {i}" for i in range(n_classes)), 1.0)


def scorer_of(estimator: Fitted, width: int = WIDTH, n_classes: int = 2) -> Scorer:
    """A scorer that asks for the features themselves."""
    features = tuple(f"f{i}" for i in range(width))
    plan = Plan(plans.FORMAT, {}, (), (), tuple(Number("number", f) for f in features), features)
    return Scorer(plan, ScorerSpec(FORMAT, estimator.parts, calibrate(n_classes)), estimator.onnx())


def apart(estimator: Fitted, X: Array, n_classes: int) -> float:
    """By how much the forecasts of estimator and scorer differ at most, over rows and outputs."""
    calibration = calibrate(n_classes)
    given = calibration.predict(scorer_of(estimator, X.shape[1], n_classes).margin(X))
    expected = calibration.predict(estimator.margin(X))
    assert given.shape == expected.shape == (len(X), n_classes if n_classes > 2 else 1)
    assert np.isfinite(expected).all()
    return float(np.abs(given - expected).max())
