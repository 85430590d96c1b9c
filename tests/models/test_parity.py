"""The scorer answers as the estimator does: on rows seen and unseen, null, far away and on the borders of trees."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.base.errors import ConfigError
from fullcircle.models import model_of
from fullcircle.models.sample import Sample
from fullcircle.models.xgboost import FittedBooster
from fullcircle.scoring.predictions import softmax
from tests.models.made import (
    CATBOOST,
    FOREST,
    MODELS,
    TASKS,
    WIDTH,
    XGBOOST,
    apart,
    calibrate,
    fit,
    fitted,
    sample,
    scorer_of,
    sides,
)

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

names = pytest.mark.parametrize("name", MODELS)
tasks = pytest.mark.parametrize("n_classes", TASKS.values(), ids=TASKS)
PARITY = 1e-6


@names
@tasks
def test_the_scorer_agrees_with_the_estimator_on_every_row(name: str, n_classes: int) -> None:
    train, validation = sides(n_classes)
    estimator = fitted(MODELS[name], n_classes)
    for X in (train.X, validation.X):
        assert apart(estimator, X, n_classes) <= PARITY
    scorer = scorer_of(estimator, WIDTH, n_classes)
    columns = {f"f{i}": values.astype(np.float64) for i, values in enumerate(train.X.T)}
    assert scorer.predict(columns).tolist() == calibrate(n_classes).predict(scorer.margin(train.X)).tolist()


@names
@tasks
def test_the_scorer_agrees_where_features_are_null_and_far_away(name: str, n_classes: int) -> None:
    _, validation = sides(n_classes)
    estimator = fitted(MODELS[name], n_classes)
    random = np.random.default_rng(0)
    holed = np.where(random.random(validation.X.shape) < 0.5, np.float32(np.nan), validation.X)
    empty = np.full((1, WIDTH), np.nan, np.float32)
    far = random.normal(size=(300, WIDTH)).astype(np.float32) * np.float32(100)
    for X in (holed, empty, far):
        assert apart(estimator, X, n_classes) <= PARITY


@names
@tasks
@pytest.mark.parametrize("null", [True, False])
def test_one_feature_is_enough(name: str, n_classes: int, null: bool) -> None:
    train, validation = sample(n_classes, 200, 0, width=1), sample(n_classes, 100, 1, width=1)
    if not null:
        train = replace(train, X=np.nan_to_num(train.X), made={})
    estimator = fit(MODELS[name], train, validation)
    assert apart(estimator, validation.X, n_classes) <= PARITY  # with nulls, which training may not have had
    assert estimator.importance().shape == (1,)


@names
def test_three_rows_of_each_of_many_classes_are_enough(name: str) -> None:
    classes = 30
    train, validation = sample(classes, 3 * classes, 0), sample(classes, classes, 1)
    assert set(np.bincount(train.y.astype(int))) == {3}
    estimator = fit(MODELS[name], train, validation)
    assert estimator.margin(validation.X).shape == (classes, classes)
    assert apart(estimator, validation.X, classes) <= PARITY


@pytest.mark.parametrize("name", [name for name in MODELS if name != "catboost"])
@tasks
def test_features_that_never_change_leave_what_is_typical(name: str, n_classes: int) -> None:
    y = np.arange(60, dtype=np.float32) % n_classes if n_classes else np.linspace(-1, 2, 60, dtype=np.float32)
    same = Sample(np.full((60, 2), np.float32(0.1)), y, n_classes)
    estimator = fit(MODELS[name], same, same)
    assert apart(estimator, same.X, n_classes) <= PARITY
    predicted = calibrate(n_classes).predict(estimator.margin(same.X))
    typical = 1 / n_classes if n_classes else y.mean()
    np.testing.assert_allclose(predicted, typical, atol=0.1)


@names
@pytest.mark.parametrize("seen", [(0, 1, 3), (1, 3), (0, 2)])
def test_a_class_that_training_rows_lack_is_all_but_ruled_out(name: str, seen: tuple[int, ...]) -> None:
    train, validation = sides(4)
    rows = np.isin(train.y, seen)
    some = Sample(train.X[rows], train.y[rows], 4)
    estimator = fit(MODELS[name], some, some)
    assert apart(estimator, validation.X, 4) <= PARITY
    probability = softmax(estimator.margin(validation.X))
    absent = [i for i in range(4) if i not in seen]
    assert probability[:, absent].max() < 0.05
    assert probability[:, list(seen)].min() > 0


def test_catboost_refuses_features_that_never_change() -> None:
    X = np.full((60, 2), np.nan, np.float32)
    X[:, 0] = 0.1
    same = Sample(X, np.arange(60, dtype=np.float32) % 2)
    with pytest.raises(ConfigError, match="model catboost finds every feature the same on all 60 training rows"):
        fit(CATBOOST, same, same)


def borders_of(name: str, estimator: Any) -> list[tuple[int, float]]:
    """Feature and threshold of each split of the trees."""
    if name == "xgboost":
        splits = estimator.booster.trees_to_dataframe().dropna(subset=["Split"])
        return [(int(f[1:]), border) for f, border in zip(splits["Feature"], splits["Split"], strict=True)]
    if name == "lightgbm":
        frame = estimator.booster.trees_to_dataframe().dropna(subset=["threshold"])
        return [(int(f[7:]), b) for f, b in zip(frame["split_feature"], frame["threshold"], strict=True)]
    if name == "catboost":
        borders = estimator.booster.get_borders()
        return [(i, border) for i in borders for border in borders[i] if border > -1e30]  # one apart for nulls
    trees = [each.tree_ for each in estimator.forest.estimators_]
    # An infinite threshold sends nulls one way, and all else the other.
    return [(f, b) for t in trees for f, b in zip(t.feature, t.threshold, strict=True) if f >= 0 and np.isfinite(b)]


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost", "forest", "extra_trees"])
@tasks
def test_trees_agree_with_their_scorer_on_their_borders_and_next_to_them(name: str, n_classes: int) -> None:
    train, _ = sides(n_classes)
    estimator = fitted(MODELS[name], n_classes)
    rows: list[Array] = []
    for feature, border in borders_of(name, estimator):
        for value in (border, *np.nextafter(np.float32(border), np.array([-np.inf, np.inf], np.float32))):
            row = train.X[len(rows) % len(train.X)].copy()
            row[feature] = value
            rows.append(row)
    assert len(rows) > 150
    assert apart(estimator, np.array(rows), n_classes) <= PARITY


@tasks
def test_the_scorer_adds_up_trees_as_xgboost_does_to_the_last_bit(n_classes: int) -> None:
    train, validation = sides(n_classes)
    config = replace(XGBOOST, max_rounds=400, patience=400, learning_rate=0.05)
    first = fitted(XGBOOST, n_classes)
    assert isinstance(first, FittedBooster)
    estimator = model_of(config).refit(config, train, replace(first, rounds=400), 2)
    calibration = scorer_of(estimator, WIDTH, n_classes).margin(validation.X)
    np.testing.assert_array_equal(calibration, estimator.margin(validation.X))


def test_classes_in_balance_have_a_base_value_of_nothing_and_are_scored_all_the_same() -> None:
    train, validation = sides(2)
    assert train.y.mean() == 0.5
    assert apart(fitted(XGBOOST, 2), validation.X, 2) == 0
    odd = Sample(train.X[:-7], train.y[:-7])
    assert odd.y.mean() != 0.5
    assert apart(fit(XGBOOST, odd, validation), validation.X, 2) == 0


def test_a_graph_does_not_grow_with_classes_of_which_leaves_know_nothing() -> None:
    config = replace(FOREST, min_leaf=1, max_depth=60)
    sizes = []
    for classes in (4, 40):
        rows = sample(40, 400, 0)
        few = Sample(rows.X, rows.y % 4, classes)
        sizes.append(len(fit(config, few, few).onnx()))
    assert sizes[1] < 1.1 * sizes[0]
