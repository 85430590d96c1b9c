from __future__ import annotations

from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from fullcircle.base.errors import ConfigError
from fullcircle.sweep.space import Space, dimension, parse

MODELS = {
    "model": "choice(xgboost, forest, linear)",
    "model=xgboost": {"model.max_depth": "range(3, 9)", "model.rate": "tag(log, interval(0.03, 0.2))"},
    "model=forest": {"model.max_depth": "range(8, 19, 2)"},
}


@pytest.mark.parametrize(
    ("text", "distribution"),
    [
        ("choice(a, 2, 2.5, true)", CategoricalDistribution(["a", 2, 2.5, True])),
        ("choice('a b', c)", CategoricalDistribution(["a b", "c"])),
        ("3,5,7", CategoricalDistribution([3, 5, 7])),
        ("range(3, 11)", IntDistribution(3, 10)),
        ("range(8, 19, 2)", IntDistribution(8, 18, step=2)),
        ("tag(log, range(1, 9))", IntDistribution(1, 8, log=True)),
        ("range(0.1, 0.5, 0.1)", FloatDistribution(0.1, 0.4, step=0.1)),
        ("interval(0.5, 1)", FloatDistribution(0.5, 1.0)),
        ("tag(log, interval(0.01, 0.3))", FloatDistribution(0.01, 0.3, log=True)),
        ("tag(log, int(interval(1, 100)))", IntDistribution(1, 100, log=True)),
    ],
)
def test_hydra_overrides_become_optuna_distributions(text: str, distribution: Any) -> None:
    assert dimension("model.x", text).distribution == distribution


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("interval(1, ", "cannot be read"),
        ("5", "is a single value"),
        ("range(5, 3)", "is empty"),
        ("interval(3, 1)", "low"),
        ("tag(log, interval(0, 1))", "low"),
        ("tag(log, range(0.1, 0.5, 0.1))", "cannot be logarithmic"),
        ("choice([1, 2], [3])", "a choice must be a number, text"),
        ("glob(*)", "is a single value"),
    ],
)
def test_an_error_names_the_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"sweep\.space\.model\.x: .*{message}"):
        dimension("model.x", text)


def test_a_conditional_space_of_an_unknown_choice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sweep\.space\.model=forrest: no trial draws it"):
        parse({"model": "choice(xgboost, forest)", "model=forrest": {"model.max_depth": "range(1, 3)"}})


def test_an_empty_space_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sweep\.space is empty"):
        parse({})


def drawn(space: Space, trials: int) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found = []
    for _ in range(trials):
        trial = study.ask()
        found.append(space.draw(trial))
        study.tell(trial, 0.0)
    return found


def test_a_trial_searches_only_the_conditional_space_of_its_choice() -> None:
    keys = {"xgboost": {"model", "model.max_depth", "model.rate"}, "forest": {"model", "model.max_depth"}}
    trials = drawn(parse(MODELS), 60)
    assert {t["model"] for t in trials} == {"xgboost", "forest", "linear"}
    for trial in trials:
        assert trial.keys() == keys.get(trial["model"], {"model"})
        if trial["model"] == "xgboost":
            assert 3 <= trial["model.max_depth"] <= 8
        if trial["model"] == "forest":
            assert trial["model.max_depth"] in (8, 10, 12, 14, 16, 18)


def test_values_drawn_from_an_interval_have_four_digits() -> None:
    values = [t["model.rate"] for t in drawn(parse({"model.rate": "tag(log, interval(0.01, 0.3))"}), 50)]
    assert all(value == float(f"{value:.4g}") for value in values)
    assert len(set(values)) > 40


def test_a_grid_has_every_point_once() -> None:
    space = parse({"model.a": "range(1, 4)", "model.b": "choice(x, y)"})
    assert space.grid() == [{"model.a": a, "model.b": b} for a in (1, 2, 3) for b in ("x", "y")]


def test_a_grid_has_each_conditional_space_once() -> None:
    points = parse({**MODELS, "model=xgboost": {"model.max_depth": "range(3, 5)"}}).grid()
    assert len(points) == 2 + 6 + 1
    assert {"model": "linear"} in points
    assert {"model": "xgboost", "model=xgboost: model.max_depth": 4} in points


def test_a_grid_over_an_interval_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"sweep\.space\.model\.a: a grid needs choice or range"):
        parse({"model.a": "interval(0, 1)"}).grid()


def test_a_key_of_two_choices_shows_both_and_is_logarithmic_if_both_are() -> None:
    space = parse(MODELS)
    assert space.texts["model.max_depth"] == "range(3, 9) or range(8, 19, 2)"
    assert space.log == ("model.rate",)
