from __future__ import annotations

import os

import pytest
import yaml

from fullcircle.base.errors import ConfigError
from fullcircle.core.config import as_yaml, compose
from fullcircle.sweep.plan import SweepPlan, plan
from tests import project
from tests.pipeline.graph import ROOT


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.conf().parent)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1})  # as many cores as train.threads


def keys(planned: SweepPlan) -> list[str]:
    return [d.key for d in planned.space.dimensions]


MODELS = sorted(path.stem for path in (ROOT / "conf/model").glob("*.yaml") if path.stem != "dummy")
PROBLEMS = ["departures", "grades", "prices"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_model_has_a_search_that_is_the_default_for_its_problems(problem: str, model: str) -> None:
    planned = plan([f"problem={problem}", f"model={model}"])
    assert planned.config.name == model
    assert planned.space.dimensions


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_default_search_fits_the_problem_as_it_is(problem: str) -> None:
    planned = plan([f"problem={problem}"])
    assert planned.config.metric == f"val_{planned.base()['problem']['metric']}"


def test_an_ensemble_is_searched_across_the_kinds_of_its_members() -> None:
    planned = plan(["model=ensemble"])
    members = yaml.safe_load((ROOT / "conf/model/ensemble.yaml").read_text(encoding="utf-8"))["members"]
    assert {*planned.space.always[0].bounds} == {member["name"] for member in members}


def test_a_model_without_a_search_is_an_error_that_names_the_searches() -> None:
    with pytest.raises(ConfigError, match=r"there is no conf/sweep/dummy\.yaml; choose sweep=catboost\|ensemble\|"):
        plan(["model=dummy"])


@pytest.mark.parametrize(("metric", "direction"), [("val_auc", "maximize"), ("val_logloss", "minimize")])
def test_the_direction_is_that_of_better_values(metric: str, direction: str) -> None:
    assert plan([f"sweep.metric={metric}"]).config.direction == direction


def test_parameters_of_a_trial_equal_those_that_hydra_composes() -> None:
    planned = plan(["sweep=models", "train.refit=false"])
    for choices, overrides in (
        ({"model": "xgboost", "model.max_depth": 4, "model.learning_rate": 0.05}, ["model.max_depth=4"]),
        ({"model": "linear", "model.c": 2.5}, ["model.c=2.5"]),
    ):
        rate = [f"model.learning_rate={choices['model.learning_rate']}"] if "model.learning_rate" in choices else []
        wanted = compose([f"model={choices['model']}", "train.refit=false", *overrides, *rate])
        assert as_yaml(planned.params(choices)) == wanted


def test_parameters_of_a_trial_do_not_leak_into_the_next() -> None:
    planned = plan([])
    planned.params({"model.max_depth": 3})
    assert planned.params({})["model"]["max_depth"] == yaml.safe_load(compose())["model"]["max_depth"]


def test_cores_are_divided_among_the_workers() -> None:
    planned = plan(["sweep.workers=64"])
    assert planned.threads == 1
    assert planned.params({})["train"]["threads"] == 1


def test_a_swept_override_is_added_to_the_space_and_another_fixes_its_key() -> None:
    planned = plan(["sweep=grid", "model.max_depth=range(3,6)", "model.l2=1,10", "model.seed=3"])
    assert keys(planned) == ["model.max_depth", "model.l2"]
    assert planned.params({})["model"]["seed"] == 3
    assert "model.max_depth" not in keys(plan(["model.max_depth=5"]))


def test_fixing_a_choice_keeps_its_conditional_space() -> None:
    assert keys(plan(["sweep=models", "model=forest"])) == ["model.max_depth", "model.min_leaf", "model.max_features"]


def test_fixing_all_conditional_keys_of_a_choice_empties_its_space() -> None:
    planned = plan(
        ["sweep=models", "sweep.space.model='choice(linear)'", "model=linear", "model.c=2", "featurize.smoothing=1,2"]
    )
    assert keys(planned) == ["featurize.smoothing"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["sweep.metric=val_aucc"], "sweep.metric: 'val_aucc' does not exist; the metrics are val_auc, val_ap"),
        (["sweep=grid"], r"sweep\.space is empty"),
        (["sweep=grid", "model.maxdepth=1,2"], r"space\.model\.maxdepth is not a parameter: .*did you mean max_depth"),
        (["sweep=grid", "model.max_depth.x=1,2"], "there is nothing below x"),
        (["sweep=models", "model=linear", "model.max_depth=1,2"], r"model\.max_depth is not a parameter"),
        (["sweep=grid", "model.max_depth=1,60"], "`1,60` reaches 60, and model: max_depth 60 is outside 1..20"),
        (["sweep=grid", "split=time,random"], r"sweep\.space\.split: a sweep varies model and featurize"),
        (["sweep=grid", "clean.max_rejected=0.1,0.2"], "a sweep varies model and featurize"),
        (["sweep=grid", "model.max_depth=range(3,"], "cannot be read"),
        (["sweep.trails=5"], "trails"),
        (["sweep.metric=val_r2"], "sweep.metric: 'val_r2' does not exist"),
        (["sweep.sampler=best"], "'best' is not one of 'tpe', 'random', 'grid'"),
        (["engine.kind=ray"], "engine"),
    ],
)
def test_an_error_names_the_key(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(overrides)
