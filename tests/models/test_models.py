from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.features.numbers import Number
from fullcircle.models import Fitted, ModelConfig, model_of
from fullcircle.models.configs import ForestConfig, XGBoostConfig
from fullcircle.models.curve import learning_curve
from fullcircle.models.sample import Sample
from fullcircle.models.xgboost import FittedBooster
from fullcircle.runtime import plan as plans
from fullcircle.runtime.errors import ConfigError
from fullcircle.runtime.plan import Plan
from fullcircle.runtime.scorer import FORMAT, Part, Scorer, ScorerSpec, sigmoid
from fullcircle.runtime.typed import build, plain
from tests.builders import DUMMY, LINEAR, MODELS, XGBOOST, samples, silent

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.runtime.columns import Array

names = pytest.mark.parametrize("name", MODELS)


def fit(name: str, config: ModelConfig | None = None) -> Fitted:
    train, validation = samples(name)
    config = config or MODELS[name]
    return model_of(config).fit(config, train, validation, 1, silent)


@cache
def fitted(name: str) -> Fitted:
    """Shared by tests: do not change it."""
    return fit(name)


def scorer_of(estimator: Fitted, width: int) -> Scorer:
    """A scorer that asks for the features themselves."""
    features = tuple(f"f{i}" for i in range(width))
    plan = Plan(plans.FORMAT, {}, (), (), tuple(Number("number", f) for f in features), features)
    return Scorer(plan, ScorerSpec(FORMAT, "yes", "no", estimator.parts, 1.0, 0.0, 0.5), estimator.onnx())


def probability(estimator: Fitted, X: Array) -> Array:
    return sigmoid(estimator.margin(X))


@names
def test_the_scorer_agrees_with_the_estimator_on_every_row(name: str) -> None:
    train, validation = samples(name)
    estimator = fitted(name)
    scorer = scorer_of(estimator, train.X.shape[1])
    for X in (train.X, validation.X):
        answer = scorer.calibrated(scorer.margin(X))
        np.testing.assert_allclose(answer, probability(estimator, X), rtol=0, atol=1e-6)
        columns = {f"f{i}": values.astype(np.float64) for i, values in enumerate(X.T)}
        assert scorer.probability(columns).tolist() == answer.tolist()


def test_xgboost_agrees_with_its_scorer_where_features_are_null() -> None:
    train, validation = samples("xgboost")
    assert np.isnan(train.X).any()
    estimator = fitted("xgboost")
    scorer = scorer_of(estimator, train.X.shape[1])
    random = np.random.default_rng(0)
    holed = np.where(random.random(validation.X.shape) < 0.5, np.float32(np.nan), validation.X)
    empty = np.full((1, train.X.shape[1]), np.nan, np.float32)
    for X in (holed, empty):
        np.testing.assert_allclose(scorer.calibrated(scorer.margin(X)), probability(estimator, X), rtol=0, atol=1e-6)


def test_xgboost_agrees_with_its_scorer_on_the_borders_of_its_trees() -> None:
    train, _ = samples("xgboost")
    estimator = fitted("xgboost")
    assert isinstance(estimator, FittedBooster)
    splits = estimator.booster.trees_to_dataframe().dropna(subset=["Split"])
    assert len(splits) > 50
    X = train.X[: len(splits)].copy()
    for row, (feature, border) in enumerate(zip(splits["Feature"][: len(X)], splits["Split"][: len(X)], strict=True)):
        X[row, int(feature[1:])] = np.float32(border)
    scorer = scorer_of(estimator, X.shape[1])
    np.testing.assert_allclose(scorer.calibrated(scorer.margin(X)), probability(estimator, X), rtol=0, atol=1e-6)


@names
def test_a_model_fitted_twice_is_the_same_bytes(name: str) -> None:
    first = fitted(name)
    assert first.onnx() == fit(name).onnx() == first.onnx()


