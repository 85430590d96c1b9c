from __future__ import annotations

import statistics
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from fullcircle.base.files import write_text
from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.core.config import load, read_params
from fullcircle.core.schema import Schema
from fullcircle.core.split import Split, folds
from fullcircle.core.tables import rounded, write_columns, write_json, write_matrix
from fullcircle.features.plan import write_plan
from fullcircle.features.transform import apply
from fullcircle.stages.train import measure
from fullcircle.sweep.config import Local
from fullcircle.sweep.engine import engine_of, outcome_of
from fullcircle.sweep.trial import Matrices, Stopped, Task, evaluate, run
from tests.builders import (
    FEATURES,
    GOAL,
    INPUTS,
    LINEAR,
    PLANES,
    TARGET,
    XGBOOST,
    featurize,
    fitted,
    labelled,
    only_inputs,
    planes,
    train_config,
)

if TYPE_CHECKING:
    from pathlib import Path

TIME = {"kind": "time", "columns": ["month"], "validation_from": [9], "test_from": [11]}
RANDOM: dict[str, Any] = {
    "kind": "random",
    "columns": ["sched_dep_time", "day", "month"],
    "validation": 0.2,
    "test": 0.2,
    "salt": "s",
}


def params(split: dict[str, Any] = TIME, **changed: Any) -> dict[str, Any]:
    return {
        "problem": {
            "target": plain(TARGET),
            "metric": "auc",
            "features": plain(FEATURES),
            "lookups": [plain(PLANES)],
            "costs": {"missed": 3, "false_alarm": 1},
        },
        "split": split,
        "featurize": plain(featurize()),
        "model": plain(XGBOOST),
        "train": plain(train_config()),
    } | changed


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The files that trials start from. There are no test rows to read."""
    write_json(tmp_path / paths.SCHEMA, plain(Schema(INPUTS, (), "in time")))
    write_columns(tmp_path / paths.reference("planes"), planes())
    write_columns(tmp_path / paths.TRAIN, labelled(600))
    write_columns(tmp_path / paths.VALIDATION, labelled(300, seed=1))
    return tmp_path


def task(repository: Path, given: dict[str, Any] | None = None, **changed: Any) -> Task:
    made = Task(str(repository), given or params(), "val_auc", True, 1, 4, {})
    return replace(made, **changed)


def test_a_trial_has_the_metrics_of_featurize_and_train(repository: Path) -> None:
    plan, validation = fitted(labelled(600)).plan, labelled(300, seed=1)
    from fullcircle.models.sample import Sample

    rows = (labelled(600), validation)
    sides = tuple(Sample(apply(plan, only_inputs(r)), r["target"].astype(np.float32)) for r in rows)
    wanted = measure(sides, XGBOOST, train_config(), GOAL, lambda _t, _v: None)  # type: ignore[arg-type]
    outcome = evaluate(task(repository), Matrices(repository))
    assert outcome.error == ""
    assert outcome.metrics == {name: rounded(value) for name, value in wanted.metrics.items()}
    assert outcome.value == rounded(wanted.validation["auc"])
    assert outcome.deviation is None


def test_the_next_trial_neither_reads_nor_featurizes_nor_bins_again(repository: Path) -> None:
    matrices = Matrices(repository)
    first = evaluate(task(repository), matrices)
    _, (training, _) = matrices.sides(params())
    made = dict(training.made)
    assert made
    for path in (paths.TRAIN, paths.VALIDATION):
        (repository / path).unlink()
    again = evaluate(task(repository), matrices)
    assert again.value == first.value
    assert {key: id(value) for key, value in training.made.items()} == {key: id(value) for key, value in made.items()}


def test_what_featurize_has_made_is_read_by_trials_with_the_same_choices(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = fitted(labelled(600))
    names = list(made.plan.selected)
    read_params.cache_clear()
    write_text(repository / paths.PARAMS, yaml.safe_dump(params()))
    write_plan(repository / paths.FEATURES, made.plan)
    for path, rows in ((paths.TRAIN_FEATURES, labelled(600)), (paths.VALIDATION_FEATURES, labelled(300, seed=1))):
        write_matrix(repository / path, apply(made.plan, only_inputs(rows)), names)
    made_anew = evaluate(task(repository), Matrices(repository))
    (repository / paths.reference("planes")).unlink()
    read = evaluate(task(repository, featurized=True), Matrices(repository))
    assert read.error == ""
    assert replace(read, seconds=0, model=None) == replace(made_anew, seconds=0, model=None)
    other = params(featurize=plain(featurize(missing="median")))
    assert (
        "planes.parquet cannot be read"
        in evaluate(task(repository, other, featurized=True), Matrices(repository)).error
    )


def test_other_features_are_made_for_a_trial_that_asks_for_them(repository: Path) -> None:
    matrices = Matrices(repository)
    filled = params(featurize=plain(featurize(missing="median", scale="standard")))
    assert evaluate(task(repository, filled), matrices).value is not None
    refused = evaluate(task(repository, params(featurize=plain(featurize()) | {"scale": "standard"})), matrices)
    assert refused.error.startswith("ConfigError: featurize: scale: standard needs missing: median")
    assert evaluate(task(repository), matrices).value is not None, "the sweep goes on"


def test_repeats_give_mean_and_deviation_over_seeds(repository: Path) -> None:
    matrices = Matrices(repository)
    seeds = [params(model=plain(XGBOOST) | {"seed": seed}) for seed in (0, 1, 2)]
    alone = [evaluate(task(repository, given), matrices) for given in seeds]
    values = [outcome.value for outcome in alone if outcome.value is not None]
    assert len(set(values)) > 1
    both = evaluate(task(repository, repeats=3), matrices)
    assert both.value == pytest.approx(statistics.fmean(values), abs=1e-6)
    assert both.deviation == pytest.approx(statistics.stdev(values), abs=1e-6)
    assert both.metrics == alone[0].metrics, "what is recorded is what train will write"


def test_a_model_without_a_seed_is_fitted_once(repository: Path) -> None:
    filled = params(model=plain(LINEAR), featurize=plain(featurize(missing="median", scale="standard")))
    assert evaluate(task(repository, filled, repeats=3), Matrices(repository)).deviation is None


def test_without_an_order_in_time_folds_are_held_out(repository: Path) -> None:
    matrices = Matrices(repository)
    outcome = evaluate(task(repository, params(RANDOM)), matrices)
    folds = matrices.folds(params(RANDOM), 4)
    assert len(folds) == 4
    assert sum(len(held_out.y) for _, held_out in folds) == 900
    assert all(len(training.y) + len(held_out.y) == 900 for training, held_out in folds)
    assert outcome.deviation is not None
    assert outcome.value != outcome.metrics["val_auc"], "the metrics are still those that train will give"


def test_what_is_fitted_in_a_fold_does_not_see_the_rows_it_holds_out(repository: Path) -> None:
    before = Matrices(repository).folds(params(RANDOM), 3)
    train, validation = labelled(600), labelled(300, seed=1)
    both = {name: np.concatenate([train[name], validation[name]]) for name in train}
    at = folds(both, load(Split, "split", params(RANDOM)), 3, 2)
    both["delay_1h"][at == 0] = 1e6
    both["carrier"][at == 0] = "POISON"
    for path, rows in ((paths.TRAIN, slice(0, 600)), (paths.VALIDATION, slice(600, 900))):
        write_columns(repository / path, {name: both[name][rows] for name in train})
    after = Matrices(repository).folds(params(RANDOM), 3)
    np.testing.assert_array_equal(before[0][0].X, after[0][0].X)
    assert not np.array_equal(before[0][1].X, after[0][1].X, equal_nan=True)
    assert not np.array_equal(before[1][0].X, after[1][0].X, equal_nan=True)


def test_a_hopeless_fit_is_given_up(repository: Path) -> None:
    outcome = evaluate(task(repository, thresholds={2: 0.0}), Matrices(repository))
    assert outcome.pruned
    assert max(outcome.curve) == 2
    assert outcome.value is None
    assert not evaluate(task(repository, thresholds={2: 9.0}), Matrices(repository)).pruned


@pytest.mark.parametrize(("rate", "steps"), [(0.5, 20), (0.25, 10), (0.05, 2)])
def test_fits_are_compared_after_equal_work(repository: Path, rate: float, steps: int) -> None:
    model = plain(XGBOOST) | {"learning_rate": rate, "max_rounds": 20, "patience": 20}
    outcome = evaluate(task(repository, params(model=model)), Matrices(repository))
    assert list(outcome.curve) == list(range(1, steps + 1))
    assert list(outcome.curve.values()) == sorted(outcome.curve.values(), reverse=True), "the lowest so far"


def test_an_interrupted_fit_ends_at_its_next_round(repository: Path) -> None:
    with pytest.raises(Stopped):
        evaluate(task(repository), Matrices(repository), lambda: True)


def test_the_model_comes_back_only_if_it_is_better(repository: Path) -> None:
    matrices = Matrices(repository)
    assert evaluate(task(repository, best=0.0), matrices).model is not None
    assert evaluate(task(repository, best=1.0), matrices).model is None
    assert evaluate(task(repository, best=1.0, maximize=False), matrices).model is not None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (params(model=plain(XGBOOST) | {"max_depth": 99}), "ConfigError: model: max_depth 99 is outside"),
        (params(featurize=plain(featurize()) | {"cross_fit": 0}), "ConfigError: featurize: cross_fit 0 is a number"),
    ],
)
def test_a_trial_that_raises_is_an_outcome_with_its_error(repository: Path, given: dict[str, Any], said: str) -> None:
    outcome = evaluate(task(repository, given), Matrices(repository))
    assert outcome.error.startswith(said)
    assert outcome.value is None


def test_a_metric_that_is_no_number_is_the_trials_error(repository: Path) -> None:
    one_class = labelled(300, seed=1)
    one_class["target"][:] = 0
    write_columns(repository / paths.VALIDATION, one_class)
    assert "have one class only" in evaluate(task(repository), Matrices(repository)).error


def test_a_missing_repository_is_the_trials_error(tmp_path: Path) -> None:
    with engine_of(Local("local"), 2) as engine:
        future = engine.submit(task(tmp_path / "nowhere"))
        while not engine.wait([future]):
            pass
        assert "nowhere" in outcome_of(future).error


def test_threads_give_what_one_gives(repository: Path) -> None:
    tasks = [task(repository, params(model=plain(XGBOOST) | {"max_depth": depth})) for depth in (2, 3, 4, 5)]
    with engine_of(Local("local"), 2) as engine:
        futures = [engine.submit(each) for each in tasks]
        found = [outcome_of(future).value for future in futures]
    assert found == [run(each).value for each in tasks]
