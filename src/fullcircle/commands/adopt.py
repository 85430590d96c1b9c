"""adopt: keep the parameters of an experiment. Overrides with `-S` are lost when params.yaml is composed again.

The choices of split and model are written into the defaults list of conf/problem/PROBLEM.yaml, and the problem's name
into that of conf/config.yaml; the values into conf/tuned/values/PROBLEM-MODEL.yaml. No other problem is changed.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from fullcircle.base.errors import ConfigError
from fullcircle.base.files import write_text
from fullcircle.core import paths
from fullcircle.core.config import compose
from fullcircle.sweep.trials import read_csv

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUPS = {"problem": "name", "split": "kind", "model": "name"}
"""Group of conf/ -> the key in its section with the name of the choice."""

SHARED = ("problem", "split", "clean", "featurize")
"""Sections of params.yaml that all members of an ensemble share: they define training rows and features."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """Files to write: path -> text."""

    files: dict[Path, str]


def adopt(name: str, wanted: dict[str, Any], conf: Path = paths.CONF) -> Adopted:
    """The files with which `conf` composes the parameters `wanted` of experiment `name`.

    Raises ConfigError if conf/ no longer has some of its parameters.
    """
    choices = {group: wanted[group][key] for group, key in GROUPS.items()}
    problem = conf / "problem" / f"{choices['problem']}.yaml"
    values = conf / "tuned" / "values" / f"{choices['problem']}-{choices['model']}.yaml"
    untuned = ["~tuned/values"] if values.exists() else []
    standard = yaml.safe_load(compose([*(f"{group}={choice}" for group, choice in choices.items()), *untuned], conf))
    changed = _changed(standard, wanted)
    if unknown := [key for key in _leaves(changed) if not _has(standard, key)]:
        raise ConfigError(f"{name} has parameters that {conf}/ no longer has: {', '.join(unknown)}")
    files = {problem: _read(problem), conf / "config.yaml": _read(conf / "config.yaml")}
    texts = dict(files)
    for group, choice in choices.items():
        file, entry = (conf / "config.yaml", group) if group == "problem" else (problem, f"override /{group}")
        texts[file] = choosing(texts[file], entry, choice, name)
    head = f"# @package _global_\n# Adopted from experiment {name} by `fullcircle adopt`; delete the file to undo.\n"
    tuned = {values: head + yaml.safe_dump(changed, sort_keys=False)} if changed or values.exists() else {}
    return Adopted({path: text for path, text in texts.items() if text != files[path]} | tuned)


def choosing(text: str, entry: str, choice: str, experiment: str) -> str:
    """A file of conf/ whose defaults list has `entry: choice`; the rest of it, comments included, stays as it is.

    >>> print(choosing("defaults:\\n  - override /model: xgboost  # fast\\n", "override /model", "forest", "e"))
    defaults:
      - override /model: forest  # adopted from experiment e; before: xgboost
    <BLANKLINE>
    """
    found = re.search(rf"^( *- *{re.escape(entry)} *: *)([^\s#]+)(.*)$", text, re.MULTILINE)
    if found is not None and found[2] == choice:
        return text
    why = f"  # adopted from experiment {experiment}"
    if found is not None:
        return f"{text[: found.start()]}{found[1]}{choice}{why}; before: {found[2]}{text[found.end() :]}"
    line = f"  - {entry}: {choice}{why}\n"
    if start := re.search(r"^defaults *:.*\n", text, re.MULTILINE):
        return text[: start.end()] + line + text[start.end() :]
    first = re.search(r"^(?!#|\s*$)", text, re.MULTILINE)
    at = len(text) if first is None else first.start()
    return f"{text[:at]}defaults:\n{line}\n{text[at:]}"


def write(adopted: Adopted, wanted: dict[str, Any], conf: Path = paths.CONF) -> str:
    """Write the files and return the composed parameters; if they are not `wanted`, restore the files and raise."""
    before = {path: path.read_text(encoding="utf-8") if path.exists() else None for path in adopted.files}
    for path, new in adopted.files.items():
        write_text(path, new)
    try:
        composed = compose((), conf)
        if (got := yaml.safe_load(composed)) != wanted:
            raise ConfigError(f"{conf}/ does not compose these parameters: {_differing(got, wanted)}")
    except ConfigError:
        for path, old in before.items():
            _restore(path, old)
        raise
    return composed


def params_of(name: str) -> dict[str, Any]:
    """The params.yaml of an experiment, branch, tag or commit. Raises ConfigError."""
    shown = subprocess.run(
        ["git", "show", f"{_revision(name)}:{paths.PARAMS}"], capture_output=True, text=True, check=False
    )
    if shown.returncode:
        raise ConfigError(f"{name} has no {paths.PARAMS}: {shown.stderr.strip()}")
    params: dict[str, Any] = yaml.safe_load(shown.stdout)
    return params


def ensemble_of(params: Sequence[dict[str, Any]], picks: int = 20) -> dict[str, Any]:
    """The parameters of an ensemble of the distinct models of experiments; `params`: their params.yaml, best first.

    Equal models become one member; an ensemble is replaced by its members. All else is taken from the first
    experiment. Raises ConfigError for fewer than two distinct models, or if experiments differ in `SHARED`.
    """
    models = [member for each in params for member in each["model"].get("members", [each["model"]])]
    distinct = [model for place, model in enumerate(models) if model not in models[:place]]
    if len(distinct) < 2:
        found = f"the {len(params)} experiments have {len(distinct)}"
        raise ConfigError(f"an ensemble needs at least 2 distinct models, and {found}")
    first, *others = ({section: each[section] for section in SHARED} for each in params)
    for place, other in enumerate(others, start=2):
        if differing := _differing(first, other):
            raise ConfigError(
                f"experiment {place} of {len(params)} differs from the first in {differing}; "
                f"the members of an ensemble must agree in {', '.join(SHARED)}"
            )
    return params[0] | {"model": {"name": "ensemble", "picks": picks, "max_rows": None, "members": distinct}}


def names_of(names: Sequence[str], sweep: str | None = None) -> list[str]:
    """Names of experiments; `best` is resolved to the best trial of a sweep, `best:5` to its five best.

    `sweep`: its name; None: the latest. Raises ConfigError if there is no such sweep or trial.
    """
    return [name for text in names for name in (_best(text, sweep) if text.split(":")[0] == "best" else [text])]


def _best(text: str, sweep: str | None) -> list[str]:
    count = text.partition(":")[2] or "1"
    if not count.isdecimal() or int(count) < 1:
        raise ConfigError(f"{text}: invalid number of trials; write best:5, for example")
    tables = sorted(paths.SWEEPS.glob(f"{sweep or '*'}/trials.csv"), key=lambda path: path.stat().st_mtime)
    if not tables:
        known = ", ".join(sorted(path.parent.name for path in paths.SWEEPS.glob("*/trials.csv"))) or "none"
        raise ConfigError(f"{f'there is no sweep {sweep}' if sweep else 'there is no sweep yet'}. Sweeps: {known}")
    ranked = sorted((t for t in read_csv(tables[-1]) if t.rank is not None), key=lambda trial: trial.rank or 0)
    kept = [trial.experiment for trial in ranked[: int(count)]]
    if len(kept) < int(count) or not all(kept):
        raise ConfigError(
            f"{text}: {tables[-1]} has {len(kept)} ranked trials, {sum(map(bool, kept))} of them recorded"
        )
    return kept


def _revision(name: str) -> str:
    """The commit of an experiment: DVC stores it under refs/exps/, by baseline and name."""
    refs = subprocess.run(
        ["git", "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps"],
        capture_output=True,
        text=True,
        check=True,
    )
    known = {line.split("/")[-1]: line.split()[0] for line in refs.stdout.splitlines() if "/exec/" not in line}
    if name in known:
        return known[name]
    found = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        names = ", ".join(sorted(known)) or "none"
        raise ConfigError(f"there is no experiment {name}. Experiments: {names}")
    return found.stdout.strip()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"there is no {path}: the experiment has a problem that this commit does not have") from None


def _changed(standard: Any, wanted: Any) -> Any:
    """The part of nested dict `wanted` that differs from `standard`."""
    result = {}
    for key, value in wanted.items():
        if isinstance(value, dict) and isinstance(standard.get(key), dict):
            if inner := _changed(standard[key], value):
                result[key] = inner
        elif key not in standard or standard[key] != value:
            result[key] = value
    return result


def _leaves(tree: dict[str, Any], prefix: str = "") -> list[str]:
    return [
        leaf
        for key, value in tree.items()
        for leaf in (_leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"])
    ]


def _has(tree: Any, key: str) -> bool:
    for name in key.split("."):
        if not isinstance(tree, dict) or name not in tree:
            return False
        tree = tree[name]
    return True


def _differing(got: dict[str, Any], wanted: dict[str, Any]) -> str:
    return ", ".join(dict.fromkeys(_leaves(_changed(got, wanted)) + _leaves(_changed(wanted, got))))


def _restore(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
    else:
        write_text(path, text)
