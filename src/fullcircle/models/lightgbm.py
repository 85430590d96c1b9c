"""lightgbm: gradient boosted trees that grow leaf by leaf (extra `lightgbm`), stopped early on validation rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.models.optional import require
from fullcircle.models.trees import Tree, ensemble_of
from fullcircle.scoring.predictions import outputs_of
from fullcircle.scoring.scorer import Part

if TYPE_CHECKING:
    from fullcircle.base.columns import Array
    from fullcircle.models import OnRound
    from fullcircle.models.configs import LightGBMConfig
    from fullcircle.models.sample import Sample

ZERO = float(np.float32(1e-35))  # LightGBM takes anything as near to 0 as that for 0
DEFAULT_LEFT, MISSING, NAN = 2, 12, 8  # bits of a decision in LightGBM's text: nulls go left; what is missing; NaN is


@dataclass(frozen=True, slots=True)
class FittedLightGBM:
    """A booster of which the first `rounds` rounds count."""

    booster: Any
    rounds: int
    parts: tuple[Part, ...] = (Part("margin", 1.0),)

    def margin(self, X: Array) -> Array:
        """Log odds, one score per class, or a number: float64 (rows, outputs), rounded to float32 as in the graph."""
        output = self.booster.predict(X, raw_score=True, num_iteration=self.rounds, num_threads=1)
        return np.asarray(output, dtype=np.float32).astype(np.float64).reshape(len(X), -1)

    def importance(self) -> Array:
        """Total gain of each feature's splits."""
        gain = np.asarray(self.booster.feature_importance("gain", iteration=self.rounds), dtype=np.float64)
        return gain / gain.sum() if gain.any() else gain

    def onnx(self) -> bytes:
        """The trees, added up in double."""
        text = self.booster.model_to_string(num_iteration=self.rounds)
        trees = [_tree(part) for part in text.split("\nTree=")[1:]]
        outputs = self.booster.num_model_per_iteration()
        only = [i % outputs for i in range(len(trees))]
        return ensemble_of(trees, self.booster.num_feature(), "SUM", only)


def fit(config: LightGBMConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedLightGBM:
    """Boost until the loss on validation rows has not improved for `patience` rounds; keep the rounds up to the best.

    The curve's training loss is that of some rows: all of many would take as long as the trees. Raises ConfigError
    where the extra is not installed.
    """
    lightgbm, parameters = require("lightgbm"), _parameters(config, train.n_classes, threads)
    step = min(20, 1 + len(train.y) // 1000)
    binned = lightgbm.Dataset(train.X, train.y, params=parameters)
    booster = lightgbm.Booster(parameters, binned)
    for name, X, y in (("train", train.X[::step], train.y[::step]), ("validation", validation.X, validation.y)):
        booster.add_valid(lightgbm.Dataset(X, y, reference=binned, params=parameters), name)
    best, rounds = np.inf, 0
    for done in range(1, config.max_rounds + 1):
        ended = booster.update()  # no leaf can be split any more
        on_train, on_validation = (value for _, _, value, _ in booster.eval_valid())
        on_round(on_train, on_validation)
        if on_validation < best:
            best, rounds = on_validation, done
        if ended or done - rounds >= config.patience:
            break
    return FittedLightGBM(booster, rounds)


def refit(config: LightGBMConfig, sample: Sample, fitted: FittedLightGBM, threads: int) -> FittedLightGBM:
    """Boost on all rows for the rounds of `fitted`."""
    lightgbm, parameters = require("lightgbm"), _parameters(config, sample.n_classes, threads)
    booster = lightgbm.Booster(parameters, lightgbm.Dataset(sample.X, sample.y, params=parameters))
    for _ in range(fitted.rounds):
        if booster.update():
            break
    return FittedLightGBM(booster, fitted.rounds)


def _parameters(config: LightGBMConfig, n_classes: int, threads: int) -> dict[str, Any]:
    objective, metric = {0: ("regression", "rmse"), 2: ("binary", "binary_logloss")}.get(
        n_classes, ("multiclass", "multi_logloss")
    )
    return {
        "objective": objective,
        "metric": metric,
        "num_class": outputs_of(n_classes),
        "learning_rate": config.learning_rate,
        "num_leaves": config.leaves,
        "min_data_in_leaf": config.min_leaf,
        "bagging_fraction": config.subsample,
        "bagging_freq": 1,
        "feature_fraction": config.colsample,
        "lambda_l2": config.l2,
        "max_bin": config.max_bin,
        "seed": config.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbosity": -1,
    }


def _tree(text: str) -> Tree:
    """A tree as LightGBM writes it: a line a field, inner nodes and leaves numbered apart, a leaf as -1 - number."""
    fields = dict(line.split("=", 1) for line in text.split("\n\n")[0].splitlines() if "=" in line)

    def numbers(name: str, kind: type) -> Array:
        return np.array(fields.get(name, "").split(), dtype=kind)

    leaves, inner = numbers("leaf_value", float), len(numbers("left_child", int))
    sides = numbers("left_child", int), numbers("right_child", int)
    left, right = (np.where(side < 0, inner - 1 - side, side) for side in sides)
    threshold, decision = _beside_zero(numbers("threshold", float)), numbers("decision_type", int)
    # Where training rows had no null, LightGBM takes a null for 0.
    nulls_left = np.where(decision & MISSING == NAN, decision & DEFAULT_LEFT > 0, threshold >= 0)
    none = np.full(len(leaves), -1)
    return Tree(
        feature=np.concatenate([numbers("split_feature", int), none]),
        threshold=np.concatenate([threshold, np.zeros(len(leaves))]),
        left=np.concatenate([left, none]),
        right=np.concatenate([right, none]),
        nulls_left=np.concatenate([nulls_left, none > 0]),
        value=np.concatenate([np.zeros(inner), leaves])[:, None],
    )


def _beside_zero(threshold: Array) -> Array:
    """Thresholds that send what is as good as 0 where LightGBM sends 0."""
    positive = np.where((threshold >= 0) & (threshold < ZERO), ZERO, threshold)
    return np.where((threshold < 0) & (threshold >= -ZERO), np.nextafter(-ZERO, -1.0), positive)
