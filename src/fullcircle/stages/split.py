"""split: labelled rows -> train, validation and test rows. An old row never changes side when rows are added."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.stage import run
from fullcircle.core.tables import columns_of, read_table, write_json, write_table
from fullcircle.core.threads import side_by_side
from fullcircle.runtime.columns import rows
from fullcircle.runtime.errors import DataError

if TYPE_CHECKING:
    from fullcircle.runtime.columns import Array, Columns

SIDES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Train before `validation_from`, validation before `test_from`, test from then on; compared column by column."""

    kind: Literal["time"]
    columns: tuple[str, ...]
    validation_from: tuple[int, ...]
    test_from: tuple[int, ...]

    def __post_init__(self) -> None:
        if not len(self.columns) == len(self.validation_from) == len(self.test_from):
            raise ValueError(f"validation_from and test_from each need a value for {', '.join(self.columns)}")
        if self.validation_from >= self.test_from:
            raise ValueError(f"test_from {self.test_from} must come after validation_from {self.validation_from}")


@dataclass(frozen=True, slots=True)
class RandomSplit:
    """By a hash of `columns`, drawn within each class. Shares of all rows: 0..1, their sum below 1."""

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
        _check_shares(self.validation, self.test)


Split: TypeAlias = TimeSplit | RandomSplit | GroupSplit


def _check_shares(validation: float, test: float) -> None:
    if not (validation > 0 and test > 0 and validation + test < 1):
        raise ValueError(f"validation {validation:g} and test {test:g} must be above 0, and leave rows to train on")


def split(labelled: Columns, config: Split) -> Array:
    """The side of each row, as an index into SIDES. Raises DataError if a side is empty or has one class."""
    if isinstance(config, TimeSplit):
        side = _from(labelled, config, config.validation_from) + _from(labelled, config, config.test_from)
    else:
        strata = labelled["target"] if isinstance(config, RandomSplit) else np.zeros(rows(labelled))
        at = drawn([labelled[c] for c in config.columns], strata, config.salt)
        side = (at >= 1 - config.test - config.validation).astype(int) + (at >= 1 - config.test)
    for i, name in enumerate(SIDES):
        target = labelled["target"][side == i]
        if len(np.unique(target)) < 2:
            raise DataError(
                f"{len(target):,} {name} rows hold {len(np.unique(target))} classes, and need two. "
                "Move the borders in split."
            )
    return side


def _from(labelled: Columns, config: TimeSplit, border: tuple[int, ...]) -> Array:
    """1 for rows at or after the border, 0 before it: columns compared in order, as words in a dictionary are."""
    after = np.ones(rows(labelled), bool)
    for column, value in reversed(list(zip(config.columns, border, strict=True))):
        values = labelled[column]
        after = (values > value) | ((values == value) & after)
    return after.astype(int)


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
    columns = config.columns or tuple(name for name in labelled if name != "target")
    at = drawn([labelled[c] for c in columns], np.zeros(rows(labelled)), f"{config.salt} folds")
    if isinstance(config, GroupSplit):
        return np.unique(at, return_inverse=True)[1] % count
    target = labelled["target"]
    classes = len(np.unique(target)) < len(target) / count
    order = np.lexsort((at, target)) if classes else np.argsort(at, kind="stable")
    fold = np.empty(len(at), np.int64)
    fold[order] = np.arange(len(at)) % count
    return fold


def summary(target: Array, side: Array, config: Split) -> dict[str, Any]:
    """Rows and share of positives of each side."""
    report: dict[str, Any] = {"kind": config.kind, "columns": list(config.columns)}
    for i, name in enumerate(SIDES):
        on_side = target[side == i]
        report[name] = {"rows": len(on_side), "positive": float(on_side.mean())}
    return report


def main() -> None:
    """Split the labelled rows."""
    config: Split = load(Split, "split")
    labelled = read_table(paths.LABELLED)
    columns = columns_of(labelled.select([*config.columns, "target"]))
    side = split(columns, config)
    files = enumerate((paths.TRAIN, paths.VALIDATION, paths.TEST))
    side_by_side(lambda file: write_table(file[1], labelled.filter(side == file[0])), files)
    write_json(paths.SPLIT_REPORT, summary(columns["target"], side, config))


if __name__ == "__main__":
    run("split", main)
