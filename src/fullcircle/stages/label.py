"""label: kept rows -> labelled rows: the target, and no column that was not known when it had to be foretold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from fullcircle.cleaning.expressions import holds, mentioned
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.problem import Schema, Target
from fullcircle.core.stage import run
from fullcircle.core.tables import columns_of, read_json, read_table, write_json, write_table
from fullcircle.runtime.errors import DataError
from fullcircle.runtime.typed import build

if TYPE_CHECKING:
    from fullcircle.runtime.columns import Array


def label(kept: pa.Table, target: Target, outcomes: list[str]) -> pa.Table:
    """Add the target (1: positive) as column `target`, and drop `outcomes`. Raises DataError if it has one class."""
    named = mentioned(kept.column_names, target.holds)
    positive = holds(pd.DataFrame(columns_of(kept.select(named))), target.holds, "problem.target.holds")
    share = positive.mean()
    if share in (0.0, 1.0):
        raise DataError(
            f"all {len(positive):,} rows are {target.positive if share else target.negative}: a target with one class "
            f"teaches nothing. Mend problem.target.holds (now `{target.holds}`), or the data."
        )
    return kept.drop_columns(outcomes).append_column("target", pa.array(positive.astype(float)))


def balance(labelled: pa.Table, target: Target) -> dict[str, Any]:
    """Rows and share of positives, in all and by month where the table has year and month."""
    dated = [name for name in ("year", "month") if name in labelled.column_names]
    columns = columns_of(labelled.select([*dated, "target"]))
    positive = columns["target"]
    report: dict[str, Any] = {"target": target.name, "about": target.about, **_share(positive)}
    if len(dated) == 2:
        month = columns["year"] * 100 + columns["month"]
        report["by_month"] = {
            f"{int(m) // 100}-{int(m) % 100:02}": _share(positive[month == m]) for m in np.unique(month)
        }
    return report


def _share(positive: Array) -> dict[str, Any]:
    return {"rows": len(positive), "positive": float(positive.mean())}


def main() -> None:
    """Label the kept rows."""
    target = load(Target, "problem.target")
    outcomes = build(Schema, read_json(paths.SCHEMA), str(paths.SCHEMA)).outcomes
    labelled = label(read_table(paths.KEPT), target, list(outcomes))
    write_table(paths.LABELLED, labelled)
    write_json(paths.LABEL_REPORT, balance(labelled, target))


if __name__ == "__main__":
    run("label", main)
