from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.base.errors import ConfigError
from fullcircle.base.typed import build, plain
from fullcircle.models import ModelConfig, model_of
from fullcircle.models.learning_curve import learning_curve
from fullcircle.models.loss import loss
from fullcircle.models.sample import Sample
from tests.models.made import (
    CATBOOST,
    DUMMY,
    EXTRA_TREES,
    FOREST,
    LIGHTGBM,
    LINEAR,
    MLP,
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
    from pathlib import Path

    from fullcircle.models.configs import (
        CatBoostConfig,
        ForestConfig,
        LightGBMConfig,
        MemberConfig,
        MLPConfig,
        XGBoostConfig,
    )

names = pytest.mark.parametrize("name", MODELS)
tasks = pytest.mark.parametrize("n_classes", TASKS.values(), ids=TASKS)
PARITY = 1e-6
STOPPED: dict[str, XGBoostConfig | LightGBMConfig | CatBoostConfig | MLPConfig] = {
    "xgboost": XGBOOST,
    "lightgbm": LIGHTGBM,
    "catboost": CATBOOST,
    "mlp": MLP,
}


# --- what is fitted


@names
@tasks
def test_a_model_fitted_twice_is_the_same_bytes(name: str, n_classes: int) -> None:
    first = fitted(MODELS[name], n_classes)
    assert first.onnx() == fit(MODELS[name], *sides(n_classes)).onnx() == first.onnx()


@pytest.mark.parametrize("config", [FOREST, EXTRA_TREES, LINEAR])
def test_threads_move_no_bit(config: ModelConfig) -> None:
    assert fit(config, *sides(2), threads=2).onnx() == fitted(config, 2).onnx()


@pytest.mark.parametrize("config", [XGBOOST, LIGHTGBM, CATBOOST, FOREST, EXTRA_TREES, MLP])
def test_another_seed_is_another_model(config: XGBoostConfig | ForestConfig) -> None:
    assert fitted(config).onnx() != fit(replace(config, seed=1), *sides(2)).onnx()


@pytest.mark.parametrize("name", [name for name in MODELS if name != "dummy"])
@tasks
def test_a_model_learns_what_there_is_to_learn(name: str, n_classes: int) -> None:
    _, validation = sides(n_classes)
    found, nothing = (
        loss(fitted(config, n_classes).margin(validation.X), validation.y, n_classes)
        for config in (MODELS[name], DUMMY)
    )
    assert found < 0.75 * nothing


@names
@tasks
def test_refitting_with_what_the_fit_chose_uses_all_rows(name: str, n_classes: int) -> None:
    train, validation = sides(n_classes)
    module, first = model_of(MODELS[name]), fitted(MODELS[name], n_classes)
    both = train + validation
    assert (len(both.X), len(both.y), both.n_classes) == (900, 900, n_classes)
    again = module.refit(MODELS[name], both, first, 1)
    assert (again.rounds, again.parts) == (first.rounds, first.parts)
    on_train = module.refit(MODELS[name], train, first, 1)
    np.testing.assert_allclose(on_train.margin(both.X), first.margin(both.X), rtol=0, atol=1e-12)
    if name != "dummy" or n_classes == 0:  # the shares of classes are the same on both sides
        assert not np.array_equal(again.margin(both.X), first.margin(both.X))


@names
@tasks
def test_importance_is_a_share_of_each_feature(name: str, n_classes: int) -> None:
    importance = fitted(MODELS[name], n_classes).importance()
    assert importance.shape == (WIDTH,)
    assert (importance >= 0).all()
    assert importance.sum() == pytest.approx(0 if name == "dummy" else 1)
    assert importance[0] == importance.max()
    assert importance[[3, 4]].tolist() == [0, 0]  # never changes; always null


@pytest.mark.parametrize("name", STOPPED)
@tasks
def test_fitting_stops_when_validation_no_longer_improves(name: str, n_classes: int) -> None:
    heard: list[tuple[float, float]] = []
    config = replace(STOPPED[name], max_rounds=200, patience=5, learning_rate=0.3 if name != "mlp" else 0.02)
    estimator = fit(config, *sides(n_classes), on_round=lambda *losses: heard.append(losses))
    losses = [on_validation for _, on_validation in heard]
    assert estimator.rounds == int(np.argmin(losses)) + 1
    assert len(losses) == estimator.rounds + 5 < 200
    all_rounds = fit(replace(config, max_rounds=estimator.rounds), *sides(n_classes))
    assert all_rounds.rounds == estimator.rounds
    if name == "catboost":  # how much it strays at random depends on how many rounds it is to make
        assert len(estimator.onnx()) == len(all_rounds.onnx())
    else:
        assert estimator.onnx() == all_rounds.onnx()  # what came after the best round is gone


@pytest.mark.parametrize("name", STOPPED)
@tasks
def test_a_fit_that_is_asked_for_other_rounds_answers_as_if_it_had_those_alone(name: str, n_classes: int) -> None:
    config, (train, validation) = MODELS[name], sides(n_classes)
    fitted = fit(config, train, validation)
    assert (fitted.rounds or 0) > 2
    two = replace(fitted, rounds=2)  # type: ignore[type-var]
    alone = model_of(config).refit(config, train, two, 1)
    assert two.margin(validation.X).tobytes() == alone.margin(validation.X).tobytes()
    assert two.importance().tobytes() == alone.importance().tobytes()
    scored = scorer_of(two, WIDTH, n_classes).margin(validation.X)
    np.testing.assert_allclose(scored, two.margin(validation.X), atol=PARITY)
    all_it_has, more = (replace(fitted, rounds=rounds).margin(validation.X) for rounds in (40, 4000))  # type: ignore[type-var]
    assert all_it_has.tobytes() == more.tobytes()


@pytest.mark.parametrize("name", STOPPED)
@tasks
def test_each_round_tells_the_loss_of_the_task(name: str, n_classes: int) -> None:
    heard: list[tuple[float, float]] = []
    train, validation = sides(n_classes)
    estimator = fit(STOPPED[name], train, validation, on_round=lambda *losses: heard.append(losses))
    assert estimator.rounds
    on_train, on_validation = heard[estimator.rounds - 1]
    assert on_validation == pytest.approx(loss(estimator.margin(validation.X), validation.y, n_classes), rel=1e-4)
    if name in ("xgboost", "lightgbm"):  # others tell the loss of a model that was not yet done with the round
        assert on_train == pytest.approx(loss(estimator.margin(train.X), train.y, n_classes), rel=1e-4)


def test_what_is_stopped_by_validation_has_rounds_and_nothing_else_has() -> None:
    assert {name for name, config in MODELS.items() if fitted(config).rounds is not None} == set(STOPPED)


@tasks
def test_the_dummy_answers_what_is_typical_of_training_rows(n_classes: int) -> None:
    train, validation = sample(n_classes, 599, 0), sides(n_classes)[1]
    predicted = calibrate(n_classes).predict(fit(DUMMY, train, validation).margin(validation.X))
    if n_classes > 2:
        shares = np.bincount(train.y.astype(int)) / 599
        np.testing.assert_allclose(predicted, np.tile(shares, (300, 1)), atol=1e-9)
    else:
        np.testing.assert_allclose(predicted, train.y.mean(dtype=np.float64), atol=1e-9)


# --- the linear model


@tasks
def test_the_linear_model_is_that_of_scikit_learn(n_classes: int) -> None:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    train, validation = (Sample(side.X[:, :4], side.y, n_classes) for side in sides(n_classes))
    model = LogisticRegression(C=0.5, max_iter=500) if n_classes else Ridge(alpha=2.0)
    pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), model)
    pipeline.fit(train.X.astype(np.float64), train.y)
    estimator = fit(replace(LINEAR, c=0.5), train, validation)
    predicted = calibrate(n_classes).predict(estimator.margin(validation.X))
    wide = validation.X.astype(np.float64)
    expected = pipeline.predict_proba(wide) if n_classes else pipeline.predict(wide)[:, None]
    np.testing.assert_allclose(predicted, expected[:, 1:] if n_classes == 2 else expected, atol=1e-4)