@pytest.mark.parametrize("name", ["xgboost", "forest"])
def test_another_seed_is_another_model(name: str) -> None:
    config = MODELS[name]
    assert isinstance(config, (XGBoostConfig, ForestConfig))
    assert fitted(name).onnx() != fit(name, replace(config, seed=1)).onnx()


@pytest.mark.parametrize("name", ["xgboost", "forest", "linear", "ensemble"])
def test_a_model_learns_what_there_is_to_learn(name: str) -> None:
    _, validation = samples(name)
    answer = fitted(name).margin(validation.X)
    positive, negative = answer[validation.y == 1], answer[validation.y == 0]
    auc = (positive[:, None] > negative[None, :]).mean()
    assert auc > 0.58


@names
def test_refitting_with_what_the_fit_chose_uses_all_rows(name: str) -> None:
    train, validation = samples(name)
    module, first = model_of(MODELS[name]), fitted(name)
    both = train + validation
    assert (len(both.X), len(both.y)) == (900, 900)
    again = module.refit(MODELS[name], both, first, 1)
    assert again.rounds == first.rounds
    assert again.parts == first.parts
    assert not np.array_equal(again.margin(both.X), first.margin(both.X))
    on_train = module.refit(MODELS[name], train, first, 1)
    np.testing.assert_allclose(on_train.margin(both.X), first.margin(both.X), rtol=0, atol=1e-12)


@names
def test_importance_is_a_share_of_each_feature(name: str) -> None:
    importance = fitted(name).importance()
    assert importance.shape == (samples(name)[0].X.shape[1],)
    assert (importance >= 0).all()
    assert importance.sum() == pytest.approx(0 if name == "dummy" else 1)


def test_xgboost_stops_when_validation_no_longer_improves() -> None:
    losses: list[float] = []
    train, validation = samples("xgboost")
    config = replace(XGBOOST, max_rounds=200, patience=5)
    estimator = model_of(config).fit(
        config, train, validation, 1, lambda _, on_validation: losses.append(on_validation)
    )
    assert estimator.rounds == int(np.argmin(losses)) + 1
    assert len(losses) == estimator.rounds + 5 < 200
    assert isinstance(estimator, FittedBooster)
    assert estimator.booster.num_boosted_rounds() == estimator.rounds


def test_only_xgboost_has_rounds() -> None:
    assert {name: fitted(name).rounds is not None for name in MODELS} == {
        "xgboost": True, "forest": False, "linear": False, "dummy": False, "ensemble": False,
    }  # fmt: skip


def test_the_dummy_answers_the_share_of_training_rows() -> None:
    train, validation = samples("dummy")
    np.testing.assert_allclose(probability(fitted("dummy"), validation.X), train.y.mean(), atol=1e-9)


def test_the_scorer_adds_up_trees_as_xgboost_does_to_the_last_bit() -> None:
    train, validation = samples("xgboost")
    config = replace(XGBOOST, max_rounds=400, patience=400, learning_rate=0.05)
    first = fitted("xgboost")
    assert isinstance(first, FittedBooster)
    estimator = model_of(config).refit(config, train, replace(first, rounds=400), 2)
    width = train.X.shape[1]
    names = tuple(f"f{i}" for i in range(width))
    plan = Plan(plans.FORMAT, {}, (), (), tuple(Number("number", name) for name in names), names)
    spec = ScorerSpec(FORMAT, "yes", "no", (Part("margin", 1.0),), 1.0, 0.0, 0.5)
    answer = Scorer(plan, spec, estimator.onnx()).margin(validation.X)
    np.testing.assert_array_equal(answer, estimator.margin(validation.X))


@pytest.mark.parametrize("name", ["dummy", "linear"])
def test_a_model_that_takes_no_nulls_says_so(name: str) -> None:
    train, validation = samples("xgboost")
    with pytest.raises(ConfigError, match=f"model {name} takes no nulls, and .* set featurize.missing to median"):
        model_of(MODELS[name]).fit(MODELS[name], train, validation, 1, silent)


