"""split: labelled rows -> train, validation and test rows. An old row never changes side when rows are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.cells import time_of
from fullcircle.base.columns import is_null, rows
from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.threads import parallel_map
from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.split import Split, SplitReport, TimeSplit, drawn, drawn_by
from fullcircle.core.stage import run
from fullcircle.core.tables import columns_of, read_table, taken, write_json, write_table
from fullcircle.core.target import Target, TargetDistribution

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns

SIDES = ("train", "validation", "test")
DRAW_AGAIN = (
    "Gather more rows, raise split.validation or split.test, join rare classes, or draw again with another split.salt"
)


def split(labelled: Columns, config: Split, classes: tuple[str, ...]) -> Array:
    """The side of each row, as an index into SIDES. `labelled`: the columns that the split goes by, and `target`.

    Raises DataError where training rows lack a class, where another side has fewer than two, or two different numbers
    (no `classes`), and where a column that orders rows in time has a null.
    """
    if isinstance(config, TimeSplit):
        side = _from(labelled, config, config.validation_from) + _from(labelled, config, config.test_from)
    else:
        at = drawn(drawn_by(labelled, config), config.salt)
        side = (at >= 1 - config.test - config.validation).astype(int) + (at >= 1 - config.test)
    for i, name in enumerate(SIDES):
        _check_varied(labelled["target"], side == i, name, config, classes)
    return side


def _check_varied(target: Array, inside: Array, side: str, config: Split, classes: tuple[str, ...]) -> None:
    found = np.unique(target[inside])
    needed = max(2, len(classes)) if side == "train" else 2
    if len(found) >= needed:
        return
    what = f"of {len(classes)} classes" if classes else "different numbers"
    absent = [f"{name} ({(target == i).sum():,} rows in all)" for i, name in enumerate(classes) if i not in found]
    lacking = f" There is no {', no '.join(absent[:5])}{', ...' if len(absent) > 5 else ''}." if absent else ""
    advice = "Move the borders in split" if isinstance(config, TimeSplit) else DRAW_AGAIN
    raise DataError(f"{inside.sum():,} {side} rows hold {len(found)} {what}, and need {needed}.{lacking} {advice}.")


def _from(labelled: Columns, config: TimeSplit, border: tuple[float | str, ...]) -> Array:
    """1 for rows at or after the border, 0 before it: columns compared in lexicographic order."""
    after = np.ones(rows(labelled), bool)
    for column, value in reversed(list(zip(config.columns, border, strict=True))):
        values = labelled[column]
        bound = _bound(column, values, value)
        after = (values > bound) | ((values == bound) & after)
    return after.astype(int)


def _bound(column: str, values: Array, border: float | str) -> Any:
    """A border as values of the column can be compared with it. Raises DataError, ConfigError."""
    null = is_null(values)
    if null.any():
        raise DataError(
            f"{null.sum():,} of {len(null):,} rows have no {column}, e.g. row {np.flatnonzero(null)[0]} of "
            f"{paths.LABELLED} (counted from 0), and a split by time cannot place them. Give the column "
            "`missing: reject` where the columns are described (problem.data)"
        )
    if isinstance(border, str) == (values.dtype.kind == "f"):
        example = "a number" if values.dtype.kind == "f" else "text, such as '2024-01-31'"
        raise ConfigError(f"split: the border {border!r} does not fit column {column}: give {example}")
    if values.dtype.kind != "M":
        return border
    try:
        return time_of(str(border))
    except ValueError as error:
        raise ConfigError(f"split: the border {border!r} of column {column} is no date or time: {error}") from None


def report(target: Array, side: Array, config: Split, classes: tuple[str, ...]) -> SplitReport:
    """The distribution of the target on each side."""
    sides = {name: TargetDistribution.of(target[side == i], classes) for i, name in enumerate(SIDES)}
    return SplitReport(config.kind, config.columns, **sides)


def main() -> None:
    """Split the labelled rows."""
    config: Split = load(Split, "split")
    target: Target = load(Target, "problem.target")
    labelled = read_table(paths.LABELLED)
    columns = columns_of(labelled.select([*(config.columns or labelled.drop_columns("target").column_names), "target"]))
    side = split(columns, config, target.classes)
    files = enumerate((paths.TRAIN, paths.VALIDATION, paths.TEST))
    parallel_map(lambda file: write_table(file[1], taken(labelled, side == file[0])), files)
    write_json(paths.SPLIT_REPORT, plain(report(columns["target"], side, config, target.classes)))


if __name__ == "__main__":
    run("split", main)
