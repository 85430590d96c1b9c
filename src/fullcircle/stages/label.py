"""label: kept rows -> labelled rows: the target, and no column that was not known at the moment of prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fullcircle.base.errors import DataError
from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.schema import Schema
from fullcircle.core.stage import run
from fullcircle.core.tables import columns_of, read_table, read_typed, write_json, write_table
from fullcircle.core.target import BinaryTarget, LabelReport, Target, TargetDistribution
from fullcircle.labelling.targets import examples, target_of

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns


MONTHS = 120  # of more, as of dates of birth, no chart is drawn


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows with a `target`; `unlabelled`: how many had none and were left out."""

    table: pa.Table
    unlabelled: int


def label(kept: pa.Table, target: Target, schema: Schema, max_unlabelled: float) -> Labelled:
    """Add the target as float64 column `target`, drop `schema.outcomes`, and leave out the rows that have no target.

    The target is 1 for the positive class and 0 for the other, the position of the class, or the number. Raises
    DataError where more than the share `max_unlabelled` of the rows has none, where the column holds a value that is no
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


def report(labelled: Labelled, target: Target) -> LabelReport:
    """The distribution of the target, in total and by month.

    Months are those of the columns year and month, if these are numbers, or of the first column that is a time;
    without either, and if there are more than 120 months, there are none.
    """
    columns = columns_of(labelled.table.select([*dict.fromkeys([*_dated(labelled.table), "target"])]))
    values = columns.pop("target")
    months, names = _months(columns)
    names = names if len(names) <= MONTHS else {}
    by_month = {name: TargetDistribution.of(values[months == month], target.classes) for month, name in names.items()}
    return LabelReport(
        target=target.name,
        task=target.task,
        unlabelled=labelled.unlabelled,
        distribution=TargetDistribution.of(values, target.classes),
        about=target.about,
        by_month=by_month,
    )


def _dated(table: pa.Table) -> list[str]:
    """The columns that a row's month is read from."""
    if {"year", "month"} <= set(table.column_names):
        return ["year", "month"]
    return [field.name for field in table.schema if pa.types.is_timestamp(field.type)][:1]


def _months(columns: Columns) -> tuple[Array, dict[Any, str]]:
    """The month of each row, and the name of every month, as 2013-09, in order; null has none."""
    if len(columns) == 2 and all(values.dtype.kind == "f" for values in columns.values()):
        months = columns["year"] * 100 + columns["month"]
        return months, {m: f"{int(m) // 100}-{int(m) % 100:02}" for m in np.unique(months[~np.isnan(months)])}
    if len(columns) == 1:
        months = next(iter(columns.values())).astype("datetime64[M]")
        return months, {m: str(m) for m in np.unique(months[~np.isnat(months)])}
    return np.zeros(0), {}


def _check_names(names: list[str], target: Target, schema: Schema) -> None:
    if not isinstance(target, BinaryTarget) or target.column is not None:
        if target.column not in names:
            raise DataError(f"problem.target.column: there is no column {target.column}; there are {', '.join(names)}")
        if target.column in schema.inputs:
            raise DataError(
                f"problem.target.column: {target.column} is an input too, so the model would see the target. "
                "Give it `role: outcome` where the columns are described (problem.data)"
            )
    if "target" in names and "target" not in schema.outcomes:
        raise DataError(
            "a column is named `target`, as the one that this stage adds. Rename it in its source, or give it "
            "`role: outcome` where the columns are described (problem.data) if it is the column to predict"
        )


def _check_labelled(missing: Array, target: Target, allowed: float) -> None:
    if missing.sum() > allowed * len(missing):
        raise DataError(
            f"{missing.sum():,} of {len(missing):,} rows have no {target.column}, {examples(missing)}: a row "
            f"without a target cannot be learnt from. Correct the source, or raise clean.max_rejected (now "
            f"{allowed:g}) to leave them out"
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
            f"all {len(values):,} rows are {what}: a target with {kind} teaches nothing. Correct {where}, or the data."
        )
    if absent := [name for i, name in enumerate(target.classes) if i not in found]:
        raise DataError(
            f"none of {len(values):,} rows is {', '.join(absent)}. Take out of problem.target.classes what is not in "
            "the data, or correct the data"
        )
    if target.classes and 2 * (counts < 2).sum() > len(values):
        raise DataError(
            f"{len(values):,} rows have {len(found)} classes, and most rows are the only one of their "
            "class: there is nothing to learn from. Join classes, or gather more rows"
        )


def main() -> None:
    """Label the kept rows."""
    target: Target = load(Target, "problem.target")
    schema = read_typed(Schema, paths.SCHEMA)
    labelled = label(read_table(paths.KEPT), target, schema, load(float, "clean.max_rejected"))
    write_table(paths.LABELLED, labelled.table)
    write_json(paths.LABEL_REPORT, plain(report(labelled, target)))


if __name__ == "__main__":
    run("label", main)
