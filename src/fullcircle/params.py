"""The whole configuration, checked at once: every section as its stage will read it, and how they fit together.

`python -m fullcircle.params` checks params.yaml; the first stage that DVC runs with a new one does so
(`core.stage`), for `dvc exp run -S` composes by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from fullcircle.base.errors import ConfigError
from fullcircle.base.typed import build
from fullcircle.core import paths
from fullcircle.core.config import load_file, read_params
from fullcircle.core.data import Data, schema_of
from fullcircle.core.problem import Problem
from fullcircle.core.secrets import from_environment
from fullcircle.core.split import GroupSplit, RandomSplit, TimeSplit
from fullcircle.core.stage import run
from fullcircle.evaluation.behaviour import check_behaviour
from fullcircle.evaluation.gates import check_gates
from fullcircle.evaluation.tasks import task_metrics
from fullcircle.featurizing.checks import check_features
from fullcircle.featurizing.config import FeaturizeConfig
from fullcircle.models import ModelConfig
from fullcircle.stages.clean import CleanConfig
from fullcircle.stages.package import PackageConfig
from fullcircle.stages.train import TrainConfig
from fullcircle.stages.validate import ValidateConfig

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Params:
    """All of params.yaml."""

    problem: Problem
    split: TimeSplit | RandomSplit | GroupSplit
    model: ModelConfig
    clean: CleanConfig
    featurize: FeaturizeConfig
    train: TrainConfig
    validate: ValidateConfig
    package: PackageConfig


def check_composed(composed: str, conf: Path = paths.CONF) -> Params:
    """Check composed parameters (YAML) against what the stages expect. Raises ConfigError naming the key."""
    return check_params(yaml.safe_load(composed), conf)


def check_params(params: dict[str, Any], conf: Path = paths.CONF) -> Params:
    """Check parameters against what the stages expect. Raises ConfigError naming the key."""
    whole = build(Params, params, "")
    problem = whole.problem
    data = load_file(Data, conf.parent / problem.data)
    if problem.table not in data.tables or problem.sources.keys() != data.tables.keys():
        raise ConfigError(f"problem: table and sources must name the tables of {problem.data}")
    check_features(problem.features, problem.lookups, schema_of(data, problem.table, problem.moment))
    check_gates(problem.gates, task_metrics(len(problem.target.classes)), problem.metric)
    check_behaviour(problem.behaviour, problem.target.classes)
    return whole


COMPOSED = ("*.yaml", "problem/*.yaml", "split/*.yaml", "model/*.yaml", "experiment/*.yaml", "tuned/**/*.yaml")
"""The files of conf/ that params.yaml may be composed of."""


def main() -> None:
    """Check params.yaml, and that no file of conf/ puts a value of the environment into it. Raises ConfigError."""
    for file in sorted(file for pattern in COMPOSED for file in paths.CONF.glob(pattern)):
        if key := from_environment(read_params(file)):
            raise ConfigError(
                f"{file}: {key} takes a value from the environment, and {paths.PARAMS}, which git stores, holds it "
                "now. Name the variable instead, as the keys that end in _env do, and run `fullcircle params`"
            )
    check_params(read_params())


if __name__ == "__main__":
    run("params", main)
