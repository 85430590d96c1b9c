"""A quick model on some of the rows: how well the target can be predicted, from which thresholds are suggested."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.columns import is_null
from fullcircle.base.statistics import mean_and_deviation, medians
from fullcircle.drafting.univariate import auc, r_squared
from fullcircle.features.targets import indicators

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns

CELLS = 4_000_000  # of the matrix at most
ROWS = 20_000
LEVELS = 12  # of a category, the most frequent
WIDTH = 200  # columns of the matrix at most
HELD_OUT = 0.3  # share of the rows


@dataclass(frozen=True, slots=True)
class QuickModel:
    """Scores of a constant prediction (`dummy`) and of the better of two quick models, on held-out rows.

    `model`: its name. `rows`: number of held-out rows. `dummy`, `score`: in `metric`.
    """

    metric: str
    model: str
    rows: int
    dummy: float
    score: float


def rows_for(known: Array, split: str, by: Array | None) -> tuple[Array, Array]:
    """Positions to fit on and to hold out, among those that have a target (`known`), as the `split` would draw them.

    `by`: a column of all rows: the time, or the group, whose rows stay together; None for a random split.
    """
    random = np.random.default_rng(0)
    some = random.permutation(known)[:ROWS]
    if by is not None:
        found, order = np.unique(by[some].astype(str) if by.dtype == object else by[some], return_inverse=True)
        if split == "group":
            order = random.permutation(len(found))[order]
        some = some[np.argsort(order, kind="stable")]
    border = round((1 - HELD_OUT) * len(some))
    return some[:border], some[border:]


def quick(columns: Columns, y: Array, n_classes: int, learn: Array, held_out: Array) -> QuickModel:
    """Fit a line and trees on rows `learn`; return the score of the better one on rows `held_out`."""
    metric = {0: "r2", 2: "auc"}.get(n_classes, "logloss")
    X = matrix(columns, y, n_classes, learn)
    dummy = _dummy(y, n_classes, learn, held_out)
    nothing = _score(metric, dummy, y[held_out])
    found: list[tuple[str, float]] = []
    if len(np.unique(y[learn])) < 2:  # a class so rare that no row of it was drawn
        return QuickModel(metric, "none", len(held_out), nothing, nothing)
    from threadpoolctl import threadpool_limits

    # One thread: the sums are then the same everywhere, and small fits do not wait for each other.
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # a quick fit need not converge
        for name, estimator in _estimators(n_classes, len(learn)).items():
            Z = X if name == "trees" else _filled(X, learn)
            estimator.fit(Z[learn], y[learn])
            predicted = _predict(estimator, Z[held_out], n_classes)
            found.append((name, _score(metric, predicted, y[held_out])))
    sign = -1 if metric == "logloss" else 1
    name, score = max(found, key=lambda one: sign * one[1])
    return QuickModel(metric, name, len(held_out), nothing, score)


def matrix(columns: Columns, y: Array, n_classes: int, learn: Array) -> Array:
    """Numbers and times unchanged, categories as indicators of their frequent levels; float64 with NaN for null.

    At most `WIDTH` columns: those that correlate with the target most.
    """
    made: list[Array] = []
    for values in columns.values():
        if values.dtype == object:
            levels, counts = np.unique(values[learn][~is_null(values[learn])].astype(str), return_counts=True)
            made += [(values == level).astype(float) for level in levels[np.argsort(-counts, kind="stable")][:LEVELS]]
        elif values.dtype.kind == "M":
            made.append(np.where(is_null(values), np.nan, values.astype(np.int64)))
        else:
            made.append(np.where(np.isfinite(values), values, np.nan))
    if len(made) > WIDTH:
        target = indicators(y, n_classes)[learn]
        strength = [_strength(values[learn], target) for values in made]
        made = [made[i] for i in sorted(np.argsort(strength, kind="stable")[-WIDTH:].tolist())]
    return np.stack(made, axis=1) if made else np.zeros((len(y), 1))


def _strength(values: Array, target: Array) -> float:
    filled = np.where(np.isnan(values), np.nanmean(values) if not np.isnan(values).all() else 0.0, values)
    centred = filled - filled.mean()
    deviation = float(np.sqrt((centred**2).mean()))
    return 0.0 if deviation == 0 else float(np.abs(centred @ (target - target.mean(axis=0))).max() / deviation)


def _filled(X: Array, learn: Array) -> Array:
    """Medians for nulls, and standard units, both of rows `learn`."""
    filled = np.where(np.isnan(X), medians(X[learn]), X)
    mean, deviation = mean_and_deviation(filled[learn])
    return np.asarray(np.clip((filled - mean) / deviation, -10, 10))


def _estimators(n_classes: int, rows: int) -> dict[str, Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge

    settings: dict[str, Any] = {
        "max_iter": 60, "learning_rate": 0.1, "max_leaf_nodes": 15, "random_state": 0, "early_stopping": False,
        "min_samples_leaf": max(3, min(20, rows // 20)),
    }  # fmt: skip
    if n_classes:
        return {"line": LogisticRegression(C=0.3, max_iter=100), "trees": HistGradientBoostingClassifier(**settings)}
    return {"line": Ridge(alpha=10.0), "trees": HistGradientBoostingRegressor(**settings)}


def _predict(estimator: Any, X: Array, n_classes: int) -> Array:
    """Probabilities (rows, classes) in the order of the classes, or the number (rows, 1)."""
    if not n_classes:
        return np.asarray(estimator.predict(X)).reshape(-1, 1)
    probability = np.full((len(X), n_classes), 1e-6)
    probability[:, estimator.classes_.astype(int)] = estimator.predict_proba(X)
    return probability


def _dummy(y: Array, n_classes: int, learn: Array, held_out: Array) -> Array:
    mean = (
        y[learn].mean(keepdims=True)
        if not n_classes
        else np.bincount(y[learn].astype(int), minlength=n_classes) / len(learn)
    )
    return np.tile(mean, (len(held_out), 1))


def _score(metric: str, predicted: Array, y: Array) -> float:
    if metric == "r2":
        return r_squared(predicted[:, 0], y)
    if metric == "auc":
        return auc(predicted[:, 1:], y[:, None])
    return float(-np.log(np.maximum(predicted[np.arange(len(y)), y.astype(int)], 1e-6)).mean())
