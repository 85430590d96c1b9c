"""show: experiments side by side, in the columns that a terminal has room for.

`dvc exp show` has a column for every parameter and every dependency, and no setting to choose among them.
"""

from __future__ import annotations

import csv
import io
import re
import subprocess
from typing import TYPE_CHECKING

from rich.table import Table

from fullcircle.runtime.errors import FullCircleError

if TYPE_CHECKING:
    from collections.abc import Sequence

METRICS = ("val_auc", "auc", "ap", "brier", "ece", "f1", "rounds")
"""Metrics shown, in this order; the others are in metrics/ and `dvc metrics diff`."""

_NOT_A_PARAMETER = re.compile(
    r"^params\.yaml$|^(data|src|models|conf|reports|metrics)/|^problem\.|^(logloss|acc|prec|rec|val_ece|trial|state|value|deviation)$"
)
_ABOUT = ("Experiment", "rev", "typ", "Created", "parent", "State", "Executor")


def experiments(arguments: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows of `dvc exp show --csv`. Raises FullCircleError with what DVC said."""
    done = subprocess.run(["dvc", "exp", "show", "--csv", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise FullCircleError(done.stderr.strip() or done.stdout.strip())
    return list(csv.DictReader(io.StringIO(done.stdout)))


def differing(rows: list[dict[str, str]]) -> list[str]:
    """The parameters that every row has and that are not the same in all of them."""
    names = [name for name in (rows[0] if rows else {}) if name not in (*_ABOUT, *METRICS)]
    names = [name for name in names if not _NOT_A_PARAMETER.search(name) and all(row[name] for row in rows)]
    return [name for name in names if len({row[name] for row in rows}) > 1]


def table(rows: list[dict[str, str]]) -> Table:
    """One row an experiment: its name, the metrics, and the parameters that differ (without their section)."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("experiment", no_wrap=True)
    for name in METRICS:
        shown.add_column(name, justify="right", no_wrap=True)
    parameters = differing(rows)
    for name in parameters:
        shown.add_column(name.removeprefix("model.").removeprefix("featurize."), overflow="ellipsis", no_wrap=True)
    for row in rows:
        name = f"  {row['Experiment']}" if row["Experiment"] else row["rev"]
        name += " (pruned)" if row.get("state") == "pruned" else ""
        cells = [_short(row.get(metric, "")) for metric in METRICS]
        shown.add_row(name, *cells, *(row[parameter] for parameter in parameters))
    return shown


def _short(value: str) -> str:
    try:
        return f"{float(value):.4f}" if "." in value or "e" in value else value
    except ValueError:
        return value
