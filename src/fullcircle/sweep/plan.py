"""The plan of a sweep: composed, and checked before anything runs."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import yaml

from fullcircle.base.errors import ConfigError, DataError, difference
from fullcircle.base.typed import build
from fullcircle.core import paths
from fullcircle.core.config import compose, is_swept, load, read_params
from fullcircle.params import check_params
from fullcircle.stages.train import goal_of
from fullcircle.sweep.config import EngineConfig, SweepConfig, check_metric
from fullcircle.sweep.space import Dimension, Space, dimension, parse

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Sequence

SWEPT = ("model", "featurize")
UPSTREAM = ("ingest", "clean", "label", "split")
"""Stages whose outputs every trial starts from: their parameters cannot be swept."""


@dataclass(frozen=True)
class SweepPlan:
    """A sweep's configuration, its space, where it runs, and how a trial's parameters are composed."""

    config: SweepConfig
    engine: EngineConfig
    space: Space
    overrides: tuple[str, ...]  # from the command line, without those of `sweep` and `engine`
    composed: dict[tuple[str, ...], dict[str, Any]]  # chosen groups, such as (model=forest,) -> parameters; a cache

    @property
    def threads(self) -> int:
        """Threads per trial: the cores divided by the number of workers."""
        return max(1, len(os.sched_getaffinity(0)) // self.config.workers)

    def base(self, groups: Sequence[str] = ()) -> dict[str, Any]:
        """The parameters with some groups chosen, such as model=forest, and every other key at its default."""
        chosen = tuple(groups)
        if chosen not in self.composed:
            self.composed[chosen] = yaml.load(compose((*self.overrides, *chosen)), Loader=yaml.CSafeLoader)
        params = self.composed[chosen]
        params["train"]["threads"] = min(params["train"]["threads"], self.threads)
        return params

    def params(self, choices: dict[str, Any]) -> dict[str, Any]:
        """The parameters of a trial, as `dvc exp run -S` would compose them from its choices."""
        params = copy.deepcopy(self.base([f"{key}={value}" for key, value in choices.items() if "." not in key]))
        for key, value in choices.items():
            if "." in key:
                section, name = _section_of(params, key)
                section[name] = value
        return params


def plan(overrides: Sequence[str]) -> SweepPlan:
    """Compose a sweep from conf/ and the command line, and check it. Raises ConfigError.

    An override in sweep syntax, such as `model.max_depth=range(3,6)`, is added to the space; any other fixes its key.
    """
    swept = {text.partition("=")[0]: text.partition("=")[2] for text in overrides if is_swept(text)}
    fixed = [text for text in overrides if text.partition("=")[0] not in swept]
    composed = yaml.load(compose(fixed, name="sweep"), Loader=yaml.CSafeLoader)
    sections = ("sweep", "engine")
    sweep_section, engine_section = (composed.pop(section) for section in sections)
    config = build(SweepConfig, sweep_section, "sweep")
    check_metric(config, goal_of(composed).n_classes)
    engine: EngineConfig = build(EngineConfig, engine_section, "engine")  # type: ignore[arg-type]
    kept = tuple(text for text in fixed if text.lstrip("+~").partition("=")[0].split(".")[0] not in sections)
    if not any(text.startswith("sweep=") for text in fixed):
        kept = tuple(text for text in kept if not _chose_the_search(text, config.space))
    space = parse(_without_fixed(config.space | swept, set(kept)))
    planned = SweepPlan(config, engine, space, kept, {(): composed})
    _check_space(planned)
    return planned


def check_data(planned: SweepPlan, dry_run: subprocess.Popen[str]) -> bool:
    """Check that the rows in data/ were made with the parameters of the sweep. Raises DataError.

    `dry_run`: of DVC up to `featurize`. Returns whether the outputs of `featurize` are up to date too.
    """
    stages = read_params(paths.DVC_YAML)["stages"]
    base, params = planned.base(), read_params()
    for key in dict.fromkeys(key for stage in UPSTREAM for key in stages[stage]["params"]):
        if load(Any, key, base) != load(Any, key, params):
            raise DataError(
                f"the rows in data/ were split with {key} of {paths.PARAMS}, but the sweep sets another value; "
                f"run `fullcircle params {' '.join(planned.overrides)} && dvc repro split` first"
            )
    output, errors = dry_run.communicate()
    stale = [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]
    if dry_run.returncode or set(stale) & set(UPSTREAM):
        reason = errors.strip() or f"{', '.join(stale)} would run"
        raise DataError(f"the rows in data/ are not those of {paths.PARAMS}: {reason}; run `dvc repro featurize` first")
    return not stale


def _check_space(planned: SweepPlan) -> None:
    """Check that each key is a parameter that a trial can change, and that its stage accepts the bounds."""
    for each in planned.space.dimensions:
        if each.key.split(".")[0] not in SWEPT:
            raise ConfigError(
                f"sweep.space.{each.key}: a sweep varies {' and '.join(SWEPT)}, since every trial starts from "
                f"the same rows; `dvc exp run --queue -S '{each.key}=…'` runs the whole pipeline for each value"
            )
    drawn = [d for d in planned.space.always if "." not in d.key]
    for chosen in product(*([f"{d.key}={value}" for value in d.bounds] for d in drawn)):
        base = planned.base(chosen)
        check_params(base)
        conditional = [d for condition in chosen for d in planned.space.conditional.get(condition, ())]
        for each in (*planned.space.always, *conditional):
            if "." in each.key:
                _check_dimension(base, each, chosen)


def _check_dimension(base: dict[str, Any], one: Dimension, chosen: Iterable[str]) -> None:
    where = f"sweep.space.{one.key}"
    if wrong := _unknown(base, one.key):
        raise ConfigError(f"{where} is not a parameter{_with(chosen)}: {wrong}")
    for value in one.bounds:
        params = copy.deepcopy(base)
        section, name = _section_of(params, one.key)
        section[name] = value
        try:
            check_params(params)
        except ConfigError as error:
            raise ConfigError(f"{where}: `{one.text}` reaches {value}, and {error}") from None


def _unknown(base: dict[str, Any], key: str) -> str | None:
    """What is wrong with a dotted key, with the nearest name; None if the parameter exists."""
    section: Any = base
    for name in key.split("."):
        if not isinstance(section, dict):
            return f"there is nothing below {name}"
        if name not in section:
            return difference(section, [name], "key", missing=False)
        section = section[name]
    return None


def _with(chosen: Iterable[str]) -> str:
    text = ", ".join(chosen)
    return f" with {text}" if text else ""


def _section_of(params: dict[str, Any], key: str) -> tuple[dict[str, Any], str]:
    """The section that holds a dotted key, and the last part of the key."""
    *above, name = key.split(".")
    for part in above:
        params = params[part]
    return params, name


def _chose_the_search(override: str, space: dict[str, Any]) -> bool:
    """Whether an override such as model=ensemble names the search, which then goes across other models."""
    key, _, value = override.partition("=")
    return key == "model" and key in space and value not in dimension(key, space[key]).bounds


def _without_fixed(space: dict[str, Any], fixed: set[str]) -> dict[str, Any]:
    """The space without the keys that overrides fix; keys that depend on a fixed choice are searched in every trial."""
    keys = {text.partition("=")[0] for text in fixed}
    remaining: dict[str, Any] = {}
    for key, text in space.items():
        within = {k: v for k, v in text.items() if k not in keys} if isinstance(text, dict) else {}
        if key in fixed:
            remaining |= within
        elif key.partition("=")[0] not in keys:
            remaining[key] = within if isinstance(text, dict) else text
    return remaining
