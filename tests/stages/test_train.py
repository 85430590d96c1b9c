from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.base.errors import ConfigError, ParityError
from fullcircle.base.typed import build, plain
from fullcircle.core import paths
from fullcircle.core.split import RandomSplit, TimeSplit
from fullcircle.core.tables import write_matrix
from fullcircle.evaluation.baselines import Baselines
from fullcircle.evaluation.reports import TrainReport
from fullcircle.evaluation.rules import OneRule
from fullcircle.features.transform import apply
from fullcircle.scoring.predictions import BinaryCalibration
from fullcircle.scoring.scorer import Part, Scorer
from fullcircle.stages.train import TrainConfig, Trained, check_parity, fold_of, importance, read_samples, report, train
from tests.builders import (
    GOAL,
    MODELS,
    fitted,
    labelled,
    only_inputs,
    samples,
    silent,
    train_config,
    trained,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fullcircle.base.columns import Array

CONFIG = train_config(folds=5)
ROWS = labelled(200, seed=3)


def matrix(model: Trained) -> Array:
    return apply(model.scorer.plan, only_inputs(ROWS))


def tampered(model: Trained, **spec: Any) -> Trained:
    return replace(model, scorer=Scorer(model.scorer.plan, replace(model.scorer.spec, **spec), model.scorer.model))


def recalibrated(model: Trained, **calibration: Any) -> Trained:
    return tampered(model, calibration=replace(binary(model), **calibration))


def binary(model: Trained) -> BinaryCalibration:
    calibration = model.scorer.spec.calibration
    assert isinstance(calibration, BinaryCalibration)
    return calibration


# --- parity


@pytest.mark.parametrize("name", MODELS)
def test_the_scorer_that_was_trained_is_at_parity(name: str) -> None:
    model = trained(name)
    calibration = check_parity(model, ROWS, CONFIG, "training", matrix(model))
    assert calibration.tolist() == model.scorer.score(only_inputs(ROWS)).predicted.tolist()


@pytest.mark.parametrize("name", ["xgboost", "linear"])
def test_parity_can_be_had_without_the_features_at_hand(name: str) -> None:
    model = trained(name)
    with_features = check_parity(model, ROWS, CONFIG, "training", matrix(model))
    assert check_parity(model, ROWS, CONFIG, "training").tolist() == with_features.tolist()


def test_another_model_behind_the_scorer_is_caught_and_its_rows_are_named() -> None:
    model = trained()
    other = trained("xgboost", refit=False).scorer.model
    broken = replace(model, scorer=Scorer(model.scorer.plan, model.scorer.spec, other))
    with pytest.raises(ParityError) as caught:
        check_parity(broken, ROWS, CONFIG, "validation", matrix(model))
    message = str(caught.value)
    assert "of 200 validation rows are more than 1e-06 apart between estimator and scorer" in message
    expected = binary(model).predict(model.estimator.margin(matrix(model)))
    apart = np.abs(broken.scorer.predict(ROWS) - expected)[:, 0]
    for row in np.argsort(-apart)[:3]:
        assert f"row {row}: estimator" in message
    assert "must not be served" in message


def test_one_row_that_is_apart_is_caught() -> None:
    model = trained()
    X = matrix(model)
    base = model.estimator.margin(X)
    for row in range(len(X)):  # a null in place of the delay moves some row a little
        moved = X.copy()
        moved[row, model.scorer.plan.selected.index("delay_1h")] = np.nan
        if abs(model.estimator.margin(moved)[row, 0] - base[row, 0]) > 1e-3:
            break
    with pytest.raises(ParityError, match=rf"1 of 200 training rows are .*\n  row {row}: estimator"):
        check_parity(model, ROWS, CONFIG, "training", moved)


def test_an_answer_that_is_no_number_is_caught() -> None:
    model = trained("linear")
    X = matrix(model)
    X[7] = np.inf  # inf - inf: some weights are negative
    with np.errstate(invalid="ignore"), pytest.raises(ParityError, match="row 7: estimator nan"):
        check_parity(model, ROWS, CONFIG, "training", X)


def test_a_scorer_that_reads_its_model_as_something_else_is_caught() -> None:
    model = trained("forest")
    with pytest.raises(ParityError, match="200 of 200 training rows"):
        check_parity(tampered(model, parts=(Part("margin", 1.0),)), ROWS, CONFIG, "training", matrix(model))


@pytest.mark.parametrize("change", ["slope", "intercept"])
def test_a_scorer_with_another_calibration_is_caught(change: str) -> None:
    model = trained()
    broken = recalibrated(model, **{change: getattr(binary(model), change) + 0.1})
    with pytest.raises(ParityError, match=r"training rows are more than .*\n  row "):
        check_parity(broken, ROWS, CONFIG, "training", matrix(model))


def test_a_plan_other_than_the_one_that_made_the_matrix_is_caught() -> None:
    model = trained("linear")
    other = fitted(smoothing=500.0).plan
    assert other.selected == model.scorer.plan.selected
    broken = replace(model, scorer=Scorer(other, model.scorer.spec, model.scorer.model))
    with pytest.raises(ParityError):
        check_parity(broken, ROWS, CONFIG, "training", matrix(model))


# --- training


def fit(on_round: Callable[[float, float], None] = silent, **changes: Any) -> Trained:
    return train(fitted().plan, samples(), MODELS["xgboost"], train_config(**changes), GOAL, on_round)


def test_refitting_learns_from_validation_rows_and_keeps_rounds_and_calibration() -> None:
    once, again = trained("xgboost", refit=False), trained()
    assert once.scorer.model != again.scorer.model
    assert once.scorer.spec == again.scorer.spec
    assert once.estimator.rounds == again.estimator.rounds
    assert once.measured.validation == again.measured.validation


def test_training_twice_gives_the_same_bytes() -> None:
    again = fit()
    assert again.scorer.spec == trained().scorer.spec
    assert again.scorer.model == trained().scorer.model


def test_without_calibration_the_margin_is_left_alone() -> None:
    calibration = binary(trained("linear", calibrate="none"))
    assert (calibration.slope, calibration.intercept) == (1.0, 0.0)


def test_calibration_makes_the_loss_on_validation_rows_no_worse() -> None:
    for name in ("xgboost", "forest", "linear"):
        assert (
            trained(name).measured.validation["logloss"]
            <= trained(name, calibrate="none").measured.validation["logloss"] + 1e-9
        )


def test_the_scorer_has_the_names_and_the_threshold_it_was_given() -> None:
    calibration = binary(trained("linear"))
    assert (calibration.positive, calibration.negative, calibration.threshold) == ("late", "on_time", 0.25)


def test_each_round_is_reported() -> None:
    seen: list[tuple[float, float]] = []
    model = fit(on_round=lambda on_train, on_validation: seen.append((on_train, on_validation)), refit=False)
    assert model.estimator.rounds is not None
    assert len(seen) >= model.estimator.rounds
    assert seen[0][0] > seen[-1][0]


# --- what the stage writes


def test_the_report_is_read_as_it_was_written() -> None:
    best = Baselines((0.4,), OneRule("delay_1h", (), {}, ((0.4,),)))
    found = report(trained("ensemble"), 0.8, best, {"carrier": 3})
    assert build(TrainReport, plain(found)) == found
    assert (found.one_rule, found.folds, found.rounds) == ("delay_1h", 1, None)
    assert sum(member.weight for member in found.members) == pytest.approx(1)
    boosted = report(trained(), 0.8, Baselines((0.4,)), {})
    assert (boosted.one_rule, boosted.members) == (None, ())
    assert boosted.rounds == trained().estimator.rounds


def test_the_most_important_features_come_first() -> None:
    found = importance(trained())
    assert sorted(found["importance"], reverse=True) == found["importance"].tolist()
    assert set(found["feature"]) <= set(trained().scorer.plan.selected)


def test_folds_are_drawn_only_where_validation_rows_are_not_held_out() -> None:
    rows = labelled(120), labelled(60, seed=1)
    by_time = TimeSplit("time", ("month",), (9,), (11,))
    by_hash = RandomSplit("random", ("day", "month"), 0.2, 0.2, "s")
    assert fold_of(by_time, 5, 2, lambda: rows) is None
    assert fold_of(by_hash, 1, 2, lambda: rows) is None
    drawn = fold_of(by_hash, 5, 2, lambda: rows)
    assert drawn is not None
    assert (len(drawn), set(drawn.tolist())) == (180, {0, 1, 2, 3, 4})


def test_samples_are_the_matrices_with_the_targets_of_their_rows(tmp_path: Path) -> None:
    rows = labelled(50), labelled(20, seed=1)
    for path, part in zip((paths.TRAIN_FEATURES, paths.VALIDATION_FEATURES), rows, strict=True):
        write_matrix(tmp_path / path, part["distance"][:, None], ["distance"])
    for found, part in zip(read_samples(*rows, 2, tmp_path), rows, strict=True):
        assert found.X[:, 0].tolist() == part["distance"].tolist()
        assert found.target.tolist() == part["target"].tolist()


# --- configuration


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parity": 0.0}, "parity 0 is outside"),
        ({"parity": 1.0}, "parity 1 is outside"),
        ({"threads": 0}, "threads 0 and folds 5 must be at least 1"),
        ({"folds": 0}, "threads 1 and folds 0 must be at least 1"),
        ({"threads": 2.0}, "threads: expected int"),
        ({"calibrate": "isotonic"}, "is not one of 'sigmoid', 'none'"),
        ({"refit": "yes"}, "refit: expected bool"),
        ({"refti": True}, r"refti \(did you mean refit\?\)"),
    ],
)
def test_a_configuration_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(TrainConfig, plain(CONFIG) | change, "train")
