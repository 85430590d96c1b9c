"""`fullcircle init`: a table -> a drafted problem in two files; both are written or none."""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, get_args

import yaml

from fullcircle.base.errors import ConfigError
from fullcircle.base.files import replacing
from fullcircle.base.typed import build
from fullcircle.core import paths
from fullcircle.core.data import Data
from fullcircle.core.problem import Problem
from fullcircle.drafting.draft import draft
from fullcircle.drafting.files import data_file, draft_paths, problem_file
from fullcircle.drafting.summary import summary
from fullcircle.drafting.table import USUAL, How, read_sample
from fullcircle.drafting.target import Task
from fullcircle.drafting.yaml import check_composable

if TYPE_CHECKING:
    from fullcircle.drafting.splits import SplitBy

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_RESERVED = (
    "y",
    "n",
    "yes",
    "no",
    "on",
    "off",
    "true",
    "false",
    "null",
    "nan",
    "inf",
    "none",
)  # values that YAML or Hydra do not read as text


def init(
    data: str,
    target: str,
    name: str | None,
    task: Task | None = None,
    records: tuple[str, ...] = (),
    how: How = USUAL,
    split_by: SplitBy | None = None,
    force: bool = False,
) -> str:
    """Draft a problem from the table `data`, write its two files, and return a summary.

    `how`: the file is read. `split_by`: a column that the user names.

    Raises SourceError, DataError or ConfigError; nothing is written then. A run that is killed between the two files
    leaves the one that nothing reads, and the next run writes both.
    """
    name = check_name(name) if name is not None else name_of(data)
    files = draft_paths(name)
    if not (paths.CONF / "config.yaml").is_file():
        raise ConfigError(f"there is no {paths.CONF / 'config.yaml'} here. Run it in the root of the repository.")
    if (existing := [str(file) for file in files if file.exists()]) and not (force or _is_left_over(*files)):
        raise ConfigError(f"{' and '.join(existing)} already exists. Give another --name, or --force to overwrite it.")
    drafted = draft(read_sample(data, how), name, target, task, records, split_by)
    texts = problem_file(drafted), data_file(drafted)
    check_readable(*texts, drafted.sample.origin)
    with replacing(files[0]) as problem, replacing(files[1]) as columns:
        for file, text in zip((problem, columns), texts, strict=True):
            file.write_text(text, encoding="utf-8", newline="\n")
    return summary(drafted)


def _is_left_over(problem: Path, data: Path) -> bool:
    """Whether a killed run has left the description of data, which is written first, and no problem that reads it."""
    if problem.exists() or not data.exists():
        return False
    others = sorted(problem.parent.glob("*.yaml"))
    return not any(str(data) in file.read_text(encoding="utf-8") for file in others)


def check_readable(problem: str, data: str, where: str) -> None:
    """Check that the stages can read the files.

    Raises DataError for text that Hydra would change, and ConfigError for an invalid problem.
    """
    values = yaml.load(problem, Loader=yaml.CSafeLoader)["problem"]
    check_composable(values, where)
    build(Problem, values, "problem")
    build(Data, yaml.load(data, Loader=yaml.CSafeLoader), "data")


def check_name(name: str) -> str:
    """Check that a name is valid for files, wheels and the command line. Raises ConfigError."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise ConfigError(
            f"--name {name!r} must be lower-case letters, digits, - and _, and not a reserved word of YAML."
        )
    return name


def check_task(task: str | None) -> Task | None:
    """Check that a task exists. Raises ConfigError."""
    tasks = get_args(Task)
    if task is not None and task not in tasks:
        raise ConfigError(f"--task {task!r} is not one of {', '.join(tasks)}")
    return task  # type: ignore[return-value]


def name_of(data: str) -> str:
    """A name for the problem, from the last part of a path or URL."""
    stem = PurePath(data.split("?")[0]).name.split(".")[0]
    name = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")
    return name if _NAME.fullmatch(name) and name not in _RESERVED else f"table_{name}".rstrip("_")
