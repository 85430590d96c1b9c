"""The whole configuration, checked at once: every section as its stage will read it, and what binds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from fullcircle import paths
from fullcircle.config import load_file
from fullcircle.models.configs import DummyConfig, ForestConfig, LinearConfig, XGBoostConfig
from fullcircle.problem import Problem, Table, schema_of
from fullcircle.runtime.errors import ConfigError
from fullcircle.runtime.typed import build
from fullcircle.stages.clean import CleanConfig
from fullcircle.stages.explore import ExploreConfig
from fullcircle.stages.featurize import FeaturizeConfig, demand_known
from fullcircle.stages.package import PackageConfig
from fullcircle.stages.split import GroupSplit, RandomSplit, TimeSplit
from fullcircle.stages.train import TrainConfig
from fullcircle.stages.validate import ValidateConfig, demand_gates

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Whole:
    """All of params.yaml."""

    problem: Problem
    split: TimeSplit | RandomSplit | GroupSplit
    model: XGBoostConfig | ForestConfig | LinearConfig | DummyConfig
    clean: CleanConfig
    featurize: FeaturizeConfig
    explore: ExploreConfig
    train: TrainConfig
    validate: ValidateConfig
    package: PackageConfig


def demand_whole(composed: str, conf: Path = paths.CONF) -> Whole:
    """Check composed parameters (YAML) against what the stages expect. Raises ConfigError naming the key."""
    whole = build(Whole, yaml.safe_load(composed), "")
    problem = whole.problem
    tables = load_file(dict[str, Table], conf.parent / problem.tables)
    if problem.table not in tables or problem.sources.keys() != tables.keys():
        raise ConfigError("problem: table, sources and tables must name the same tables")
    schema = schema_of(tables, problem.table, problem.moment, problem.observations, problem.history)
    demand_known(problem.features, problem.lookups, schema)
    demand_gates(problem.gates)
    return whole
