"""split: labelled rows -> train, validation and test rows. An old row never changes side when rows are added."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fullcircle.core import paths
from fullcircle.core.balance import balance
from fullcircle.core.config import load
from fullcircle.core.problem import Target
from fullcircle.core.stage import run
from fullcircle.core.tables import columns_of, read_table, write_json, write_table
from fullcircle.core.threads import side_by_side
from fullcircle.runtime.columns import is_null, rows
from fullcircle.runtime.errors import ConfigError, DataError

if TYPE_CHECKING:
    from fullcircle.runtime.columns import Array, Columns

SIDES = ("train", "validation", "test")
DRAW_AGAIN = (
    "Gather more rows, raise split.validation or split.test, join rare classes, or draw again with another split.salt"
)


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Train before `validation_from`, validation before `test_from`, test from then on; compared column by column.

    A border is a number where the column is one, a date or time as ISO 8601 text where the column is a time, and text
    where it is text, which goes by the alphabet.
    """

    kind: Literal["time"]
    columns: tuple[str, ...]
    validation_from: tuple[float | str, ...]
    test_from: tuple[float | str, ...]

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("columns: name the columns that tell the time, in problem.time")
        if not len(self.columns) == len(self.validation_from) == len(self.test_from):
            raise ValueError(f"validation_from and test_from each need a value for {', '.join(self.columns)}")
        borders = list(zip(self.validation_from, self.test_from, strict=True))
        if any(isinstance(first, str) != isinstance(second, str) for first, second in borders):
            raise ValueError("validation_from and test_from must both be numbers, or both be text")
        if self.validation_from >= self.test_from:
            raise ValueError(f"test_from {self.test_from} must come after validation_from {self.validation_from}")


@dataclass(frozen=True, slots=True)
class RandomSplit:
    """By a hash of `columns` (none: all but the target), drawn within each class.

    Shares of all rows: 0..1, their sum below 1.
    """

    kind: Literal["random"]
    columns: tuple[str, ...]
    validation: float
    test: float
    salt: str

    def __post_init__(self) -> None:
        _check_shares(self.validation, self.test)


@dataclass(frozen=True, slots=True)
class GroupSplit:
    """By a hash of `columns`, so that all rows of a group are on one side. Shares of groups: 0..1, sum below 1."""

    kind: Literal["group"]
    columns: tuple[str, ...]
    validation: float
    test: float
    salt: str

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("columns: name those whose equal values keep rows together, in problem.together")
        _check_shares(self.validation, self.test)


Split: TypeAlias = TimeSplit | RandomSplit | GroupSplit


def _check_shares(validation: float, test: float) -> None:
    if not (validation > 0 and test > 0 and validation + test < 1):
        raise ValueError(f"validation {validation:g} and test {test:g} must be above 0, and leave rows to train on")


def split(labelled: Columns, config: Split, classes: tuple[str, ...]) -> Array:
    """The side of each row, as an index into SIDES. `labelled`: the columns that the split goes by, and `target`.

    Raises DataError where training rows lack a class, where another side has fewer than two, or two different numbers
    (no `classes`), and where a column that tells the time has a null.
    """
    if isinstance(config, TimeSplit):
        side = _from(labelled, config, config.validation_from) + _from(labelled, config, config.test_from)
    else:
        by_class = isinstance(config, RandomSplit) and classes
        strata = labelled["target"] if by_class else np.zeros(rows(labelled))
        at = drawn(_drawn_by(labelled, config), strata, config.salt)
        side = (at >= 1 - config.test - config.validation).astype(int) + (at >= 1 - config.test)
    for i, name in enumerate(SIDES):
        _demand_varied(labelled["target"], side == i, name, config, classes)
    return side


def _demand_varied(target: Array, inside: Array, side: str, config: Split, classes: tuple[str, ...]) -> None:
    found = np.unique(target[inside])
    needed = max(2, len(classes)) if side == "train" else 2
    if len(found) >= needed:
        return
    what = f"of {len(classes)} classes" if classes else "different numbers"
    absent = [f"{name} ({(target == i).sum():,} rows in all)" for i, name in enumerate(classes) if i not in found]
    lacking = f" There is no {', no '.join(absent[:5])}{', ...' if len(absent) > 5 else ''}." if absent else ""
    mend = "Move the borders in split" if isinstance(config, TimeSplit) else DRAW_AGAIN
    raise DataError(f"{inside.sum():,} {side} rows hold {len(found)} {what}, and need {needed}.{lacking} {mend}.")


def _from(labelled: Columns, config: TimeSplit, border: tuple[float | str, ...]) -> Array:
    """1 for rows at or after the border, 0 before it: columns compared in order, as words in a dictionary are."""
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
        moment = datetime.fromisoformat(str(border))
    except ValueError as error:
        raise ConfigError(f"split: the border {border!r} of column {column} is no date or time: {error}") from None
    utc = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return np.datetime64(utc, "s")


def _drawn_by(labelled: Columns, config: RandomSplit | GroupSplit) -> list[Array]:
    """The columns whose values place a row: those of the split, or all that it has, in alphabetical order."""
    return [labelled[name] for name in config.columns or sorted(labelled.keys() - {"target"})]


def drawn(columns: list[Array], strata: Array, salt: str) -> Array:
    """A number in [0, 1) a row that depends on its values, its stratum and the salt alone (BLAKE2b)."""
    texts = zip(strata.tolist(), *(column.tolist() for column in columns), strict=True)
    keys = [repr((salt, *values)).encode() for values in texts]
    hashes = [int.from_bytes(hashlib.blake2b(key, digest_size=6).digest(), "big") for key in keys]
    return np.array(hashes, dtype=float) / 2**48


def folds(labelled: Columns, config: RandomSplit | GroupSplit, count: int) -> Array:
    """A fold, 0 to count - 1, for each row of training and validation: equally many of each class, or whole groups.

    By the order of their hashes, so that the order of the rows does not matter.
    """
    at = drawn(_drawn_by(labelled, config), np.zeros(rows(labelled)), f"{config.salt} folds")
    if isinstance(config, GroupSplit):
        return np.unique(at, return_inverse=True)[1] % count
    target = labelled["target"]
    classes = len(np.unique(target)) < len(target) / count
    order = np.lexsort((at, target)) if classes else np.argsort(at, kind="stable")
    fold = np.empty(len(at), np.int64)
    fold[order] = np.arange(len(at)) % count
    return fold


def summary(target: Array, side: Array, config: Split, classes: tuple[str, ...]) -> dict[str, Any]:
    """How the target is spread on each side."""
    report: dict[str, Any] = {"kind": config.kind, "columns": list(config.columns)}
    return report | {name: balance(target[side == i], classes) for i, name in enumerate(SIDES)}


def main() -> None:
    """Split the labelled rows."""
    config: Split = load(Split, "split")
    target: Target = load(Target, "problem.target")
    labelled = read_table(paths.LABELLED)
    columns = columns_of(labelled.select([*(config.columns or labelled.drop_columns("target").column_names), "target"]))
    side = split(columns, config, target.classes)
    files = enumerate((paths.TRAIN, paths.VALIDATION, paths.TEST))
    side_by_side(lambda file: write_table(file[1], labelled.filter(side == file[0])), files)
    write_json(paths.SPLIT_REPORT, summary(columns["target"], side, config, target.classes))


if __name__ == "__main__":
    run("split", main)
