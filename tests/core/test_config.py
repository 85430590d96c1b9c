from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from fullcircle.base.errors import ConfigError
from fullcircle.core import paths
from fullcircle.core.config import compose, load, load_file, read_params
from fullcircle.core.data import Data, schema_of
from fullcircle.core.problem import Problem
from fullcircle.core.split import Split
from fullcircle.evaluation.behaviour import check_behaviour
from fullcircle.evaluation.gates import check_gates
from fullcircle.evaluation.tasks import task_metrics
from fullcircle.featurizing.checks import check_features
from fullcircle.featurizing.config import FeaturizeConfig
from fullcircle.models import ModelConfig
from fullcircle.params import check_composed, check_params
from fullcircle.stages.clean import CleanConfig
from fullcircle.stages.train import TrainConfig
from fullcircle.stages.validate import ValidateConfig
from tests import project

ROOT = Path(__file__).parents[2]
CONF = project.conf()
COMMITTED = ROOT / paths.CONF
GROUPS: dict[str, Any] = {
    "clean": CleanConfig,
    "featurize": FeaturizeConfig,
    "train": TrainConfig,
    "validate": ValidateConfig,
    "split": Split,
    "model": ModelConfig,
    "problem": Problem,
}


def choices(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def composed(*overrides: str) -> Any:
    return parsed(compose(overrides, CONF))


def parsed(text: str) -> Any:
    return yaml.load(text, Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def default() -> str:
    """The configuration as it is composed without overrides; composing is slow, so once."""
    return compose((), CONF)


def changed(text: str, key: str, value: Any) -> Any:
    """The configuration with another value at `key`: dots go deeper, numbers are positions in a list."""
    params = parsed(text)
    *way, last = [int(name) if name.isdigit() else name for name in key.split(".")]
    part = params
    for name in way:
        part = part[name]
    part[last] = value
    return params


def check_all(params: Any) -> None:
    for key, kind in GROUPS.items():
        load(kind, key, params)


def test_there_is_something_to_choose_from() -> None:
    assert {"xgboost", "forest", "linear", "dummy", "ensemble"} <= set(choices("model"))
    assert {"time", "group", "random"} <= set(choices("split"))
    assert "departures" in choices("problem")


@pytest.mark.parametrize("name", choices("model"))
def test_every_model_composes_and_builds(name: str) -> None:
    params = composed(f"model={name}")
    check_all(params)
    assert load(ModelConfig, "model", params).name == name.removesuffix("_fast")


@pytest.mark.parametrize("name", choices("model"))
def test_every_model_composes_sound_parameters(name: str) -> None:
    assert check_composed(compose([f"model={name}"], CONF), CONF).model.name == name.removesuffix("_fast")


@pytest.mark.parametrize("name", choices("split"))
def test_every_split_composes_and_builds(name: str) -> None:
    params = composed(f"split={name}")
    check_all(params)
    split: Split = load(Split, "split", params)
    problem = load(Problem, "problem", params)
    assert split.kind == name
    assert set(split.columns) <= set(load_file(Data, CONF.parent / problem.data).tables[problem.table].columns)


def test_a_split_by_time_needs_a_time_in_the_problem() -> None:
    message = r"needs a key that the problem does not have. .*problem.time.columns.* or choose otherwise"
    with pytest.raises(ConfigError, match=message):
        compose(["problem=grades", "split=time"], CONF)


@pytest.mark.parametrize("name", sorted(path.stem for path in (COMMITTED / "problem").glob("*.yaml")))
def test_every_problem_of_the_repository_composes_and_is_consistent(name: str) -> None:
    problem = load(Problem, "problem", parsed(compose([f"problem={name}"], COMMITTED)))
    assert problem.name == name
    data = load_file(Data, ROOT / problem.data)
    tables = data.tables
    assert set(problem.sources) == set(tables)
    for key, table in tables.items():
        assert set(table.key) <= set(table.columns), key
    schema = schema_of(data, problem.table, problem.moment)
    inputs = schema.inputs
    assert {check.column for check in problem.behaviour} <= set(inputs)
    check_features(problem.features, problem.lookups, schema)
    check_gates(problem.gates, task_metrics(len(problem.target.classes)), problem.metric)
    check_behaviour(problem.behaviour, problem.target.classes)
    outcomes = {n for n, c in tables[problem.table].columns.items() if c.role != "input"}
    assert not outcomes & set(inputs)


@pytest.mark.parametrize(
    ("key", "misspelt", "nearest"),
    [
        ("clean", "max_rejectd", "max_rejected"),
        ("featurize", "few_levls", "few_levels"),
        ("train", "refitt", "refit"),
        ("validate", "resample", "resamples"),
        ("split", "test_form", "test_from"),
        ("model", "max_dept", "max_depth"),
        ("problem", "featurs", "features"),
        ("problem.moment", "led_hours", "lead_hours"),
        ("problem.target", "hold", "holds"),
        ("problem.costs", "mised", "missed"),
        ("problem.sources.flights", "dialct", "dialect"),
    ],
)
def test_a_misspelt_key_is_named_with_its_place_and_the_nearest_name(
    default: str, key: str, misspelt: str, nearest: str
) -> None:
    params = changed(default, f"{key}.{misspelt}", 1)
    with pytest.raises(ConfigError) as caught:
        load(GROUPS[key.split(".")[0]], key.split(".")[0], params)
    assert str(caught.value).startswith(f"{key}: unknown key: {misspelt} (did you mean {nearest}?)")


def test_a_misspelt_key_of_a_member_is_named_with_its_position() -> None:
    params = changed(compose(["model=ensemble"], CONF), "model.members.1.max_dept", 3)
    with pytest.raises(ConfigError) as caught:
        load(ModelConfig, "model", params)
    assert str(caught.value).startswith("model.members[1]: unknown key: max_dept (did you mean max_depth?)")


def test_members_have_the_parameters_of_their_own_files() -> None:
    for member in composed("model=ensemble")["model"]["members"]:
        own = parsed((CONF / f"model/{member['name']}.yaml").read_text(encoding="utf-8"))
        assert set(member) == set(own), member["name"]


@pytest.mark.parametrize("override", ["modle=forest", "model.max_dept=3", "cleen.max_rejected=0.1"])
def test_an_override_of_what_does_not_exist_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match=r"modle|max_dept|cleen"):
        compose([override], CONF)


def test_a_choice_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(ConfigError) as caught:
        compose(["model=xgbost"], CONF)
    assert "xgbost" in str(caught.value)
    assert "forest" in str(caught.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("clean.max_rejected=1.5", "clean: max_rejected 1.5 is outside"),
        ("clean.max_rejected=lots", "clean.max_rejected: expected float, got str 'lots'"),
        ("featurize.max_correlation=0", "featurize: max_correlation 0 is outside"),
        ("featurize.scale=standard", "featurize: scale: standard needs missing: median"),
        ("train.parity=2", "train: parity 2 is outside"),
        ("train.threads=0", "train: threads 0 and folds 1 must be at least 1"),
        ("train.refit=1", "train.refit: expected bool, got int 1"),
        ("validate.interval=95", "validate: interval 95 is outside"),
        ("validate.resamples=5", "validate: resamples must be at least 20"),
        ("model.learning_rate=2", "model: learning_rate 2 is outside"),
        ("model.max_depth=6.5", "model.max_depth: expected int, got float 6.5"),
        ("model.seed=null", "model.seed: expected int, got nothing"),
        ("split.test_from=[2012,1,1]", "split: test_from .* must come after"),
        ("problem.moment.lead_hours=-1", "problem.moment: lead_hours -1 is negative"),
        ("problem.costs.missed=0", "problem.costs: costs must be above 0"),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_key(default: str, override: str, message: str) -> None:
    where, _, value = override.partition("=")
    key = where.split(".")[0]
    with pytest.raises(ConfigError, match=message):
        load(GROUPS[key], key, changed(default, where, parsed(value)))


@pytest.mark.parametrize("model", ["linear", "forest", "ensemble"])
def test_every_model_takes_the_same_features(default: str, model: str) -> None:
    assert composed(f"model={model}")["featurize"] == parsed(default)["featurize"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "problem.metric",
            "accuracy",
            r"problem\.metric: accuracy: this task has no such metric\. Choose one of auc, ap",
        ),
        ("problem.gates.0.min", 70, r"problem\.gates: auc: threshold 70\.0 is outside 0\.\.1"),
        ("problem.gates.0.metric", "r2", r"problem\.gates: unknown value: r2"),
        ("problem.behaviour.0.of", "late", r"problem\.behaviour: one mile further: of: late cannot be"),
    ],
)
def test_what_the_task_does_not_have_is_refused_before_anything_runs(
    default: str, key: str, value: Any, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_params(changed(default, key, value), CONF)


def test_composing_twice_gives_the_same_bytes(default: str) -> None:
    assert compose((), CONF) == default


def test_kept_choices_and_values_are_taken_where_they_exist(tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    shutil.copytree(CONF, conf, ignore=shutil.ignore_patterns("tuned"))
    (conf / "tuned" / "values").mkdir(parents=True)
    values = "# @package _global_\nmodel: {max_depth: 9}\n"
    (conf / "tuned" / "values" / "departures-forest.yaml").write_text(values)
    model = parsed(compose((), conf))["model"]
    assert (model["name"], model["max_depth"] == 9) == ("xgboost", False)
    model = parsed(compose(["model=forest"], conf))["model"]
    assert (model["name"], model["max_depth"]) == ("forest", 9)


def test_choices_kept_for_all_problems_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "tuned" / "choices").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"tuned/choices is no longer read: .*conf/problem/NAME\.yaml"):
        compose((), tmp_path)


@pytest.mark.parametrize("text", ["model: [", "a: b: c\n", "\tx: 1\n", b"\xff\xfe", "a: &b [*b]\n*c: 1\n"])
@pytest.mark.parametrize("file", ["config.yaml", "problem/departures.yaml", "model/xgboost.yaml"])
def test_a_file_of_conf_that_cannot_be_parsed_is_named(tmp_path: Path, file: str, text: str | bytes) -> None:
    conf = tmp_path / "conf"
    shutil.copytree(CONF, conf)
    (conf / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=rf"conf/{file} is no YAML: "):
        compose((), conf)


def test_the_error_of_a_missing_key_names_the_command_that_composes_it() -> None:
    with pytest.raises(ConfigError, match=r"params\.yaml: no key clean\.nothing\. `fullcircle params` composes it"):
        load(CleanConfig, "clean.nothing", {"clean": {"max_rejected": 0.1}})
    with pytest.raises(ConfigError, match="no key clean"):
        load(CleanConfig, "clean", {})


@pytest.mark.parametrize("content", [None, "clean: [", "\t"])
def test_the_error_of_unreadable_parameters_names_the_command(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "params.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"(?s)params\.yaml cannot be read: .*`fullcircle params` composes it"):
        read_params(path)
