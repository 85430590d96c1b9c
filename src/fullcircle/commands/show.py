"""show: experiments in tables that fit a terminal. `dvc exp show` has a column for each parameter and dependency."""

from __future__ import annotations

import csv
import io
import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import ConfigError, difference
from fullcircle.evaluation.tasks import task_metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.commands.experiments import Experiment

SHOWN = {
    "binary": ("auc", "ap", "brier", "ece", "f1"),
    "multiclass": ("logloss", "acc", "auc", "ece", "f1"),
    "regression": ("r2", "rmse", "mae", "coverage"),
}
"""Task -> test metrics to show, in this order; metrics/ and `dvc metrics diff` have the others."""

LOWER = {name for classes in (0, 2, 3) for name in task_metrics(classes).LOWER}
_NOT_COMPARED = re.compile(r"^problem\.")
_SHORTENED = re.compile(r"^(model|featurize)\.")


def of_problem(rows: list[Experiment]) -> list[Experiment]:
    """The rows of the problem of the first row."""
    return [row for row in rows if row.problem == rows[0].problem]


def ordered(rows: list[Experiment], metric: str | None) -> list[Experiment]:
    """The rows with the experiments of each commit in the order of a metric, the best first; commits stay in place.

    Raises ConfigError for a metric that no row has.
    """
    if metric is None:
        return rows
    known = {name for row in rows for name, value in row.metrics.items() if isinstance(value, (int, float))}
    if wrong := difference(known, [metric], "metric", missing=False):
        raise ConfigError(f"--sort-by: {wrong}")
    sign = 1 if metric.removeprefix("val_") in LOWER else -1

    def key(row: Experiment) -> tuple[bool, float]:
        value = row.metrics.get(metric)
        return (True, 0.0) if value is None else (False, sign * float(value))

    result: list[Experiment] = []
    for _, group in groupby(rows, key=lambda row: row.parent):
        result += sorted(group, key=key)
    return result


def metrics_of(rows: Sequence[Experiment]) -> list[str]:
    """The metrics to show: the primary one on validation rows, those of the task on test rows, and `rounds`."""
    primary = dict.fromkeys(f"val_{row.params['problem.metric']}" for row in rows if "problem.metric" in row.params)
    tasks = dict.fromkeys(row.params.get("problem.target.task") for row in rows)
    of_tasks = [name for task in tasks if task in SHOWN for name in SHOWN[task]]
    return [*dict.fromkeys([*primary, *of_tasks, "rounds"])]


def differing(rows: Sequence[Experiment]) -> list[str]:
    """The parameters in which the rows differ and that more than half of them have; first those that most have."""
    names = dict.fromkeys(name for row in rows for name in row.params if not _NOT_COMPARED.search(name))
    values = {name: [row.params[name] for row in rows if name in row.params] for name in names}
    found = [n for n in names if len(values[n]) * 2 > len(rows) and any(value != values[n][0] for value in values[n])]
    return sorted(found, key=lambda name: -len(values[name]))


def table(rows: Sequence[Experiment], width: int | None = None) -> str:
    """The rows of one problem: name, verdict, metrics, and the parameters that differ, in at most `width` characters.

    No name and no number is cut: columns that do not fit are left out from the right, and the last line names them.
    """
    if not rows:
        return ""
    columns = [["experiment", *(_name(row) for row in rows)]]
    if any(row.verdict for row in rows):
        columns.append(["verdict", *(row.verdict for row in rows)])
    fixed = len(columns)
    columns += [[metric, *(_number(row.metrics.get(metric)) for row in rows)] for metric in metrics_of(rows)]
    numbers = range(fixed, len(columns))
    columns += [[_SHORTENED.sub("", n), *(_text(row.params.get(n)) for row in rows)] for n in differing(rows)]
    widths = [max(map(len, column)) for column in columns]
    shown, total = [], -2
    for i, wide in enumerate(widths):
        if i < fixed + 1 or width is None or total + wide + 2 <= width:
            shown.append(i)
            total += wide + 2
    lines = [
        "  ".join(columns[i][r].rjust(widths[i]) if i in numbers else columns[i][r].ljust(widths[i]) for i in shown)
        for r in range(len(rows) + 1)
    ]
    left_out = [columns[i][0] for i in range(len(columns)) if i not in shown]
    if left_out:
        names = f"{', '.join(left_out[:5])}{', ...' if len(left_out) > 5 else ''}"
        lines.append(f"{len(left_out)} more columns do not fit: {names}; `fullcircle show --csv` has all")
    return "\n".join(line.rstrip() for line in lines)


def as_csv(rows: Sequence[Experiment]) -> str:
    """All rows with every metric and every parameter in full; a list is JSON-like text."""
    metrics = dict.fromkeys(name for row in rows for name in row.metrics)
    params = dict.fromkeys(name for row in rows for name in row.params)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["experiment", "revision", "parent", "verdict", *metrics, *params])
    for row in rows:
        cells = [*(row.metrics.get(name) for name in metrics), *(row.params.get(name) for name in params)]
        writer.writerow([row.name, row.revision, row.parent, row.verdict, *cells])
    return written.getvalue()


def _name(row: Experiment) -> str:
    name = row.name if row.parent is None else f"  {row.name}"
    return f"{name} (pruned)" if row.metrics.get("state") == "pruned" else name


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} values" if len(value) > 3 else ",".join(map(str, value))
    return "" if value is None else str(value)