def test_units_and_places_of_features_do_not_matter_to_the_linear_model() -> None:
    train, validation = sides(2)
    scales, places = 10.0 ** np.arange(-3, 5), np.arange(WIDTH) * 3.0
    first, second = (Sample((side.X * scales + places).astype(np.float32), side.y) for side in (train, validation))
    np.testing.assert_allclose(
        fit(LINEAR, first, second).margin(second.X), fitted(LINEAR).margin(validation.X), atol=1e-3
    )


@pytest.mark.parametrize("config", [FOREST, EXTRA_TREES])
@tasks
def test_a_tree_of_a_forest_sees_no_more_rows_than_it_may(config: ForestConfig, n_classes: int) -> None:
    train, validation = sides(n_classes)
    deep = replace(config, max_depth=60, min_leaf=1, max_rows=100)
    estimator: Any = fit(deep, train, validation)
    seen = {round(tree.tree_.weighted_n_node_samples[0]) for tree in estimator.forest.estimators_}
    assert seen == {100}
    assert apart(estimator, validation.X, n_classes) <= PARITY
    assert fit(replace(config, max_rows=600), train, validation).onnx() == fitted(config, n_classes).onnx()


def test_the_batches_of_a_network_grow_where_a_pass_would_take_too_many_steps() -> None:
    train, validation = sides(2)
    assert fit(replace(MLP, batch=64, steps=6), train, validation).onnx() == (
        fit(replace(MLP, batch=100, steps=600), train, validation).onnx()
    )
    assert fit(replace(MLP, steps=6), train, validation).onnx() != fitted(MLP).onnx()
    assert fit(replace(MLP, batch=5000), train, validation).margin(validation.X).shape == (300, 1)