def test_the_linear_model_is_that_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    train, validation = samples("linear")
    expected = LogisticRegression(C=1.0, max_iter=500).fit(train.X, train.y).predict_proba(validation.X)[:, 1]
    np.testing.assert_allclose(probability(fitted("linear"), validation.X), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("xgboost", {"learning_rate": 0.0}, r"learning_rate 0 is outside 1e-06\.\.1"),
        ("xgboost", {"max_depth": 21}, r"max_depth 21 is outside 1\.\.20"),
        ("xgboost", {"patience": 0}, r"patience 0 is outside 1\.\.100000"),
        ("xgboost", {"subsample": 1.1}, "subsample 1.1 is outside"),
        ("xgboost", {"colsample": float("nan")}, "colsample nan is outside"),
        ("xgboost", {"max_dept": 3}, r"max_dept \(did you mean max_depth\?\)"),
        ("forest", {"trees": 0}, "trees 0 is outside"),
        ("forest", {"max_features": 0.0}, "max_features 0 is outside"),
        ("linear", {"c": 0.0}, "c 0 is outside"),
        ("linear", {"max_iterations": 0}, "max_iterations 0 is outside"),
        ("dummy", {"seed": 1}, "unknown key: seed"),
        ("ensemble", {"picks": 0}, r"picks 0 is outside 1\.\.1000"),
        ("ensemble", {"picks": 1001}, r"picks 1001 is outside 1\.\.1000"),
        ("ensemble", {"members": []}, "an ensemble needs at least 2 members, and has 0"),
        ("ensemble", {"members": [plain(DUMMY)]}, "an ensemble needs at least 2 members, and has 1"),
        (
            "ensemble",
            {"members": [plain(m) for m in (DUMMY, LINEAR, DUMMY)]},
            r"model: members\[2\] is .* members\[0\]",
        ),
        ("ensemble", {"members": [plain(DUMMY), plain(LINEAR) | {"c": 0.0}]}, r"model.members\[1\]: c 0 is outside"),
        ("ensemble", {"members": [plain(DUMMY), plain(LINEAR) | {"cc": 1}]}, r"model.members\[1\]: unknown key: cc"),
        (
            "ensemble",
            {"members": [{"name": "ensemble"}] * 2},
            r"model.members\[0\].name: .*'ensemble' is not one of xgb",
        ),
        ("ensemble", {"members": {"a": plain(DUMMY)}}, "model.members: expected a list"),
        ("xgboost", {"name": "xgbost"}, "'xgbost' is not one of xgboost, forest, linear, dummy, ensemble"),
    ],
)
def test_parameters_out_of_range_are_refused(name: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(ModelConfig, plain(MODELS[name]) | change, "model")  # type: ignore[arg-type]


@names
def test_a_model_is_found_by_its_name(name: str) -> None:
    assert model_of(MODELS[name]).__name__ == f"fullcircle.models.{name}"  # type: ignore[attr-defined]
    assert build(ModelConfig, plain(MODELS[name])) == MODELS[name]  # type: ignore[arg-type]


def test_samples_are_added_row_after_row() -> None:
    a, b = (
        Sample(np.zeros((2, 3), np.float32), np.zeros(2, np.float32)),
        Sample(np.ones((1, 3), np.float32), np.ones(1, np.float32)),
    )
    assert (a + b).y.tolist() == [0, 0, 1]
    assert (a + b).X[:, 0].tolist() == [0, 0, 1]


def test_the_learning_curve_is_written_round_by_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with learning_curve(tmp_path / "curve") as on_round:
        for i in range(3):
            on_round(0.5 - i / 10, 0.61234567 - i / 10)
    lines = (tmp_path / "curve/plots/metrics/validation.tsv").read_text().split()
    assert lines == ["step", "validation", "0", "0.612346", "1", "0.512346", "2", "0.412346"]
    assert not list(tmp_path.glob("dvc.yaml"))
