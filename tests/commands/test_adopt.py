from __future__ import annotations

import os
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from fullcircle.base.errors import ConfigError
from fullcircle.commands.adopt import adopt, choosing, ensemble_of, names_of, write
from fullcircle.core import paths
from fullcircle.core.config import compose
from fullcircle.params import check_composed
from fullcircle.sweep.trials import Trial, write_csv
from tests import project

if TYPE_CHECKING:
    from pathlib import Path

LINEAR = {"name": "linear", "c": 0.5, "max_iterations": 100}
DUMMY = {"name": "dummy"}


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A conf/ with nothing adopted."""
    return project.conf_in(tmp_path)


def composed(conf: Path, *overrides: str) -> dict[str, Any]:
    params: dict[str, Any] = yaml.safe_load(compose(overrides, conf))
    return params


def kept(conf: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """The parameters that `conf` composes after adopting `wanted`."""
    written = write(adopt("trial", wanted, conf), wanted, conf)
    assert written == compose((), conf)
    params: dict[str, Any] = yaml.safe_load(written)
    return params


def test_an_ensemble_is_adopted_with_its_own_members_and_none_of_the_default(conf: Path) -> None:
    wanted = composed(conf, "model=ensemble", "model.picks=7")
    wanted["model"]["members"] = [LINEAR, DUMMY]
    standard = composed(conf, "model=ensemble")["model"]
    assert kept(conf, wanted)["model"] == standard | {"picks": 7, "members": [LINEAR, DUMMY]}
    tuned = yaml.safe_load((conf / "tuned/values/departures-ensemble.yaml").read_text())
    assert tuned == {"model": {"picks": 7, "members": [LINEAR, DUMMY]}}


def test_another_ensemble_replaces_the_first_and_can_be_undone(conf: Path) -> None:
    standard = composed(conf, "model=ensemble")
    for members in ([LINEAR, DUMMY], [*standard["model"]["members"], DUMMY], standard["model"]["members"][:2]):
        wanted = deepcopy(standard)
        wanted["model"]["members"] = members
        assert kept(conf, wanted) == wanted
    assert composed(conf, "model=linear")["model"]["name"] == "linear"
    assert kept(conf, standard) == standard


def test_one_value_of_a_member_is_overridden_by_its_position(conf: Path) -> None:
    standard = composed(conf, "model=ensemble")
    wanted = composed(conf, "model=ensemble", "model.members.1.max_depth=3")
    assert [m.get("max_depth") for m in wanted["model"]["members"][:2]] == [6, 3]
    assert wanted["model"]["members"][0] == standard["model"]["members"][0]
    assert kept(conf, wanted) == wanted


def test_distinct_models_of_experiments_become_members_in_order(conf: Path) -> None:
    deep = composed(conf, "model.max_depth=8")
    ensemble = ensemble_of([deep, composed(conf), deep, composed(conf, "model.seed=5")])
    assert ensemble["model"]["name"] == "ensemble"
    assert [(m["max_depth"], m["seed"]) for m in ensemble["model"]["members"]] == [(8, 0), (6, 0), (6, 5)]
    assert {key: value for key, value in ensemble.items() if key != "model"} == {
        key: value for key, value in deep.items() if key != "model"
    }


def test_an_ensemble_of_experiments_is_valid_and_can_be_adopted(conf: Path) -> None:
    ensemble = ensemble_of([composed(conf), composed(conf, "model.max_depth=3")])
    assert kept(conf, ensemble) == ensemble
    assert ensemble["featurize"]["missing"] == "keep"
    check_composed(yaml.safe_dump(ensemble), conf)


def test_an_ensemble_among_the_experiments_is_replaced_by_its_members(conf: Path) -> None:
    first = ensemble_of([composed(conf), composed(conf, "model.max_depth=3")])
    again = ensemble_of([composed(conf, "model.max_depth=9"), first, composed(conf)], picks=50)["model"]
    assert [member["max_depth"] for member in again["members"]] == [9, 6, 3]
    assert again["picks"] == 50


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("split.test_from=[2013,12,1]", "split.test_from"),
        ("clean.max_rejected=0.5", "clean.max_rejected"),
        ("featurize.few_levels=3", "featurize.few_levels"),
        ("problem.moment.lead_hours=5", "problem.moment.lead_hours"),
        ("split=random", "split.kind, "),
    ],
)
def test_experiments_on_other_rows_or_features_cannot_share_an_ensemble(conf: Path, override: str, named: str) -> None:
    params = [composed(conf), composed(conf, "model.seed=1"), composed(conf, override)]
    with pytest.raises(ConfigError, match=f"experiment 3 of 3 differs from the first in {named}"):
        ensemble_of(params)


def test_experiments_may_differ_in_sections_that_members_do_not_share(conf: Path) -> None:
    ensemble = ensemble_of([composed(conf), composed(conf, "model.seed=1", "train.threads=1", "validate.seed=9")])
    assert (ensemble["train"]["threads"], ensemble["validate"]["seed"]) == (2, 0)


def test_an_ensemble_needs_two_models(conf: Path) -> None:
    with pytest.raises(ConfigError, match="at least 2 distinct models, and the 2 experiments have 1"):
        ensemble_of([composed(conf), composed(conf, "train.threads=1")])
    with pytest.raises(ConfigError, match="the 0 experiments have 0"):
        ensemble_of([])


def test_what_is_adopted_for_one_problem_changes_no_other(conf: Path) -> None:
    others = ("grades", "prices")
    before = {name: composed(conf, f"problem={name}") for name in others}
    kept(conf, composed(conf, "model=forest", "split=random", "model.max_depth=5"))
    assert {name: composed(conf, f"problem={name}") for name in others} == before
    departures = composed(conf)
    assert (departures["model"]["name"], departures["split"]["kind"]) == ("forest", "random")


def test_an_experiment_with_another_problem_makes_it_the_problem_of_the_repository(conf: Path) -> None:
    departures = composed(conf)
    assert kept(conf, composed(conf, "problem=grades", "model=linear"))["problem"]["name"] == "grades"
    assert composed(conf, "problem=departures") == departures


def test_a_choice_is_changed_in_place_and_all_comments_stay(conf: Path) -> None:
    file = conf / "problem/grades.yaml"
    before = file.read_text(encoding="utf-8")
    write(*(lambda wanted: (adopt("e7", wanted, conf), wanted, conf))(composed(conf, "problem=grades", "model=mlp")))
    expected = before.replace(
        "- override /model: ensemble", "- override /model: mlp  # adopted from experiment e7; before: ensemble"
    )
    assert file.read_text(encoding="utf-8") == expected != before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# about\n\nproblem: 1\n", "# about\n\ndefaults:\n  - m: b  # adopted from experiment e\n\nproblem: 1\n"),
        ("defaults: # x\n  - a: b\n", "defaults: # x\n  - m: b  # adopted from experiment e\n  - a: b\n"),
        ("# only a comment\n", "# only a comment\ndefaults:\n  - m: b  # adopted from experiment e\n\n"),
        ("defaults:\n  - m: b # why\n", "defaults:\n  - m: b # why\n"),
    ],
)
def test_a_choice_that_a_file_does_not_name_is_added(text: str, expected: str) -> None:
    assert choosing(text, "m", "b", "e") == expected


def test_nothing_is_left_of_an_adoption_that_fails(conf: Path) -> None:
    before = {file: file.read_bytes() for file in conf.rglob("*.yaml")}
    wanted = composed(conf, "model=forest")
    with pytest.raises(ConfigError, match=r"does not compose these parameters: model\.max_depth"):
        write(adopt("e", wanted, conf), wanted | {"model": wanted["model"] | {"max_depth": 99}}, conf)
    assert {file: file.read_bytes() for file in conf.rglob("*.yaml")} == before


@pytest.fixture
def swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two sweeps: `old`, and `new`, whose worst trial is not recorded."""
    monkeypatch.chdir(tmp_path)
    for name, many in (("old", 3), ("new", 4)):
        ranks = [
            Trial(i, "complete", {}, 0.5, experiment=f"{name}-00{i}", rank=many + 1 - i) for i in range(2, many + 1)
        ]
        pruned = Trial(many + 1, "pruned", {}, experiment=f"{name}-00{many + 1}")
        write_csv(paths.SWEEPS / name / "trials.csv", [Trial(1, "complete", {}, 0.1, rank=many), *ranks, pruned])
    os.utime(paths.SWEEPS / "old" / "trials.csv", (0, 0))
    return tmp_path


@pytest.mark.usefixtures("swept")
def test_best_is_the_best_trial_of_the_latest_sweep() -> None:
    assert names_of(["best"]) == ["new-004"]
    assert names_of(["best"], "old") == ["old-003"]
    assert names_of(["best:3"]) == ["new-004", "new-003", "new-002"]
    assert names_of(["best:2", "main"]) == ["new-004", "new-003", "main"]


@pytest.mark.usefixtures("swept")
@pytest.mark.parametrize(
    ("name", "sweep", "message"),
    [
        ("best", "none", "there is no sweep none. Sweeps: new, old"),
        ("best:0", None, "best:0: invalid number of trials"),
        ("best:x", None, "best:x: invalid number of trials"),
        ("best:4", None, r"best:4: reports/sweeps/new/trials.csv has 4 ranked trials, 3 of them recorded"),
        ("best:9", None, r"best:9: reports/sweeps/new/trials.csv has 4 ranked trials, 3 of them recorded"),
    ],
)
def test_a_best_that_does_not_exist_is_refused(name: str, sweep: str | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        names_of([name], sweep)