# --- extras


def test_a_network_learns_from_no_more_rows_than_it_may() -> None:
    train, validation = sides(2)
    few = replace(MLP, max_rows=100)
    evenly = train.take(np.arange(100) * len(train.y) // 100)
    fitted = fit(few, train, validation)
    assert fitted.onnx() == fit(MLP, evenly, validation).onnx() != fit(MLP, train, validation).onnx()
    again = model_of(few).refit(few, train, fitted, 1)
    assert again.onnx() == model_of(MLP).refit(MLP, evenly, fitted, 1).onnx()


@pytest.mark.parametrize("config", [LIGHTGBM, CATBOOST])
def test_an_extra_that_is_not_installed_is_named(config: MemberConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, config.name, None)
    message = f"library {config.name}, which is not installed. Install the extra: uv sync --extra {config.name}"
    with pytest.raises(ConfigError, match=message):
        fit(config, *sides(2))


def test_what_an_extra_lacks_itself_is_not_taken_for_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ModuleNotFoundError("No module named 'of_its_own'", name="of_its_own")

    monkeypatch.setattr("fullcircle.models.optional.import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="of_its_own"):
        fit(LIGHTGBM, *sides(2))


# --- parameters, and where models are found


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
        ("extra_trees", {"min_leaf": 0}, "min_leaf 0 is outside"),
        ("forest", {"max_rows": 99}, r"max_rows 99 is outside 100\.\."),
        ("extra_trees", {"max_rows": 0}, r"max_rows 0 is outside 100\.\."),
        ("ensemble", {"max_rows": 50}, r"max_rows 50 is outside 100\.\."),
        ("mlp", {"max_rows": 0}, r"max_rows 0 is outside 100\.\."),
        ("extra_trees", {"max_samples": 0.5}, "unknown key: max_samples"),
        ("lightgbm", {"leaves": 1}, r"leaves 1 is outside 2\.\.100000"),
        ("lightgbm", {"min_leaf": 0}, "min_leaf 0 is outside"),
        ("lightgbm", {"max_depth": 3}, "unknown key: max_depth"),
        ("catboost", {"max_depth": 17}, r"max_depth 17 is outside 1\.\.16"),
        ("catboost", {"l2": -1.0}, "l2 -1 is outside"),
        ("mlp", {"layers": 0}, r"layers 0 is outside 1\.\.8"),
        ("mlp", {"width": 0}, "width 0 is outside"),
        ("mlp", {"batch": 0}, "batch 0 is outside"),
        ("mlp", {"steps": 0}, "steps 0 is outside"),
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
        (
            "xgboost",
            {"name": "xgbost"},
            "'xgbost' is not one of xgboost, lightgbm, catboost, forest, extra_trees, mlp, linear, dummy, ensemble",
        ),
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
        Sample(np.zeros((2, 3), np.float32), np.zeros(2, np.float32), 4),
        Sample(np.ones((1, 3), np.float32), np.ones(1, np.float32), 4),
    )
    assert (a + b).y.tolist() == [0, 0, 1]
    assert (a + b).X[:, 0].tolist() == [0, 0, 1]
    assert (a + b).n_classes == 4


def test_the_learning_curve_is_written_round_by_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with learning_curve(tmp_path / "curve") as on_round:
        for i in range(3):
            on_round(0.5 - i / 10, 0.61234567 - i / 10)
    lines = (tmp_path / "curve/plots/metrics/validation.tsv").read_text().split()
    assert lines == ["step", "validation", "0", "0.612346", "1", "0.512346", "2", "0.412346"]
    assert not list(tmp_path.glob("dvc.yaml"))


def test_a_model_without_rounds_leaves_a_curve_without_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with learning_curve(tmp_path / "curve"):
        pass
    written = {path.name: path.read_text() for path in (tmp_path / "curve/plots/metrics").iterdir()}
    assert written == {"train.tsv": "step\ttrain\n", "validation.tsv": "step\tvalidation\n"}
