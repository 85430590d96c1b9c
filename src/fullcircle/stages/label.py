"""label: kept rows -> labelled rows: the target, and no column that was not known when it had to be foretold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fullcircle.base.errors import DataError
from fullcircle.base.typed import build
from fullcircle.core import paths
from fullcircle.core.balance import balance
from fullcircle.core.config import load
from fullcircle.core.schema import Schema
from fullcircle.core.stage import run
from fullcircle.core.tables import columns_of, read_json, read_table, write_json, write_table
from fullcircle.core.target import BinaryTarget, Target
from fullcircle.labelling.targets import examples, target_of

if TYPE_CHECKING:
    from fullcircle.base.columns import Array


MONTHS = 120  # of more, as of dates of birth, no chart is drawn


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows with a `target`; `unlabelled`: how many had none and were left out."""

    table: pa.Table
    unlabelled: int


def label(kept: pa.Table, target: Target, schema: Schema, max_unlabelled: float) -> Labelled:
    """Add the target as float64 column `target`, drop `schema.outcomes`, and leave out the rows that have no target.

    The target is 1 for the positive class and 0 for the other, the position of the class, or the number. Raises
    DataError where more than the share `max_unlabelled` of the rows has none, where the column holds what is no
    class or no finite number, and where the target does not vary or has a class without rows.
    """
    _check_names(kept.column_names, target, schema)
    values = target_of(kept, target)
    missing = np.isnan(values)
    _check_labelled(missing, target, max_unlabelled)
    values = values[~missing]
    _check_varied(values, target)
    table = kept.drop_columns(list(schema.outcomes))
    if missing.any():
        table = table.filter(pa.array(~missing))
    return Labelled(table.append_column("target", pa.array(values)), int(missing.sum()))


def spread(labelled: Labelled, target: Target) -> dict[str, Any]:
    """What reports/label.json says: how the target is spread, in all and by month.

    Months are those of the columns year and month, where these are numbers, or of the first column that is a time;
    without either, and of more than 120 months, there are none.
    """
    table = labelled.table
    dated = [name for name in ("year", "month") if name in table.column_names]
    times = [field.name for field in table.schema if pa.types.is_timestamp(field.type)]
    timed = times[:1] if len(dated) < 2 else []
    columns = columns_of(table.select([*dict.fromkeys([*dated, *timed, "target"])]))
    values = columns["target"]
    report: dict[str, Any] = {
        "target": target.name,
        "about": target.about,
        "task": target.task,
        "unlabelled": labelled.unlabelled,
        **balance(values, target.classes),
    }
    if len(dated) == 2 and all(columns[name].dtype.kind == "f" for name in dated):
        month = columns["year"] * 100 + columns["month"]
        names = {m: f"{int(m) // 100}-{int(m) % 100:02}" for m in np.unique(month[~np.isnan(month)])}
    elif timed:
        month = columns[timed[0]].astype("datetime64[M]")
        names = {m: str(m) for m in np.unique(month[~np.isnat(month)])}
    else:
        return report
    if len(names) > MONTHS:
        return report
    return report | {"by_month": {name: balance(values[month == m], target.classes) for m, name in names.items()}}


def _check_names(names: list[str], target: Target, schema: Schema) -> None:
    if not isinstance(target, BinaryTarget) or target.column is not None:
        if target.column not in names:
            raise DataError(f"problem.target.column: there is no column {target.column}; there are {', '.join(names)}")
        if target.column in schema.inputs:
            raise DataError(
                f"problem.target.column: {target.column} is an input too, so the model would be told the answer. "
                "Give it `role: outcome` where the columns are described (problem.data)"
            )
    if "target" in names and "target" not in schema.outcomes:
        raise DataError(
            "a column is named `target`, as the one that this stage adds. Rename it in its source, or give it "
            "`role: outcome` where the columns are described (problem.data) if it is what is to be foretold"
        )


def _check_labelled(missing: Array, target: Target, allowed: float) -> None:
    if missing.sum() > allowed * len(missing):
        raise DataError(
            f"{missing.sum():,} of {len(missing):,} rows have no {target.column}, {examples(missing)}: what was not "
            f"seen cannot be learnt. Mend the source, or raise clean.max_rejected (now {allowed:g}) to leave them out"
        )


def _check_varied(values: Array, target: Target) -> None:
    where = "problem.target"
    if isinstance(target, BinaryTarget) and target.holds is not None:
        where = f"problem.target.holds (now `{target.holds}`)"
    found, counts = np.unique(values, return_counts=True)
    if len(found) < 2:
        what = "" if not len(found) else target.classes[int(found[0])] if target.classes else f"{found[0]:g}"
        kind = "one class" if target.classes else "one value"
        raise DataError(
            f"all {len(values):,} rows are {what}: a target with {kind} teaches nothing. Mend {where}, or the data."
        )
    if absent := [name for i, name in enumerate(target.classes) if i not in found]:
        raise DataError(
            f"none of {len(values):,} rows is {', '.join(absent)}. Take out of problem.target.classes what is not in "
            "the data, or mend the data"
        )
    if target.classes and 2 * (counts < 2).sum() > len(values):
        raise DataError(
            f"{len(values):,} rows have {len(found)} classes, and most rows one of their own: there is nothing to "
            "learn from. Join classes, or gather more rows"
        )


def main() -> None:
    """Label the kept rows."""
    target: Target = load(Target, "problem.target")
    schema = build(Schema, read_json(paths.SCHEMA), str(paths.SCHEMA))
    labelled = label(read_table(paths.KEPT), target, schema, load(float, "clean.max_rejected"))
    write_table(paths.LABELLED, labelled.table)
    write_json(paths.LABEL_REPORT, spread(labelled, target))


if __name__ == "__main__":
    run("label", main)
