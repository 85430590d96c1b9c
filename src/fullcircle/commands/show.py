"""show: a table of experiments that fits a terminal.

`dvc exp show` has one column per parameter and dependency, and no setting to select among them.
"""

from __future__ import annotations

import csv
import io
import re
import subprocess
from typing import TYPE_CHECKING

from rich.table import Table

from fullcircle.base.errors import FullCircleError
from fullcircle.evaluation.tasks import task_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = {
    "binary": ("auc", "ap", "brier", "ece", "f1"),
    "multiclass": ("logloss", "acc", "auc", "ece", "f1"),
    "regression": ("r2", "rmse", "mae", "coverage"),
}
"""Task -> test metrics to show, in this order; metrics/ and `dvc metrics diff` have the others."""

MEASURED = {name for classes in (0, 2, 3) for name in task_metrics(classes).NAMES}
_NOT_A_PARAMETER = re.compile(
    r"^params\.yaml$|^(data|src|models|conf|reports|metrics)/|^problem\.|^(trial|state|value|deviation|rounds)$|^val_"
)
_DVC_COLUMNS = ("Experiment", "rev", "typ", "Created", "parent", "State", "Executor")


def experiments(arguments: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows of `dvc exp show --csv`. Raises FullCircleError with the message of DVC."""
    done = subprocess.run(["dvc", "exp", "show", "--csv", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FullCircleError(done.stderr.strip() or done.stdout.strip())
    return list(csv.DictReader(io.StringIO(done.stdout)))


def metrics_of(rows: list[dict[str, str]]) -> list[str]:
    """The metrics to show: the primary one on validation rows, those of each task on test rows, and `rounds`."""
    primary = dict.fromkeys(f"val_{row['problem.metric']}" for row in rows if row.get("problem.metric"))
    tasks = dict.fromkeys(row["problem.target.task"] for row in rows if row.get("problem.target.task") in SHOWN)
    return [*dict.fromkeys([*primary, *(name for task in tasks for name in SHOWN[task]), "rounds"])]


def differing(rows: list[dict[str, str]]) -> list[str]:
    """The parameters that all rows of the first row's problem have, and in which they differ.

    Rows of other problems are ignored: most of their parameters differ.
    """
    rows = [row for row in rows if row.get("problem.name") == rows[0].get("problem.name")]
    names = [name for name in (rows[0] if rows else {}) if name not in _DVC_COLUMNS and name not in MEASURED]
    names = [name for name in names if not _NOT_A_PARAMETER.search(name) and all(row[name] for row in rows)]
    return [name for name in names if len({row[name] for row in rows}) > 1]


def table(rows: list[dict[str, str]]) -> Table:
    """One row per experiment: its name, the metrics, and the parameters that differ (without their section)."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("experiment", no_wrap=True)
    problems = ["problem.name"] if len({row.get("problem.name") for row in rows}) > 1 else []
    metrics, parameters = metrics_of(rows), [*problems, *differing(rows)]
    for name in metrics:
        shown.add_column(name, justify="right", no_wrap=True)
    for name in parameters:
        heading = "problem" if name == "problem.name" else name.removeprefix("model.").removeprefix("featurize.")
        shown.add_column(heading, overflow="ellipsis", no_wrap=True)
    for row in rows:
        name = f"  {row['Experiment']}" if row["Experiment"] else row["rev"]
        name += " (pruned)" if row.get("state") == "pruned" else ""
        cells = [_short(row.get(metric, "")) for metric in metrics]
        shown.add_row(name, *cells, *(row[parameter] for parameter in parameters))
    return shown


def _short(value: str) -> str:
    try:
        return f"{float(value):.4f}" if "." in value or "e" in value else value
    except ValueError:
        return value
